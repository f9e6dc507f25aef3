/**
 * What a cluster costs while nothing happens: its packets on the own domain's network, its processor time and its memory,
 * for ours and for the peer alike. Without the client's traffic and the asker's questions, which are no gateway's at rest.
 */
import type { Frame } from './capture.ts';
import { type Footprint, footprint, memoryAlone, PARTS, type Part } from './footprint.ts';
import { VRRP } from './keepalived.ts';
import { Lab } from './lab.ts';
import type { LivingOptions } from './living.ts';
import { sleep } from './process.ts';
import { nowMs } from './run.ts';
import { CLUSTER_PORT, planHosts } from './topology.ts';
import { udpOf } from './udp.ts';

export interface Rest {
  /** Adverts and all else that the hosts say to each other, on the own domain's network. Bytes of whole frames. */
  readonly packetsPerSecond: number;
  readonly bytesPerSecond: number;
  /** What they ask there to test link and service: ARP, neighbour solicitation, echo. Answers are not counted, of nobody. */
  readonly questionsPerSecond: number;
  /** Frames that the standby sent into its uplink, in all. */
  readonly standbyUplinkFrames: number;
  readonly master: Cost;
  readonly backup: Cost;
}
export interface Cost {
  /** Of one core; the tools that a daemon started are counted when they have ended. */
  readonly cpuPercent: number;
  /** Proportional: what processes share is counted in parts. The hosts' daemons of a lab share programs, as hosts do not. */
  readonly pssMiB: number;
  /** As if no other host ran the same programs on this machine. */
  readonly aloneMiB: number;
  readonly processes: number;
}

const SETTLE_MS = 30_000;
/** After that, first announcements are over. */
export const WARM_SECONDS = 4;
const LINK_HEADER_BYTES = 14;

/** All hosts at rest for so long, `warmSeconds` after the start (the first minute compiles what later runs); of several backups one is looked at. */
export async function measureRest(
  options: LivingOptions,
  seconds: number,
  warmSeconds = WARM_SECONDS,
): Promise<Rest> {
  const { kind, policy, intervalMs } = options;
  const hosts = planHosts(options.hosts, kind === 'portcullis' && options.witness);
  const lab = await Lab.open({
    ...{ kind, hosts, policy, intervalMs, timing: [], answerBroadcasts: true, apart: false, askMs: null },
  });
  try {
    for (const { name } of hosts) lab.cluster.start(name);
    const master = await lab.cluster.settle(lab.gateways, SETTLE_MS + 20 * intervalMs);
    const backup = lab.gateways.find((host) => host !== master) ?? master;
    await sleep(warmSeconds * 1_000);
    const fromMs = nowMs();
    const before = await Promise.all([master, backup].map((host) => footprint(lab.topology, host)));
    await sleep(seconds * 1_000);
    const after = await Promise.all([master, backup].map((host) => footprint(lab.topology, host)));
    const tookMs = nowMs() - fromMs;
    const alone = await Promise.all([master, backup].map((host) => memoryAlone(lab.topology, host)));
    const costs = after.map((last, i) => ({
      ...costOf(before[i] ?? last, last, tookMs),
      aloneMiB: hundredths((alone[i] ?? 0) / 1_024),
    }));
    const { frames } = await lab.capture.take(fromMs + tookMs);
    const own = frames.filter(
      ({ atMs, way, port }) =>
        atMs >= fromMs && atMs < fromMs + tookMs && way === 'in' && hosts.some(({ name }) => name === port),
    );
    const lan = own.filter(({ side }) => side === 'lan');
    const words = lan.filter(isWord);
    const perSecond = (n: number): number => hundredths((n / tookMs) * 1_000);
    const bytes = words.reduce((sum, { data }) => sum + LINK_HEADER_BYTES + data.length, 0);
    const [first, second] = costs;
    if (first === undefined || second === undefined) throw new Error('unreachable');
    return {
      packetsPerSecond: perSecond(words.length),
      bytesPerSecond: perSecond(bytes),
      questionsPerSecond: perSecond(lan.filter(isQuestion).length),
      standbyUplinkFrames: own.filter(({ side, port }) => side === 'wan' && port !== master).length,
      master: first,
      backup: second,
    };
  } finally {
    await lab.close();
  }
}

/** Whether the hosts of a cluster say this to each other. */
function isWord(frame: Frame): boolean {
  if (frame.protocol === 0x0800 && frame.data.length >= 20 && frame.data.readUInt8(9) === VRRP) return true;
  return udpOf(frame)?.toPort === CLUSTER_PORT;
}

/** ARP request (RFC 826), echo request (RFC 792, RFC 4443), neighbour solicitation (RFC 4861). */
function isQuestion({ protocol, data }: Frame): boolean {
  if (protocol === 0x0806) return data.length >= 8 && data.readUInt16BE(6) === 1;
  if (protocol === 0x0800)
    return (
      data.length >= 21 && data.readUInt8(9) === 1 && data.readUInt8((data.readUInt8(0) & 0xf) * 4) === 8
    );
  return (
    protocol === 0x86dd &&
    data.length >= 41 &&
    data.readUInt8(6) === 58 &&
    [128, 135].includes(data.readUInt8(40))
  );
}

function costOf(before: Footprint, after: Footprint, tookMs: number): Omit<Cost, 'aloneMiB'> {
  const sum = (of: (part: Part) => number): number => PARTS.reduce((total, part) => total + of(part), 0);
  return {
    cpuPercent: hundredths((sum((part) => after[part].cpuMs - before[part].cpuMs) / tookMs) * 100),
    pssMiB: hundredths(sum((part) => after[part].pssKiB) / 1_024),
    processes: sum((part) => after[part].processes),
  };
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
