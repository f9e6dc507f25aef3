/**
 * The driver's clock and its one timer. The time comes from CLOCK_MONOTONIC_RAW, which no time daemon can slew, as
 * does the Linux side's: lease, promise and kernel gate are reckoned on one clock. Node's own timers, which run on
 * the slewed clock, only wake us; a wake-up that proves early by our clock is armed again.
 */
import type { Clock } from '../driver/ports.ts';

/** Longest time for one setTimeout; a later deadline is armed again. */
const LONGEST_TIMER_MS = 60_000;

/** Waits as short as those of a takeover at small intervals (rto', R28): the last millisecond of such a one is spent turning. */
const SHORT_MS = 4;

/**
 * For so many turns of the loop a wake-up is put off while sockets hold more than one turn reads: a master's word must not be judged
 * missing because it stands behind others, and a flood must not keep deadlines from being served.
 */
const MORE_TURNS_MAX = 8;

/** A clock that calls `onWake` at the time that `wakeAt` named, never before it, and tells how late it is. */
export class NodeClock implements Clock {
  readonly #now: () => number;
  readonly #onWake: (lateMs: number) => void;
  readonly #holdMore: () => boolean;
  #atMs: number | null = null;
  /** Ends the wait under way. */
  #cancel: (() => void) | null = null;
  #isShort = false;
  /** When the wait under way was asked for, and how late the last one was. */
  #askedMs = 0;
  #lateMs = 0;
  #soon: NodeJS.Immediate | null = null;

  /** `now`: milliseconds of the monotonic clock. `holdMore`: whether sockets may hold more than this turn of the loop has read. */
  constructor(now: () => number, onWake: (lateMs: number) => void, holdMore: () => boolean = () => false) {
    this.#now = now;
    this.#onWake = onWake;
    this.#holdMore = holdMore;
  }

  nowMs(): number {
    return this.#now();
  }

  wakeAt(atMs: number | null): void {
    if (atMs === this.#atMs && this.#cancel !== null) return;
    this.#atMs = atMs;
    this.#cancel?.();
    this.#cancel = null;
    if (atMs === null || !Number.isFinite(atMs)) return;
    this.#askedMs = this.#now();
    this.#isShort = atMs - this.#askedMs <= SHORT_MS;
    this.#arm(atMs);
  }

  /** At the end of this turn of the loop, or of the one in which its sockets have been read to their end. */
  wakeSoon(): void {
    this.#soon ??= setImmediate(() => this.#turned(MORE_TURNS_MAX));
  }

  #turned(turnsLeft: number): void {
    if (turnsLeft > 0 && this.#holdMore()) {
      this.#soon = setImmediate(() => this.#turned(turnsLeft - 1));
      return;
    }
    this.#soon = null;
    const lateMs = this.#lateMs;
    this.#lateMs = 0;
    this.#onWake(lateMs);
  }

  /** A deadline is never met early; late by up to one millisecond, as Node’s timers have whole ones, but where so much counts. */
  #arm(atMs: number): void {
    const restMs = atMs - this.#now();
    const met = (): void => {
      this.#cancel = null;
      // Node's timers are early by the loop's cached time.
      const nowMs = this.#now();
      if (nowMs < atMs) this.#arm(atMs);
      else {
        this.#atMs = null;
        this.#lateMs = nowMs - Math.max(atMs, this.#askedMs);
        this.wakeSoon();
      }
    };
    if (this.#isShort && restMs < 1) {
      const turn = setImmediate(met);
      this.#cancel = () => clearImmediate(turn);
    } else {
      const wholeMs = this.#isShort ? Math.floor(restMs) : Math.ceil(restMs);
      const timer = setTimeout(met, Math.min(Math.max(wholeMs, 1), LONGEST_TIMER_MS));
      this.#cancel = () => clearTimeout(timer);
    }
  }
}
