/**
 * The judges. They look at what entered and left the switch ports, and ask no host. How each figure is defined:
 *
 * - A host *answers* at the instant at which the switch delivers to a station (client, asker, server) an ARP packet of
 *   that host whose sender address is a roving address, or a neighbour advertisement for one. It *forwards* at the instant
 *   at which the switch delivers one of the client's datagrams to the server, or the server's to the client, from
 *   that host's card. Answers at most 100 ms apart (the asker asks each 20 ms), and forwarded datagrams at most 30 ms
 *   apart (one is due each 2 ms), make one span. The spans of all these together are the time in which it *acts*.
 * - `overlapMs`: the time in which two hosts act, rounded up, and at least 1 when a host acted even once within
 *   another's span. What a muted port swallowed was not delivered and does not count.
 * - A host *serves by its word* from each signed STATUS of phase `serving` that it sent into a port, until its signed
 *   word to the contrary, or the lease after it made the last such STATUS (one that a frozen host had made and that leaves when it
 *   wakes says nothing of then, and no receiver takes it), or until both its ports had lost the carrier.
 * - `masters`: the most hosts that at one instant act or serve by their word.
 * - `standbyUplinkPackets`: frames that entered the uplink switch from a host which was neither in Handover nor in
 *   Service. It is in them from when it made its signed CLAIM, READY, STATUS or PROBE with a claim, or a HANDOVER was
 *   delivered to it (when the first word of all that it says of itself is one of these, from the beginning: it claimed while
 *   nobody had a session with it yet, and there was nobody to tell), until its signed word that it left them; from then on until its port loses the carrier, at most
 *   one second. A host that is silent (killed or stopped) is in neither after twice the lease when it served, else
 *   after `handoverSilenceMs`.
 */
import type { CarrierChange, Frame } from './capture.ts';
import { covers, intersect, joinSightings, mostAtOnce, type Span, unite } from './intervals.ts';
import { CLIENT, CLUSTER_PORT, LAN, SERVER, WAN } from './topology.ts';
import { UDP_PORT } from './traffic.ts';
import { ipv4, udpOf } from './udp.ts';
import { typeOf } from './words.ts';

/** What a host said about itself, from its own signed word. `null`: the word says nothing about that. */
export interface Word {
  /** When it entered the switch. */
  readonly atMs: number;
  /** When its sender made it; at most `atMs`. */
  readonly saidMs: number;
  readonly host: string;
  readonly type: string;
  /** It provides the service. */
  readonly serving: boolean | null;
  /** It is in Handover or Service, so its uplink may be up. */
  readonly active: boolean | null;
  /** The word is a serving host's, who says so each interval; else its next word may take longer. */
  readonly serves: boolean;
  /** The service that it is about; of made-up words: the only one. */
  readonly service?: string;
}

/** Where a service's acts are seen: its roving addresses, its client, and how far apart they are looked for. */
export interface Sight {
  readonly lan: string;
  readonly lan6: string;
  readonly wan: string;
  readonly wan6: string;
  readonly client: string;
  readonly answerGapMs: number;
  readonly forwardGapMs: number;
}

export interface Evidence {
  readonly frames: readonly Frame[];
  readonly carriers: readonly CarrierChange[];
  readonly words: readonly Word[];
  readonly macs: ReadonlyMap<string, string>;
  readonly gateways: readonly string[];
  readonly leaseMs: number;
  /** Default: the lab's usual service. */
  readonly sight?: Sight;
  /** Longer than a host in Handover ever keeps silent about itself. */
  readonly handoverSilenceMs: number;
  /** From when on changes of the serving host count; all else is judged from the first frame on. */
  readonly fromMs: number;
  readonly endMs: number;
  /** Another time than `END_MS`. */
  readonly lastMs?: number;
}

export interface Verdict {
  readonly masters: number;
  readonly overlapMs: number;
  readonly standbyUplinkPackets: number;
  /** Hosts that served by their word, or acted, at the end. */
  readonly endMasters: readonly string[];
  /** How often the serving host changed, by their words. */
  readonly changes: number;
  /** For people: what the standby packets were, the first few of them. */
  readonly standbyDetail: readonly string[];
}

const USUAL: Sight = {
  ...{ lan: LAN.roving, lan6: LAN.roving6, wan: WAN.roving, wan6: WAN.roving6, client: CLIENT.address },
  ...{ answerGapMs: 100, forwardGapMs: 30 },
};
const TAIL_MS = 1_000;
/** Who acts or serves in so much of it before the end is a master at the end. */
export const END_MS = 1_000;

