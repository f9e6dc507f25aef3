/**
 * What a seed means: the cluster, its clocks and its network, and which faults strike when. All is drawn here, before
 * anything runs; the faults' own chance comes from seeds of their own.
 */
import type { Policy } from '../../src/core/index.ts';
import { clusterTimes, coreConfig, livenessBoundMs } from './cluster.ts';
import { simulatedCluster } from './crypto.ts';
import { FAULT_NAMES, type FaultName } from './faults.ts';
import { HostClock } from './kernel.ts';
import { Chance, derivedSeed } from './random.ts';
import type { WorldOptions } from './world.ts';

export interface Strike {
  readonly atMs: number;
  readonly fault: FaultName;
  /** Place in the roster. */
  readonly host: number;
  readonly seed: number;
}

export interface Plan {
  readonly seed: number;
  readonly world: WorldOptions;
  readonly delayMs: number;
  readonly strikes: readonly Strike[];
  /** When faults end. */
  readonly healMs: number;
  readonly boundMs: number;
  readonly endMs: number;
  /** Hosts, by place, that stay dark after the faults: the rest must do. */
  readonly lost: readonly number[];
}

/** What the command line may narrow a seed's chance to. */
export interface Restriction {
  readonly hosts?: number;
  readonly policy?: Policy;
  readonly intervalMs?: number;
  readonly minutes?: number;
  readonly faults?: readonly FaultName[];
}

/** After the bound one host must serve for so long. */
const STAY_MS = 4000;
/** Faults go on for at least so long, whatever the bound leaves of the time. */
const LEAST_FAULTS_MS = 15_000;
/** One seed in so many has the real signatures and gates, in a small and unhurried cluster: they cost thirty times as much. */
export const REAL_CRYPTO_EVERY = 100;
const COMMON: ReadonlySet<FaultName> = new Set(['force']);

export function drawPlan(seed: number, restriction: Restriction = {}): Plan {
  const chance = new Chance(derivedSeed(seed, 0));
  const policy = keep(restriction.policy, chance.pick(['quorum', 'available'] as const));
  const realCrypto = seed % REAL_CRYPTO_EVERY === 0;
  // The work grows with the square of the size; every size must come up often enough in a hundred thousand seeds.
  const size = chance.weighted([
    [2, 58],
    [3, 36.5],
    [4, 4.5],
    [5, 0.7],
    [8, 0.2],
    [16, 0.1],
  ]);
  const hosts = keep(restriction.hosts, realCrypto ? Math.min(size, 3) : size);
  const wantsWitness = chance.is(policy === 'quorum' && hosts % 2 === 0 ? 0.9 : 0.1);
  const witnesses = wantsWitness && hosts < 16 ? 1 : 0;
  // No row and no fault hangs on the interval, and a short one costs as many times the steps: most seeds have long ones.
  const interval = chance.weighted([
    [1000, 94],
    [500, 4],
    [200, 1.4],
    [100, 0.3],
    [50, 0.2],
    [20, 0.07],
    [10, 0.03],
  ]);
  const intervalMs = keep(restriction.intervalMs, realCrypto ? 1000 : interval);
  const preemptDelayMs = chance.is(0.08) ? 2000 : null;
  const trustHoldMs = chance.pick([0, 500, 3000]);
  // C1: the processes' clocks within a hundredth, the kernels' timers within `max_drift`.
  const mostDrift = chance.weighted([
    [0, 35],
    [0.005, 50],
    [0.01, 15],
  ]);
  const { timing, maxDrift } = clusterTimes(intervalMs, trustHoldMs);
  // Chance of its own, so that the other draws of a seed stay as they are.
  const slewing = new Chance(derivedSeed(seed, 3));
  const within = (from: Chance, most: number): number =>
    from.is(0.5) ? from.pick([most, -most]) : from.between(-most, most);
  const clocks = Array.from({ length: hosts + witnesses }, () => {
    const drift = within(chance, mostDrift);
    const slew = mostDrift === 0 ? 0 : within(slewing, maxDrift);
    return new HostClock(chance.logBetween(1, 1e9), 1 + drift, 1 + slew);
  });
  const { roster } = simulatedCluster(hosts, witnesses, false);
  const config = coreConfig(roster, roster.members[0]?.name ?? '', timing, policy, preemptDelayMs);
  const boundMs = livenessBoundMs(config, maxDrift) + (preemptDelayMs === null ? 0 : 2 * preemptDelayMs);
  const endMs = Math.max((restriction.minutes ?? 1) * 60_000, LEAST_FAULTS_MS + boundMs + STAY_MS);
  const healMs = endMs - boundMs - STAY_MS;
  const lost = lostHosts(chance, hosts, witnesses, policy);
  return {
    seed,
    world: {
      ...{ hosts, witnesses, policy, intervalMs, trustHoldMs, clocks, seed: derivedSeed(seed, 1) },
      realCrypto,
      // Chance of its own, so that the other draws of a seed stay as they are.
      preparesEarly: derivedSeed(seed, 2) % 4 !== 0,
      ...(preemptDelayMs === null ? {} : { preemptDelayMs }),
    },
    // One way and back within a probe's time, one way within a slot: conditions of R24.
    delayMs: chance.logBetween(0.05, Math.min(timing.probeTimeoutMs / 2, timing.slotMs) / 1.6),
    strikes: drawStrikes(seed, chance, healMs, hosts + witnesses, restriction.faults),
    ...{ healMs, boundMs, endMs, lost },
  };
}

/** Draws all the same, so that a restriction does not shift the rest of the seed's chance. */
function keep<T>(restricted: T | undefined, drawn: T): T {
  return restricted ?? drawn;
}

/** In a third of the seeds some hosts never come back; what is left has a gateway and, under `quorum`, a majority. */
function lostHosts(chance: Chance, hosts: number, witnesses: number, policy: Policy): number[] {
  if (!chance.is(0.33)) return [];
  const all = hosts + witnesses;
  const most = policy === 'quorum' ? Math.ceil(all / 2) - 1 : hosts - 1;
  const count = chance.below(most + 1);
  const order = Array.from({ length: all }, (_, i) => i).sort(() => chance.next() - 0.5);
  const survivor = order.findLast((i) => i < hosts);
  return order.filter((i) => i !== survivor).slice(0, count);
}

/** A swarm: each seed has its own few kinds of faults, and its own pace. */
function drawStrikes(
  seed: number,
  chance: Chance,
  healMs: number,
  hosts: number,
  allowed: readonly FaultName[] = FAULT_NAMES,
): Strike[] {
  const share = chance.pick([0.06, 0.15, 0.4]);
  const kinds = allowed.filter((name) => chance.is(COMMON.has(name) ? share / 4 : share));
  if (kinds.length === 0) kinds.push(chance.pick(allowed));
  const meanMs = chance.logBetween(150, 6000);
  const strikes: Strike[] = [];
  // Some seeds are struck while they start, others when all is calm.
  let atMs = chance.is(0.3) ? chance.next() * 500 : 4000 + chance.next() * 2000;
  for (let i = 0; atMs < healMs && i < 300; i++) {
    strikes.push({
      atMs,
      fault: chance.pick(kinds),
      host: chance.below(hosts),
      seed: derivedSeed(seed, 1000 + i),
    });
    atMs += -Math.log(1 - chance.next()) * meanMs;
  }
  return strikes;
}
