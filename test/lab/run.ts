/**
 * One run of one scenario: network up, cluster settled, traffic flowing, the fault at a random point of the interval, the
 * watch, then the judges. A run that could not be judged throws; a run that went wrong has `problems`.
 */

import { defaultBounds } from '../../src/daemon/config/bounds.ts';
import { fullTiming } from '../../src/daemon/config/timing.ts';
import { decisionsOf, readEvents } from './events.ts';
import type { GatewayKind, Policy } from './gateway.ts';
import { END_MS, type Evidence, judge, unansweredMs, type Verdict } from './judge.ts';
import { Lab } from './lab.ts';
import { sleep, until } from './process.ts';
import type { Expectation, Scenario } from './scenario.ts';
import { MovedBefore, Stage } from './stage.ts';
import { firstActs, type Parts, partsOf } from './takeover-parts.ts';
import { planHosts } from './topology.ts';
import type { TrafficResult } from './traffic.ts';
import { wordsOf } from './words.ts';

export interface RunOptions {
  readonly hosts: number;
  readonly witness: boolean;
  readonly policy: Policy;
  readonly intervalMs: number;
  readonly answerBroadcasts: boolean;
  /** The two processes of each host are two units of its service manager. */
  readonly apart: boolean;
  /** This project's daemons unless said otherwise. */
  readonly kind?: GatewayKind;
  readonly conntrackd?: boolean;
  readonly strict?: boolean;
}

export interface RunResult {
  readonly scenario: string;
  readonly gateway: GatewayKind;
  readonly hosts: number;
  readonly policy: Policy;
  readonly intervalMs: number;
  readonly outageMs: number;
  /** What spec/timing.md allows at default times and usual steps; null: no fault of that page. Nothing is judged by it. */
  readonly boundMs: number | null;
  /** The longest time, from the fault on, in which nobody on the lan was told where the gateway is. */
  readonly unansweredMs: number;
  /** From the fault to another host's first act (an answer, or a datagram forwarded); null: none. */
  readonly takeoverMs: number | null;
  /** The same taken to pieces; null for the peer, and when nobody took over. */
  readonly parts: Parts | null;
  readonly lost: number;
  readonly masters: number;
  readonly overlapMs: number;
  readonly standbyUplinkPackets: number;
  readonly tcpSurvived: boolean;
  readonly endMasters: number;
  readonly changes: number;
  readonly sent: number;
  /** The client's own longest pause: how far the machine's load may have touched the figures. */
  readonly stallMs: number;
  readonly seconds: number;
  /** What did not hold of the scenario's expectation, in words; empty when all is well. */
  readonly problems: readonly string[];
  readonly standbyDetail: readonly string[];
  /** When there are problems: what the hosts had decided since the fault, by their own logs. */
  readonly decisions: readonly string[];
}

const SETTLE_MS = 30_000;
const STRIKES_MAX = 3;

/** The lease of a cluster with default settings. */
export function leaseMs(intervalMs: number): number {
  return fullTiming({ interval: intervalMs } as Parameters<typeof fullTiming>[0]).leaseMs;
}

export async function runScenario(scenario: Scenario, options: RunOptions): Promise<RunResult> {
  const startedMs = performance.now();
  const { policy, intervalMs, answerBroadcasts, apart, kind = 'portcullis' } = options;
  const { conntrackd = false, strict = conntrackd } = options;
  const hosts = planHosts(options.hosts, options.witness);
  const outside = planHosts(options.hosts, false).slice(options.hosts - (scenario.outside ?? 0));
  const lab = await Lab.open({
    ...{ kind, hosts, policy, intervalMs, timing: [], answerBroadcasts, apart, conntrackd, strict },
    outside: outside.map(({ name }) => name),
    ...(scenario.more === undefined ? {} : { more: scenario.more }),
    ...{ head: scenario.head ?? [], programs: scenario.programs ?? {} },
  });
  try {
    const { traffic, verdict, expected, seen, times, fromMs } = await perform(scenario, lab);
    const problems = [...seen, ...compare(expected, verdict, traffic)];
    return {
      ...{ scenario: scenario.name, gateway: kind, hosts: options.hosts, policy, intervalMs },
      ...{ outageMs: traffic.outageMs, boundMs: boundMs(scenario, options) },
      ...{ ...times, lost: traffic.lost },
      ...{ masters: verdict.masters, overlapMs: verdict.overlapMs },
      ...{ standbyUplinkPackets: verdict.standbyUplinkPackets, tcpSurvived: traffic.tcpSurvived },
      ...{ endMasters: verdict.endMasters.length, changes: verdict.changes },
      ...{ sent: traffic.sent, stallMs: traffic.stallMs },
      seconds: Math.round((performance.now() - startedMs) / 100) / 10,
      problems,
      standbyDetail: verdict.standbyDetail,
      decisions:
        problems.length > 0 && kind === 'portcullis'
          ? decisionsOf(lab.cluster.directory, lab.gateways, fromMs)
          : [],
    };
  } finally {
    await lab.close();
  }
}

