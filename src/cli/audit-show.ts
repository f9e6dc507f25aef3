/** `audit show` and `audit export`: the entries of logs, chosen, as lines or data; `--follow` goes on with a live one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { chained } from '../audit/block.ts';
import { decodeEntry, type Entry } from '../audit/entry.ts';
import { isKind, KINDS, type Kind } from '../audit/kinds.ts';
import type { Members } from '../audit/members.ts';
import { walk } from '../audit/segment.ts';
import { entryJson, entryLine } from '../audit/words.ts';
import { OperatorError } from '../trust/errors.ts';
import { hex } from '../wire/hex.ts';
import { type LogPath, logAt, segmentBytes } from './audit-files.ts';
import { type CommandIo, outputGone } from './io.ts';

/** An entry with what is known of it. */
export interface Shown {
  readonly entry: Entry;
  readonly host: string;
  readonly hash: Uint8Array;
}

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

/** The entries of one log in their order, as far as they have the form of a log; signatures are `audit verify`'s matter. */
export function* entriesOf(log: LogPath, members: Members | null, after = 0): Generator<Shown> {
  for (const path of log.segments) yield* entriesIn(segmentBytes(path), members, after);
}

export function* entriesIn(bytes: Uint8Array, members: Members | null, after = 0): Generator<Shown> {
  for (const { block } of walk(bytes, null)) {
    if (block.last <= after) continue;
    const kid = hex(block.sign1.kid);
    const host = members?.hostOf(kid) ?? kid.slice(0, 8);
    let hash = block.before;
    for (const item of block.entries) {
      hash = chained(hash, item);
      const entry = decodeEntry(item);
      if (entry !== null && entry.n > after) yield { entry, host, hash };
    }
  }
}

/** How one entry is printed. */
export type Printer = (shown: Shown) => string;

export const asLine: Printer = ({ entry, host }) => `${entryLine(entry, host)}\n`;
export const asJson: Printer = ({ entry, host, hash }) => `${JSON.stringify(entryJson(entry, host, hash))}\n`;

const POLL_MS = 250;

/** Prints what the filter lets through. With `follow`, for as long as somebody reads it. */
export async function print(
  paths: readonly string[],
  members: Members | null,
  filter: Filter,
  printer: Printer,
  io: CommandIo,
  follow = false,
): Promise<void> {
  const seen = new Map<string, number>();
  for (;;) {
    for (const path of paths) {
      let last = seen.get(path) ?? 0;
      const log = logAt(path);
      // What was shown is not read again: whole segments before it are passed over.
      const fresh = log.segments.filter((_, i) => !isBehind(log.segments[i + 1], last));
      for (const shown of entriesOf({ path, segments: fresh }, members, last)) {
        last = shown.entry.n;
        if (isWanted(shown, filter)) io.out(printer(shown));
      }
      seen.set(path, last);
    }
    if (!follow || outputGone()) return;
    await sleep(POLL_MS);
  }
}

/** Whether everything before that segment is at or before `last`. */
function isBehind(next: string | undefined, last: number): boolean {
  const first = Number(/(\d{15})\.log$/.exec(next ?? '')?.[1] ?? Number.NaN);
  return first <= last + 1 && last > 0;
}
