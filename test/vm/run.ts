/**
 * One run in guests: two firewalls come up, settle and carry traffic, the master meets its fault, the lab looks on, and the lab's
 * own judges judge. What the standby's card is in its kernel is asked there; what it sends is counted at the switch port.
 */
import { judge, type Verdict } from '../lab/judge.ts';
import { sleep, until } from '../lab/process.ts';
import type { TrafficResult } from '../lab/traffic.ts';
import { wordsOf } from '../lab/words.ts';
import type { ClockSample } from './channel.ts';
import { guestLeaseMs, UPLINK } from './guest-cluster.ts';
import { GuestLab, type GuestLabOptions } from './guest-lab.ts';
import { type Parts, partsOf } from './parts.ts';
import type { VmScenario } from './scenarios.ts';

export interface VmResult extends GuestLabOptions {
  readonly scenario: string;
  readonly outageMs: number;
  readonly lost: number;
  readonly overlapMs: number;
  readonly standbyUplinkPackets: number;
  readonly tcpSurvived: boolean;
  readonly changes: number;
  readonly seconds: number;
  /** How the successor spent its time; null when nobody took over. */
  readonly parts: Parts | null;
  /** What did not hold, in words; empty when all is well. */
  readonly problems: readonly string[];
}

const SETTLE_MS = 180_000;
/** An emulated machine forwards as it can: what a healthy one keeps up, in answers within half a second. */
const FLOWS = 20;

export async function runInGuests(
  scenario: VmScenario,
  options: GuestLabOptions,
  keepFiles = false,
): Promise<VmResult> {
  const startedMs = performance.now();
  const lab = await GuestLab.open(options);
  try {
    const result = await perform(scenario, lab);
    return {
      ...{ scenario: scenario.name, ...options, ...result },
      seconds: Math.round((performance.now() - startedMs) / 100) / 10,
    };
  } finally {
    if (keepFiles) process.stderr.write(`files are kept in ${lab.directory}\n`);
    await lab.close(keepFiles);
  }
}

async function perform(scenario: VmScenario, lab: GuestLab) {
  const { cluster, gateways } = lab;
  const problems: string[] = [];
  await Promise.all(gateways.map((host) => cluster.startDaemon(host)));
  await lab.startTraffic();
  const master = await cluster.settleGuests(gateways, SETTLE_MS);
  const standby = gateways.find((host) => host !== master) ?? '';
  const flows = await until(async () => (await lab.traffic.report()).recent > FLOWS, 20_000, 100);
  if (!flows) throw new Error(`${master} serves, but the client gets no answers`);
  problems.push(...(await scenario.before({ lab, master, standby })));
  await sleep(1_000);
  await lab.traffic.begin();
  await sleep(500 + Math.random() * lab.options.intervalMs);
  const clocks: ClockSample[] = [await cluster.guest(standby).channel.compareClocks()];
  const fromMs = nowMs();
  problems.push(...(await scenario.fault({ lab, master, standby })));
  const took = await until(
    async () => (await cluster.master([standby])) === standby,
    scenario.limitMs,
    1_500,
  );
  await sleep(scenario.watchMs);
  const endMs = nowMs();
  const { channel } = cluster.guest(standby);
  clocks.push(await channel.compareClocks());
  const traffic = await lab.traffic.end();
  const verdict = await verdictOf(lab, fromMs, endMs);
  problems.push(...compare(scenario, took, traffic, verdict));
  const gap = [...traffic.gaps].sort((a, b) => b.ms - a.ms)[0];
  const parts = partsOf({
    ...{ clocks, faultMs: fromMs, uplink: UPLINK },
    events: await cluster.events(standby),
    links: (await channel.read(`${lab.directory}/${standby}/links.log`)) ?? '',
    servedMs: gap === undefined ? null : gap.atMs + gap.ms,
  });
  return {
    ...{ outageMs: traffic.outageMs, lost: traffic.lost, tcpSurvived: traffic.tcpSurvived, parts },
    ...{ overlapMs: verdict.overlapMs, changes: verdict.changes },
    ...{ standbyUplinkPackets: verdict.standbyUplinkPackets, problems },
  };
}

async function verdictOf(lab: GuestLab, fromMs: number, endMs: number): Promise<Verdict> {
  const { frames, carriers } = await lab.capture.stop();
  const { intervalMs } = lab.options;
  return judge({
    ...{ frames, carriers, fromMs, endMs, gateways: lab.gateways, macs: lab.topology.macs },
    words: wordsOf(frames, lab.gateways),
    leaseMs: guestLeaseMs(intervalMs),
    // Longer than a driver takes to load: a host in Handover is silent for that long.
    handoverSilenceMs: 20_000,
  });
}

function compare(scenario: VmScenario, took: boolean, traffic: TrafficResult, verdict: Verdict): string[] {
  const problems: string[] = [];
  if (!took) problems.push(`nobody took over within ${scenario.limitMs} ms`);
  if (verdict.overlapMs > 0) problems.push(`two hosts acted for ${verdict.overlapMs} ms`);
  if (verdict.masters > 1 && scenario.mayOutliveItsWord !== true)
    problems.push(`${verdict.masters} hosts in Service at once`);
  if (verdict.standbyUplinkPackets > 0)
    problems.push(
      `standby hosts sent ${verdict.standbyUplinkPackets} frames into the uplink: ${verdict.standbyDetail.join('; ')}`,
    );
  if (!traffic.tcpSurvived) problems.push('the TCP transfer died');
  if (verdict.changes !== 1) problems.push(`the service moved ${verdict.changes} times instead of once`);
  if (verdict.endMasters.length !== 1) problems.push(`${verdict.endMasters.length} masters at the end`);
  return problems;
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