function boundMs(scenario: Scenario, { policy, intervalMs, kind }: RunOptions): number | null {
  const { timed } = scenario;
  if (timed === undefined || (kind !== undefined && kind !== 'portcullis')) return null;
  const row = defaultBounds(policy, intervalMs).find(({ fault }) => fault === timed);
  return row?.worstMs ?? null;
}

async function perform(
  scenario: Scenario,
  lab: Lab,
): Promise<{
  traffic: TrafficResult;
  verdict: Verdict;
  expected: Expectation;
  seen: readonly string[];
  times: Pick<RunResult, 'unansweredMs' | 'takeoverMs' | 'parts'>;
  fromMs: number;
}> {
  const { cluster, gateways, options } = lab;
  const { kind = 'portcullis' } = options;
  const missing = Math.max(scenario.absent ?? 0, scenario.outside ?? 0);
  const present = gateways.slice(0, gateways.length - missing);
  const absent = gateways.slice(present.length);
  for (const host of lab.options.hosts) if (!absent.includes(host.name)) cluster.start(host.name);
  await lab.startTraffic();
  const first = await cluster.settle(present, SETTLE_MS);
  const flows = await until(async () => (await lab.traffic.report()).recent > 200, 10_000, 100);
  if (!flows) throw new Error(`${first} serves, but the client gets no answers`);
  await sleep(1_000); // let the backups have the table
  if (kind === 'portcullis') await until(() => allFit(lab, first, present), 20_000, 50);
  await lab.traffic.begin();
  await sleep(500 + Math.random() * options.intervalMs);
  const { stage, fromMs } = await strike(scenario, lab, present, absent);
  // Takeover takes a few intervals: with a long one, look longer.
  const watchMs = scenario.watchMs + Math.max(0, options.intervalMs - 200) * 10;
  if (kind === 'portcullis' && scenario.expect(stage).endMasters === 'one') {
    // And until one serves, and has for a while: no test says how long a takeover takes, and a busy machine stalls.
    await sleep(Math.max(0, watchMs - END_MS));
    await oneActsOn(lab);
  } else await sleep(watchMs);
  const endMs = nowMs();
  const traffic = await lab.traffic.end();
  const evidence = await gather(lab, fromMs, endMs);
  const times = {
    unansweredMs: unansweredMs(evidence.frames, fromMs, endMs),
    ...(await takeoverOf(lab, evidence, stage.master)),
  };
  return {
    traffic,
    verdict: judge(evidence),
    expected: scenario.expect(stage),
    seen: stage.seen,
    times,
    fromMs,
  };
}

/** Does the scenario's fault to whoever is master; on a busy machine the service may have moved just before, and then it is done to the next one. */
async function strike(
  scenario: Scenario,
  { cluster, faults, gateways, options }: Lab,
  present: readonly string[],
  absent: readonly string[],
): Promise<{ stage: Stage; fromMs: number }> {
  const { policy } = options;
  const hosts = options.hosts.map((host) => host.name);
  for (let tries = 1; ; tries++) {
    const master = await cluster.settle(present, SETTLE_MS);
    const fromMs = nowMs();
    const stage = new Stage({ cluster, faults, policy, hosts, gateways, absent, master });
    try {
      await scenario.fault(stage);
      return { stage, fromMs };
    } catch (error) {
      if (!(error instanceof MovedBefore) || tries === STRIKES_MAX) throw error;
    }
  }
}

