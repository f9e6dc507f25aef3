/**
 * What a host believes of one peer's runs, and the rules of accepting them (spec/protocol.md, sessions). Invariants:
 * a session is accepted only by an answer to a nonce of our own of this run; no number of one is taken twice, also
 * when it returns after another one; a session that is heard is not displaced.
 * No bytes, keys or signatures here: those who call this have verified what they bring.
 */
import { ANSWERED_MAX, CANDIDATES_MAX, DUPLICATE_MS, NEWEST_MAX, NONCES_MAX, RETIRED_MAX } from './limits.ts';
import type { Marked } from './marks.ts';
import { nonceLifeMs, remeasureMs, type SessionTiming, SOONER, YOUNG } from './session-timing.ts';
import { ReplayWindow } from './window.ts';

interface Accepted {
  readonly sid: string;
  /** theta: a lower bound of (our clock - the peer's clock) at `measuredMs`. */
  offsetMs: number;
  measuredMs: number;
  /** How long the answer took by which theta was measured: theta is at most that much too low. */
  measuredInMs: number;
  heardMs: number;
  /** The highest number taken, over all links. */
  heard: Marked | null;
  /** How long the newest answer took. */
  roundTripMs: number;
  /** How often it was measured. */
  measured: number;
  delayMs: DelayBounds | null;
  /** Numbers up to this one are refused: they may have been taken before the session was displaced and returned. */
  readonly floorSeq: number;
  readonly windows: Map<number, ReplayWindow>;
  /** By type and service: the newest number taken, of kinds where only the newest counts. */
  readonly newest: Map<string, number>;
}

/** A word's number, mark and time, as its header has them. */
export interface Word extends Marked {
  readonly sentMs: number;
}

/** Bounds of how long a word was under way. They need no common clock, and hold whoever delayed what. */
export interface DelayBounds {
  readonly leastMs: number;
  readonly mostMs: number;
}

export type Acceptance = 'joined' | 'measured' | 'duplicate-session';

/** Unanswered HELLOs to one candidate after which it is forgotten; its next word brings it back. */
const CANDIDATE_TRIES_MAX = 4;

/** All session ids and nonces are hex text here. */
export class PeerSession {
  readonly #timing: SessionTiming;
  #accepted: Accepted | null = null;
  /** Sessions that were displaced in this run, and the highest number taken of each. */
  readonly #retired = new Map<string, Marked | null>();
  readonly #helloNonces = new Map<string, number>();
  readonly #challengeNonces = new Map<string, number>();
  /**
   * Of each session, the highest number of a HELLO that was answered. Not the nonces: a recorder has more of those than
   * could be kept.
   */
  readonly #answered = new Map<string, number>();
  /** Sids seen in datagrams that passed the gate, and how often they were asked. */
  readonly #candidates = new Map<string, number>();
  /** When another run than the accepted one last proved itself. */
  #rivalMs: number | null = null;
  #duplicateMs: number | null = null;

  constructor(timing: SessionTiming) {
    this.#timing = timing;
  }

  get sid(): string | null {
    return this.#accepted?.sid ?? null;
  }

  get heardMs(): number | null {
    return this.#accepted?.heardMs ?? null;
  }

  get measuredMs(): number | null {
    return this.#accepted?.measuredMs ?? null;
  }

