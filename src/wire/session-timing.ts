/** How long a nonce answers, and when two hosts' clocks are compared anew (P14, P20). */

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

/** However little clocks drift: a measurement shows a peer's roster and a clock that stood still, too, and how long a trip takes. */
const REMEASURE_MOST_MS = 5_000;
const REMEASURE_MOST_INTERVALS = 5;

/** T: after this time the clocks' difference is measured anew, at the latest when drift has used up a quarter of max_age. */
export function remeasureMs({ maxDrift, maxAgeMs, intervalMs }: SessionTiming): number {
  const mostMs = Math.max(REMEASURE_MOST_MS, REMEASURE_MOST_INTERVALS * intervalMs);
  return Math.min(mostMs, maxDrift > 0 ? maxAgeMs / (8 * maxDrift) : mostMs);
}

/** So many measurements of a new session come sooner, by `SOONER`: the first trips of a process that has just begun are long ones. */
export const YOUNG = 8;
/** A measurement sooner than T comes after this part of it. */
export const SOONER = 1 / 8;
