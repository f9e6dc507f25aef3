/**
 * activateUplink and deactivateUplink, and what each uplink is meant to be. Invariants: an uplink is up only while some
 * service holds it; what it is meant to be changes before anything is done about it; all that is done to one device
 * is done in one lane, one after the other; what was done is read back.
 */
import type { ActuatorConfig, GatewayService } from '../config.ts';
import { parseIp } from '../ip.ts';
import { Lanes } from '../lane.ts';
import type { Links } from '../links.ts';
import { confirmed, type Outcome, unknown } from '../outcome.ts';
import { FOREVER, setLink } from '../rtnetlink.ts';
import { writeSysctl } from '../sysctl.ts';
import { textOf } from '../tools.ts';
import { Holders } from './holders.ts';
import type { LinkEvents } from './linkevents.ts';
import { Preparations } from './preparations.ts';
import { type Strategy, strategyOf } from './strategy.ts';
import { Sysfs } from './sysfs.ts';

/** Nothing is said on a raised uplink but what we say; link-local addresses can be used at once. */
const SETTINGS: readonly (readonly [string, string])[] = [
  ['ipv6/conf/DEVICE/accept_dad', '0'],
  ['ipv6/conf/DEVICE/dad_transmits', '0'],
  ['ipv6/conf/DEVICE/accept_ra', '0'],
  ['ipv6/conf/DEVICE/autoconf', '0'],
  ['ipv6/conf/DEVICE/router_solicitations', '0'],
  // Answer only for addresses of this device, and ask only from them.
  ['ipv4/conf/DEVICE/arp_ignore', '1'],
  ['ipv4/conf/DEVICE/arp_announce', '2'],
];

/** What the guard did about an uplink that was not as it is meant to be. */
export interface Intrusion {
  /** As in `up0 was up`. */
  readonly found: string;
  /** Confirmed: it is as it is meant to be again. */
  readonly outcome: Outcome;
  /** It is the device that changed; false: an earlier attempt to take it away is made again. */
  readonly isNew: boolean;
}

export class Uplinks {
  private readonly links: Links;
  private readonly events: LinkEvents;
  private readonly config: () => ActuatorConfig;
  private readonly sysfs = new Sysfs();
  private readonly holders = new Holders();
  private readonly lanes = new Lanes();
  private readonly prepared = new Preparations();
  /** Devices that could not be taken away, so that trying again is no news. */
  private readonly stuck = new Set<string>();

  constructor(links: Links, events: LinkEvents, config: () => ActuatorConfig) {
    this.links = links;
    this.events = events;
    this.config = config;
  }

  activate(service: GatewayService): Promise<Outcome> {
    return this.lanes.get(service.uplink.device).run(() => this.raise(service));
  }

  deactivate(service: GatewayService): Promise<Outcome> {
    return this.lanes.get(service.uplink.device).run(() => this.lower(service));
  }

  /** Whether a device is held up, by any service or by the named one. */
  holds(device: string, service?: string): boolean {
    return this.holders.holds(device, service);
  }

  /** For procedures that are replaced: what the uplink is meant to be from now on, whoever makes it so. */
  intend(service: GatewayService, held: boolean): void {
    this.holders.intend(service.uplink.device, service.name, held);
  }

  /** The uplink raised or lowered by a program, after `intend`: once for all services that share it. */
  byProgram(service: GatewayService, toRaise: boolean, program: () => Promise<Outcome>): Promise<Outcome> {
    const { name, uplink } = service;
    return this.holders.byProgram(uplink.device, name, toRaise, () => this.isUp(service), program);
  }

  /**
   * Where it is configured (`speculative`): has the device be there, down, so that raising it is quick; `wanted` false
   * takes it away again unless it is held. Bounded in time and number, whoever asks.
   */
  prepare(service: GatewayService, wanted: boolean): Promise<Outcome> {
    const { device, speculative, activation } = service.uplink;
    if (speculative !== true || activation === 'admin' || activation === 'command')
      return Promise.resolve(confirmed('nothing to prepare'));
    return this.lanes
      .get(device)
      .run(() => (wanted ? this.prepareNow(service) : this.unprepareNow(service)))
      .catch((error) => unknown(textOf(error)));
  }

  /** Whether somebody should look at this uplink: it is up, or there, and is not meant to be. Quick; changes nothing. */
  isAmiss(service: GatewayService): boolean {
    return this.amiss(service, this.strategy(service)) !== null;
  }

  /** Whether any device of the uplink's is set up now. */
  isUp(service: GatewayService): boolean {
    return this.upDevices(this.strategy(service)).length > 0;
  }

  /** The device's name, or one of its card's names before it got its own. */
  concerns(service: GatewayService, device: string): boolean {
    return device === service.uplink.device || this.strategy(service).devices().includes(device);
  }