  /** After the last measurement the next one is due in so long, counted from its question. */
  get pauseMs(): number {
    const isYoung = (this.#accepted?.measured ?? 0) <= YOUNG;
    return remeasureMs(this.#timing) * (isYoung ? SOONER : 1);
  }

  /** When two runs of this host were last proven to be alive at once. */
  get duplicateMs(): number | null {
    return this.#duplicateMs;
  }

  isDuplicate(nowMs: number): boolean {
    return this.#duplicateMs !== null && nowMs - this.#duplicateMs < DUPLICATE_MS;
  }

  /** The highest number of the accepted session that was taken. */
  get heard(): Marked | null {
    return this.#accepted?.heard ?? null;
  }

  get roundTripMs(): number | null {
    return this.#accepted?.roundTripMs ?? null;
  }

  get delayMs(): DelayBounds | null {
    return this.#accepted?.delayMs ?? null;
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
    if (sid === this.sid || this.#candidates.has(sid)) return false;
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

  /** Whether a HELLO of that session with that number, or a later one, was answered. */
  wasAnswered(sid: string, seq: number): boolean {
    return seq <= (this.#answered.get(sid) ?? -1);
  }

  noteAnswered(sid: string, seq: number): void {
    this.#answered.delete(sid); // to the end: who asks is not the oldest
    if (this.#answered.size >= ANSWERED_MAX) dropOldest(this.#answered);
    this.#answered.set(sid, seq);
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

  /** Another session was accepted: no nonce to this peer answers any more. */
  spendAllNonces(): void {
    this.#helloNonces.clear();
    this.#challengeNonces.clear();
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
    const offsetMs = askedMs - sentMs - 1; // `sentMs` was cut down to whole milliseconds
    const old = this.#accepted;
    if (old !== null && old.sid === sid) {
      this.#measure(old, nowMs, offsetMs, askedMs);
      old.heardMs = nowMs;
      old.roundTripMs = nowMs - askedMs;
      old.measured += 1;
      return 'measured';
    }
    if (this.isHeard(nowMs)) {
      this.#rivalMs ??= nowMs;
      return 'duplicate-session';
    }
    if (old !== null) {
      if (this.#retired.size >= RETIRED_MAX) dropOldest(this.#retired);
      this.#retired.set(old.sid, old.heard);
    }
    this.spendAllNonces();
    this.#rivalMs = null;
    this.#candidates.delete(sid);
    const inMs = nowMs - askedMs;
    this.#accepted = {
      sid,
      offsetMs,
      measuredMs: askedMs,
      measuredInMs: inMs,
      heardMs: nowMs,
      heard: this.#retired.get(sid) ?? null,
      roundTripMs: inMs,
      measured: 1,
      delayMs: null,
      floorSeq: this.floorOf(sid),
      windows: new Map(),
      newest: new Map(),
    };
    this.#retired.delete(sid);
    return 'joined';
  }

  /** The highest number that was taken of a session before it was displaced; -1 of one that never was. */
  floorOf(sid: string): number {
    return this.#retired.get(sid)?.seq ?? -1;
  }

  /** Keeps the greater of the old bound, decayed by drift, and the new one. */
  #measure(accepted: Accepted, nowMs: number, offsetMs: number, askedMs: number): void {
    const decay = 2 * this.#timing.maxDrift;
    const old = accepted.offsetMs - decay * (nowMs - accepted.measuredMs);
    if (offsetMs - decay * (nowMs - askedMs) < old) return;
    accepted.offsetMs = offsetMs;
    accepted.measuredMs = askedMs;
    accepted.measuredInMs = nowMs - askedMs;
  }

  /** An upper bound of the age of a word of the accepted session; Infinity without one. */
  ageMs(nowMs: number, sentMs: number): number {
    const accepted = this.#accepted;
    if (accepted === null) return Number.POSITIVE_INFINITY;
    const rawMs = nowMs - sentMs - accepted.offsetMs;
    // A word may be older than the measurement: the clocks drifted apart over the longer of the two times.
    return rawMs + 2 * this.#timing.maxDrift * Math.max(nowMs - accepted.measuredMs, rawMs);
  }

  /** Whether the accepted session was heard less than three intervals ago: then no other displaces it. */
  isHeard(nowMs: number): boolean {
    const yieldsAtMs = this.yieldsAtMs;
    return yieldsAtMs !== null && nowMs < yieldsAtMs;
  }

  /** Whether the accepted session's number did not come before on that link. Changes nothing. */
  isFresh(link: number, seq: number): boolean {
    const accepted = this.#accepted;
    return (
      accepted === null || (seq > accepted.floorSeq && (accepted.windows.get(link)?.isFresh(seq) ?? true))
    );
  }

  /** Takes the number for good and notes that the session is alive; false when it came before. */
  commit(nowMs: number, link: number, word: Word): boolean {
    const accepted = this.#accepted;
    if (accepted === null || word.seq <= accepted.floorSeq) return false;
    const window = accepted.windows.get(link) ?? new ReplayWindow();
    accepted.windows.set(link, window);
    if (!window.take(word.seq)) return false;
    accepted.heardMs = nowMs;
    this.noteHeard(accepted.sid, word);
    accepted.delayMs = this.#delayBounds(accepted, nowMs, word.sentMs);
    // Said after the other run proved itself: a word that is older than max_age is not taken. So both are alive.
    if (this.#rivalMs !== null && nowMs - this.#rivalMs > this.#timing.maxAgeMs) {
      this.#duplicateMs = nowMs;
      this.#rivalMs = null;
    }
    return true;
  }

  /** Notes the highest verified number of the accepted session, to be shown to the peer. */
  noteHeard(sid: string, word: Marked): void {
    const accepted = this.#accepted;
    if (accepted?.sid !== sid || (accepted.heard !== null && accepted.heard.seq >= word.seq)) return;
    accepted.heard = { seq: word.seq, mark: word.mark };
  }

  /** theta is too low by at most the time that its answer took, and `sentMs` by less than a millisecond. */
  #delayBounds(accepted: Accepted, nowMs: number, sentMs: number): DelayBounds {
    const rawMs = nowMs - sentMs - accepted.offsetMs;
    const driftMs = 2 * this.#timing.maxDrift * Math.max(nowMs - accepted.measuredMs, rawMs);
    const leastMs = Math.max(0, rawMs - accepted.measuredInMs - 2 - driftMs);
    return { leastMs, mostMs: rawMs + driftMs };
  }

  /** Whether nothing newer of this kind was taken; notes it. The same number again (another link's copy) passes. */
  isNewest(kind: string, seq: number): boolean {
    const newest = this.#accepted?.newest;
    if (newest === undefined) return false;
    const last = newest.get(kind);
    if (last !== undefined && seq < last) return false;
    // What was not said for the longest goes first: services come and go by reloads, while the session stays.
    newest.delete(kind);
    if (newest.size >= NEWEST_MAX) dropOldest(newest);
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
