/**
 * How many signatures of one member are checked: a token bucket that starts to drop at random when it is half
 * empty, so that a flood in a member's name cannot choose that it is always the honest datagram that falls out.
 */

/** The bucket holds what comes in this time. */
const DEPTH_S = 0.5;

export class Budget {
  readonly #perMs: number;
  readonly #depth: number;
  #tokens: number;
  #filledMs: number;

  constructor(nowMs: number, perSecond: number) {
    this.#perMs = perSecond / 1000;
    this.#depth = perSecond * DEPTH_S;
    this.#tokens = this.#depth;
    this.#filledMs = nowMs;
  }

  /** Whether one more may be spent. `chance`: uniform in [0, 1), drawn for this question. */
  spend(nowMs: number, chance: number): boolean {
    this.#tokens = Math.min(this.#depth, this.#tokens + Math.max(0, nowMs - this.#filledMs) * this.#perMs);
    this.#filledMs = nowMs;
    if (this.#tokens < 1 || chance >= this.#tokens / (this.#depth / 2)) return false;
    this.#tokens--;
    return true;
  }
}
