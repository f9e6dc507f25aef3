/**
 * All that is held of the kernel for one configuration: sockets, gate, rules, uplinks, and each service's parts.
 * The actuator gives orders to it; `fence` makes one for a moment.
 */
import type { ServiceName } from '../core/basics.ts';
import type { Procedure } from '../core/procedures.ts';
import { OperatorError } from '../trust/errors.ts';
import { Announcer } from './announcer.ts';
import type { Patience } from './asking.ts';
import type { ActuatorConfig, GatewayService } from './config.ts';
import { ConnectionSync } from './conntrackd.ts';
import { DownlinkCheckers } from './downlink.ts';
import { procedureProgram } from './external.ts';
import { Forgetting } from './forgetting.ts';
import { Gate } from './gate.ts';
import { Generations } from './generations.ts';
import { Links } from './links.ts';
import { Neighbourhood } from './neighbourhood.ts';
import { type Outcome, unknown } from './outcome.ts';
import { Poller } from './poller.ts';
import { Checker } from './remote/checker.ts';
import { isSocketCheck } from './remote/kinds.ts';
import { RemoteCheckers } from './remote/run.ts';
import { Rules } from './rules.ts';
import { ServiceSwitch } from './service.ts';
import { Shared } from './shared.ts';
import { textOf } from './tools.ts';
import { LinkEvents } from './uplink/linkevents.ts';
import { Uplinks } from './uplink/uplinks.ts';

export interface ServiceParts {
  readonly service: GatewayService;
  readonly place: ServiceSwitch;
  readonly downlink: DownlinkCheckers;
  readonly remote: RemoteCheckers;
  readonly announcers: { readonly downlink: Announcer; readonly uplink: Announcer };
}

/** Runs a task of one service alone: neither a switch nor a test of what is in place runs beside it. */
export type InTurn = (service: ServiceName, task: () => Promise<void>) => Promise<void>;

/** All roving addresses of all services: never a source of ours, never a foreigner. */
export function rovingAddresses(config: ActuatorConfig): Set<string> {
  const all = config.services.flatMap((s) => [...s.downlink.addresses, ...s.uplink.addresses]);
  return new Set(all.map((a) => a.address));
}

