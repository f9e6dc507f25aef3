/**
 * The driver's clock and its one timer. The time comes from CLOCK_MONOTONIC_RAW, which no time daemon can slew, as
 * does the Linux side's: lease, promise and kernel gate are reckoned on one clock. Node's own timers, which run on
 * the slewed clock, only wake us; a wake-up that proves early by our clock is armed again.
 */
import type { Clock } from '../driver/ports.ts';

/** Longest time for one setTimeout; a later deadline is armed again. So often, at least, it is seen how late this process is. */
const LONGEST_TIMER_MS = 250;

/** Waits as short as those of a takeover at small intervals (rto', R28): the last millisecond of such a one is spent turning. */
const SHORT_MS = 4;

/**
 * For so many turns of the loop a wake-up is put off while sockets hold more than one turn reads: a master's word must not be judged
 * missing because it stands behind others, and a flood must not keep deadlines from being served.
 */
const MORE_TURNS_MAX = 8;

/** Something else that is to be done by a time which is put off again and again. */
export interface Beside {
  /** By then; replaces what was said before. */
  by(atMs: number): void;
  /** Not any more. */
  stop(): void;
}

/** A clock that calls `onWake` at the time that `wakeAt` named, never before it, and tells how late it is. */
export class NodeClock implements Clock {
  readonly #now: () => number;
  readonly #onWake: (lateMs: number) => void;
  readonly #holdMore: () => boolean;
  #atMs: number | null = null;
  /** What else waits, and until when. */
  readonly #besides = new Map<() => void, number>();
  /** Ends the wait under way. */
  #cancel: (() => void) | null = null;
  #isShort = false;
  /** When the wait under way was asked for and when it ends; how late one was since the last wake-up, at most. */
  #askedMs = 0;
  #endsMs = 0;
  #lateMs = 0;
  #soon: NodeJS.Immediate | null = null;
  #isTurning = false;
  /** Nobody ever wakes who waits for this. */
  readonly #nothing = new Int32Array(new SharedArrayBuffer(4));

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
    this.#atMs = atMs !== null && Number.isFinite(atMs) ? atMs : null;
    if (this.#atMs !== null) {
      this.#askedMs = this.#now();
      this.#isShort = this.#atMs - this.#askedMs <= SHORT_MS;
    }
    this.#set();
  }

  /**
   * Has `run` called at the time that is said last, or up to a turn of the loop later. With a timer of its own whatever is put off at
   * each wake-up would cost one more, in between: Node wakes for the time that was said first.
   */
  beside(run: () => void): Beside {
    // The same function may be asked for twice.
    const task = (): void => run();
    return {
      by: (atMs) => {
        this.#besides.set(task, atMs);
        // In a turn that was woken its end sets the clock, when all is said.
        if (this.#soon === null && !this.#isTurning) this.#set();
      },
      stop: () => void this.#besides.delete(task),
    };
  }

  /** At the end of this turn of the loop, or of the one in which its sockets have been read to their end. */
  wakeSoon(): void {
    this.#soon ??= setImmediate(() => this.#turned(MORE_TURNS_MAX));
  }

  /** In the next turn: orders of this one have left then. */
  rest(ms: number): void {
    setImmediate(() => {
      Atomics.wait(this.#nothing, 0, 0, ms);
      this.wakeSoon();
    });
  }

  #turned(turnsLeft: number): void {
    if (turnsLeft > 0 && this.#holdMore()) {
      this.#soon = setImmediate(() => this.#turned(turnsLeft - 1));
      return;
    }
    this.#soon = null;
    const lateMs = this.#lateMs;
    this.#lateMs = 0;
    this.#isTurning = true;
    try {
      this.#onWake(lateMs);
    } finally {
      this.#isTurning = false;
      this.#set();
    }
  }

  /** Sets a timer for what comes first, unless one ends before: Node wakes for a timer that was taken away all the same. */
  #set(): void {
    const firstMs = Math.min(this.#atMs ?? Number.POSITIVE_INFINITY, ...this.#besides.values());
    const isNone = firstMs === Number.POSITIVE_INFINITY;
    if (this.#cancel !== null && this.#endsMs <= firstMs && !isNone) return;
    this.#cancel?.();
    this.#cancel = null;
    if (!isNone) this.#arm(firstMs);
  }

  /** A deadline is never met early; late by up to one millisecond, as Node’s timers have whole ones, but where so much counts. */
  #arm(atMs: number): void {
    const nowMs = this.#now();
    const restMs = atMs - nowMs;
    // What waits beside a deadline is never so near as to be waited for turn by turn.
    const isShort = this.#isShort && atMs === this.#atMs;
    if (isShort && restMs < 1) {
      this.#endsMs = atMs;
      const turn = setImmediate(() => this.#ended());
      this.#cancel = () => clearImmediate(turn);
    } else {
      const wholeMs = isShort ? Math.floor(restMs) : Math.ceil(restMs);
      const waitMs = Math.min(Math.max(wholeMs, 1), LONGEST_TIMER_MS);
      this.#endsMs = nowMs + waitMs;
      const timer = setTimeout(() => this.#ended(), waitMs);
      this.#cancel = () => clearTimeout(timer);
    }
  }

  #ended(): void {
    this.#cancel = null;
    const atMs = this.#atMs;
    const nowMs = this.#now();
    const isDue = atMs !== null && nowMs >= atMs;
    this.#lateMs = Math.max(this.#lateMs, nowMs - (isDue ? Math.max(atMs, this.#askedMs) : this.#endsMs));
    if (isDue) {
      this.#atMs = null;
      this.wakeSoon();
    }
    for (const [task, byMs] of [...this.#besides]) {
      if (nowMs < byMs || !this.#besides.delete(task)) continue;
      task();
    }
    // Node's timers are early by the loop's cached time.
    if (!isDue) this.#set();
  }
}