export function judge(evidence: Evidence): Verdict {
  const acting = actingSpans(evidence);
  const serving = new Map(evidence.gateways.map((host) => [host, servingSpans(evidence, host)]));
  const both = evidence.gateways.map((host) => unite(acting.get(host) ?? [], serving.get(host) ?? []));
  const standby = standbyPackets(evidence);
  const last = { from: evidence.endMs - (evidence.lastMs ?? END_MS), to: evidence.endMs };
  return {
    masters: mostAtOnce(both.map(stretchPoints)),
    overlapMs: overlap(evidence.gateways.map((host) => acting.get(host) ?? [])),
    standbyUplinkPackets: standby.length,
    standbyDetail: describeStandby(standby.slice(0, 5), evidence),
    endMasters: evidence.gateways.filter((_, i) => intersect(both[i] ?? [], [last]).length > 0),
    changes: countChanges(evidence.words, evidence.fromMs),
  };
}

/** For each host, when it acts (see above). */
export function actingSpans(evidence: Pick<Evidence, 'frames' | 'macs' | 'sight'>): Map<string, Span[]> {
  const { sight = USUAL } = evidence;
  const answers = new Map<string, number[]>();
  const forwards = new Map<string, number[]>();
  for (const frame of evidence.frames) {
    const host = evidence.macs.get(frame.mac);
    if (host === undefined || frame.way !== 'out') continue;
    if (!(frame.port === 'client' || frame.port === 'asker' || frame.port === 'server')) continue;
    if (answersForRoving(frame, sight)) push(answers, host, frame.atMs);
    else if (forwardsDatagram(frame, sight)) push(forwards, host, frame.atMs);
  }
  const spans = new Map<string, Span[]>();
  for (const host of new Set([...answers.keys(), ...forwards.keys()]))
    spans.set(
      host,
      unite(
        joinSightings(answers.get(host) ?? [], sight.answerGapMs),
        joinSightings(forwards.get(host) ?? [], sight.forwardGapMs),
      ),
    );
  return spans;
}

/** Whether the frame says "the roving address is here": any ARP with it as the sender's, or an advertisement of it. */
export function answersForRoving(frame: Frame, sight = USUAL): boolean {
  const roving = frame.side === 'lan' ? sight.lan : sight.wan;
  const roving6 = frame.side === 'lan' ? sight.lan6 : sight.wan6;
  if (frame.protocol === 0x0806 && frame.data.length >= 28) return ipv4(frame.data, 14) === roving;
  if (frame.protocol !== 0x86dd || frame.data.length < 64) return false;
  const isAdvert = frame.data.readUInt8(6) === 58 && frame.data.readUInt8(40) === 136;
  return isAdvert && frame.data.subarray(48, 64).equals(ipv6Bytes(roving6));
}

/**
 * The longest time within the span in which nobody told the lan's stations where the gateway is, though the asker asks every
 * 20 ms: what a newcomer waits. Whole milliseconds.
 */
export function unansweredMs(frames: readonly Frame[], fromMs: number, endMs: number): number {
  let last = fromMs;
  let longest = 0;
  for (const { atMs } of [...frames.filter(tellsLan), { atMs: endMs }]) {
    if (atMs <= fromMs) continue;
    longest = Math.max(longest, Math.min(atMs, endMs) - last);
    last = Math.max(last, atMs);
  }
  return Math.round(longest);
}

function tellsLan(frame: Frame): boolean {
  if (frame.side !== 'lan' || frame.way !== 'out' || frame.protocol !== 0x0806) return false;
  return (frame.port === 'client' || frame.port === 'asker') && answersForRoving(frame);
}

/** Whether the frame is a datagram of the service's client or its answer, forwarded by a gateway. */
export function forwardsDatagram(frame: Frame, sight = USUAL): boolean {
  const udp = udpOf(frame);
  if (udp === null) return false;
  return frame.side === 'wan'
    ? (sight === USUAL || udp.from === sight.wan) && udp.to === SERVER.address && udp.toPort === UDP_PORT
    : udp.from === SERVER.address && udp.fromPort === UDP_PORT && udp.to === sight.client;
}

function overlap(acting: readonly (readonly Span[])[]): number {
  let shared: Span[] = [];
  for (let i = 0; i < acting.length; i += 1)
    for (let j = i + 1; j < acting.length; j += 1)
      shared = unite(shared, intersect(acting[i] ?? [], acting[j] ?? []));
  if (shared.length === 0) return 0;
  return Math.max(1, Math.ceil(shared.reduce((sum, span) => sum + span.to - span.from, 0)));
}

function servingSpans(evidence: Evidence, host: string): Span[] {
  const spans: { from: number; to: number }[] = [];
  const dark = darkTimes(evidence.carriers, host);
  let open: { from: number; to: number } | null = null;
  for (const word of evidence.words) {
    if (word.host !== host || word.serving === null) continue;
    const untilMs = word.saidMs + evidence.leaseMs;
    if (!word.serving) {
      if (open !== null) open.to = Math.min(open.to, word.atMs);
      open = null;
    } else if (word.atMs > untilMs) continue;
    else if (open !== null && word.atMs <= open.to) open.to = Math.max(open.to, untilMs);
    else {
      open = { from: word.atMs, to: untilMs };
      spans.push(open);
    }
  }
  return spans
    .map((span) => ({
      from: span.from,
      to: Math.min(span.to, ...dark.filter((at) => at >= span.from), evidence.endMs),
    }))
    .filter((span) => span.to >= span.from);
}

