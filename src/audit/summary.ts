/**
 * What one segment says, checked by itself: the part of verification that every core of the machine can do at once.
 * The summary is plain data, small beside the segment, and goes from a worker to whoever judges the whole.
 */
import type { VerifyKey } from '../wire/ed25519.ts';
import { hex } from '../wire/hex.ts';
import { blockHolds, type ReadBlock } from './block.ts';
import { decodeEntry, type Entry } from './entry.ts';
import { walk } from './segment.ts';
import { judgeWord } from './witness.ts';

/** Entries `first` to `last` that have `value` in common. */
export interface Span {
  readonly value: string;
  readonly first: number;
  last: number;
}

/** A run's entries in this segment, and the clocks of the last one. */
export interface RunSpan extends Span {
  wallMs: number;
  monoUs: number;
}

export interface SeenHead {
  /** The entry that recorded it, and the claims of that entry. */
  readonly n: number;
  readonly wallMs: number;
  readonly monoUs: number;
  readonly ageMs: number;
  /** Whose it is said to be. */
  readonly host: string;
  /** Hex, empty where the word proves nothing. */
  readonly kid: string;
  readonly run: string;
  readonly hash: string;
  readonly headN: number;
  readonly sentMs: number;
  /** Why the word proves nothing; null: it holds. */
  readonly fault: string | null;
}

/** An entry that changes who serves, or that says something of the log itself. */
export interface Moment {
  readonly n: number;
  readonly wallMs: number;
  readonly monoUs: number;
  readonly kind: Entry['kind'];
  readonly service: string | null;
  readonly text: string;
  readonly data: Entry['data'];
}

export interface Summary {
  readonly name: string;
  readonly bytes: number;
  readonly first: number;
  readonly before: string;
  readonly last: number;
  readonly hash: string;
  readonly entries: number;
  readonly blocks: number;
  /** The hash after each block: numbers, and 32 bytes for each. */
  readonly ends: Float64Array;
  readonly hashes: Uint8Array;
  readonly runs: readonly RunSpan[];
  readonly kids: readonly Span[];
  readonly rosters: readonly { readonly n: number; readonly version: number; readonly hash: string }[];
  readonly heads: readonly SeenHead[];
  readonly moments: readonly Moment[];
  /** The first moment that there was no room for; null: all are there. */
  readonly momentsEnd: number | null;
  /** Where the wall clock went back within a run, milliseconds by how far. */
  readonly clockBack: readonly { readonly n: number; readonly ms: number }[];
  readonly clock: { readonly firstMs: number; readonly lastMs: number };
  readonly fault: {
    readonly n: number;
    readonly at: number;
    readonly reason: string;
    readonly torn: boolean;
  } | null;
}

/** More of a kind than this in one segment are not carried along, and `moments` ends there. */
const MOMENTS_MAX = 20_000;
const CLOCK_BACK_MAX = 100;
/** A clock that is stepped by less is no finding. */
const CLOCK_BACK_MS = 1000;
const MOMENT_KINDS: ReadonlySet<Entry['kind']> = new Set<Entry['kind']>([
  'opened',
  'closed',
  'roster',
  'lost',
  'repaired',
  'retired',
  'checkpoint',
  'configured',
  'voted',
]);

/** Places in which a host's gate is open, or may be: from the order to open it to the answer that it is shut. */
const SERVING: ReadonlySet<unknown> = new Set([
  'handover.opening',
  'service.serving',
  'service.seeking',
  'service.shutting',
]);

/** Places whose entering says how a takeover began, what was looked at before it ended, or that a host is harmless. */
const TOLD: ReadonlySet<unknown> = new Set([
  'init.linking',
  'decide.listening',
  'backup.suspecting',
  'backup.watching',
  'handover.claiming',
  'handover.raising',
  'handover.preparing',
  'service.releasing',
]);
/** Words that tell of a right to serve that was given or given back. */
const WORDS: ReadonlySet<unknown> = new Set(['RELEASED', 'GRANT']);

/** Whether a host may serve in that place. */
export function serving(place: unknown): boolean {
  return SERVING.has(place);
}

/** Checks one segment. `keys`: by key id in hex, every key that a host of the roster has had. */
export function summarize(
  name: string,
  bytes: Uint8Array,
  clusterId: Uint8Array,
  keys: ReadonlyMap<string, VerifyKey>,
): Summary {
  const sum = new Sum();
  let fault: Summary['fault'] = null;
  const steps = walk(bytes, null);
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) {
      const ended = step.value;
      if (ended !== null) fault = { ...ended, n: sum.next };
      break;
    }
    const { block, start } = step.value;
    const wrong = signatureFault(block, clusterId, keys) ?? sum.take(block, clusterId, keys);
    if (wrong === null) continue;
    fault = { n: wrong.n, at: start, reason: wrong.reason, torn: false };
    break;
  }
  return sum.done(name, bytes.length, fault);
}

interface Wrong {
  readonly n: number;
  readonly reason: string;
}

function signatureFault(
  block: ReadBlock,
  clusterId: Uint8Array,
  keys: ReadonlyMap<string, VerifyKey>,
): Wrong | null {
  const key = keys.get(hex(block.sign1.kid));
  const n = block.first;
  if (key === undefined) return { n, reason: 'signed by a key that no host of the roster has had' };
  return blockHolds(block, clusterId, key) ? null : { n, reason: 'the signature does not hold' };
}

