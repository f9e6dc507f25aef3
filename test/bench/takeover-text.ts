/** A takeover bench's report for people: a line a row, and tables. */
import type { Calm } from '../lab/calm.ts';
import type { Rest } from '../lab/rest.ts';
import { row } from '../lab/usage.ts';
import type { Goal } from './goals.ts';
import { median } from './statistics.ts';
import type { About, FailedRecord, Row, Series } from './takeover-report.ts';

const WIDTHS = [10, 7, 32, 22, 16, 13, 18, 16, 13, 8];
const HEADINGS = [
  ...['fault', 'I ms', 'outage: median, max', 'lost, at most', 'ratio', 'runs', 'nobody answers', 'two act'],
  ...['at the end', 's/pair'],
];

/** Of several gateways ours comes first, then the peers in the order of `--peers`. */
export function heading(): string {
  return row(HEADINGS, WIDTHS).trimEnd();
}

export function rowLine({ fault, intervalMs, series, ratios, secondsPerPair }: Row): string {
  const all = Object.values(series);
  const each = (pick: (one: Series) => string | number): string => all.map(pick).join(' / ');
  const middle = (pick: (one: Series) => readonly number[]): string =>
    each((one) => Math.round(median(pick(one)) ?? 0));
  const figures = ({ medianMs, maxMs }: Series): string => `${Math.round(medianMs)} ${Math.round(maxMs)}`;
  const cells = [
    ...[fault, String(intervalMs), each(figures), each((one) => `${one.lostMedian} ${one.lostMax}`)],
    Object.values(ratios)
      .map(({ median: middling }) => middling ?? '-')
      .join(' / ') || '-',
    ...[
      each((one) => one.outageMs.length),
      middle((one) => one.unansweredMs),
      middle((one) => one.overlapMs),
    ],
    ...[middle((one) => one.endMasters), String(secondsPerPair)],
  ];
  const problems = [...new Set(series.portcullis?.problems ?? [])].join('; ');
  return `${row(cells, WIDTHS)}${problems}`.trimEnd();
}

/** Medians of the parts of our takeovers, one row a fault and interval; nothing where there are none. */
export function partsTable(rows: readonly Row[]): string {
  const known = rows.flatMap(({ fault, intervalMs, parts }) =>
    parts === null ? [] : [{ fault, intervalMs, parts }],
  );
  const [first] = known;
  if (first === undefined) return '';
  const widths = [18, ...Object.keys(first.parts).map((name) => Math.max(9, name.length + 2))];
  const lines = known.map(({ fault, intervalMs, parts }) =>
    row([`${fault}, ${intervalMs} ms`, ...Object.values(parts).map((ms) => String(ms ?? '-'))], widths),
  );
  const head = row(['parts, ms', ...Object.keys(first.parts)], widths);
  return ['', head, ...lines, ''].map((line) => line.trimEnd()).join('\n');
}

export function restLine({ kind, intervalMs }: About, rest: Rest): string {
  const { packetsPerSecond, bytesPerSecond, questionsPerSecond, master, backup } = rest;
  return (
    `at rest, ${kind}, ${intervalMs} ms: ${packetsPerSecond} packets/s, ${bytesPerSecond} bytes/s between the hosts, ` +
    `${questionsPerSecond} questions/s to test links and service; CPU ${master.cpuPercent} % / ${backup.cpuPercent} %, ` +
    `memory ${master.aloneMiB} / ${backup.aloneMiB} MiB (master / backup); standby into its uplink: ${rest.standbyUplinkFrames} frames`
  );
}

export function calmLine({ kind, intervalMs }: About, { seconds, loops, takeovers, changes }: Calm): string {
  const told = Object.entries(changes).map(([place, count]) => `${place} ${count}`);
  return (
    `${seconds} s ${loops > 0 ? `beside ${loops} busy loops` : 'quiet'}, ${kind}, ${intervalMs} ms: ` +
    `${takeovers} false takeovers${told.length > 0 ? `; ${told.join(', ')}` : ''}`
  );
}

export function goalLine({ goal, measured, holds }: Goal): string {
  return `${holds ? 'holds' : 'MISSED'}  ${goal}: ${measured}`;
}

/** Told at the end once more: medians are of those faults alone after which the cluster came to rest. */
export function failedLine({ kind, fault, intervalMs, what }: FailedRecord): string {
  return `FAILED  ${kind}, ${fault}, ${intervalMs} ms: ${what.split('\n', 1)[0]}`;
}
