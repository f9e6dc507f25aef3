/** Entries for log pipelines: JSON lines, and the journal's export format (systemd, "Journal Export Formats"). */
import { hex } from '../wire/hex.ts';
import { KINDS, type Kind } from './kinds.ts';
import type { Told } from './merge.ts';
import { printable } from './words.ts';

/** syslog's priorities. */
const PRIORITY: { readonly [K in Kind]?: number } = {
  alarm: 4,
  lost: 3,
  repaired: 4,
  refused: 5,
  transition: 5,
  operator: 5,
  roster: 5,
};
const INFORMATIONAL = 6;

/** One entry in the journal's export format: fields, and an empty line at the end. */
export function journalEntry({ entry, host, hash }: Told): string {
  const { n, wallMs, monoUs, kind, service, text, event, detail } = entry;
  const fields: [string, string][] = [
    ['__REALTIME_TIMESTAMP', String(wallMs * 1000)],
    ['__MONOTONIC_TIMESTAMP', String(monoUs)],
    ['_HOSTNAME', host],
    ['MESSAGE', printable(text === '' ? kind : text)],
    ['MESSAGE_ID', KINDS[kind].messageId],
    ['PRIORITY', String(PRIORITY[kind] ?? INFORMATIONAL)],
    ['SYSLOG_IDENTIFIER', 'portcullis'],
    ['PORTCULLIS_KIND', kind],
    ['PORTCULLIS_ENTRY', String(n)],
    ['PORTCULLIS_HASH', hex(hash)],
    ...(service === null ? [] : [['PORTCULLIS_SERVICE', service] as [string, string]]),
    ...(event === null || event === '' ? [] : [['PORTCULLIS_EVENT', printable(event)] as [string, string]]),
    ...(detail === null ? [] : [['PORTCULLIS_DETAIL', printable(detail)] as [string, string]]),
    ...Object.entries(entry.data).map(([key, value]): [string, string] => [
      fieldName(key),
      printable(String(value)),
    ]),
  ];
  return `${fields.map(([name, value]) => `${name}=${value}\n`).join('')}\n`;
}

/** The journal takes capitals, digits and underscores. */
function fieldName(key: string): string {
  return `PORTCULLIS_DATA_${key.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`.slice(0, 64);
}
