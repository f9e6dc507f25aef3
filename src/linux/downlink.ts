/**
 * checkDownlink (spec/procedures.md). Invariant: `confirmed` only when a host outside the cluster has answered,
 * during this check, something that this check sent (`carrier` and `command`, which the operator may choose,
 * excepted). Cached entries, own frames and members' frames never count.
 */
import {
  echo,
  echoAll,
  isEchoTo,
  noteResolved,
  type Patience,
  patient,
  type Sources,
  says,
  sourcesOf,
  tries,
  whoHas,
} from './asking.ts';
import type { DownlinkCheck, GatewayService } from './config.ts';
import type { Ear } from './ear.ts';
import { BROADCAST_MAC, type Heard } from './frames.ts';
import { formatIp, formatMac, isLinkLocal, parseIp, parseMac } from './ip.ts';
import type { Links } from './links.ts';
import { type Foreigner, LATELY_MS, type Neighbourhood, senderOf } from './neighbourhood.ts';
import { confirmed, lost, type Outcome, refuted, unknown } from './outcome.ts';
import { Sweep } from './sweep.ts';

const ASK_AT_ONCE = 8;
/** The kernel's own table is asked for further hosts at most so often while some answer. */
const LOOK_AROUND_MS = 1000;

export interface DownlinkTools {
  readonly links: Links;
  readonly nowMs: () => number;
  /** Runs an external check within the test limit. */
  readonly command: (path: string) => Promise<Outcome>;
}

export class DownlinkCheckers {
  private readonly service: GatewayService;
  private readonly tools: DownlinkTools;
  private readonly neighbourhood: Neighbourhood;
  private readonly ear: Ear;
  private readonly roving: () => ReadonlySet<string>;
  private readonly sweep: Sweep;
  /** A check without broadcast was confirmed the last time. */
  private answersQuietly = false;
  private lookedAroundMs = Number.NEGATIVE_INFINITY;
  /** When a named neighbour last answered. */
  private readonly namedAnswered = new Map<string, number>();

  constructor(
    service: GatewayService,
    tools: DownlinkTools,
    neighbourhood: Neighbourhood,
    roving: () => ReadonlySet<string>,
  ) {
    this.service = service;
    this.tools = tools;
    this.neighbourhood = neighbourhood;
    this.roving = roving;
    this.ear = tools.links.ear(service.downlink.device);
    this.sweep = new Sweep(service.downlink.addresses, tools.nowMs);
  }

  /** Own addresses on the downlink that do not rove. */
  sources(): Sources {
    return sourcesOf(this.tools.links.addressesOn(this.service.downlink.device, this.roving()));
  }

  /**
   * Runs all configured checks side by side; the first that confirms ends it. A broadcast, which wakes everybody on the link, waits
   * for one probe's time where another check did without it the last time.
   */
  async check(patience: Patience): Promise<Outcome> {
    const { device, checks } = this.service.downlink;
    const link = this.tools.links.lately(device);
    if (link === null) return refuted(`${device} does not exist`);
    if (!link.carrier) return refuted(link.up ? `${device} has no carrier` : `${device} is down`);
    const sources = this.sources();
    const begin = (check: DownlinkCheck): Promise<Outcome> => this.one(check, sources, patience);
    // Answers themselves wait for so long while a member was never heard.
    const times = this.neighbourhood.unresolvedMembers().length > 0 ? 2 : 1;
    const waitsMs = this.answersQuietly ? times * patience.probeTimeoutMs : 0;
    this.answersQuietly = false;
    const quiet = checks
      .filter(({ kind }) => kind !== 'broadcast-ping')
      .map(async (check) => {
        const outcome = await begin(check);
        this.answersQuietly ||= outcome.verdict === 'confirmed';
        return outcome;
      });
    const answered = firstConfirmed(quiet);
    const loud = checks
      .filter(({ kind }) => kind === 'broadcast-ping')
      .map(async (check) => (await within(answered, waitsMs)) ?? begin(check));
    const outcomes = [...quiet, ...loud];
    const found = await firstConfirmed(outcomes);
    if (found !== null) return found;
    const ended = await Promise.all(outcomes);
    const worst = ended.find((o) => o.verdict === 'lost') ?? unknown('');
    return { verdict: worst.verdict, detail: ended.map((o) => o.detail).join('; ') };
  }

