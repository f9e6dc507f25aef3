/** The cluster that all states of the comparison are made in: its times, its configuration, and what its numbers stand for. */
import type { CoreConfig, Policy, Term } from '../../src/core/index.ts';
import { family, HOSTS, ME, type Vector } from './vector.ts';

/** The moment of the event, and the times of the cluster; those of the default configuration at 200 ms, but for the promise. */
export const NOW = 10_000;
export const SERVICE = 'firewall';
export const INTERVAL_MS = 200;
export const LEASE_MS = 300;
const PROMISE_MS = 375;
export const DIGEST = 'd'.repeat(64);
/** The number of the check that runs when the event is its end. */
export const RUN = 5;

function config(
  policy: Policy,
  better: boolean,
  alone: 'suspend' | 'serve',
  preparesEarly: boolean,
  two: boolean,
): CoreConfig {
  const names = two ? HOSTS.slice(0, 2) : HOSTS;
  return {
    membership: {
      self: HOSTS[ME],
      version: 1,
      // h3 is preferred to this host, h2 is not.
      members: names.map((name, i) => ({
        name,
        role: 'gateway' as const,
        priority: [20, 50, 10, 90][i] ?? 0,
      })),
      voterSets: [names.slice(0, 3)],
    },
    timing: {
      intervalMs: INTERVAL_MS,
      leaseMs: LEASE_MS,
      promiseMs: PROMISE_MS,
      slackMs: 10,
      probeTimeoutMs: 25,
      probes: 3,
      slotMs: 10,
      conflictWindowMs: 50,
      handoverLimitMs: 10_000,
      holdDownMs: 1000,
      holdDownMaxMs: 60_000,
      trustHoldMs: 30_000,
    },
    services: [
      {
        name: SERVICE,
        policy,
        checkIntervalMs: 200,
        fall: 2,
        rise: 2,
        preparesEarly,
        uplinkLimitMs: 1000,
        switchLimitMs: 1000,
        alone,
        apart: [],
        feedback: null,
        downlinkLink: 1,
        preemptDelayMs: better ? 500 : null,
        digest: DIGEST,
      },
    ],
  };
}

const CONFIGS = new Map<string, CoreConfig>();
/**
 * The configuration, of which five bits decide: the policy, whether a better host preempts, whether one goes on alone, whether the
 * service is prepared beside the conflict window, and whether h0 is the only other member.
 */
export function configOf(
  available: boolean,
  better: boolean,
  serveAlone: boolean,
  early: boolean,
  two: boolean,
): CoreConfig {
  const key = `${available} ${better} ${serveAlone} ${early} ${two}`;
  let found = CONFIGS.get(key);
  if (found === undefined) {
    const policy = available ? 'available' : 'quorum';
    found = config(policy, better, serveAlone ? 'serve' : 'suspend', early, two);
    CONFIGS.set(key, found);
  }
  return found;
}

export const name = (host: number): string => HOSTS[host] as string;
/** A term of the model as the core writes it; 0 is none. */
export const termOf = (t: number): Term | null =>
  t === 0 ? null : { n: Math.floor(t / HOSTS.length), host: name(t % HOSTS.length) };
const EVENT_NAME = new Map(family('E_').map(([event, value]) => [value, event]));
export const eventName = (v: Vector): string => EVENT_NAME.get(v.ev as number) ?? String(v.ev);
