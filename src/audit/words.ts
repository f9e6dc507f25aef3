/**
 * A log's words for people. What stands in it came from programs and other hosts: control characters, and whatever
 * turns the direction of a line or hides in it, are shown and never sent to a terminal.
 */
import { fingerprint } from '../trust/fingerprint.ts';
import type { Roster } from '../trust/roster.ts';
import { hex } from '../wire/hex.ts';
import type { Finding } from './chain.ts';
import type { Entry, Scalar } from './entry.ts';
import type { Members } from './members.ts';

/** Controls (C0, DEL, C1), separators of lines, direction marks, and what has no width. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const HARMFUL = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** The text on one line, every harmful character as `\uXXXX`. */
export function printable(text: string): string {
  return text.replace(HARMFUL, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export function findingLine({ severity, host, path, n, text }: Finding): string {
  const whose = [host ?? printable(path), n === null ? '' : `entry ${n}`].filter((part) => part !== '');
  return `${[severity, whose.join(' '), printable(text)].filter((part) => part !== '').join(': ')}`;
}

/** An entry on one line. Of its data only what its text does not say already. */
export function entryLine(entry: Entry, host: string): string {
  const { n, wallMs, kind, service, text, event, data, detail } = entry;
  const said = ([, value]: [string, Scalar]): boolean =>
    value === null || (typeof value === 'string' && text.includes(value));
  const rest = Object.entries(data).filter((pair) => !said(pair));
  const parts = [
    timeText(wallMs),
    `${host}#${n}`,
    kind,
    ...(service === null ? [] : [service]),
    printable(text),
    ...rest.map(([key, value]) => printable(`${key}=${value}`)),
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

/** The fingerprint of the admin key that signed a roster's first version: what its whole chain hangs on. */
export function firstAdminOf({ history }: Roster): string {
  const [first] = history;
  return first === undefined ? '' : fingerprint(first.signer);
}

/** By what logs were judged. `given`: whoever verifies has named the admin key; else the roster's own word is all there is. */
export function judgedByText({ roster }: Members, given: boolean): string {
  const text = `judged by roster version ${roster.version} of cluster ${roster.clusterName}, admin key ${firstAdminOf(roster)}`;
  return given ? `${text}, as given` : `${text}: compare it, or give --admin-key; anybody can sign a roster`;
}

/** A time for people; below ten with a decimal. */
export function msText(value: number): string {
  return `${Math.max(0, value).toFixed(value < 10 ? 1 : 0)} ms`;
}
