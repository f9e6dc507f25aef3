/** What services cost while nothing happens: the cluster's datagrams on the lan, and each host's processors. No traffic, no asker. */
import { readFileSync } from 'node:fs';
import { udpOf } from './judge.ts';
import { Lab } from './lab.ts';
import { Placer } from './placing.ts';
import { sleep } from './process.ts';
import { planServices } from './services.ts';
import { CLUSTER_PORT, planHosts } from './topology.ts';

export interface IdleOptions {
  readonly hosts: number;
  readonly services: number;
  readonly intervalMs: number;
  readonly seconds: number;
}

export interface IdleResult {
  readonly hosts: number;
  readonly services: number;
  readonly intervalMs: number;
  /** All hosts together. */
  readonly datagramsPerSecond: number;
  readonly kilobytesPerSecond: number;
  /** Of one processor, in percent, by host: the process that reads the network, and the other with its tools. */
  readonly cpu: { readonly [host: string]: { readonly network: number; readonly actuator: number } };
  /** How long it took from the start until every service was served. */
  readonly settledMs: number;
  readonly lapsed: number;
}

const SETTLE_MS = 90_000;
/** USER_HZ, which is what every Linux port of today has. */
const TICKS_PER_SECOND = 100;

export async function runIdle(options: IdleOptions): Promise<IdleResult> {
  const { hosts, services, intervalMs, seconds } = options;
  const lab = await Lab.open({
    ...{ hosts: planHosts(hosts, true), policy: 'quorum', intervalMs, timing: [], answerBroadcasts: false },
    ...{ services: planServices(services), askMs: null },
  });
  try {
    const startedMs = performance.now();
    for (const { name } of lab.options.hosts) lab.cluster.start(name);
    const names = planServices(services).map(({ name }) => name);
    const placer = new Placer(lab.cluster, names);
    const before = await placer.settled(lab.gateways, SETTLE_MS);
    const settledMs = Math.round(performance.now() - startedMs);
    await sleep(2_000);
    const fromMs = performance.timeOrigin + performance.now();
    const first = await ticks(lab);
    await sleep(seconds * 1_000);
    const last = await ticks(lab);
    const endMs = performance.timeOrigin + performance.now();
    const after = await placer.now(lab.gateways);
    const { frames } = await lab.capture.stop();
    const members = new Set(lab.options.hosts.map(({ name }) => name));
    let datagrams = 0;
    let bytes = 0;
    for (const frame of frames) {
      if (frame.way !== 'in' || !members.has(frame.port) || frame.atMs < fromMs || frame.atMs > endMs)
        continue;
      const udp = udpOf(frame);
      if (udp?.toPort !== CLUSTER_PORT) continue;
      datagrams += 1;
      bytes += udp.payload.length;
    }
    const spanS = (endMs - fromMs) / 1_000;
    const share = (host: string, part: Part): number => {
      const used = (last.get(`${host} ${part}`) ?? 0) - (first.get(`${host} ${part}`) ?? 0);
      return Math.round((used / TICKS_PER_SECOND / spanS) * 1_000) / 10;
    };
    return {
      ...{ hosts, services, intervalMs, settledMs },
      datagramsPerSecond: Math.round(datagrams / spanS),
      kilobytesPerSecond: Math.round(bytes / spanS / 100) / 10,
      cpu: Object.fromEntries(
        lab.options.hosts.map(({ name }) => [
          name,
          { network: share(name, 'network'), actuator: share(name, 'actuator') },
        ]),
      ),
      lapsed: names.filter((name) => after.get(name) !== before.get(name)).length,
    };
  } finally {
    await lab.close();
  }
}

type Part = 'network' | 'actuator';

/** Processor time so far, user and system, of each host's two processes and what they waited for, in ticks. */
async function ticks(lab: Lab): Promise<Map<string, number>> {
  const sums = new Map<string, number>();
  for (const { name } of lab.options.hosts)
    for (const pid of await lab.topology.pids(name)) {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
        // After the command's name, which may hold blanks: fields 14 to 17 of proc(5), from the third on.
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
          .replace(/^.*\) /, '')
          .split(' ');
        const key = `${name} ${words.includes('daemon') ? 'network' : 'actuator'}`;
        const used = stat.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
        sums.set(key, (sums.get(key) ?? 0) + used);
      } catch {
        // It ended since the list was read.
      }
    }
  return sums;
}
