/**
 * How two hosts' monotonic clocks stand to each other, from the words that each recorded of the other. A word took no
 * less than no time, so each bounds the difference from one side; words in both directions bound it from both. Wall
 * clocks are not looked at. That a host's own clock runs on is believed of that host, and no more.
 */

/** A word of `from` that `to` heard: by the clock of each (ms). */
export interface Crossing {
  readonly from: string;
  readonly to: string;
  readonly sentMs: number;
  readonly heardMs: number;
}

/** What must be added to a time by one clock to have it by the other, at least and at most (ms). */
export interface Bounds {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** Words further away than this from the time in question are not used: clocks drift, and machines are started anew. */
const NEAR_MS = 6 * 3_600_000;
/** How far two raw monotonic clocks may part in the time since a word. */
const DRIFT = 1e-4;

export class Clocks {
  readonly #crossings: readonly Crossing[];

  constructor(crossings: readonly Crossing[]) {
    this.#crossings = crossings;
  }

  /** Bounds for a time `atMs` of host `a`, in host `b`'s clock; null: they never heard each other near that time. */
  between(a: string, b: string, atMs: number): Bounds | null {
    let [leastMs, mostMs] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (const { from, to, sentMs, heardMs } of this.#crossings) {
      if (from === a && to === b && Math.abs(sentMs - atMs) <= NEAR_MS)
        mostMs = Math.min(mostMs, heardMs - sentMs + DRIFT * Math.abs(sentMs - atMs));
      else if (from === b && to === a && Math.abs(heardMs - atMs) <= NEAR_MS)
        // `sentMs` was cut down to whole milliseconds.
        leastMs = Math.max(leastMs, sentMs - heardMs - DRIFT * Math.abs(heardMs - atMs));
    }
    if (!Number.isFinite(leastMs) || !Number.isFinite(mostMs)) return null;
    // Contradictory words: a clock was stepped, or a host lies. Nothing follows then.
    return leastMs > mostMs + 2 ? null : { leastMs, mostMs: Math.max(mostMs, leastMs) };
  }
}
