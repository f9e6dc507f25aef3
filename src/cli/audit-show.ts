/** `audit show` and `audit export`: the entries of logs, chosen, as lines or data; `--follow` goes on with a live one. */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { isKind, KINDS, type Kind } from '../audit/kinds.ts';
import type { Members } from '../audit/members.ts';
import { entryJson, entryLine, printable } from '../audit/words.ts';
import { OperatorError } from '../trust/errors.ts';
import { logAt, noLog } from './audit-files.ts';
import { LogReader, type Shown } from './audit-reader.ts';
import { type CommandIo, outputGone } from './io.ts';

export interface Filter {
  readonly kinds: ReadonlySet<Kind> | null;
  readonly service: string | null;
  readonly from: number;
  readonly to: number;
  readonly sinceMs: number;
  readonly untilMs: number;
}

export interface FilterOptions {
  readonly kind?: string;
  readonly service?: string;
  readonly from?: string;
  readonly to?: string;
  readonly since?: string;
  readonly until?: string;
}

/** Throws OperatorError for a filter that cannot be. */
export function filterOf(options: FilterOptions): Filter {
  const words = options.kind?.split(',') ?? [];
  for (const word of words)
    if (!isKind(word))
      throw new OperatorError(
        `--kind: unknown: ${word}`,
        `some of ${Object.keys(KINDS).join(', ')}, with commas between`,
        2,
      );
  return {
    kinds: options.kind === undefined ? null : new Set(words.filter(isKind)),
    service: options.service ?? null,
    from: numberOf('--from', options.from, 1),
    to: numberOf('--to', options.to, Number.MAX_SAFE_INTEGER),
    sinceMs: timeOf('--since', options.since, Number.NEGATIVE_INFINITY),
    untilMs: timeOf('--until', options.until, Number.POSITIVE_INFINITY),
  };
}

function numberOf(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (value < 0)
    throw new OperatorError(`${option}: not the number of an entry: ${text}`, 'a whole number', 2);
  return value;
}

function timeOf(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Date.parse(text);
  if (Number.isNaN(value))
    throw new OperatorError(`${option}: no time: ${text}`, 'as in 2026-01-31T12:00:00Z', 2);
  return value;
}

/** Whether a filter lets an entry through. */
export function isWanted({ entry }: Shown, filter: Filter): boolean {
  const { kinds, service, from, to, sinceMs, untilMs } = filter;
  if (kinds !== null && !kinds.has(entry.kind)) return false;
  if (service !== null && entry.service !== service) return false;
  return entry.n >= from && entry.n <= to && entry.wallMs >= sinceMs && entry.wallMs <= untilMs;
}

/** How one entry is printed. */
export type Printer = (shown: Shown) => string;

export const asLine: Printer = ({ entry, host }) => `${entryLine(entry, host)}\n`;
export const asJson: Printer = ({ entry, host, hash }) => `${JSON.stringify(entryJson(entry, host, hash))}\n`;

const POLL_MS = 250;
/** Entries between two looks at whether anybody still reads. */
export const LOOK_EVERY = 1000;

/**
 * Prints what the filter lets through. With `follow`, for as long as somebody reads it. Throws OperatorError when a log
 * cannot be read, holds nothing, or does not hold together: what is there was printed before, where anything follows it.
 */
export async function print(
  paths: readonly string[],
  members: Members | null,
  filter: Filter,
  printer: Printer,
  io: CommandIo,
  follow = false,
): Promise<void> {
  const readers = paths.map((path) => new LogReader(path, members));
  if (follow) for (const path of paths) mustBeDirectory(path);
  for (let count = 0; ; ) {
    for (const reader of readers)
      for (const shown of reader.more()) {
        if (isWanted(shown, filter)) io.out(printer(shown));
        // That output fails is told by an event, which comes when this loop lets it.
        if (++count % LOOK_EVERY === 0) await nextTurn();
        if (outputGone()) return;
      }
    if (!follow || readers.some(({ faults }) => faults.length > 0)) break;
    await sleep(POLL_MS);
    if (outputGone()) return;
  }
  for (const reader of readers) tellUnfinished(reader, io);
  for (const reader of readers) refuseFaults(reader);
}

function mustBeDirectory(path: string): void {
  if (logAt(path).segments[0] === path)
    throw new OperatorError(
      `${path}: a single segment cannot be followed: the log goes on in the next`,
      'give the directory of segments (state/log of a host)',
      2,
    );
}

/** Says so when the last write is not whole: no fault, while the host runs. */
export function tellUnfinished({ path, unfinished, isEmpty }: LogReader, io: CommandIo): void {
  if (unfinished === null || isEmpty) return;
  io.err(`portcullis: ${printable(path)}: the last write is not whole: ${unfinished}\n`);
  io.err('portcullis: hint: a running host finishes it, or removes it at its next start\n');
}

/** Throws OperatorError when a log holds nothing, or does not hold together. */
export function refuseFaults({ path, faults, unfinished, isEmpty }: LogReader): void {
  const [fault] = faults;
  const why = fault ?? unfinished;
  if (isEmpty) throw noLog(`${path}: holds no entry${why === null ? '' : `: ${why}`}`);
  if (fault === undefined) return;
  const more = faults.length === 1 ? '' : ` (and ${faults.length - 1} more)`;
  throw new OperatorError(
    `${path}: does not hold together: ${fault}${more}`,
    '`portcullis audit verify` says what is proven; entries may be missing from what was printed',
  );
}
