/**
 * Blows at chosen instants of the lease: the master's processes are frozen or killed, each kind of them alone and all
 * together, and the cluster runs on from one blow to the next. The first blow of a series falls into the middle of a
 * renewal, as near as can be; the others come at delays spread evenly over one lease after one of the master's words.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { leaseSet } from '../../src/linux/gatetable.ts';
import { type Policy, PROJECT } from './gateway.ts';
import { Lab } from './lab.ts';
import { type BlowVerdict, judgeBlow } from './offset-judge.ts';
import { must, sleep, until } from './process.ts';
import { gather, leaseMs, nowMs } from './run.ts';
import type { Blow, Struck } from './strike.ts';
import { CLUSTER_PORT, planHosts } from './topology.ts';
import type { Part } from './units.ts';

/** Whom a blow meets: all of a host's processes, or one of the two alone (the actuator with its tools). */
export type Target = 'all' | Part;
export interface BlowKind {
  readonly name: string;
  readonly signal: Blow['signal'];
  readonly target: Target;
}

export const BLOWS: readonly BlowKind[] = (['freeze', 'kill'] as const).flatMap((verb) =>
  (['all', 'network', 'actuator'] as const).map((target) => ({
    name: target === 'all' ? verb : `${verb}-${target}`,
    signal: verb === 'freeze' ? ('SIGSTOP' as const) : ('SIGKILL' as const),
    target,
  })),
);

/** When a blow falls: so long after that. */
export type Instant = Pick<Blow, 'after' | 'delayMs'>;

export interface OffsetOptions {
  readonly hosts: number;
  readonly policy: Policy;
  readonly intervalMs: number;
  /** The two processes of each host are two units. */
  readonly apart: boolean;
}

export interface BlowResult extends BlowVerdict {
  readonly fault: string;
  readonly hosts: number;
  readonly policy: Policy;
  readonly intervalMs: number;
  readonly leaseMs: number;
  readonly after: Blow['after'];
  /** Asked for, from that. */
  readonly offsetMs: number;
  readonly struckHost: string;
  /** It could not go on by itself afterwards, or was killed: it was started anew. */
  readonly restarted: boolean;
  /** How old the host's last word and its last renewal in the kernel were at the blow. */
  readonly sinceWordMs: number | null;
  readonly sinceRenewalMs: number | null;
}

const SETTLE_MS = 30_000;
/** How long the lab looks on before a frozen host goes on, or a killed one starts anew; and after all has settled. */
const WATCH_MS = 600;
const AFTER_MS = 400;
/** How long a host that goes on has to become a backup; one of whose processes ended meanwhile cannot. */
const WAKE_MS = 3_000;

/** The instants of a series: in a renewal, then evenly over one lease. */
export function instants({
  policy,
  intervalMs,
  offsets,
}: OffsetOptions & { readonly offsets: number }): Instant[] {
  // Under `quorum` a renewal is a round of words, and its middle is between question and answers. Under `available` it is
  // one call to the kernel, and the kernel tells of it before the call returns.
  const middle = { after: policy === 'quorum' ? ('word' as const) : ('renewal' as const), delayMs: 0 };
  const rest = Array.from({ length: offsets - 1 }, (_, i) => ({
    after: 'word' as const,
    delayMs: Math.round((leaseMs(intervalMs) * (i + 0.5) * 10) / (offsets - 1)) / 10,
  }));
  return [middle, ...rest];
}

/** Plays the blows of each kind on one cluster; tells each result as it comes. */
export async function playOffsets(
  kinds: readonly BlowKind[],
  when: (kind: BlowKind) => readonly Instant[],
  options: OffsetOptions,
  tell: (result: BlowResult) => void,
): Promise<void> {
  const { policy, intervalMs, apart } = options;
  const hosts = planHosts(options.hosts, false);
  const lab = await Lab.open({ hosts, policy, intervalMs, timing: [], answerBroadcasts: true, apart });
  try {
    for (const host of lab.gateways) lab.cluster.start(host);
    await lab.startTraffic();
    await lab.cluster.settle(lab.gateways, SETTLE_MS);
    await lab.capture.stop();
    for (const kind of kinds)
      for (const instant of when(kind)) tell(await strikeOnce(lab, kind, instant, options));
  } finally {
    await lab.close();
  }
}