  /** Looks, in the device's lane, and puts right what is not as it is meant to be now; null: nothing was amiss. */
  enforce(service: GatewayService): Promise<Intrusion | null> {
    return this.lanes.get(service.uplink.device).run(async () => {
      const strategy = this.strategy(service);
      const found = this.amiss(service, strategy);
      if (found === null) return null;
      const { device } = service.uplink;
      const isNew = !this.stuck.has(device) || found.endsWith(' up');
      const outcome = await this.takeDown(service, strategy);
      return { found, outcome, isNew };
    });
  }

  close(): void {
    this.prepared.close();
  }

  private strategy(service: GatewayService): Strategy {
    return strategyOf(service.uplink, {
      sysfs: this.sysfs,
      events: this.events,
      link: (device) => this.links.route.link(device),
      kept: () => {
        const { clusterLinks, services } = this.config();
        return new Set([...clusterLinks.map((l) => l.device), ...services.map((s) => s.downlink.device)]);
      },
    });
  }

  private upDevices(strategy: Strategy): string[] {
    return strategy.devices().filter((name) => this.links.route.link(name)?.up);
  }

  private amiss(service: GatewayService, strategy: Strategy): string | null {
    const { device } = service.uplink;
    if (this.holds(device)) return null;
    const [up] = this.upDevices(strategy);
    if (up !== undefined) return `${up} was up`;
    return this.prepared.has(device) ? null : strategy.remains();
  }

  private async raise(service: GatewayService): Promise<Outcome> {
    const { device, ownAddress } = service.uplink;
    this.intend(service, true);
    this.prepared.used(device);
    try {
      if (!this.links.fresh(device)?.up) {
        await this.strategy(service).load(service.limits.switchMs);
        for (const [path, value] of SETTINGS)
          writeSysctl(
            path.replace('DEVICE', () => device),
            value,
          );
        await setLink(device, true);
      }
      const link = this.links.fresh(device);
      if (link === null || !link.up) return unknown(`${device} did not come up`);
      const own = ownAddress === null ? null : parseIp(ownAddress.address);
      if (own !== null && ownAddress !== null)
        this.links.route.setAddress(link.index, own.bytes, ownAddress.prefixLength, FOREVER);
      return confirmed(`${device} is up`);
    } catch (error) {
      return unknown(textOf(error));
    }
  }

  private async lower(service: GatewayService): Promise<Outcome> {
    const { device, ownAddress } = service.uplink;
    this.intend(service, false);
    const used = this.holders.usedBeside(device, service.name);
    if (used !== null) return used;
    this.prepared.used(device);
    try {
      const link = this.links.fresh(device);
      const own = ownAddress === null ? null : parseIp(ownAddress.address);
      if (own !== null && ownAddress !== null && link !== null)
        this.links.route.removeAddress(link.index, own.bytes, ownAddress.prefixLength);
    } catch {
      // It goes down with it, and cannot be used meanwhile.
    }
    return this.takeDown(service, this.strategy(service));
  }

  /** Down first, which silences it at once; then away. */
  private async takeDown(service: GatewayService, strategy: Strategy): Promise<Outcome> {
    const { device } = service.uplink;
    const problems: string[] = [];
    const attempt = async (task: () => Promise<void>): Promise<void> => {
      await task().catch((error) => problems.push(textOf(error)));
    };
    for (const name of this.upDevices(strategy)) await attempt(() => setLink(name, false));
    if (!this.prepared.has(device)) await attempt(() => strategy.unload(service.limits.switchMs));
    this.links.fresh(device);
    for (const name of this.upDevices(strategy)) problems.push(`${name} is still up`);
    const remains = this.prepared.has(device) ? null : strategy.remains();
    if (remains !== null && problems.length === 0) problems.push(remains);
    if (problems.length === 0) {
      this.stuck.delete(device);
      return confirmed(`${device} is ${this.prepared.has(device) ? 'down' : strategy.lowered}`);
    }
    this.stuck.add(device);
    return unknown(problems.join('; '));
  }

  private async prepareNow(service: GatewayService): Promise<Outcome> {
    const { device } = service.uplink;
    if (this.holds(device)) return confirmed(`${device} is held`);
    const begun = this.prepared.begin(device, service.name, () => void this.prepare(service, false));
    if (begun !== null) return unknown(begun);
    try {
      await this.strategy(service).load(service.limits.switchMs);
      return confirmed(`${device} is there, down`);
    } catch (error) {
      return unknown(textOf(error));
    }
  }

  private async unprepareNow(service: GatewayService): Promise<Outcome> {
    const { device } = service.uplink;
    if (!this.prepared.end(device, service.name) || this.holds(device))
      return confirmed('nothing to take away');
    return this.takeDown(service, this.strategy(service));
  }
}