/** The instants at which the last of a host's ports lost its carrier: from there on nobody can hear it. */
function darkTimes(carriers: readonly CarrierChange[], host: string): number[] {
  const up = { lan: true, wan: false };
  const times: number[] = [];
  for (const change of [...carriers].sort((a, b) => a.atMs - b.atMs)) {
    if (change.port !== host) continue;
    const before = up.lan || up.wan;
    up[change.side] = change.up;
    if (before && !up.lan && !up.wan) times.push(change.atMs);
  }
  return times;
}

/** The words about each service. */
function byService(words: readonly Word[]): Word[][] {
  const found = new Map<string, Word[]>();
  for (const word of words) {
    const of = found.get(word.service ?? '') ?? [];
    of.push(word);
    found.set(word.service ?? '', of);
  }
  return [...found.values()];
}

function standbyPackets(evidence: Evidence): Frame[] {
  const found: Frame[] = [];
  for (const host of evidence.gateways) {
    const allowed = unite(
      ...byService(evidence.words).map((words) => activeSpans({ ...evidence, words }, host)),
    );
    for (const frame of evidence.frames)
      if (frame.side === 'wan' && frame.way === 'in' && frame.port === host && !covers(allowed, frame.atMs))
        found.push(frame);
  }
  return found;
}

/** When a host may use its uplink, by its own signed words and its port's carrier. */
function activeSpans(evidence: Evidence, host: string): Span[] {
  const downs = evidence.carriers
    .filter((c) => c.side === 'wan' && c.port === host && !c.up)
    .map((c) => c.atMs);
  const spans: { from: number; to: number }[] = [];
  let open: { from: number; to: number } | null = null;
  let isFirst = true;
  for (const word of evidence.words) {
    if (word.host !== host || word.active === null) continue;
    if (word.active) {
      if (open === null || word.atMs > open.to) {
        open = { from: isFirst ? Number.NEGATIVE_INFINITY : word.saidMs, to: word.atMs };
        spans.push(open);
      }
      // Of two kinds of word the later one counts, so that a master's last report does not outlive its last STATUS.
      open.to = word.atMs + (word.serves ? 2 * evidence.leaseMs : evidence.handoverSilenceMs);
    } else if (open !== null) {
      const endMs = Math.min(open.to, word.atMs);
      open.to = downs.find((at) => at >= endMs && at <= endMs + TAIL_MS) ?? endMs + TAIL_MS;
      open = null;
    }
    isFirst = false;
  }
  return spans;
}

function countChanges(words: readonly Word[], fromMs: number): number {
  let holder: string | null = null;
  let changes = 0;
  for (const word of words) {
    if (word.serving !== true || word.host === holder) continue;
    if (holder !== null && word.atMs >= fromMs) changes += 1;
    holder = word.host;
  }
  return changes;
}

/** A lone sighting must count for `mostAtOnce` though it has no length. */
function stretchPoints(spans: readonly Span[]): Span[] {
  return spans.map((span) => (span.from === span.to ? { from: span.from, to: span.to + 0.001 } : span));
}

/** The frames; of the first one what its host had said last, said next, and did with that port. */
function describeStandby(frames: readonly Frame[], { words, carriers }: Evidence): string[] {
  const [first] = frames;
  if (first === undefined) return [];
  const own = words.filter(({ host, active }) => host === first.port && active !== null);
  const say = (word: Word | undefined): string =>
    word === undefined
      ? 'nothing'
      : `${word.type} (${word.active === true ? '' : 'not '}active) at ${word.atMs.toFixed(1)}, made at ${word.saidMs.toFixed(1)}`;
  const before = say(own.findLast(({ atMs }) => atMs <= first.atMs));
  const after = say(own.find(({ atMs }) => atMs > first.atMs));
  const port = carriers
    .filter(({ side, port }) => side === 'wan' && port === first.port)
    .map(({ up, atMs }) => `${up ? 'up' : 'down'} at ${atMs.toFixed(1)}`);
  return [
    ...frames.map(describeFrame),
    `${first.port} said ${before}, then ${after}; its port: ${port.slice(-6).join(', ')}`,
  ];
}

function describeFrame(frame: Frame): string {
  const udp = udpOf(frame);
  const type = udp?.toPort === CLUSTER_PORT ? ` ${typeOf(udp.payload)}` : '';
  const kind =
    udp === null
      ? `0x${frame.protocol.toString(16)} ${frame.data.toString('hex', 0, 64)}`
      : `udp ${udp.from} to ${udp.to}:${udp.toPort}${type}`;
  return `${frame.port} at ${frame.atMs.toFixed(1)}: ${kind}`;
}

function push(map: Map<string, number[]>, key: string, value: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** The bytes of `fd00:77:1::1`-like text: some groups, `::`, some groups. */
function ipv6Bytes(text: string): Buffer {
  const [head = '', tail = ''] = text.split('::');
  const left = head.split(':').filter(Boolean);
  const right = tail.split(':').filter(Boolean);
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
