/**
 * The simulator's outages beside the formulas of spec/timing.md: one fault at a random phase of the interval, many
 * seeds, the longest and the middle outage of each kind. `node dist/test/sim/timing.js [SEEDS] [INTERVAL_MS]` prints them.
 */
import {
  type Bound,
  FAULTS,
  type Fault,
  type Policy,
  type StepTimes,
  type Timing,
  takeoverBounds,
} from '../../src/core/index.ts';
import { type Host, SERVICE, World } from './world.ts';

export interface TimedCluster {
  readonly hosts: number;
  readonly witnesses: number;
  readonly policy: Policy;
}

export const CLUSTERS: readonly TimedCluster[] = [
  { hosts: 2, witnesses: 0, policy: 'available' },
  { hosts: 3, witnesses: 0, policy: 'available' },
  { hosts: 3, witnesses: 0, policy: 'quorum' },
  { hosts: 2, witnesses: 1, policy: 'quorum' },
];

/** What the modelled kernel and network take at most: each procedure its time and 30 % (actuator.ts). */
export function worldSteps(timing: Timing): StepTimes {
  const roundMs = timing.probes * timing.probeTimeoutMs;
  return {
    delayMs: 0.75,
    tripMs: 1.5,
    lateMs: 0,
    linkEventMs: 1,
    gateMs: 1,
    activateUplinkMs: 6.5,
    checkUplinkMs: 1.3,
    activateServiceMs: 13,
    checkServiceLocalMs: 2.6,
    rereadMs: 2.6,
    checkDownlinkMs: 1.3,
    unansweredMs: 1.3 * roundMs,
    addressRoundMs: roundMs,
    deactivateMs: 19.5,
  };
}
/** The measure below looks once a millisecond: an outage may seem longer by that. */
export const LOOK_MS = 1;

/** Why a fault cannot be simulated in that cluster; null when it can. */
export function leftOut(fault: Fault, cluster: TimedCluster): string | null {
  if (fault === 'disputed') return 'the modelled checks are never wrong';
  if (fault === 'successor-failed' && cluster.hosts < 3) return 'there is no second successor';
  return null;
}

export interface Timed {
  readonly fault: Fault;
  readonly bound: Bound;
  readonly outagesMs: readonly number[];
}

/** One row a fault kind that can be simulated in that cluster. */
export function timed(
  cluster: TimedCluster,
  intervalMs: number,
  seeds: readonly number[],
  faults: readonly Fault[] = FAULTS,
): Timed[] {
  const { timing, services } = new World({ ...cluster, intervalMs }).config('fw1');
  const service = services[0];
  if (service === undefined) throw new Error('the simulated cluster has a service');
  const bounds = takeoverBounds(timing, service, worldSteps(timing));
  return faults
    .filter((fault) => leftOut(fault, cluster) === null)
    .map((fault) => ({
      fault,
      bound: bounds[fault],
      outagesMs: seeds.map((seed) => outageMs(fault, cluster, intervalMs, seed)).sort((a, b) => a - b),
    }));
}

/** The outage that one fault causes, in whole milliseconds; throws when the service does not come back. */
export function outageMs(fault: Fault, cluster: TimedCluster, intervalMs: number, seed: number): number {
  const w = new World({ ...cluster, intervalMs, seed });
  const checkMs = w.config('fw1').services[0]?.checkIntervalMs ?? 0;
  w.startAll();
  for (let tries = 0; w.masters().length !== 1 && tries < 100; tries++) w.pass(intervalMs);
  // Reports each five intervals, then the table: until the backups are ranked.
  w.pass(12 * intervalMs + Math.max(intervalMs, checkMs) * w.random());
  const old = w.host(w.masters()[0] ?? '');
  strike(w, old, fault);
  const patienceMs = 20_000 + 20 * intervalMs;
  let gapMs = 0;
  let servedMs = 0;
  let longestMs = 0;
  for (let ms = 0; ms < patienceMs; ms += LOOK_MS) {
    w.pass(LOOK_MS);
    gapMs = serves(w) ? 0 : gapMs + LOOK_MS;
    longestMs = Math.max(longestMs, gapMs);
    const [master, ...others] = w.masters();
    // Where the successor never heard the old master let go, the old one may be the first to claim again.
    const mayStay = fault === 'bootstrap' || (fault === 'handover-lost' && longestMs > 20);
    const moved = others.length === 0 && (master !== old.name || mayStay);
    servedMs = gapMs === 0 && moved ? servedMs + LOOK_MS : 0;
    if (servedMs >= 300 + 3 * intervalMs) return longestMs;
  }
  throw new Error(`${fault}, seed ${seed}: not back after ${patienceMs} ms, longest gap ${longestMs} ms`);
}

