/** What services cost while nothing happens: the cluster's datagrams on the lan, and each host's processors. No traffic, no asker. */
import { cpuPercent, type Footprint, footprint, memoryAlone } from './footprint.ts';
import { Lab } from './lab.ts';
import { Placer } from './placing.ts';
import { sleep } from './process.ts';
import { planServices } from './services.ts';
import { CLUSTER_PORT, planHosts } from './topology.ts';
import { udpOf } from './udp.ts';

export interface IdleOptions {
  /** Gateways. */
  readonly hosts: number;
  readonly witness: boolean;
  readonly services: number;
  readonly intervalMs: number;
  /** From the start on until it is measured: the first minute compiles what later runs. */
  readonly warmSeconds: number;
  readonly seconds: number;
}

export interface IdleResult {
  readonly hosts: number;
  readonly witness: boolean;
  readonly services: number;
  readonly intervalMs: number;
  /** All hosts together. */
  readonly datagramsPerSecond: number;
  readonly kilobytesPerSecond: number;
  /** Of one processor, in percent, by host: the process that reads the network, and the other with its tools. */
  readonly cpu: { readonly [host: string]: { readonly network: number; readonly actuator: number } };
  /** Proportional: what these processes share with others is counted in parts, also with those of the lab's other hosts. */
  readonly pssMiB: { readonly [host: string]: { readonly network: number; readonly actuator: number } };
  /** Both together, as if no other host ran the same programs on this machine. */
  readonly aloneMiB: { readonly [host: string]: number };
  /** How long it took from the start until every service was served. */
  readonly settledMs: number;
  readonly lapsed: number;
}

const SETTLE_MS = 90_000;

export async function runIdle(options: IdleOptions): Promise<IdleResult> {
  const { hosts, witness, services, intervalMs, warmSeconds, seconds } = options;
  const lab = await Lab.open({
    ...{
      hosts: planHosts(hosts, witness),
      policy: 'quorum',
      intervalMs,
      timing: [],
      answerBroadcasts: false,
    },
    ...{ services: planServices(services), askMs: null },
  });
  try {
    const startedMs = performance.now();
    for (const { name } of lab.options.hosts) lab.cluster.start(name);
    const names = planServices(services).map(({ name }) => name);
    const placer = new Placer(lab.cluster, names);
    const before = await placer.settled(lab.gateways, SETTLE_MS);
    const settledMs = Math.round(performance.now() - startedMs);
    await sleep(warmSeconds * 1_000);
    const fromMs = performance.timeOrigin + performance.now();
    const members = lab.options.hosts.map(({ name }) => name);
    const look = () => Promise.all(members.map((host) => footprint(lab.topology, host)));
    const first = await look();
    await sleep(seconds * 1_000);
    const last = await look();
    const endMs = performance.timeOrigin + performance.now();
    const alone = await Promise.all(members.map((host) => memoryAlone(lab.topology, host)));
    const after = await placer.now(lab.gateways);
    const { frames } = await lab.capture.stop();
    let datagrams = 0;
    let bytes = 0;
    for (const frame of frames) {
      if (frame.way !== 'in' || !members.includes(frame.port) || frame.atMs < fromMs || frame.atMs > endMs)
        continue;
      const udp = udpOf(frame);
      if (udp?.toPort !== CLUSTER_PORT) continue;
      datagrams += 1;
      bytes += udp.payload.length;
    }
    const spanS = (endMs - fromMs) / 1_000;
    return {
      ...{ hosts, witness, services, intervalMs, settledMs },
      datagramsPerSecond: Math.round(datagrams / spanS),
      kilobytesPerSecond: Math.round(bytes / spanS / 100) / 10,
      cpu: byHost(last, (end, i) => {
        const begin = first[i] ?? end;
        return {
          network: cpuPercent(begin, end, 'network'),
          actuator: cpuPercent(begin, end, 'actuator'),
        };
      }),
      pssMiB: byHost(last, ({ network, actuator }) => ({
        network: mebibytes(network.pssKiB),
        actuator: mebibytes(actuator.pssKiB),
      })),
      aloneMiB: byHost(last, (_, i) => mebibytes(alone[i] ?? 0)),
      lapsed: names.filter((name) => after.get(name) !== before.get(name)).length,
    };
  } finally {
    await lab.close();
  }
}

function byHost<T>(
  looks: readonly Footprint[],
  of: (look: Footprint, i: number) => T,
): { [host: string]: T } {
  return Object.fromEntries(looks.map((look, i) => [look.host, of(look, i)]));
}

function mebibytes(kibibytes: number): number {
  return Math.round(kibibytes / 102.4) / 10;
}
