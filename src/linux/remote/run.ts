/**
 * checkServiceRemote: the service seen from the downlink, as its clients see it. Runs the configured checks side by side.
 * Invariant: confirmed only by answers won in this very run; of a check through the gateway only by an answer that the
 * gateway itself handed over, told by its hardware address.
 */
import { echo, echoThrough, type Patience, resolve, type Sources, sourcesOf } from '../asking.ts';
import type { GatewayService } from '../config.ts';
import type { Ear } from '../ear.ts';
import { formatIp, isLinkLocal, parseIp } from '../ip.ts';
import type { Links } from '../links.ts';
import { confirmed, type Outcome, unknown } from '../outcome.ts';
import type { Poller } from '../poller.ts';
import type { Checker } from './checker.ts';
import {
  checkName,
  type FrameCheck,
  GATEWAY_ONLY,
  isSocketCheck,
  type RemoteCheck,
  type SocketCheck,
} from './kinds.ts';
import { Origin } from './origin.ts';

export interface RemoteTools {
  readonly links: Links;
  readonly poller: Poller;
  readonly checker: Checker;
  readonly roving: () => ReadonlySet<string>;
  /** Roving addresses that have answered an echo request since the start. */
  readonly echoed: Set<string>;
}

/** What the checks of one run share. */
interface Run {
  readonly patience: Patience;
  readonly sources: Sources;
  readonly own: readonly Buffer[];
  readonly index: number;
  /** The gateway's hardware address by family, asked for once a run; null: it does not answer. */
  readonly gateway: (family: 4 | 6) => Promise<Buffer | null>;
}

export class RemoteCheckers {
  private readonly service: GatewayService;
  private readonly tools: RemoteTools;
  private readonly ear: Ear;

  constructor(service: GatewayService, tools: RemoteTools) {
    this.service = service;
    this.tools = tools;
    this.ear = tools.links.ear(service.downlink.device);
  }

  /** With `need` "all" the worst of them counts, with "any" the first that is confirmed. */
  async check(patience: Patience): Promise<Outcome> {
    const { need, checks } = this.service.remote ?? GATEWAY_ONLY;
    const link = this.tools.links.lately(this.service.downlink.device);
    if (!link?.carrier) return unknown('the downlink has no carrier');
    const run = this.begin(patience, link.index);
    const running = checks.map((check) => this.named(check, run));
    if (need === 'any') {
      const first = running.map(async (ends) => {
        const outcome = await ends;
        if (outcome.verdict !== 'confirmed') throw outcome;
        return outcome;
      });
      const found = await Promise.any(first).catch(() => null);
      if (found !== null) return found;
    }
    const ended = await Promise.all(running);
    const bad = ended.filter(({ verdict }) => verdict !== 'confirmed');
    const told = (bad.length > 0 ? bad : ended).map(({ detail }) => detail).join('; ');
    return bad.length > 0 || ended.length === 0 ? unknown(told) : confirmed(told);
  }

  private begin(patience: Patience, index: number): Run {
    const { device, addresses } = this.service.downlink;
    const own = this.tools.links.addressesOn(device, this.tools.roving());
    const sources = sourcesOf(own);
    const asked = new Map<4 | 6, Promise<Buffer | null>>();
    const gateway = (family: 4 | 6): Promise<Buffer | null> => {
      const known = asked.get(family);
      if (known !== undefined) return known;
      const roving = addresses.find((a) => a.family === family)?.address ?? '';
      const found = this.whoHas(roving, sources, patience);
      asked.set(family, found);
      return found;
    };
    return { patience, sources, own, index, gateway };
  }