  private one(check: DownlinkCheck, sources: Sources, patience: Patience): Promise<Outcome> {
    switch (check.kind) {
      case 'auto':
        return this.auto(sources, patience);
      case 'broadcast-ping':
        return this.broadcastPing(sources, patience);
      case 'arp':
      case 'ping':
        return this.named(check.kind, check.address, sources, patience);
      case 'carrier':
        return Promise.resolve(confirmed('there is a carrier'));
      case 'command':
        return this.tools.command(check.path);
    }
  }

  private async auto(sources: Sources, patience: Patience): Promise<Outcome> {
    const { neighbourhood, ear } = this;
    const now = this.tools.nowMs();
    const isLately = ({ answeredMs }: Foreigner): boolean =>
      answeredMs !== null && now - answeredMs < LATELY_MS;
    let known = neighbourhood.candidates(ASK_AT_ONCE, now);
    const isDue = !known.some(isLately) || now - this.lookedAroundMs >= LOOK_AROUND_MS;
    if (known.length < ASK_AT_ONCE && isDue) {
      this.lookedAroundMs = now;
      for (const { mac, bytes } of this.tools.links.route.neighbours(ear.link?.index ?? 0))
        neighbourhood.suggest(mac, bytes, now);
      known = neighbourhood.candidates(ASK_AT_ONCE, now);
    }
    const lately = known.some(isLately);
    // Who has but one try asks all.
    const best = patience.probes > 1 ? known.filter(isLately).slice(0, 1) : [];
    const searching = lately ? [] : this.sweep.next();
    const members = neighbourhood.unresolvedMembers().flatMap((text) => this.onLink(text));
    // Several addresses may be one host's; an answer for any of them is that host's.
    const targets = new Map([...known.map((h) => h.ip), ...searching].map((ip) => [formatIp(ip), ip]));
    let since: number | null = null;
    let first = true;
    const frames = (): Buffer[] => {
      const isFirst = first;
      first = false;
      const alone = isFirst ? best.flatMap(({ ip, mac }) => whoHas(ear, sources, ip, parseMac(mac))) : [];
      const asked = !isFirst ? known.map((h) => h.ip) : best.length > 0 ? [] : targets.values();
      const all = isFirst && !lately ? echoAll(ear, sources, BROADCAST_MAC) : null;
      since ??= all?.first ?? null;
      const everybody = [...members, ...asked].flatMap((ip) => whoHas(ear, sources, ip));
      return [...alone, ...everybody, ...(all?.frames ?? [])];
    };
    const answers = (h: Heard): boolean => isAsked(h, targets) || (since !== null && isEchoTo(h, since));
    const answer = await this.firstForeign(frames, answers, members.length > 0, patience, best.length > 0);
    if (answer !== null) return confirmed(`${formatMac(answer.mac)} answered`);
    if (lately) return lost('hosts that lately answered no longer do');
    return unknown(known.length > 0 ? 'no host that was heard answers' : 'no other host was heard');
  }

  /**
   * The first answer of a host outside the cluster. While a member's hardware address is unknown, members are
   * asked as well and answers wait for one probe's time: a member must not pass for a foreigner.
   */
  private async firstForeign(
    frames: () => Buffer[],
    answers: (heard: Heard) => boolean,
    wait: boolean,
    patience: Patience,
    isExpected = false,
  ): Promise<Heard | null> {
    const { neighbourhood, ear } = this;
    const start = this.tools.nowMs();
    const early: Heard[] = [];
    const foreign = (heard: Heard): boolean => {
      if (!answers(heard) || !neighbourhood.isForeign(heard.mac)) return false;
      neighbourhood.hear(heard, this.tools.nowMs());
      if (!wait || this.tools.nowMs() - start >= patience.probeTimeoutMs) return true;
      if (early.length < ASK_AT_ONCE) early.push(heard);
      return false;
    };
    const { probes, probeTimeoutMs, limitMs } = patience;
    const question = { frames, answers: foreign, times: probes, gapMs: probeTimeoutMs, limitMs };
    const rest = ear.ask({ ...question, isExpected: isExpected && !wait });
    const held = wait ? this.afterWait(early, probeTimeoutMs) : Promise.resolve(null);
    const answer = (await Promise.race([rest, held.then((h) => h ?? rest)])) ?? null;
    if (answer !== null) this.remember(answer);
    return answer;
  }