async function strikeOnce(
  lab: Lab,
  kind: BlowKind,
  { after, delayMs }: Instant,
  options: OffsetOptions,
): Promise<BlowResult> {
  const { cluster, gateways, faults } = lab;
  const host = await cluster.settle(gateways, SETTLE_MS);
  const flows = await until(async () => (await lab.traffic.report()).recent > 200, 10_000, 50);
  if (!flows) throw new Error(`${host} serves, but the client gets no answers`);
  await lab.capture.start();
  const fromMs = nowMs();
  const lease = leaseMs(options.intervalMs);
  // What is left must see to it alone: nobody starts the dead anew, or clears up behind them.
  cluster.leave(host);
  const struck = await blow(lab, host, {
    ...{ pids: await pidsOf(lab, host, kind.target), signal: kind.signal, after, delayMs },
    ...{ device: 'eth0', port: CLUSTER_PORT, set: leaseSet('firewall') },
    ...{ limitMs: 10_000, watchMs: lease + GRACE_MS },
  });
  const others = gateways.filter((name) => name !== host);
  await until(async () => (await cluster.master(others)) !== null, 10_000, 20);
  await sleep(WATCH_MS);
  const wokenMs = nowMs();
  if (kind.signal === 'SIGSTOP') await faults.signal(host, 'SIGCONT');
  const goesOn = kind.signal === 'SIGSTOP' && (await isSettled(lab, WAKE_MS));
  if (!goesOn) {
    await cluster.kill(host, faults);
    cluster.start(host);
    await cluster.settle(gateways, SETTLE_MS);
  }
  await sleep(AFTER_MS);
  const evidence = await gather(lab, fromMs, nowMs());
  const { hosts, policy, intervalMs } = options;
  return {
    ...{ fault: kind.name, hosts, policy, intervalMs, leaseMs: lease, after, offsetMs: delayMs },
    struckHost: host,
    restarted: !goesOn,
    sinceWordMs: since(struck.wordMs, struck.atMs),
    sinceRenewalMs: since(struck.renewedMs, struck.atMs),
    ...judgeBlow(evidence, host, struck, wokenMs),
  };
}

/** Whether the cluster settles by itself. */
function isSettled(lab: Lab, limitMs: number): Promise<boolean> {
  return lab.cluster.settle(lab.gateways, limitMs).then(
    () => true,
    () => false,
  );
}

/** How long the blow's program looks on beyond the lease for a renewal that must not be. */
const GRACE_MS = 50;

async function blow(lab: Lab, host: string, order: Blow): Promise<Struck> {
  const program = [process.execPath, join(PROJECT, 'dist/test/lab/strike.js'), JSON.stringify(order)];
  const struck = JSON.parse(await must(lab.topology.inside(host, program), '', 60_000)) as Struck | null;
  if (struck === null) throw new Error(`${host} said nothing, or its lease was not renewed: no blow fell`);
  return struck;
}

/** The processes that a blow is to meet, by what they were started as. Throws when there is none. */
async function pidsOf(lab: Lab, host: string, target: Target): Promise<number[]> {
  const pids = await lab.topology.pids(host);
  const isNetwork = (pid: number): boolean => commandOf(pid).includes('daemon');
  const chosen = pids.filter((pid) => target === 'all' || isNetwork(pid) === (target === 'network'));
  if (chosen.length === 0) throw new Error(`${host} has no process of the kind ${target}`);
  return chosen;
}

function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return []; // it has ended
  }
}

function since(beforeMs: number | null, atMs: number): number | null {
  return beforeMs === null ? null : Math.round((atMs - beforeMs) * 10) / 10;
}
