/**
 * A log's words for people. What stands in it came from programs and other hosts: control characters, and whatever
 * turns the direction of a line or hides in it, are shown and never sent to a terminal.
 */
import { hex } from '../wire/hex.ts';
import type { Finding } from './chain.ts';
import type { Entry } from './entry.ts';

/** Controls (C0, DEL, C1), separators of lines, direction marks, and what has no width. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const HARMFUL = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** The text on one line, every harmful character as `\uXXXX`. */
export function printable(text: string): string {
  return text.replace(HARMFUL, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export function findingLine({ severity, host, path, n, text }: Finding): string {
  const whose = [host, n === null ? null : `entry ${n}`].filter((part) => part !== null).join(' ');
  const where = whose === '' ? printable(path) : whose;
  return `${severity}: ${where}: ${printable(text)}`;
}

/** An entry on one line. */
export function entryLine(entry: Entry, host: string): string {
  const { n, wallMs, kind, service, text, event, detail } = entry;
  const parts = [
    timeText(wallMs),
    `${host}#${n}`,
    kind,
    ...(service === null ? [] : [service]),
    printable(text),
    ...(event === null || event === '' ? [] : [`[${printable(event)}]`]),
    ...(detail === null ? [] : [`{${printable(detail)}}`]),
  ];
  return parts.join('  ');
}

/** ISO 8601; a time beyond what a date can be is shown as its number. */
export function timeText(wallMs: number): string {
  const date = new Date(wallMs);
  return Number.isNaN(date.getTime()) ? String(wallMs) : date.toISOString();
}

/** An entry as data: what `show --json` and `export` print, with its hash. */
export function entryJson(entry: Entry, host: string, hash: Uint8Array): { [key: string]: unknown } {
  const { n, wallMs, monoUs, kind, service, text, event, data, detail, roster, heads } = entry;
  return {
    host,
    n,
    hash: hex(hash),
    time: timeText(wallMs),
    monoUs,
    kind,
    service,
    text,
    ...(event === null ? {} : { event }),
    ...(Object.keys(data).length === 0 ? {} : { data: { ...data } }),
    ...(detail === null ? {} : { detail }),
    ...(roster === null ? {} : { roster: { version: roster.version, hash: hex(roster.hash) } }),
    ...(heads.length === 0
      ? {}
      : { heads: heads.map(({ host: whose, ageMs, word }) => ({ host: whose, ageMs, word: hex(word) })) }),
  };
}
