/** How a claimant listens on its raised uplink (R11): the length of the conflict window and of its questions. */
import type { Policy, Timing } from './basics.ts';

/** A kernel answers for an address much sooner than a host signs a word. */
const PART_OF_PROBE = 1 / 4;
const LEAST_MS = 2;

/** Milliseconds: the window, and for how long each of its questions for the addresses waits. */
export interface Listening {
  readonly windowMs: number;
  readonly askMs: number;
}

/**
 * C' and rto''. Under `available` the window is the second opinion, and as long as configured. Under `quorum` a majority's promises
 * have shut every other member out, and what is left to find is somebody outside the cluster who has an address.
 */
export function listening(t: Timing, policy: Policy): Listening {
  if (policy === 'available') return { windowMs: t.conflictWindowMs, askMs: t.probeTimeoutMs };
  const askMs = Math.max(PART_OF_PROBE * t.probeTimeoutMs, LEAST_MS);
  return { windowMs: Math.min(t.conflictWindowMs, Math.max(2, t.probes) * askMs), askMs };
}
