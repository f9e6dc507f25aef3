/**
 * What a host believes of one peer's runs, and the rules of accepting them (spec/protocol.md, sessions). Invariants:
 * a session is accepted only by an answer to a nonce of our own of this run; one that ended never returns; the
 * replay windows of an accepted session are never emptied; a session that is heard is not displaced.
 * No bytes, keys or signatures here: those who call this have verified what they bring.
 */
import { fromHex } from './hex.ts';
import { ANSWERED_MAX, CANDIDATES_MAX, NEWEST_MAX, NONCES_MAX, RETIRED_MAX } from './limits.ts';
import { ReplayWindow } from './window.ts';

/** The cluster's times as the sessions need them. */
export interface SessionTiming {
  readonly intervalMs: number;
  /** A message that may be older is refused. */
  readonly maxAgeMs: number;
  /** rho: how much two clocks may drift apart, as a share. */
  readonly maxDrift: number;
}

/** A nonce answers only that long after it was sent. */
export function nonceLifeMs(timing: SessionTiming): number {
  return timing.maxAgeMs / 4;
}

/** After this time the clocks' difference is measured anew; by then drift has used up a quarter of max_age. */
export function remeasureMs(timing: SessionTiming): number {
  return timing.maxDrift > 0 ? timing.maxAgeMs / (8 * timing.maxDrift) : 60_000;
}

interface Accepted {
  readonly sid: string;
  readonly sidBytes: Uint8Array;
  /** theta: a lower bound of (our clock - the peer's clock) at `measuredMs`. */
  offsetMs: number;
  measuredMs: number;
  heardMs: number;
  readonly windows: Map<number, ReplayWindow>;
  /** By type and service: the newest number taken, of kinds where only the newest counts. */
  readonly newest: Map<string, number>;
}

export type Acceptance = 'joined' | 'measured' | 'retired' | 'duplicate-session';

/** Unanswered HELLOs to one candidate after which it is forgotten; its next word brings it back. */
const CANDIDATE_TRIES_MAX = 4;

/** All session ids and nonces are hex text here. */
export class PeerSession {
  readonly #timing: SessionTiming;
  #accepted: Accepted | null = null;
  readonly #retired = new Set<string>();
  readonly #helloNonces = new Map<string, number>();
  readonly #challengeNonces = new Map<string, number>();
  readonly #answered = new Set<string>();
  /** Sids seen in datagrams that passed the gate, and how often they were asked. */
  readonly #candidates = new Map<string, number>();
  #duplicateMs: number | null = null;

  constructor(timing: SessionTiming) {
    this.#timing = timing;
  }

  get sid(): string | null {
    return this.#accepted?.sid ?? null;
  }

  get sidBytes(): Uint8Array | null {
    return this.#accepted?.sidBytes ?? null;
  }

  get heardMs(): number | null {
    return this.#accepted?.heardMs ?? null;
  }

  get measuredMs(): number | null {
    return this.#accepted?.measuredMs ?? null;
  }

  /** When a second run of this host was last refused because the first is still heard. */
  get duplicateMs(): number | null {
    return this.#duplicateMs;
  }

  /** When the accepted session has been silent long enough to be displaced; null without one. */
  get yieldsAtMs(): number | null {
    return this.#accepted === null ? null : this.#accepted.heardMs + 3 * this.#timing.intervalMs;
  }

  isRetired(sid: string): boolean {
    return this.#retired.has(sid);
  }

