// One sprite of the icons that the templates name. A name that Tabler does not know ends the build.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const web = resolve(import.meta.dirname, '../src/salerno/interfaces/web');
const tabler = resolve(import.meta.dirname, 'node_modules/@tabler/icons/icons/outline');
const sources = readdirSync(web, { recursive: true }).filter((name) => /\.(html|py)$/.test(name) && !name.startsWith('static'));
const text = sources.map((name) => readFileSync(join(web, name), 'utf8')).join('\n');
const words = new Set(text.match(/["'][a-z]+(?:-[a-z0-9]+)*["']/g)?.map((word) => word.slice(1, -1)) ?? []);
const named = /(?:\bicon(?:_name|_of)?\(|\bicon(?:_name)?=|_icon_of\(|ui\.empty\(|"?icon"?: )\s*["']([a-z0-9-]+)["']/g;
const called = [...text.matchAll(named)].map((match) => match[1]);
for (const name of called) if (!existsSync(join(tabler, `${name}.svg`))) throw new Error(`there is no icon "${name}"`);
const candidates = [...new Set([...called, ...words])].filter((name) => existsSync(join(tabler, `${name}.svg`))).sort();
const symbols = candidates.map((name) => {
  const body = readFileSync(join(tabler, `${name}.svg`), 'utf8').replace(/^[\s\S]*?<svg[^>]*>/, '').replace(/<\/svg>\s*$/, '');
  const paths = body.replace(/<!--[\s\S]*?-->/g, '').replace(/\s*\n\s*/g, '').trim();
  return `<symbol id="${name}" viewBox="0 0 24 24">${paths}</symbol>`;
});
writeFileSync(resolve(import.meta.dirname, 'src/icons.svg'), `<svg xmlns="http://www.w3.org/2000/svg" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">${symbols.join('')}</svg>\n`);
console.log(`${candidates.length} icons`);