/** Whether that master has heard from each of the others that it would take over. */
export async function allFit({ cluster }: Lab, master: string, hosts: readonly string[]): Promise<boolean> {
  const table = (await cluster.status(master))?.services[0]?.table ?? [];
  return hosts.every((host) => table.some((row) => row.host === host && row.fit));
}

/** Waits until the same host has been the only one whose gate is open for as long as the judge looks for masters at the end. */
async function oneActsOn({ cluster, gateways }: Lab): Promise<void> {
  let holder: string | null = null;
  let sinceMs = 0;
  const isSteady = async (): Promise<boolean> => {
    const all = await Promise.all(gateways.map((host) => cluster.status(host)));
    const open = gateways.filter((_, i) => all[i]?.services[0]?.gateOpen === true);
    const [one = null] = open.length === 1 ? open : [];
    if (one !== holder) sinceMs = performance.now();
    holder = one;
    return one !== null && performance.now() - sinceMs > END_MS;
  };
  await until(isSteady, 15_000, 50);
}

/** When another host first acted, and its takeover taken to pieces. */
export async function takeoverOf(
  lab: Lab,
  evidence: Evidence,
  old: string,
): Promise<Pick<RunResult, 'takeoverMs' | 'parts'>> {
  const { fromMs } = evidence;
  const first = firstActs(evidence, old, fromMs);
  if (first === null) return { takeoverMs: null, parts: null };
  const takeoverMs = Math.round((first.actMs - fromMs) * 10) / 10;
  if ((lab.options.kind ?? 'portcullis') !== 'portcullis') return { takeoverMs, parts: null };
  const events = readEvents(lab.cluster.directory, first.host);
  return { takeoverMs, parts: partsOf(events, fromMs, first) };
}

/** Milliseconds since the epoch, as the captures have them, with fractions. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Ends the captures; all that the judges need. */
export async function gather(lab: Lab, fromMs: number, endMs: number): Promise<Evidence> {
  // Taken first: at its end a capture does not wait for what the kernel still has.
  const heard = await lab.capture.take(endMs);
  await lab.capture.stop();
  return evidenceOf(lab, heard, fromMs, endMs);
}

/** The same of what was heard in some part of a lab's life. */
export function evidenceOf(
  lab: Lab,
  { frames, carriers }: Pick<Evidence, 'frames' | 'carriers'>,
  fromMs: number,
  endMs: number,
): Evidence {
  const { intervalMs, hosts } = lab.options;
  return {
    ...{ frames, carriers, fromMs, endMs, gateways: lab.gateways, macs: lab.topology.macs },
    words: wordsOf(
      frames,
      hosts.map((host) => host.name),
    ),
    leaseMs: leaseMs(intervalMs),
    handoverSilenceMs: Math.max(8 * intervalMs, 1_500),
  };
}

/** What did not hold of the expectation, in words. */
export function compare(
  expected: Expectation,
  verdict: Verdict,
  traffic: Pick<TrafficResult, 'tcpSurvived'>,
): string[] {
  const problems: string[] = [];
  const end = verdict.endMasters.length;
  if (expected.endMasters === 'one' && end !== 1)
    problems.push(`${end} masters at the end${end > 0 ? `: ${verdict.endMasters.join(', ')}` : ''}`);
  if (expected.overlap === 'none' && verdict.overlapMs > 0)
    problems.push(`two hosts acted for ${verdict.overlapMs} ms`);
  if (expected.overlap === 'none' && verdict.masters > 1)
    problems.push(`${verdict.masters} hosts in Service at once`);
  if (expected.standby !== 'any' && verdict.standbyUplinkPackets > 0)
    problems.push(`standby hosts sent ${verdict.standbyUplinkPackets} frames into the uplink`);
  if (expected.tcp === 'survives' && !traffic.tcpSurvived) problems.push('the TCP transfer died');
  const [least, most] = expected.changes;
  if (verdict.changes < least || verdict.changes > most)
    problems.push(
      `the service moved ${verdict.changes} times instead of ${least === most ? least : `${least} to ${most}`}`,
    );
  return problems;
}
