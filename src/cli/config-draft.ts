/**
 * A configuration file as it is written for an operator: what was chosen, each key with what it means, and all other keys
 * of the same section at their defaults, as comments. All words come from the one table of keys. Pure.
 */
import { durationText } from '../daemon/config/duration.ts';
import { SCHEMA_FILE } from '../daemon/config/json-schema.ts';
import type { DurationKey, Known, NumberKey, TextKey } from '../daemon/config/key-kinds.ts';
import { DURATION_KEYS, knownAt, NUMBER_KEYS, TEXT_KEYS } from '../daemon/config/keys.ts';

/** Not known yet: written as a comment that `check` misses the key of. */
export interface Blank {
  /** What it could look like. */
  readonly example: string | readonly string[];
  readonly why: string;
}

export type DraftValue = string | readonly string[] | boolean | Blank;
export type DraftKeys = { readonly [key: string]: DraftValue };

export interface DraftService {
  /** Lines of comment above it. */
  readonly notes: readonly string[];
  readonly keys: DraftKeys;
  readonly downlink: DraftKeys;
  readonly uplink: DraftKeys;
  readonly firewall: DraftKeys;
  readonly procedures: DraftKeys;
}

export interface Draft {
  /** Lines of comment at the top. */
  readonly head: readonly string[];
  readonly keys: DraftKeys;
  readonly intervalMs: number | null;
  /** Null: no such section. */
  readonly conntrackd: DraftKeys | null;
  readonly links: readonly DraftKeys[];
  readonly services: readonly DraftService[];
}

const WIDTH = 110;
const COLUMN = 44;
/** What marks a line that an operator must still write; `check` names each. */
const FILL_IN = 'FILL IN';

export { FILL_IN };

/** The text of the file. Throws RangeError for a key that is in no table: that is our fault. */
export function draftText(draft: Draft): string {
  const known = knownAt(draft.intervalMs ?? DURATION_KEYS['timing.interval'].defaultMs());
  const interval: DraftKeys = draft.intervalMs === null ? {} : { interval: durationText(draft.intervalMs) };
  const { conntrackd } = draft;
  const parts = [
    `#:schema ${SCHEMA_FILE}\n${comment(draft.head)}`,
    section('', null, draft.keys, known),
    section('timing.', '[timing]', interval, known),
    section('raise.', '[raise]', {}, known),
    section('log.', '[log]', {}, known),
    conntrackd === null ? '' : section('conntrackd.', '[conntrackd]', conntrackd, known),
    ...draft.links.map((link, i) => section('link.', '[[link]]', link, known, i === 0)),
    ...draft.services.map((service, i) => serviceText(service, known, i === 0)),
  ];
  return `${parts.filter((part) => part !== '').join('\n')}`;
}

function serviceText(service: DraftService, at: Known, isFirst: boolean): string {
  const { activation } = service.uplink;
  const known = typeof activation === 'string' ? { ...at, activation } : at;
  const part = (name: string, keys: DraftKeys): string =>
    section(`service.${name}.`, `[service.${name}]`, keys, known, isFirst);
  const sections = [
    `${comment(service.notes)}${section('service.', '[[service]]', service.keys, known, isFirst)}`,
    part('downlink', service.downlink),
    part('uplink', service.uplink),
    part('firewall', service.firewall),
    part('procedures', service.procedures),
    part('limits', {}),
  ];
  return sections.filter((text) => text !== '').join('\n');
}

interface Row {
  readonly rule: string;
  /** As TOML; null: there is none. */
  readonly fallback: string | null;
  /** Of a number that has one. */
  readonly unit?: string;
}

/** The rows of the table that belong to a section, in its order, by the last part of their names. */
function rowsOf(prefix: string, known: Known): Map<string, Row> {
  const rows = new Map<string, Row>();
  const own = (key: string): string | null => {
    const rest = key.slice(prefix.length);
    return key.startsWith(prefix) && !rest.includes('.') && rest !== '*' ? rest : null;
  };
  const put = (key: string, row: Row): void => {
    const name = own(key);
    if (name !== null) rows.set(name, row);
  };
  for (const [key, { rule, default: value }] of Object.entries<TextKey>(TEXT_KEYS))
    put(key, { rule, fallback: textFallback(value) });
  for (const [key, { rule, defaultMs }] of Object.entries<DurationKey>(DURATION_KEYS))
    put(key, { rule, fallback: defaultMs === null ? null : JSON.stringify(durationText(defaultMs(known))) });
  for (const [key, { rule, default: value, unit }] of Object.entries<NumberKey>(NUMBER_KEYS))
    put(key, { rule, fallback: String(value), ...(unit === '' ? {} : { unit }) });
  return rows;
}

/** A default of the table as TOML: a value that stands in quotes or brackets already, a path, or none in words. */
function textFallback(value: string): string | null {
  if (/^["[]/.test(value) || value === 'true' || value === 'false') return value;
  return value.startsWith('/') ? JSON.stringify(value) : null;
}

/** `isTold`: with what the keys mean, and the others at their defaults; once for each kind of section is enough. */
function section(
  prefix: string,
  header: string | null,
  keys: DraftKeys,
  known: Known,
  isTold = true,
): string {
  const rows = rowsOf(prefix, known);
  const chosen = Object.entries(keys).map(([name, value]) => {
    const row = rows.get(name);
    if (row === undefined && prefix !== 'service.procedures.')
      throw new RangeError(`no key ${prefix}${name} in the table`);
    return `${row === undefined || !isTold ? '' : comment([row.rule])}${line(name, value)}`;
  });
  if (chosen.length === 0 && !isTold) return '';
  const others = isTold ? [...rows].filter(([name]) => keys[name] === undefined) : [];
  const defaults = others.map(([name, row]) => defaultLine(name, row));
  // A section of nothing but defaults stands as a comment altogether.
  const isIdle = chosen.length === 0 && header !== null;
  const top = header === null ? '' : `${isIdle ? '# ' : ''}${header}\n`;
  return `${top}${chosen.join('')}${defaults.join('')}`;
}

function line(name: string, value: DraftValue): string {
  if (isBlank(value)) return `# ${name} = ${toml(value.example)}   # ${FILL_IN}: ${value.why}\n`;
  return `${name} = ${toml(value)}\n`;
}

function isBlank(value: DraftValue): value is Blank {
  return typeof value === 'object' && 'example' in value;
}

function toml(value: string | readonly string[] | boolean): string {
  return typeof value === 'object'
    ? `[${value.map((one) => JSON.stringify(one)).join(', ')}]`
    : JSON.stringify(value);
}

function defaultLine(name: string, { rule, fallback, unit }: Row): string {
  const shown = `# ${name} = ${fallback ?? '...'}`;
  const [sentence = ''] = rule.split(/(?<=[.;])\s/, 1);
  const inUnits = unit === undefined ? '' : ` In ${unit}.`;
  return `${shown.padEnd(COLUMN)} # ${sentence.replace(/[;:]$/, '.')}${inUnits}\n`;
}

/** Lines of comment, broken at blanks. */
function comment(texts: readonly string[]): string {
  return texts.flatMap((text) => wrapped(text).map((part) => `${`# ${part}`.trimEnd()}\n`)).join('');
}

function wrapped(text: string): string[] {
  // What begins with a blank is to be typed as it stands.
  if (text.startsWith(' ')) return [text];
  const out: string[] = [];
  let at = '';
  for (const word of text.split(' ')) {
    if (at !== '' && at.length + word.length + 1 > WIDTH) {
      out.push(at);
      at = word;
    } else at = at === '' ? word : `${at} ${word}`;
  }
  return [...out, at];
}
