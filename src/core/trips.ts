/**
 * Adapted time-outs (R28): how long a PROBE waits for its answer, and a claim for an objection, by the round trips measured
 * lately. Never longer than configured, and never shorter than what saves nothing any more.
 */
import type { HostName, Timing } from './basics.ts';
import type { HostState } from './state.ts';

/** An answer may take so many times as long as the longest of late did. */
const MARGIN = 2;
/** Below these a shorter time-out saves a takeover next to nothing: timers and loops are as late. */
const LEAST_MS = 2;
const LEAST_PART_OF_INTERVAL = 1 / 50;

/** What counts of a peer's round trips after one more: up at once, down by halves. */
export function tripAfter(former: number | undefined, measuredMs: number): number {
  return Math.max(measuredMs, ((former ?? measuredMs) + measuredMs) / 2);
}

/** The longest round trip to a gateway, any of which may be the master; null: none was measured. */
export function longestTripMs({ trips, config }: HostState): number | null {
  const gateways = config.membership.members.filter((member) => member.role === 'gateway');
  const known = gateways.flatMap(({ name }: { name: HostName }) => trips[name] ?? []);
  return known.length === 0 ? null : Math.max(...known);
}

/** rto': how long a PROBE of a suspicion waits for its answer. */
export function probeMs(t: Pick<Timing, 'intervalMs' | 'probeTimeoutMs'>, tripMs: number | null): number {
  if (tripMs === null) return t.probeTimeoutMs;
  const needed = Math.max(MARGIN * tripMs, LEAST_PART_OF_INTERVAL * t.intervalMs, LEAST_MS);
  return Math.min(t.probeTimeoutMs, needed);
}

/** w': how long an objection to a claim is waited for (`available`). */
export function objectionMs(t: Timing, tripMs: number | null): number {
  return tripMs === null ? t.slotMs : Math.min(t.slotMs, probeMs(t, tripMs));
}