  private remember(answer: Heard): void {
    const ip = senderOf(answer);
    const now = this.tools.nowMs();
    // Who answers an echo from an address of this link can be asked for it by name from now on.
    if (
      answer.kind === 'echo-reply' &&
      (isLinkLocal(answer.source) || this.onLink(formatIp(answer.source)).length > 0)
    )
      this.neighbourhood.suggest(answer.mac, answer.source, now);
    if (ip !== null) this.neighbourhood.answered(answer, now);
  }

  private async afterWait(early: readonly Heard[], waitMs: number): Promise<Heard | null> {
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    return early.find((heard) => this.neighbourhood.isForeign(heard.mac)) ?? null;
  }

  /** A member's address as bytes when it lies in a network of this downlink. */
  private onLink(text: string): Buffer[] {
    const ip = parseIp(text);
    return ip !== null && this.sweep.contains(ip) ? [ip.bytes] : [];
  }

  private async broadcastPing(sources: Sources, patience: Patience): Promise<Outcome> {
    if (sources.four === null && sources.linkLocal === null)
      return unknown('no own address on the downlink to ping from');
    const { ear } = this;
    const members = this.neighbourhood.unresolvedMembers().flatMap((text) => this.onLink(text));
    let since: number | null = null;
    const frames = (): Buffer[] => {
      const asked = echoAll(ear, sources, BROADCAST_MAC);
      since ??= asked.first;
      return [...members.flatMap((ip) => whoHas(ear, sources, ip)), ...asked.frames];
    };
    const answers = (heard: Heard): boolean => since !== null && isEchoTo(heard, since);
    const answer = await this.firstForeign(frames, answers, members.length > 0, patience);
    return answer === null
      ? unknown('nobody answers a broadcast ping')
      : confirmed(`${formatMac(answer.mac)} answered a broadcast ping`);
  }

  private async named(
    kind: 'arp' | 'ping',
    text: string,
    sources: Sources,
    patience: Patience,
  ): Promise<Outcome> {
    const ip = parseIp(text);
    if (ip === null) return unknown(`${text} is no address`);
    const foreign = (heard: Heard): boolean =>
      says(heard, ip.bytes) && this.neighbourhood.isForeign(heard.mac);
    const isKnown = this.ear.resolved.has(text);
    const frames = tries(this.ear, sources, ip.bytes, patience);
    let answer = await this.ear.ask(patient(patience, frames, foreign, isKnown));
    noteResolved(this.ear, ip.bytes, answer);
    if (answer !== null && kind === 'ping')
      answer = await echo(this.ear, sources, answer.mac, ip.bytes, patience, isKnown);
    const now = this.tools.nowMs();
    if (answer !== null) {
      this.namedAnswered.set(`${kind} ${text}`, now);
      return confirmed(`${text} answered`);
    }
    const last = this.namedAnswered.get(`${kind} ${text}`);
    if (last !== undefined && now - last < LATELY_MS) return lost(`${text} no longer answers`);
    return unknown(`${text} does not answer`);
  }
}

/** The first confirmed outcome; null when there is none. */
async function firstConfirmed(running: readonly Promise<Outcome>[]): Promise<Outcome | null> {
  const confirming = running.map(async (ends) => {
    const outcome = await ends;
    if (outcome.verdict !== 'confirmed') throw outcome;
    return outcome;
  });
  return Promise.any(confirming).catch(() => null);
}

/** What it resolves with, within that time; null: not yet. */
async function within<T>(promise: Promise<T>, limitMs: number): Promise<T | null> {
  if (limitMs === 0) return Promise.race([promise, Promise.resolve(null)]);
  // Most answer in this turn of the loop, and need no timer: one that is taken back wakes the process all the same.
  const soon = await Promise.race([
    promise,
    new Promise<'later'>((resolve) => setImmediate(resolve, 'later')),
  ]);
  if (soon !== 'later') return soon;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), limitMs);
  });
  const first = await Promise.race([promise, limit]);
  clearTimeout(timer);
  return first;
}

function isAsked(heard: Heard, targets: ReadonlyMap<string, Buffer>): boolean {
  if (heard.kind === 'arp') return heard.reply && targets.has(formatIp(heard.sender));
  return heard.kind === 'advertisement' && targets.has(formatIp(heard.target));
}