/** Throws `OperatorError` on what this version cannot do. */
export function refuseUnsupported(config: ActuatorConfig): void {
  for (const { name, downlink, uplink, procedures } of config.services) {
    const { activation, card, module, driver } = uplink;
    const named = activation === 'module' ? module : activation === 'unbind' ? driver : '';
    if (named === undefined || (named !== '' && card === undefined))
      throw new OperatorError(
        `service ${name}: uplink activation "${activation}" needs to know card and ${activation === 'module' ? 'module' : 'driver'}`,
        `portcullis uplink plan ${uplink.device} prints the lines`,
      );
    const own = procedures.activateUplink !== undefined && procedures.deactivateUplink !== undefined;
    if (uplink.activation === 'command' && !own)
      throw new OperatorError(
        `service ${name}: uplink activation "command" needs its programs`,
        'name activateUplink and deactivateUplink under [service.procedures]',
      );
    for (const device of [downlink.device, uplink.device])
      if (!/^[^/\s"]{1,15}$/.test(device) || device === '.' || device === '..')
        throw new OperatorError(
          `service ${name}: ${JSON.stringify(device)} is no device name`,
          'see ip link',
        );
  }
}

export class Kernel {
  config: ActuatorConfig;
  readonly nowMs: () => number;
  readonly poller = new Poller();
  readonly links: Links;
  readonly generations: Generations = new Generations(() => this.gate.foreignGeneration());
  readonly gate: Gate;
  readonly rules: Rules;
  readonly linkEvents = new LinkEvents(this.poller);
  readonly uplinks: Uplinks;
  readonly checker = new Checker();
  /** Tests of a device, which services that share it ask for alike. */
  readonly tests = new Shared<Outcome>();
  readonly sync = new ConnectionSync(() => this.config.conntrackd ?? null);
  readonly services = new Map<string, ServiceParts>();
  private readonly forgetting = new Forgetting({
    ownAddresses: () => this.links.route.addresses().map(({ bytes }) => bytes),
    isActive: () => [...this.services.values()].some(({ place }) => place.active),
  });
  /** By downlink device. */
  readonly neighbourhoods = new Map<string, Neighbourhood>();
  private roving: ReadonlySet<string> = new Set();

  constructor(
    config: ActuatorConfig,
    nowMs: () => number,
    changed: (device: string) => void,
    aliveUntilMs: () => number = () => Number.POSITIVE_INFINITY,
  ) {
    refuseUnsupported(config);
    this.config = config;
    this.nowMs = nowMs;
    this.links = new Links(this.poller, changed, (device) => this.maySend(device));
    this.gate = new Gate(config, nowMs, this.generations, undefined, aliveUntilMs);
    this.rules = new Rules(config, this.generations, (isOn) => this.gate.forward(isOn));
    this.uplinks = new Uplinks(this.links, this.linkEvents, () => this.config);
    this.roving = rovingAddresses(config);
    for (const service of config.services) this.services.set(service.name, this.parts(service));
  }

  /**
   * Takes a configuration that `rules.prepare` has accepted. A service that did not change is not touched; one that did is moved over if it is active; one that is gone is taken down. What touches a
   * service runs in `inTurn`: after the orders to it that run already, before those that come later.
   */
  async rearrange(config: ActuatorConfig, inTurn: InTurn): Promise<void> {
    const before = new Map(this.services);
    this.config = config;
    this.roving = rovingAddresses(config);
    const members = new Set(config.memberAddresses);
    const downlinks = new Set(config.services.map((s) => s.downlink.device));
    for (const [device, neighbourhood] of this.neighbourhoods)
      if (downlinks.has(device)) neighbourhood.configure(members, this.roving);
      else this.neighbourhoods.delete(device);
    for (const service of config.services) {
      const old = before.get(service.name);
      before.delete(service.name);
      if (old === undefined) this.services.set(service.name, this.parts(service));
      else if (JSON.stringify(old.service) !== JSON.stringify(service))
        await inTurn(service.name, () => this.move(old, this.parts(service)));
    }
    for (const old of before.values()) await inTurn(old.service.name, () => this.takeDown(old));
    this.links.keepOnly(new Set(config.services.flatMap((s) => [s.downlink.device, s.uplink.device])));
  }

  /** The programs that are to be there already when they are needed: those that load rules, and the checker. */
  keepPrograms(): void {
    this.rules.keepWarm();
    this.checker.keep(this.config.services.some(({ remote }) => remote?.checks.some(isSocketCheck)));
  }

  get rovingAddresses(): ReadonlySet<string> {
    return this.roving;
  }

  /** Words of ours on an uplink need a lease, or the leave to talk there. */
  private maySend(device: string): boolean {
    const isUplink = this.config.services.some(({ uplink }) => uplink.device === device);
    return !isUplink || this.gate.mayTalk(device);
  }

  /** How long tests ask: the answer of a healthy neighbour comes within the first probe's time. */
  patience(service: GatewayService): Patience {
    const { probes, probeTimeoutMs } = this.config;
    return { probes, probeTimeoutMs, limitMs: Math.min(service.limits.testMs, probes * probeTimeoutMs * 2) };
  }

  /** Shuts all gates and lets go of every socket. Addresses run out by their lifetime. */
  close(): void {
    for (const parts of this.services.values()) {
      stopAnnouncing(parts);
      parts.place.close();
    }
    this.rules.close();
    this.checker.close();
    this.sync.close();
    this.uplinks.close();
    this.gate.close();
    this.linkEvents.close();
    this.links.close();
    this.poller.close();
  }

  /**
   * Makes before it breaks: what both configurations have stays in place all the time, so that a service that is
   * active goes on serving, and its tests go on passing.
   */
  private async move(old: ServiceParts, parts: ServiceParts): Promise<void> {
    const { name, uplink } = parts.service;
    const wasDevice = old.service.uplink.device;
    const moved = wasDevice !== uplink.device;
    const held = this.uplinks.holds(wasDevice, name);
    stopAnnouncing(old);
    if (held && moved) {
      this.gate.allowTalk(uplink.device, name);
      await this.uplinks.activate(parts.service);
    }
    const { active } = old.place;
    if (active) await parts.place.activate(true);
    // What a program has put in place is that program's, and may be in use.
    else if (!isByProgram(old.service) || !isByProgram(parts.service)) await parts.place.deactivate();
    this.services.set(name, parts);
    old.place.leaveTo(parts.place);
    if (held && moved) {
      await this.uplinks.deactivate(old.service);
      this.gate.forbidTalk(wasDevice, name);
    }
    if (!active) return;
    parts.announcers.downlink.start();
    parts.announcers.uplink.start();
  }

  private async takeDown(old: ServiceParts): Promise<void> {
    const { service, place } = old;
    const { name, uplink, procedures } = service;
    this.services.delete(name);
    stopAnnouncing(old);
    const off = procedures.deactivateService;
    await (off === undefined ? place.deactivate() : this.program(service, 'deactivateService', off));
    place.close();
    const down = procedures.deactivateUplink;
    this.uplinks.intend(service, false);
    await (down === undefined
      ? this.uplinks.deactivate(service)
      : this.uplinks.byProgram(service, false, () => this.program(service, 'deactivateUplink', down)));
    this.gate.forbidTalk(uplink.device, name);
  }

  private program(service: GatewayService, procedure: Procedure, path: string): Promise<Outcome> {
    const { switchMs } = service.limits;
    return procedureProgram(this.config, service, procedure, path, switchMs).catch((error) =>
      unknown(textOf(error)),
    );
  }

  private others({ name }: GatewayService): ServiceSwitch[] {
    return [...this.services.values()]
      .map(({ place }) => place)
      .filter(({ service }) => service.name !== name);
  }

  private neighbourhood(device: string): Neighbourhood {
    let found = this.neighbourhoods.get(device);
    if (found === undefined) {
      const isOwn = (mac: Buffer): boolean => this.links.isOwn(mac);
      found = new Neighbourhood(new Set(this.config.memberAddresses), this.roving, isOwn);
      this.neighbourhoods.set(device, found);
    }
    return found;
  }

  private parts(service: GatewayService): ServiceParts {
    const { links, rules, nowMs, poller, checker } = this;
    const roving = (): ReadonlySet<string> => this.roving;
    const neighbourhood = this.neighbourhood(service.downlink.device);
    const isOpen = (): boolean => this.gate.openUntilMs(service.name) !== null;
    const tools = {
      links,
      nowMs,
      command: (path: string) =>
        procedureProgram(this.config, service, 'checkDownlink', path, service.limits.testMs),
    };
    return {
      service,
      place: new ServiceSwitch(service, {
        ...{ links, rules, nowMs, leaseMs: () => this.config.leaseMs },
        forget: (roving) => this.forgetting.forget(roving),
        othersActive: () => this.others(service).flatMap((place) => (place.active ? [place.service] : [])),
        othersElsewhere: () => this.others(service).some((place) => !place.active),
        sync: this.sync,
      }),
      downlink: new DownlinkCheckers(service, tools, neighbourhood, roving),
      remote: new RemoteCheckers(service, { links, poller, checker, roving, echoed: new Set() }),
      announcers: {
        downlink: new Announcer(links.ear(service.downlink.device), service.downlink.addresses, isOpen),
        uplink: new Announcer(links.ear(service.uplink.device), service.uplink.addresses, isOpen),
      },
    };
  }
}

/** Whether a program, and not `ServiceSwitch`, puts the service in place. */
function isByProgram({ procedures }: GatewayService): boolean {
  return procedures.activateService !== undefined;
}

export function stopAnnouncing(parts: ServiceParts): void {
  parts.announcers.downlink.stop();
  parts.announcers.uplink.stop();
}

/** The gate is open. Neighbours are told before all else (programs hold this process up): till then they send to the old master. */
export function opened({ service, place, announcers }: ServiceParts): void {
  if (place.active) {
    if (service.procedures.announceTakeoverDownlink === undefined) announcers.downlink.start();
    if (service.procedures.announceTakeoverUplink === undefined) announcers.uplink.start();
  }
  place.gateOpened();
}
