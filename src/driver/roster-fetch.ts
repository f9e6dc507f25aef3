/**
 * Fetching the roster that one peer shows: backwards from its newest version, whose hash every signed header shows,
 * each version naming the hash of the one before, until one follows a version that is held here. So the hash of
 * what is asked for is always known first, and nothing that a peer says makes this host keep more than a bounded
 * number of bytes. Whether the chain holds is judged when it is whole, by `mergeRoster`.
 */
import type { HostName } from '../core/basics.ts';
import { type Roster, versionHash } from '../trust/roster.ts';
import { placeOf } from '../trust/roster-merge.ts';
import { sameBytes } from '../wire/bytes.ts';
import { ROSTER_BURST, ROSTER_HASH_BYTES, ROSTER_LEAP_MAX } from '../wire/limits.ts';
import type { RosterWord } from '../wire/roster-words.ts';

/** Implementation: a chain that is not whole yet holds no more. */
const CHAIN_MAX_BYTES = 1024 * 1024;
/** How long a question waits for its answer, and how often it is put. */
const RETRY_MS = 100;
const TRIES_MAX = 5;
/** A peer that gives a little now and then would be asked for ever, and nobody else; the longest chain takes some seconds. */
const LIMIT_MS = 30_000;

export interface Head {
  readonly version: number;
  /** Its first 8 bytes, or all 32. */
  readonly hash: Uint8Array;
}

export type Progress =
  | { readonly kind: 'waiting'; readonly ask: RosterWord | null }
  /** The versions that follow one of ours, oldest first. */
  | { readonly kind: 'whole'; readonly bytes: Uint8Array }
  | { readonly kind: 'failed'; readonly reason: string };

export class RosterFetch {
  readonly beganMs: number;
  readonly from: HostName;
  readonly head: Head;
  #wanted: Head;
  /** Chunks of the wanted version by number; length 0 before the first. */
  #chunks: (Uint8Array | null)[] = [];
  /** Versions that are whole, newest first. */
  readonly #versions: Uint8Array[] = [];
  #bytes = 0;
  #askedChunk = 0;
  #askedMs = 0;
  #tries = 0;

  constructor(nowMs: number, from: HostName, head: Head) {
    this.beganMs = nowMs;
    this.from = from;
    this.head = head;
    this.#wanted = head;
  }

  /** When the question is put again. */
  get retryAtMs(): number {
    return this.#askedMs + RETRY_MS;
  }

  /** The question for the first chunk that is missing; null when it was put too often, or the whole takes too long. */
  ask(nowMs: number): RosterWord | null {
    if (this.#tries >= TRIES_MAX || nowMs - this.beganMs > LIMIT_MS) return null;
    this.#tries++;
    this.#askedMs = nowMs;
    this.#askedChunk = Math.max(0, this.#chunks.indexOf(null));
    const { version, hash } = this.#wanted;
    return { kind: 'ask', version, hash: hash.slice(0, ROSTER_HASH_BYTES), chunk: this.#askedChunk };
  }

  /** One chunk came. What was not asked for changes nothing. */
  take(nowMs: number, current: Roster, part: RosterWord & { kind: 'part' }): Progress {
    const { version, hash } = this.#wanted;
    const waiting: Progress = { kind: 'waiting', ask: null };
    if (part.version !== version || !sameBytes(part.hash, hash.subarray(0, ROSTER_HASH_BYTES)))
      return waiting;
    if (this.#chunks.length === 0) this.#chunks = Array.from({ length: part.chunks }, () => null);
    if (part.chunks !== this.#chunks.length || this.#chunks[part.chunk] !== null) return waiting;
    this.#chunks[part.chunk] = part.bytes;
    this.#tries = 0;
    const missing = this.#chunks.indexOf(null);
    // The whole answer to the last question is here: the next one.
    if (missing >= this.#askedChunk + ROSTER_BURST) return { kind: 'waiting', ask: this.ask(nowMs) };
    return missing < 0 ? this.#versionWhole(nowMs, current) : waiting;
  }

  #versionWhole(nowMs: number, current: Roster): Progress {
    const bytes = Uint8Array.from(Buffer.concat(this.#chunks.flatMap((chunk) => chunk ?? [])));
    const { version, hash } = this.#wanted;
    const failed = (reason: string): Progress => ({ kind: 'failed', reason });
    if (!sameBytes(versionHash(bytes).subarray(0, hash.length), hash))
      return failed(`version ${version} has not the hash that was shown`);
    const place = placeOf(bytes);
    if (place === null || place.version !== version) return failed(`version ${version} is none`);
    this.#versions.push(bytes);
    this.#bytes += bytes.length;
    const { previousHash } = place;
    if (previousHash === null) return failed('it is of another cluster');
    const ours = current.history[version - 2];
    if (ours !== undefined && sameBytes(ours.hash, previousHash))
      return { kind: 'whole', bytes: Uint8Array.from(Buffer.concat(this.#versions.toReversed())) };
    if (this.#bytes > CHAIN_MAX_BYTES || this.#versions.length >= ROSTER_LEAP_MAX)
      return failed('its chain is too long to be fetched: give this host the roster file');
    this.#wanted = { version: version - 1, hash: previousHash };
    this.#chunks = [];
    return { kind: 'waiting', ask: this.ask(nowMs) };
  }
}
