import { createCalendar, DayGrid, destroyCalendar, Interaction, ResourceTimeGrid, TimeGrid } from '@event-calendar/core';
import '@event-calendar/core/index.css';
import htmx from '../htmx';
import type { Stop } from '../islands';
import { locale } from '../locale';
import { Refusal, send } from '../request';
import { type Choice, say } from './toast';

interface Item { id: string; resourceId?: string; start: string; end: string; title?: string; note?: string; label?: string; hue?: number; status?: string; href?: string; fixed?: boolean; display?: string }
interface Place { start: Date; end: Date; resourceIds: string[] }
interface Event extends Place { id: string; title: string; display: string; extendedProps: Item }
interface Moved { event: Event; oldEvent: Place; revert: () => void }
interface Wish { starts_at: string; minutes: number; practitioner?: string }
interface Ec { refetchEvents(): void; setOption(name: string, value: unknown): void }

/**
 * The day by practitioner or the week: drag to move or stretch; a refused drop snaps back, says why, and offers
 * the nearest free times. Times travel without an offset: every browser shows the clocks of the clinic.
 */
export function mount(element: HTMLElement): Stop {
  const { dataset } = element;
  let background = false;
  element.style.setProperty('--columns', String(dataset.view === 'timeGridWeek' ? 7 : (JSON.parse(dataset.resources!) as unknown[]).length));
  const load = async (info: { start: Date; end: Date }) => {
    const join = dataset.url!.includes('?') ? '&' : '?';
    const url = `${dataset.url}${join}from=${local(info.start).slice(0, 10)}&to=${local(info.end).slice(0, 10)}`;
    const items = await send<Item[]>('GET', url, undefined, background ? { 'X-Background': '1' } : {});
    background = false;
    return items.map((item) => ({
      id: item.id, start: item.start, end: item.end, title: item.title ?? '', display: item.display ?? 'auto',
      editable: !item.fixed && !item.display && !!dataset.move,
      resourceIds: item.resourceId ? [item.resourceId] : [], extendedProps: item,
    }));
  };
  const post = async (id: string, wish: Wish) => {
    await send('POST', dataset.move!.replace('{id}', id), wish);
    calendar.refetchEvents();
  };
  const move = async (info: Moved) => {
    const before = wishOf(info.oldEvent);
    try {
      await post(info.event.id, wishOf(info.event));
      say(dataset.moved!, { choices: [{ label: dataset.undo!, act: () => void attempt(info.event.id, before) }] });
    } catch (error) {
      info.revert();
      explain(info.event.id, wishOf(info.event), error);
    }
  };
  const attempt = async (id: string, wish: Wish) => {
    try { await post(id, wish); say(dataset.moved!); } catch (error) { explain(id, wish, error); }
  };
  const explain = (id: string, wish: Wish, error: unknown) => {
    const details = (error instanceof Refusal ? error.problem.details : undefined) as Why | undefined;
    const lines = [details?.sentence ?? (error instanceof Refusal ? error.message : dataset.refused!), ...(details?.conflicts ?? []).map((each) => each.message)];
    const free = details?.alternatives ?? [];
    if (free.length && dataset.nearest) lines.push(`${dataset.nearest}:`);
    say(lines.join('\n'), { danger: true, choices: free.map((each): Choice => ({ label: each.label, act: () => void attempt(id, { ...wish, starts_at: each.starts_at }) })) });
  };
  const look = () => { for (const [name, value] of Object.entries(language(dataset))) calendar.setOption(name, value); };
  const open = (url: string) => {
    const panel = document.getElementById(dataset.panel ?? '') as HTMLDialogElement | null;
    if (!panel) return location.assign(url);
    panel.showModal();
    void htmx.ajax('GET', url, { target: `#${panel.id}-body`, swap: 'innerHTML' });
  };
  const calendar = createCalendar(element, [TimeGrid, ResourceTimeGrid, DayGrid, Interaction], {
    view: dataset.view!,
    ...(dataset.day ? { date: dataset.day } : {}),
    ...language(dataset),
    eventSources: [{ events: load }],
    resources: JSON.parse(dataset.resources!),
    headerToolbar: 'plain' in dataset ? { start: '', center: '', end: '' } : { start: 'prev,today,next', center: 'title', end: '' },
    slotDuration: { minutes: Number(dataset.slot) },
    slotHeight: 26,
    slotMinTime: dataset.start!,
    slotMaxTime: dataset.end!,
    flexibleSlotTimeLimits: { eventFilter: (event: Event) => event.display !== 'background' },
    snapDuration: { minutes: 5 },
    longPressDelay: 350,
    nowIndicator: true,
    timeZone: dataset.offset ?? 'local',
    allDaySlot: false,
    eventTimeFormat: { hour: '2-digit', minute: '2-digit' },
    slotLabelFormat: { hour: '2-digit', minute: '2-digit' },
    eventContent: ({ event, timeText }: { event: Event; timeText: string }) => ({
      domNodes: event.display === 'background' ? [] : [span('event-time', timeText.split(/[–-]/)[0]!.trim()), span('event-who', event.title), span('event-note', event.extendedProps.note ?? '')],
    }),
    eventDidMount: ({ el, event }: { el: HTMLElement; event: Event }) => {
      const { hue, status, label } = event.extendedProps;
      if (event.display === 'background') return;
      if (hue !== undefined) el.dataset.hue = String(hue);
      if (status) el.dataset.status = status;
      if (label) { el.setAttribute('aria-label', label); el.title = label; }
    },
    eventClick: ({ event }: { event: Event }) => event.extendedProps.href && open(event.extendedProps.href),
    dateClick: (info: { date: Date; resource?: { id: string } }) => {
      if (!dataset.new) return;
      const who = info.resource?.id ?? new URLSearchParams(dataset.url!.split('?')[1]).get('who');
      open(`${dataset.new}?at=${encodeURIComponent(local(info.date))}${who ? `&who=${who}` : ''}`);
    },
    eventDrop: move,
    eventResize: move,
  } as never) as unknown as Ec;
  const live = () => { background = true; calendar.refetchEvents(); };
  const after = (event: globalThis.Event) => { if ((event.target as Element | null)?.closest?.(`#${dataset.panel ?? 'none'}`)) calendar.refetchEvents(); };
  element.addEventListener('live', live);
  document.addEventListener('look', look);
  document.addEventListener('htmx:after:swap', after);
  return () => {
    document.removeEventListener('look', look);
    document.removeEventListener('htmx:after:swap', after);
    void destroyCalendar(calendar as never);
  };
}

interface Why { sentence?: string; conflicts?: { message: string }[]; alternatives?: { starts_at: string; label: string }[] }

function language(dataset: DOMStringMap): Record<string, unknown> {
  return {
    locale: locale(),
    firstDay: 1,
    allDayContent: () => ({ domNodes: [document.createTextNode(dataset.allDay!)] }),
    buttonText: (text: Record<string, string>) => ({ ...text, today: dataset.today! }),
  };
}

function wishOf(place: Place): Wish {
  const minutes = Math.round((place.end.getTime() - place.start.getTime()) / 60_000);
  const practitioner = place.resourceIds[0];
  return { starts_at: local(place.start), minutes, ...(practitioner ? { practitioner } : {}) };
}

/** What a clock on the wall shows, as "2026-03-02T09:00:00". */
function local(moment: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}T${two(moment.getHours())}:${two(moment.getMinutes())}:00`;
}

function span(name: string, text: string): HTMLElement {
  const made = document.createElement('span');
  made.className = name;
  made.textContent = text;
  return made;
}