/** Whether a client is served: addresses, open gate, both cables, and the rules. */
function serves(w: World): boolean {
  return w.hosts.some(
    (h) => w.active(h) && h.lan && !h.lanMute && h.wan && !h.wanMute && h.uplinkRaised && !h.rulesFlushed,
  );
}

function strike(w: World, old: Host, fault: Fault): void {
  switch (fault) {
    case 'power':
      w.powerOff(old);
      return;
    case 'kill':
      w.kill(old);
      return;
    case 'downlink-cut':
      old.lan = false;
      w.linkChanged(old, 'downlink');
      return;
    case 'downlink-mute':
      old.lanMute = true;
      return;
    case 'uplink-cut':
      old.wan = false;
      w.linkChanged(old, 'uplink');
      return;
    case 'uplink-mute':
      old.wanMute = true;
      return;
    case 'service':
      old.rulesFlushed = true;
      return;
    case 'handover':
      old.driver?.order({ kind: 'handover', service: SERVICE, to: null, force: false });
      return;
    case 'release-lost':
      loseReleased(w, old, 'service.releasing');
      old.rulesFlushed = true;
      return;
    case 'handover-lost':
      loseReleased(w, old, 'service.shutting');
      old.driver?.order({ kind: 'handover', service: SERVICE, to: null, force: false });
      return;
    case 'successor-failed': {
      const table = old.driver?.state.services[SERVICE]?.table?.rows ?? [];
      const first = table.map((row) => row.host).find((name) => name !== old.name && !name.startsWith('w'));
      w.host(first ?? '').wan = false;
      w.powerOff(old);
      return;
    }
    case 'attacker':
      w.attacker = true;
      w.powerOff(old);
      return;
    case 'bootstrap':
      for (const host of w.hosts) w.kill(host);
      for (const host of w.hosts) host.gateUntilMs = 0;
      w.startAll();
      return;
    case 'disputed':
      throw new Error('not simulated');
    default:
      fault satisfies never;
  }
}

/** What the old master says while it lets go is lost, three copies of RELEASED among it. */
function loseReleased(w: World, old: Host, from: string): void {
  const others = w.hosts.filter((h) => h !== old).map((h) => `${old.name}>${h.name}`);
  const rtoMs = w.config(old.name).timing.probeTimeoutMs;
  w.observe = (host, _nowMs, _event, state) => {
    if (host !== old.name || state.services[SERVICE]?.place !== from) return;
    w.observe = null;
    for (const way of others) w.deaf.add(way);
    w.at(3 * rtoMs + 20, () => w.deaf.clear());
  };
}

/** The table for people. */
export function timingTable(rows: readonly Timed[]): string {
  const cell = (ms: number): string => ms.toFixed(0).padStart(9);
  const lines = rows.map(({ fault, bound, outagesMs }) => {
    const middle = outagesMs[Math.floor(outagesMs.length / 2)] ?? Number.NaN;
    const longest = outagesMs.at(-1) ?? Number.NaN;
    const figures = [bound.medianMs, middle, bound.worstMs, longest].map(cell).join('');
    return `${fault.padEnd(18)}${figures}${longest <= bound.worstMs + LOOK_MS ? '' : '  OVER'}`;
  });
  const heads = ['median≤', 'median', 'bound', 'longest'].map((head) => head.padStart(9)).join('');
  return `${['fault'.padEnd(18) + heads, ...lines].join('\n')}\n`;
}

if (process.argv[1] !== undefined && /sim[/\\]timing\.[jt]s$/.test(process.argv[1])) {
  const [count = 20, intervalMs = 200] = process.argv.slice(2).map(Number);
  if (!(count >= 1 && count <= 10_000) || !(intervalMs >= 10 && intervalMs <= 60_000)) {
    process.stderr.write(
      'usage: node dist/test/sim/timing.js [SEEDS, 1 to 10000] [INTERVAL_MS, 10 to 60000]\n',
    );
    process.exit(2);
  }
  const seeds = Array.from({ length: count }, (_, i) => i + 1);
  for (const cluster of CLUSTERS) {
    const { hosts, witnesses, policy } = cluster;
    const name = `${hosts} hosts${witnesses > 0 ? ' and a witness' : ''}, ${policy}`;
    process.stdout.write(`${name}, I = ${intervalMs} ms, ${count} seeds, milliseconds without service\n`);
    process.stdout.write(`${timingTable(timed(cluster, intervalMs, seeds))}\n`);
  }
}