class Sum {
  #first = 0;
  #before = '';
  #last = 0;
  #hash: Uint8Array = new Uint8Array();
  #ends: number[] = [];
  #hashes: Uint8Array[] = [];
  readonly #runs: RunSpan[] = [];
  readonly #kids: Span[] = [];
  readonly #rosters: { n: number; version: number; hash: string }[] = [];
  readonly #heads: SeenHead[] = [];
  readonly #moments: Moment[] = [];
  #momentsEnd: number | null = null;
  readonly #clockBack: { n: number; ms: number }[] = [];
  #firstMs = 0;
  #wallMs = 0;
  #monoUs = 0;

  /** The number of the entry that is not proven when nothing more is. */
  get next(): number {
    return this.#last + 1;
  }

  /** Takes a block in, or says what is wrong with its entries; then none of them counts. */
  take(block: ReadBlock, clusterId: Uint8Array, keys: ReadonlyMap<string, VerifyKey>): Wrong | null {
    const run = hex(block.run);
    const entries: Entry[] = [];
    let monoUs = this.#runs.at(-1)?.value === run ? this.#monoUs : 0;
    for (const [i, bytes] of block.entries.entries()) {
      const n = block.first + i;
      const entry = decodeEntry(bytes);
      if (entry === null) return { n, reason: 'not an entry of this format' };
      if (entry.n !== n) return { n, reason: `says that it is entry ${entry.n}` };
      if (entry.monoUs < monoUs)
        return { n, reason: 'its monotonic clock is before that of the entry before' };
      monoUs = entry.monoUs;
      entries.push(entry);
    }
    if (this.#last === 0) {
      this.#first = block.first;
      this.#before = hex(block.before);
      this.#firstMs = entries[0]?.wallMs ?? 0;
    }
    const isSameRun = this.#runs.at(-1)?.value === run;
    const { wallMs = 0 } = entries.at(-1) ?? {};
    extend(this.#runs, { value: run, first: block.first, last: block.last, wallMs, monoUs });
    extend(this.#kids, { value: hex(block.sign1.kid), first: block.first, last: block.last });
    for (const [i, entry] of entries.entries()) {
      const backMs = this.#wallMs - entry.wallMs;
      if ((isSameRun || i > 0) && backMs > CLOCK_BACK_MS && this.#clockBack.length < CLOCK_BACK_MAX)
        this.#clockBack.push({ n: entry.n, ms: backMs });
      this.#wallMs = entry.wallMs;
      this.#note(entry, block, clusterId, keys);
    }
    this.#monoUs = monoUs;
    this.#last = block.last;
    this.#hash = block.hash;
    this.#ends.push(block.last);
    this.#hashes.push(block.hash);
    return null;
  }

  #note(entry: Entry, block: ReadBlock, clusterId: Uint8Array, keys: ReadonlyMap<string, VerifyKey>): void {
    const { n, wallMs, monoUs, kind, service, text, data, roster } = entry;
    if (roster !== null) this.#rosters.push({ n, version: roster.version, hash: hex(roster.hash) });
    for (const { host, ageMs, word } of entry.heads) {
      const judged = judgeWord(word, clusterId, block.sign1.kid, keys);
      const at = { n, wallMs, monoUs, ageMs, host };
      if (typeof judged === 'string')
        this.#heads.push({ ...at, kid: '', run: '', hash: '', headN: 0, sentMs: 0, fault: judged });
      else {
        const { head, kid, sentMs } = judged;
        const { run, hash } = head;
        this.#heads.push({ ...at, kid, run: hex(run), hash: hex(hash), headN: head.n, sentMs, fault: null });
      }
    }
    const changes =
      (kind === 'transition' && (serving(data.from) !== serving(data.to) || TOLD.has(data.to))) ||
      (kind === 'message' && WORDS.has(data.type)) ||
      (kind === 'alarm' && data.code === 'forced');
    if (!MOMENT_KINDS.has(kind) && !changes) return;
    if (this.#moments.length >= MOMENTS_MAX) this.#momentsEnd ??= n;
    else this.#moments.push({ n, wallMs, monoUs, kind, service, text, data: { ...data } });
  }

  done(name: string, bytes: number, fault: Summary['fault']): Summary {
    const hashes = new Uint8Array(this.#hashes.length * 32);
    for (const [i, hash] of this.#hashes.entries()) hashes.set(hash, i * 32);
    return {
      name,
      bytes,
      first: this.#first,
      before: this.#before,
      last: this.#last,
      hash: hex(this.#hash),
      entries: this.#last === 0 ? 0 : this.#last - this.#first + 1,
      blocks: this.#ends.length,
      ends: Float64Array.from(this.#ends),
      hashes,
      runs: this.#runs,
      kids: this.#kids,
      rosters: this.#rosters,
      heads: this.#heads,
      moments: this.#moments,
      momentsEnd: this.#momentsEnd,
      clockBack: this.#clockBack,
      clock: { firstMs: this.#firstMs, lastMs: this.#wallMs },
      fault,
    };
  }
}

function extend<S extends Span>(spans: S[], next: S): void {
  const before = spans.at(-1);
  if (before?.value === next.value) spans[spans.length - 1] = { ...next, first: before.first };
  else spans.push(next);
}

/** The hash after entry `n`, hex, where a block ended there; null: none did. */
export function hashAfter(summary: Summary, n: number): string | null {
  const { ends, hashes } = summary;
  let [low, high] = [0, ends.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const end = ends[middle] ?? 0;
    if (end === n) return hex(hashes.subarray(middle * 32, middle * 32 + 32));
    if (end < n) low = middle + 1;
    else high = middle - 1;
  }
  return null;
}

/** Whether a segment follows from the one before. */
export function follows(before: Summary, after: Summary): boolean {
  return after.first === before.last + 1 && after.before === before.hash;
}
