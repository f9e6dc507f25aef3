/**
 * Replay protection: which numbers of one sender's session were taken on one link. Every number is taken at most
 * once; a number older than the window is never taken. A restart needs no memory: its session is another one.
 */
import { WINDOW_BITS } from './limits.ts';

export class ReplayWindow {
  readonly #bits = new Uint32Array(WINDOW_BITS / 32);
  /** The highest number taken; -1 before the first. */
  #highest = -1;

  /** Whether `seq` was not taken and is not too old to tell. Changes nothing. */
  isFresh(seq: number): boolean {
    if (seq > this.#highest) return true;
    if (seq <= this.#highest - WINDOW_BITS) return false;
    return (this.#word(seq) & this.#bit(seq)) === 0;
  }

  /** Takes `seq` if it is fresh. */
  take(seq: number): boolean {
    if (!this.isFresh(seq)) return false;
    // Places that the window moves over belong to older numbers: empty them.
    const from = Math.max(this.#highest + 1, seq - WINDOW_BITS + 1);
    for (let passed = from; passed <= seq; passed++) this.#clear(passed);
    this.#highest = Math.max(this.#highest, seq);
    this.#bits[this.#index(seq)] = this.#word(seq) | this.#bit(seq);
    return true;
  }

  #clear(seq: number): void {
    this.#bits[this.#index(seq)] = this.#word(seq) & ~this.#bit(seq);
  }

  // Numbers reach 2^48: no bit operators before the remainder is taken.
  #index(seq: number): number {
    return (seq % WINDOW_BITS) >> 5;
  }

  #bit(seq: number): number {
    return 1 << (seq % 32);
  }

  #word(seq: number): number {
    return this.#bits[this.#index(seq)] ?? 0;
  }
}
