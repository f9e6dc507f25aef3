/** The configuration of a simulated cluster, from the same formulas as the daemon's, and what follows from it. */
import type { CoreConfig, Policy, Timing } from '../../src/core/index.ts';
import { fullTiming } from '../../src/daemon/config/timing.ts';
import type { Roster } from '../../src/trust/roster.ts';

export { seededRandom } from './random.ts';

export const SERVICE = 'firewall';
/** Every host of a cluster has this digest, unless a fault gave it another. */
export const DIGEST = 'd'.repeat(64);

export interface ClusterTimes {
  readonly timing: Timing;
  readonly maxDrift: number;
  readonly maxAgeMs: number;
}

/** The times that follow from the interval by default. */
export function clusterTimes(intervalMs: number, trustHoldMs?: number): ClusterTimes {
  const trust = trustHoldMs === undefined ? {} : { trust_hold: trustHoldMs };
  const { maxDrift, maxAgeMs, stallMs: _stall, ...timing } = fullTiming({ interval: intervalMs, ...trust });
  return { timing, maxDrift, maxAgeMs };
}

/** What the core of that host is told. */
export function coreConfig(
  roster: Roster,
  self: string,
  timing: Timing,
  policy: Policy,
  preemptDelayMs: number | null,
): CoreConfig {
  const names = roster.members.map((m) => m.name);
  return {
    membership: {
      self,
      version: roster.version,
      members: roster.members.map(({ name, role, priority }) => ({ name, role, priority })),
      voterSets: [names],
    },
    timing,
    services: [
      {
        name: SERVICE,
        policy,
        checkIntervalMs: Math.max(timing.intervalMs, 100),
        fall: 2,
        rise: 2,
        preparesEarly: true,
        uplinkLimitMs: 1000,
        switchLimitMs: 1000,
        alone: 'suspend',
        apart: [],
        feedback: null,
        downlinkLink: 1,
        preemptDelayMs,
        digest: DIGEST,
      },
    ],
  };
}

/**
 * Once faults have stopped: how long until exactly one host serves, at the latest (true time, ms). Each term is a
 * place's own limit in the core; one failed attempt, that of a rival or one that a fault had spoilt, is allowed for.
 */
export function livenessBoundMs(config: CoreConfig, maxDrift: number): number {
  const { timing: t, membership } = config;
  const limits = config.services.map((s) => ({ switchMs: s.switchLimitMs, uplinkMs: s.uplinkLimitMs }));
  const switchMs = Math.max(...limits.map((l) => l.switchMs));
  const uplinkMs = Math.max(...limits.map((l) => l.uplinkMs));
  const gateways = membership.members.filter((m) => m.role === 'gateway').length;
  const available = config.services.some((s) => s.policy === 'available');
  // The pauses of the tries to become harmless (service, then uplink), and the last procedure that was under way.
  const cleaningMs = 3 * (switchMs + 1000);
  // A session that a fault spoilt: the old one yields after three intervals, HELLOs come once a second at the least.
  const sessionMs = 3 * t.intervalMs + 1000;
  const decideMs = Math.max(t.promiseMs, 2 * t.intervalMs + t.probes * t.probeTimeoutMs);
  const slotsMs = gateways * t.intervalMs;
  const suspendedMs = 3 * t.promiseMs;
  const suspicionMs = t.intervalMs + t.slackMs + t.probes * t.probeTimeoutMs + t.promiseMs;
  // A rival that is not heard any more counts for an interval.
  const attemptMs =
    3 * t.promiseMs + uplinkMs + 3 * switchMs + t.conflictWindowMs + 2 * t.promiseMs + t.intervalMs;
  const trustMs = available ? t.trustHoldMs : 0;
  const ofOneClock =
    cleaningMs + sessionMs + decideMs + slotsMs + suspendedMs + suspicionMs + attemptMs + trustMs;
  return ofOneClock / (1 - maxDrift);
}
