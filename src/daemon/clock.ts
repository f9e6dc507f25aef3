/**
 * The driver's clock and its one timer. The time comes from CLOCK_MONOTONIC_RAW, which no time daemon can slew, as
 * does the Linux side's: lease, promise and kernel gate are reckoned on one clock. Node's own timers, which run on
 * the slewed clock, only wake us; a wake-up that proves early by our clock is armed again.
 */
import type { Clock } from '../driver/ports.ts';

/** Longest time for one setTimeout; a later deadline is armed again. */
const LONGEST_TIMER_MS = 60_000;

/** A clock that calls `onWake` at the time that `wakeAt` named, never before it. */
export class NodeClock implements Clock {
  readonly #now: () => number;
  readonly #onWake: () => void;
  #atMs: number | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** `now`: milliseconds of the monotonic clock. */
  constructor(now: () => number, onWake: () => void) {
    this.#now = now;
    this.#onWake = onWake;
  }

  nowMs(): number {
    return this.#now();
  }

  wakeAt(atMs: number | null): void {
    if (atMs === this.#atMs && this.#timer !== null) return;
    this.#atMs = atMs;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (atMs !== null && Number.isFinite(atMs)) this.#arm(atMs);
  }

  /** Node’s timers have whole milliseconds, so the wait is rounded up: a deadline is met late by one, never early. */
  #arm(atMs: number): void {
    const restMs = Math.min(Math.max(Math.ceil(atMs - this.#now()), 1), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#now() < atMs) return this.#arm(atMs); // fired early by the loop's cached time
      this.#atMs = null;
      this.#onWake();
    }, restMs);
  }
}
