/**
 * Several hosts' logs in one causal order, without believing any clock: an entry comes after every entry whose head its log
 * had recorded, and a promise, or the news of one, after the claim. Only what nothing orders is put by the hosts' clocks. Pure; logs
 * are streamed, so that memory is bounded by what orders them, not by their length.
 */

import { readSign1 } from '../wire/cose.ts';
import { hex } from '../wire/hex.ts';
import { readHeader } from '../wire/payload.ts';
import type { Entry } from './entry.ts';

export interface Told {
  readonly entry: Entry;
  readonly host: string;
  readonly hash: Uint8Array;
}

export interface Merged<T extends Told> {
  readonly told: T;
  /** It would have had to come before something that is already there: the logs contradict each other. */
  readonly contradiction: boolean;
}

/** One host's log, entry by entry. */
export type Stream<T extends Told> = Iterator<T>;

interface Lane<T extends Told> {
  readonly stream: Stream<T>;
  next: T | null;
  /** What `next` needs: of each host, the entry that must be there before. */
  needs: ReadonlyMap<string, number>;
}

/** Who claimed a term, and in which entry; filled as entries come by, and before by `claimsOf`. */
export type Claims = ReadonlyMap<string, { readonly host: string; readonly n: number }>;

const CLAIM = /^to (?:all|[a-z0-9-]{1,32}): CLAIM \S+ id=\d+ term=(\S+)$/;

/** The first claim of each term and service, by `service term`. A first pass over the logs, for `merge`. */
export function claimsOf(
  entries: Iterable<Told>,
  claims = new Map<string, { host: string; n: number }>(),
): typeof claims {
  for (const { entry, host } of entries) {
    const [, term] = (entry.kind === 'message' && CLAIM.exec(entry.text)) || [];
    const id = `${entry.service} ${term}`;
    if (term !== undefined && !claims.has(id)) claims.set(id, { host, n: entry.n });
  }
  return claims;
}

/** The entries of all streams, one host a stream, in causal order. */
export function* merge<T extends Told>(
  streams: ReadonlyMap<string, Stream<T>>,
  claims: Claims,
): Generator<Merged<T>> {
  const reached = new Map<string, number>();
  const lanes = [...streams].map(([, stream]) => advance({ stream, next: null, needs: new Map() }, claims));
  for (;;) {
    const waiting = lanes.filter((lane) => lane.next !== null);
    if (waiting.length === 0) return;
    const free = waiting.filter((lane) => isFree(lane, reached, streams));
    // All wait for each other: a contradiction. The earliest by its own clock goes on, and is marked.
    const lane = earliest(free.length > 0 ? free : waiting);
    const told = lane.next;
    if (told === null) return;
    yield { told, contradiction: free.length === 0 };
    reached.set(told.host, told.entry.n);
    advance(lane, claims);
  }
}

function advance<T extends Told>(lane: Lane<T>, claims: Claims): Lane<T> {
  const { value, done } = lane.stream.next();
  lane.next = done === true ? null : value;
  lane.needs = lane.next === null ? new Map() : needsOf(lane.next, claims);
  return lane;
}

/** What must come before an entry, of other hosts' logs. */
function needsOf({ entry, host }: Told, claims: Claims): Map<string, number> {
  const needs = new Map<string, number>();
  for (const { host: of, word } of entry.heads) {
    const head = readHeader(readSign1(word)?.payload ?? new Uint8Array())?.head ?? null;
    if (head !== null && of !== host) needs.set(of, Math.max(needs.get(of) ?? 0, head.n));
  }
  const term = entry.kind === 'voted' || entry.kind === 'transition' ? entry.data.term : null;
  const claim = typeof term === 'string' ? claims.get(`${entry.service} ${term}`) : undefined;
  if (claim !== undefined && claim.host !== host && entry.kind === 'voted')
    needs.set(claim.host, Math.max(needs.get(claim.host) ?? 0, claim.n));
  return needs;
}

function isFree<T extends Told>(
  { needs }: Lane<T>,
  reached: ReadonlyMap<string, number>,
  streams: ReadonlyMap<string, unknown>,
): boolean {
  for (const [host, n] of needs) if (streams.has(host) && (reached.get(host) ?? 0) < n) return false;
  return true;
}

function earliest<T extends Told>(lanes: readonly Lane<T>[]): Lane<T> {
  return lanes.reduce((a, b) => ((a.next?.entry.wallMs ?? 0) <= (b.next?.entry.wallMs ?? 0) ? a : b));
}

/** A line's mark of which host it is. */
export function idOf({ entry, host, hash }: Told): string {
  return `${host}#${entry.n} ${hex(hash).slice(0, 12)}`;
}
