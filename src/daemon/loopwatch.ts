/**
 * How well this process's loop turns: how long it was kept from running, and for how long the garbage collector stopped it. Kept
 * for a minute, second by second, so that looking costs next to nothing.
 */
import { PerformanceObserver } from 'node:perf_hooks';

const SECONDS_KEPT = 60;

export interface LoopStatus {
  /** The longest time in the last minute, and in all, that a due timer waited beyond its moment; milliseconds, one decimal. */
  readonly lateMs: number;
  readonly lateMostMs: number;
  /** The longest pause of the garbage collector in the last minute, and in all. */
  readonly gcMs: number;
  readonly gcMostMs: number;
  /** Its pauses in the last minute together. */
  readonly gcAllMs: number;
}

/** The worst of each of the last seconds. */
export class LastMinute {
  readonly #seconds: number[] = [];
  #now = 0;
  /** Of all time. */
  most = 0;

  note(value: number): void {
    this.#now = Math.max(this.#now, value);
    this.most = Math.max(this.most, value);
  }

  /** A second is over; what it was worst at. */
  next(): number {
    const value = this.#now;
    this.#now = 0;
    this.#seconds.push(value);
    if (this.#seconds.length > SECONDS_KEPT) this.#seconds.shift();
    return value;
  }

  get worst(): number {
    return Math.max(this.#now, ...this.#seconds);
  }

  /** Of the worst of each second. */
  get sum(): number {
    return this.#seconds.reduce((a, b) => a + b, this.#now);
  }
}

export class LoopWatch {
  readonly #late = new LastMinute();
  readonly #gc = new LastMinute();
  readonly #gcAll = new LastMinute();
  readonly #observer: PerformanceObserver;
  #gcMs = 0;

  constructor() {
    this.#observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) {
        this.#gc.note(duration);
        this.#gcMs += duration;
      }
    });
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** A timer ended so much too late. No timer of its own looks for that: each would wake the process. */
  late(ms: number): void {
    this.#late.note(ms);
  }

  /** To be called once a second; how long the loop was kept from running in it, at most, in milliseconds. */
  look(): number {
    this.#gcAll.note(this.#gcMs);
    this.#gcMs = 0;
    this.#gc.next();
    this.#gcAll.next();
    return this.#late.next();
  }

  status(): LoopStatus {
    return {
      lateMs: tenths(this.#late.worst),
      lateMostMs: tenths(this.#late.most),
      gcMs: tenths(this.#gc.worst),
      gcMostMs: tenths(this.#gc.most),
      gcAllMs: tenths(this.#gcAll.sum + this.#gcMs),
    };
  }

  stop(): void {
    this.#observer.disconnect();
  }
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