  private async named(check: RemoteCheck, run: Run): Promise<Outcome> {
    try {
      const outcome = await (isSocketCheck(check) ? this.talk(check, run) : this.ask(check, run));
      if (check.kind === 'gateway') return outcome;
      return { verdict: outcome.verdict, detail: `${checkName(check)}: ${outcome.detail}` };
    } catch (error) {
      return unknown(`${checkName(check)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private async whoHas(text: string, sources: Sources, patience: Patience): Promise<Buffer | null> {
    const target = parseIp(text)?.bytes;
    const isOwn = (mac: Buffer): boolean => this.tools.links.isOwn(mac);
    if (target === undefined) return null;
    return (await resolve(this.ear, sources, target, patience, isOwn))?.mac ?? null;
  }

  private async ask(check: FrameCheck, run: Run): Promise<Outcome> {
    if (check.kind === 'gateway') return this.gateway(run);
    const { sources, patience } = run;
    if (check.kind === 'icmp' && check.through) return this.echoBehind(check.address, run);
    const mac = await this.whoHas(check.address, sources, patience);
    if (mac === null) return unknown('no answer to address resolution');
    if (check.kind !== 'icmp') return confirmed('answered');
    const target = parseIp(check.address)?.bytes ?? Buffer.alloc(4);
    const reply = await echo(this.ear, sources, mac, target, patience);
    return reply === null ? unknown('no answer to echo requests') : confirmed('answered');
  }

  /** Each roving downlink address, the first of each family, as a client asks it. */
  private async gateway(run: Run): Promise<Outcome> {
    const { addresses } = this.service.downlink;
    const asked = ([4, 6] as const).filter((family) => addresses.some((a) => a.family === family));
    const ended = await Promise.all(
      asked.map((family) => {
        const { address = '' } = addresses.find((a) => a.family === family) ?? {};
        return this.gatewayAddress(address, run, family);
      }),
    );
    const bad = ended.find((o) => o.verdict !== 'confirmed');
    return bad ?? ended[0] ?? unknown('the service has no roving downlink address');
  }

  /**
   * Who has it, and an echo. A gateway whose rules refuse echo answers the first only: that is enough until it has
   * echoed.
   */
  private async gatewayAddress(text: string, run: Run, family: 4 | 6): Promise<Outcome> {
    const target = parseIp(text)?.bytes;
    if (target === undefined) return unknown(`${text} is no address`);
    // Who had it the last time is asked for both at once: the answers come together.
    const last = this.ear.resolved.get(text);
    const { echoed } = this.tools;
    const ask = (who: Buffer) => echo(this.ear, run.sources, who, target, run.patience, echoed.has(text));
    const early = last === undefined ? null : ask(last);
    const mac = await run.gateway(family);
    if (mac === null) return unknown(`${text} does not answer`);
    const isSame = early !== null && last?.equals(mac);
    const reply = await (isSame ? early : ask(mac));
    if (reply !== null) {
      echoed.add(text);
      return confirmed(`${text} answers`);
    }
    if (echoed.has(text)) return unknown(`${text} no longer answers echo requests`);
    return confirmed(`${text} answers address resolution, and never answered an echo request`);
  }

  private async echoBehind(text: string, run: Run): Promise<Outcome> {
    const target = parseIp(text);
    if (target === null) return unknown('no address');
    const mac = await run.gateway(target.family);
    if (mac === null) return unknown('the gateway does not answer');
    const source = run.own.find((a) => a.length === target.bytes.length && !isLinkLocal(a));
    if (source === undefined)
      return unknown(`no own IPv${target.family} address on the downlink to ask from`);
    const patience = { ...run.patience, limitMs: this.service.limits.testMs };
    const reply = await echoThrough(this.ear, source, mac, target.bytes, patience);
    return reply === null
      ? unknown('no answer through the gateway')
      : confirmed('answered through the gateway');
  }

  private async talk(check: SocketCheck, run: Run): Promise<Outcome> {
    const { checker } = this.tools;
    const { testMs } = this.service.limits;
    const way = { device: this.service.downlink.device, source: null, through: check.through };
    if (!check.through) return outcomeOf(await checker.ask(way, check, testMs));
    const target = parseIp(check.address)?.bytes;
    const mac = await run.gateway(4);
    if (target?.length !== 4) return unknown('only IPv4 hosts are asked this way through the gateway');
    if (mac === null) return unknown('the gateway does not answer');
    const source = run.sources.four;
    if (source === null) return unknown('no own IPv4 address on the downlink to ask from');
    const origin = new Origin(this.tools.poller, run.index, target);
    let strange: string | null = null;
    let answered: Awaited<ReturnType<Checker['ask']>>;
    try {
      this.tools.links.route.setNeighbour(run.index, target, mac);
      answered = await checker.ask({ ...way, source: formatIp(source) }, check, testMs);
    } finally {
      strange = origin.end(mac);
    }
    return answered.ok && strange !== null ? unknown(strange) : outcomeOf(answered);
  }
}

function outcomeOf({ ok, text }: { readonly ok: boolean; readonly text: string }): Outcome {
  return ok ? confirmed(text) : unknown(text);
}
