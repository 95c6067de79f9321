import { h } from './page';

export interface Schema {
  $ref?: string; type?: string | string[]; format?: string; enum?: unknown[]; const?: unknown; description?: string;
  properties?: Record<string, Schema>; required?: string[]; items?: Schema | false; prefixItems?: Schema[]; anyOf?: Schema[]; oneOf?: Schema[];
  additionalProperties?: Schema | boolean; default?: unknown; pattern?: string; minLength?: number; maxLength?: number;
  minimum?: number; maximum?: number; exclusiveMinimum?: number; minItems?: number; maxItems?: number;
}
export type Components = Record<string, Schema>;

const DEEP = 4;

export function resolved(schema: Schema, components: Components): Schema {
  return schema.$ref ? components[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)] ?? {} : schema;
}

/** The kind of a value in a few words: "text, 3–200 characters", "one of a, b". */
export function kind(given: Schema, components: Components): string {
  const schema = resolved(given, components);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return [...new Set(choices.map((each) => kind(each, components)))].join(' or ');
  if (schema.enum) return schema.enum.map((value) => (value === null ? 'null' : String(value))).join(' | ');
  if (schema.const !== undefined) return String(schema.const);
  if (schema.properties) return 'object';
  const type = Array.isArray(schema.type) ? schema.type.join(' or ') : schema.type;
  if (type === 'array') return schema.items ? `list of ${kind(schema.items, components)}` : 'list';
  const limits = [
    between(schema.minLength, schema.maxLength, 'characters'), between(schema.minimum ?? schema.exclusiveMinimum, schema.maximum, ''),
    between(schema.minItems, schema.maxItems, 'items'), schema.pattern && `like ${schema.pattern}`,
  ].filter(Boolean);
  return [schema.format ?? type ?? 'anything', ...limits].join(', ');
}

function between(low: number | undefined, high: number | undefined, unit: string): string {
  if (low === undefined && high === undefined) return '';
  return `${low ?? ''}–${high ?? ''} ${unit}`.trim();
}

/** The fields of a body, one row each; what lies within a field stands beneath it, indented. */
export function fields(given: Schema, components: Components): HTMLElement {
  const body = h('tbody');
  for (const row of rows(given, components, 0, new Set())) body.append(row);
  const head = h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Field'), h('th', { scope: 'col' }, 'Kind'), h('th', { scope: 'col' }, 'Meaning')));
  return body.childElementCount ? h('div', { class: 'table-scroll', tabindex: '0', role: 'group', 'aria-label': 'Fields' }, h('table', {}, head, body)) : h('p', { class: 'muted' }, kind(given, components));
}

function rows(given: Schema, components: Components, level: number, seen: Set<Schema>): HTMLElement[] {
  const schema = resolved(given, components);
  if (level > DEEP || seen.has(schema)) return [];
  const within = new Set([...seen, schema]);
  const inner = schema.items || schema.anyOf?.find((each) => resolved(each, components).properties || resolved(each, components).items);
  if (!schema.properties) return inner ? rows(inner, components, level, within) : [];
  const needed = new Set(schema.required ?? []);
  return Object.entries(schema.properties).flatMap(([name, field]) => [
    h('tr', {}, h('th', { scope: 'row', class: `level-${level}` }, h('code', {}, name), needed.has(name) && h('span', { class: 'chip plain' }, 'needed')),
      h('td', {}, kind(field, components)), h('td', {}, field.description ?? resolved(field, components).description ?? '')),
    ...rows(field, components, level + 1, within),
  ]);
}
