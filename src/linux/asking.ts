/**
 * Single questions to named addresses: address resolution (ARP, neighbour solicitation) and echo, from addresses
 * of the host's own that do not rove, or from none.
 */
import type { Ear, Question } from './ear.ts';
import { arpRequest, echoRequest4, echoRequest6, type Heard, solicitation } from './frames.ts';
import { formatIp, isLinkLocal } from './ip.ts';

const NOBODY4 = Buffer.alloc(4);
/** As far as a packet through a gateway may go. */
const HOPS = 64;

/** How often and how long to ask: `probes` times, `probeTimeoutMs` apart. */
export interface Patience {
  readonly probes: number;
  readonly probeTimeoutMs: number;
  readonly limitMs: number;
}

/** Own addresses to ask from; null where there is none that does not rove. */
export interface Sources {
  readonly four: Buffer | null;
  readonly linkLocal: Buffer | null;
}

export function sourcesOf(addresses: readonly Buffer[]): Sources {
  return {
    four: addresses.find((a) => a.length === 4) ?? null,
    linkLocal: addresses.find((a) => isLinkLocal(a)) ?? null,
  };
}

/** The frame that asks who has `target`: everybody, or the one host whose hardware address is `to`. Empty when the device is gone. */
export function whoHas(ear: Ear, sources: Sources, target: Buffer, to?: Buffer): Buffer[] {
  const mac = ear.link?.mac;
  if (mac === undefined || mac.length !== 6) return [];
  if (target.length === 4) return [arpRequest(mac, sources.four ?? NOBODY4, target, to)];
  return [solicitation(mac, sources.linkLocal, target, to)];
}

/** Whether a frame says that its sender has `target`. */
export function says(heard: Heard, target: Buffer): boolean {
  if (heard.kind === 'arp') return heard.reply && heard.sender.equals(target);
  return heard.kind === 'advertisement' && heard.target.equals(target);
}

export function patient(
  patience: Patience,
  frames: Question['frames'],
  answers: Question['answers'],
  isExpected = false,
): Question {
  const { probes, probeTimeoutMs, limitMs } = patience;
  return { frames, answers, times: probes, gapMs: probeTimeoutMs, limitMs, isExpected };
}

/**
 * The frames of each try to find out who has `target`. Who had it the last time (`Ear.resolved`) is asked alone first: while all is
 * well nobody else on the link need hear of it.
 */
export function tries(ear: Ear, sources: Sources, target: Buffer, { probes }: Patience): () => Buffer[] {
  let last = probes > 1 ? ear.resolved.get(formatIp(target)) : undefined;
  return () => {
    const asked = whoHas(ear, sources, target, last);
    last = undefined;
    return asked;
  };
}

/** Notes who has `target`; null: nobody. */
export function noteResolved(ear: Ear, target: Buffer, answer: Heard | null): void {
  if (answer === null) ear.resolved.delete(formatIp(target));
  else ear.resolved.set(formatIp(target), answer.mac);
}

/** The first host but ourselves that says it has `target`; null: nobody. */
export async function resolve(
  ear: Ear,
  sources: Sources,
  target: Buffer,
  patience: Patience,
  isOwn: (mac: Buffer) => boolean,
): Promise<Heard | null> {
  const answers = (heard: Heard): boolean => says(heard, target) && !isOwn(heard.mac);
  const isKnown = ear.resolved.has(formatIp(target));
  const frames = tries(ear, sources, target, patience);
  const answer = await ear.ask(patient(patience, frames, answers, isKnown));
  noteResolved(ear, target, answer);
  return answer;
}

let echoSeq = 0;
const ECHO_ID = process.pid & 0xffff;

/** Asks one host, whose hardware address is known, to echo. Null: no answer, or no own address to ask from. */
export async function echo(
  ear: Ear,
  sources: Sources,
  mac: Buffer,
  target: Buffer,
  patience: Patience,
  isExpected = false,
): Promise<Heard | null> {
  const source = target.length === 4 ? sources.four : sources.linkLocal;
  return source === null ? null : echoed(ear, source, mac, target, patience, { isExpected });
}

/** The same for a host behind the one of `mac`, which must hand the answer on: from any other it is none. */
export function echoThrough(
  ear: Ear,
  source: Buffer,
  mac: Buffer,
  target: Buffer,
  patience: Patience,
): Promise<Heard | null> {
  return echoed(ear, source, mac, target, patience, { beyond: { hops: HOPS, from: mac } });
}

/** `beyond`: the target is not on this link. `isExpected`: it echoed the last time. */
async function echoed(
  ear: Ear,
  source: Buffer,
  mac: Buffer,
  target: Buffer,
  patience: Patience,
  how: {
    readonly beyond?: { readonly hops: number; readonly from: Buffer };
    readonly isExpected?: boolean;
  },
): Promise<Heard | null> {
  const { beyond, isExpected = false } = how;
  const own = ear.link?.mac;
  if (own === undefined) return null;
  const first = echoSeq + 1;
  const frames = (): Buffer[] => {
    echoSeq = (echoSeq + 1) & 0xffff;
    if (target.length === 16) return [echoRequest6(mac, own, source, target, ECHO_ID, echoSeq)];
    return [echoRequest4(mac, own, source, target, ECHO_ID, echoSeq, beyond?.hops)];
  };
  const answers = (h: Heard): boolean =>
    isEchoTo(h, first) && senderIs(h, target) && (beyond === undefined || h.mac.equals(beyond.from));
  return ear.ask(patient(patience, frames, answers, isExpected));
}

/** Whether a frame answers an echo request that this process sent since number `first`. */
export function isEchoTo(heard: Heard, first: number): boolean {
  if (heard.kind !== 'echo-reply' || heard.id !== ECHO_ID) return false;
  // Numbers wrap at 2^16: at most half of them are outstanding.
  return ((heard.seq - first) & 0xffff) < 0x8000;
}

/** Echo requests to all on the link, by broadcast and to all nodes, and the number of the first. */
export function echoAll(
  ear: Ear,
  sources: Sources,
  broadcastMac: Buffer,
): { frames: Buffer[]; first: number } {
  const own = ear.link?.mac;
  const frames: Buffer[] = [];
  const first = (echoSeq + 1) & 0xffff;
  echoSeq = first;
  if (own === undefined) return { frames, first };
  if (sources.four !== null) {
    const everybody = Buffer.from([255, 255, 255, 255]);
    frames.push(echoRequest4(broadcastMac, own, sources.four, everybody, ECHO_ID, first));
  }
  if (sources.linkLocal !== null)
    frames.push(echoRequest6(null, own, sources.linkLocal, null, ECHO_ID, first));
  return { frames, first };
}

function senderIs(heard: Heard, target: Buffer): boolean {
  return heard.kind === 'echo-reply' && heard.source.equals(target);
}