  get candidates(): readonly string[] {
    return [...this.#candidates.keys()];
  }

  /** Notes a sid that nobody has proven; true when it is new. `chance` in [0, 1) picks whom it displaces. */
  noteCandidate(sid: string, chance: number): boolean {
    if (sid === this.sid || this.#retired.has(sid) || this.#candidates.has(sid)) return false;
    if (this.#candidates.size >= CANDIDATES_MAX) {
      // At random: recorded words of old runs must not be able to push a living one out for sure.
      const displaced = this.candidates[Math.floor(chance * CANDIDATES_MAX)];
      if (displaced !== undefined) this.#candidates.delete(displaced);
    }
    this.#candidates.set(sid, 0);
    return true;
  }

  /** Notes that a candidate was asked once more. */
  noteAsked(sid: string): void {
    const tries = this.#candidates.get(sid);
    if (tries === undefined) return;
    if (tries + 1 >= CANDIDATE_TRIES_MAX) this.#candidates.delete(sid);
    else this.#candidates.set(sid, tries + 1);
  }

  noteHelloSent(nonce: string, nowMs: number): void {
    remember(this.#helloNonces, nonce, nowMs);
  }

  noteChallengeSent(nonce: string, nowMs: number): void {
    remember(this.#challengeNonces, nonce, nowMs);
  }

  wasAnswered(nonce: string): boolean {
    return this.#answered.has(nonce);
  }

  noteAnswered(nonce: string): void {
    if (this.#answered.size >= ANSWERED_MAX) dropOldest(this.#answered);
    this.#answered.add(nonce);
  }

  /** When the HELLO with that nonce was sent; null when there is none that may still be answered. */
  helloSentMs(nonce: string, nowMs: number): number | null {
    return this.#alive(this.#helloNonces.get(nonce), nowMs);
  }

  challengeSentMs(nonce: string, nowMs: number): number | null {
    return this.#alive(this.#challengeNonces.get(nonce), nowMs);
  }

  #alive(sentMs: number | undefined, nowMs: number): number | null {
    return sentMs !== undefined && nowMs - sentMs <= nonceLifeMs(this.#timing) ? sentMs : null;
  }

  /** A CHALLENGE was accepted: no HELLO nonce to this peer answers any more. */
  spendHelloNonces(): void {
    this.#helloNonces.clear();
  }

  spendChallengeNonce(nonce: string): void {
    this.#challengeNonces.delete(nonce);
  }

  /**
   * The peer proved that it runs as `sid`: it answered what we sent at `askedMs`, its own clock showing `sentMs`.
   * The answer was made after the question, so askedMs - sentMs bounds the clocks' difference from below whoever
   * held the answer back.
   */
  accept(nowMs: number, sid: string, askedMs: number, sentMs: number): Acceptance {
    if (this.#retired.has(sid)) return 'retired';
    const offsetMs = askedMs - sentMs - 1; // `sentMs` was cut down to whole milliseconds
    const old = this.#accepted;
    if (old !== null && old.sid === sid) {
      this.#measure(old, nowMs, offsetMs, askedMs);
      old.heardMs = nowMs;
      return 'measured';
    }
    if (old !== null && nowMs < old.heardMs + 3 * this.#timing.intervalMs) {
      this.#duplicateMs = nowMs;
      return 'duplicate-session';
    }
    if (old !== null) {
      if (this.#retired.size >= RETIRED_MAX) dropOldest(this.#retired);
      this.#retired.add(old.sid);
    }
    this.#helloNonces.clear();
    this.#challengeNonces.clear();
    this.#candidates.delete(sid);
    const windows = new Map<number, ReplayWindow>();
    const sidBytes = fromHex(sid);
    this.#accepted = {
      sid,
      sidBytes,
      offsetMs,
      measuredMs: askedMs,
      heardMs: nowMs,
      windows,
      newest: new Map(),
    };
    return 'joined';
  }

  /** Keeps the greater of the old bound, decayed by drift, and the new one. */
  #measure(accepted: Accepted, nowMs: number, offsetMs: number, askedMs: number): void {
    const decay = 2 * this.#timing.maxDrift;
    const old = accepted.offsetMs - decay * (nowMs - accepted.measuredMs);
    if (offsetMs - decay * (nowMs - askedMs) < old) return;
    accepted.offsetMs = offsetMs;
    accepted.measuredMs = askedMs;
  }

  /** An upper bound of the age of a word of the accepted session; Infinity without one. */
  ageMs(nowMs: number, sentMs: number): number {
    const accepted = this.#accepted;
    if (accepted === null) return Number.POSITIVE_INFINITY;
    const rawMs = nowMs - sentMs - accepted.offsetMs;
    // A word may be older than the measurement: the clocks drifted apart over the longer of the two times.
    return rawMs + 2 * this.#timing.maxDrift * Math.max(nowMs - accepted.measuredMs, rawMs);
  }

  /** Whether the accepted session's number did not come before on that link. Changes nothing. */
  isFresh(link: number, seq: number): boolean {
    return this.#accepted?.windows.get(link)?.isFresh(seq) ?? true;
  }

  /** Takes the number for good and notes that the session is alive; false when it came before. */
  commit(nowMs: number, link: number, seq: number): boolean {
    const accepted = this.#accepted;
    if (accepted === null) return false;
    const window = accepted.windows.get(link) ?? new ReplayWindow();
    accepted.windows.set(link, window);
    if (!window.take(seq)) return false;
    accepted.heardMs = nowMs;
    return true;
  }

  /** Whether nothing newer of this kind was taken; notes it. The same number again (another link's copy) passes. */
  isNewest(kind: string, seq: number): boolean {
    const newest = this.#accepted?.newest;
    if (newest === undefined) return false;
    const last = newest.get(kind);
    if (last !== undefined && seq < last) return false;
    if (last === undefined && newest.size >= NEWEST_MAX) return false;
    newest.set(kind, seq);
    return true;
  }
}

function remember(nonces: Map<string, number>, nonce: string, nowMs: number): void {
  if (nonces.size >= NONCES_MAX) dropOldest(nonces);
  nonces.set(nonce, nowMs);
}

function dropOldest(entries: { keys(): Iterator<string>; delete(key: string): boolean }): void {
  const oldest = entries.keys().next();
  if (oldest.done !== true) entries.delete(oldest.value);
}
