import { locale } from '../locale';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Stop } from '../islands';

interface Series { label: string; short?: string; unit: string; values: [string, number][]; low: number | null; high: number | null }

const HUES = ['--accent', '--h1', '--h2', '--h3'];

/** Lines with their normal range shaded and named at their end; hover and arrow keys read exact values. */
export function mount(element: HTMLElement): Stop {
  const area = element.querySelector<HTMLElement>('.plot-area')!;
  const read = element.querySelector<HTMLElement>('.plot-read')!;
  const series = JSON.parse(element.dataset.series!) as Series[];
  const times = [...new Set(series.flatMap((each) => each.values.map(([when]) => Date.parse(when) / 1000)))].sort((a, b) => a - b);
  const rows = series.map((each) => {
    const known = new Map(each.values.map(([when, value]) => [Date.parse(when) / 1000, value]));
    return times.map((time) => known.get(time) ?? null);
  });
  const day = () => new Intl.DateTimeFormat(locale(), { dateStyle: 'medium' });
  const number = () => new Intl.NumberFormat(locale());
  const colour = (name: string) => {
    const value = getComputedStyle(element).getPropertyValue(name).trim();
    return /^--h\d/.test(name) ? `oklch(${dark() ? 0.75 : 0.55} 0.1 ${value})` : resolve(element, name);
  };
  const tell = (index: number | null | undefined) => {
    if (index === null || index === undefined || times[index] === undefined) { read.textContent = ''; return; }
    const values = series.map((each, s) => (rows[s]![index] === null ? '' : `${each.label} ${number().format(rows[s]![index]!)} ${each.unit}`));
    read.textContent = `${day().format(times[index]! * 1000)}: ${values.filter(Boolean).join(' · ')}`;
  };
  const plot = new uPlot(
    {
      width: area.clientWidth || 320,
      height: Number(element.dataset.height),
      legend: { show: false },
      padding: [12, series.some((each) => (each.short ?? each.label) !== '') ? 64 : 12, 0, 0],
      cursor: { points: { size: 8 }, y: false, drag: { setScale: false, x: false, y: false } },
      scales: { x: { time: true }, y: { range: (_, low, high) => bounds(series, low, high) } },
      axes: [
        { stroke: () => colour('--ink-3'), grid: { show: false }, ticks: { show: false }, font: '11px Inter', size: 28, values: (_, splits) => splits.map((split) => short(split, times)) },
        { stroke: () => colour('--ink-3'), grid: { stroke: () => colour('--hairline'), width: 1 }, ticks: { show: false }, font: '11px Inter', size: 40, values: (_, splits) => splits.map((split) => number().format(split)) },
      ],
      series: [{}, ...series.map((each, s) => ({ label: each.label, stroke: () => colour(HUES[s % HUES.length]!), width: 1.75, points: { show: true, size: 5, fill: () => colour('--surface') }, spanGaps: true }))],
      hooks: {
        drawClear: [(u: uPlot) => shade(u, series, colour)],
        draw: [(u: uPlot) => name(u, series, rows, colour)],
        setCursor: [(u: uPlot) => tell(u.cursor.idx)],
      },
    },
    [times, ...rows] as uPlot.AlignedData,
    area,
  );
  let at = times.length;
  area.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    at = Math.min(Math.max(at + step, 0), times.length - 1);
    plot.setCursor({ left: plot.valToPos(times[at]!, 'x'), top: 20 });
    tell(at);
  });
  const button = element.querySelector<HTMLElement>('[data-table]')!;
  button.addEventListener('click', () => {
    const table = document.getElementById(button.getAttribute('aria-controls')!)!;
    table.hidden = !table.hidden;
    button.setAttribute('aria-expanded', String(!table.hidden));
  });
  const redraw = () => plot.redraw(false);
  const size = new ResizeObserver(() => area.clientWidth && plot.setSize({ width: area.clientWidth, height: Number(element.dataset.height) }));
  size.observe(area);
  document.addEventListener('look', redraw);
  const paper = matchMedia('print'); // on paper it is day
  paper.addEventListener('change', redraw);
  return () => { size.disconnect(); document.removeEventListener('look', redraw); paper.removeEventListener('change', redraw); plot.destroy(); };
}

function dark(): boolean {
  if (matchMedia('print').matches) return false;
  const chosen = document.documentElement.dataset.theme;
  return chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
}

/** The colour a variable comes to: a canvas does not know light-dark(). */
function resolve(element: HTMLElement, name: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${name})`;
  element.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

function bounds(series: Series[], low: number | null, high: number | null): [number, number] {
  const all = [low, high, ...series.flatMap((each) => [each.low, each.high])].filter((value): value is number => value !== null);
  if (!all.length) return [0, 1];
  const [from, to] = [Math.min(...all), Math.max(...all)];
  const room = (to - from || 1) * 0.12;
  return [from - room, to + room];
}

function shade(u: uPlot, series: Series[], colour: (name: string) => string): void {
  const { ctx, bbox } = u;
  const one = series.filter((each) => each.low !== null && each.high !== null);
  ctx.save();
  ctx.globalAlpha = one.length > 1 ? 0.5 : 1;
  ctx.fillStyle = colour('--success-soft');
  for (const each of one) {
    const top = u.valToPos(each.high!, 'y', true);
    ctx.fillRect(bbox.left, top, bbox.width, u.valToPos(each.low!, 'y', true) - top);
  }
  ctx.restore();
}

function name(u: uPlot, series: Series[], rows: (number | null)[][], colour: (name: string) => string): void {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio || 1;
  ctx.save();
  ctx.font = `500 ${11 * ratio}px Inter`;
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  series.forEach((each, s) => {
    const last = rows[s]!.findLast((value) => value !== null);
    if (last === undefined || last === null) return;
    ctx.fillStyle = colour(HUES[s % HUES.length]!);
    ctx.fillText(each.short ?? each.label, bbox.left + bbox.width + 6 * ratio, u.valToPos(last, 'y', true), 58 * ratio);
  });
  ctx.restore();
}

function short(split: number, times: number[]): string {
  const years = (times.at(-1)! - times[0]!) / 31_557_600;
  const shape: Intl.DateTimeFormatOptions = years > 3 ? { year: 'numeric' } : years > 0.5 ? { month: 'short', year: '2-digit' } : { day: 'numeric', month: 'short' };
  return new Intl.DateTimeFormat(locale(), shape).format(split * 1000);
}
