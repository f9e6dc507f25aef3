/**
 * activateService, deactivateService, checkServiceLocal: roving addresses, default routes, forwarding and rules.
 * Invariant: all is put in place behind the shut gate; the addresses carry a lifetime, so that they leave a host
 * whose daemon is dead, after the gate has long silenced it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AddressPrefix, GatewayService } from './config.ts';
import { Connections } from './connections.ts';
import type { ConnectionSync } from './conntrackd.ts';
import { formatIp, parseIp } from './ip.ts';
import type { Links } from './links.ts';
import { confirmed, type Outcome, refuted, unknown } from './outcome.ts';
import { everyQuarters } from './pulse.ts';
import type { Rules } from './rules.ts';
import { writeSysctl } from './sysctl.ts';
import { textOf } from './tools.ts';

const RENEW_MS = 1000;
/**
 * What is taken away waits so long after the gate was shut: behind it nobody needs that, while the word to the successor, and the
 * gates of the services that go with this one, need the processor now. Where both hosts share a machine, the successor does, too.
 */
const GIVE_WAY_MS = 30;
/** Beyond the lease: renewals may be late by so much before addresses vanish. */
const LIFETIME_SLACK_SECONDS = 4;

interface Placed {
  readonly device: string;
  readonly address: AddressPrefix;
  readonly bytes: Buffer;
}

function placed(service: GatewayService): Placed[] {
  const out: Placed[] = [];
  for (const side of [service.downlink, service.uplink])
    for (const address of side.addresses) {
      const ip = parseIp(address.address);
      if (ip !== null) out.push({ device: side.device, address, bytes: ip.bytes });
    }
  return out;
}

function placeOf({ device, address }: Placed): string {
  return `${device} ${address.address}/${address.prefixLength}`;
}

/** With the first address of a subnet the kernel would take all others of it from the device, whosever they are. */
function keepSecondaries(device: string): void {
  writeSysctl(`ipv4/conf/${device}/promote_secondaries`, '1');
}

export interface ServiceTools {
  readonly links: Links;
  readonly rules: Rules;
  readonly nowMs: () => number;
  readonly leaseMs: () => number;
  /** The other services that are active on this host: what they need as well stays. */
  readonly othersActive: () => readonly GatewayService[];
  /** Forgets the tracked connections of these addresses; what hindered it, or null. */
  readonly forget: (roving: readonly Buffer[]) => Promise<string | null>;
  /** Whether another service is configured that is not active here. */
  readonly othersElsewhere: () => boolean;
  readonly sync: ConnectionSync;
}

export class ServiceSwitch {
  readonly service: GatewayService;
  private readonly tools: ServiceTools;
  private isActive = false;
  private renewedMs = 0;
  private shutMs = Number.NEGATIVE_INFINITY;
  private stopRenewing: (() => void) | null = null;
  private readonly connections: Connections;
  private readonly placed: readonly Placed[];
  /** The uplink's next hops. */
  private readonly hops: readonly Buffer[];

  constructor(service: GatewayService, tools: ServiceTools) {
    this.service = service;
    this.tools = tools;
    this.placed = placed(service);
    this.hops = service.uplink.nextHops.flatMap((hop) => parseIp(hop)?.bytes ?? []);
    this.connections = new Connections(
      this.placed.map(({ bytes }) => bytes),
      tools,
    );
  }

  /** Whether the service was activated and not deactivated since. */
  get active(): boolean {
    return this.isActive;
  }

  /** `isMove`: the service is active already, and only its settings change. */
  async activate(isMove = false): Promise<Outcome> {
    const rules = this.tools.rules.load(this.service, 'serving');
    // Before it counts as active: all that no other service forwards is to be forgotten.
    const missed = isMove ? null : await this.connections.takeOver();
    this.isActive = true;
    let problem: string | null = null;
    try {
      this.setAddresses();
      this.setForwarding();
      this.setRoutes();
    } catch (error) {
      problem = textOf(error);
    }
    const loaded = await rules;
    this.keepRenewing();
    if (problem !== null) return unknown(problem);
    if (loaded.verdict !== 'confirmed') return loaded;
    const beside = missed === null ? '' : `; ${missed}`;
    return this.placeProblem() ?? confirmed(`addresses, routes and rules are in place${beside}`);
  }

  /** Idempotent; cleans up what a killed predecessor left as well. */
  async deactivate(): Promise<Outcome> {
    this.isActive = false;
    this.stopRenewing?.();
    this.stopRenewing = null;
    const waitMs = this.shutMs + GIVE_WAY_MS - this.tools.nowMs();
    if (waitMs > 0) await sleep(waitMs);
    let problem: string | null = null;
    try {
      this.removeAll();
    } catch (error) {
      problem = textOf(error);
    }
    try {
      this.dropWaiting();
    } catch {
      // The kernel gives it up by itself within seconds.
    }
    // Last, since it starts programs: where processors are few, the words to the successor are still on their way.
    const rules = this.tools.rules.load(this.service, 'standby');
    this.connections.gaveAway();
    const loaded = await rules;
    if (problem !== null) return unknown(problem);
    const left = this.present().map((p) => p.address.address);
    if (left.length > 0) return unknown(`still there: ${left.join(', ')}`);
    return loaded.verdict === 'confirmed' ? confirmed('addresses gone') : loaded;
  }

  /** When the connections of before are forgotten, but for those that wait (connections.ts); what hindered that, or null. */
  forgotten(): Promise<string | null> {
    return this.connections.forgotten();
  }

  /** checkServiceLocal: what activateService put in place is there still. */
  async check(): Promise<Outcome> {
    const look = (): Outcome | null => this.placeProblem() ?? this.forwardingProblem();
    // Only that nothing is missing is held: what is may be a device that is not known yet.
    const problem = this.tools.links.route.held(this, look) && look();
    if (problem !== null) return problem;
    return this.tools.rules.check(this.service);
  }

  /** After a stall the lifetimes may have run out: when the gate opens again, the addresses must be there. */
  gateOpened(): void {
    if (this.isActive && this.tools.nowMs() - this.renewedMs > RENEW_MS * 2) this.renew(true);
    if (this.isActive) this.connections.opened();
  }

  /** The gate was open, and was shut by an order. */
  gateShut(): void {
    this.shutMs = this.tools.nowMs();
  }

  /** Another switch has taken over for a changed service: takes away what only this one had, and is done. */
  leaveTo(successor: ServiceSwitch): void {
    this.isActive = false;
    this.close();
    try {
      this.removeAll(successor.service);
      if (!successor.isActive) return;
      // With the first address of a subnet the kernel may remove all others of it.
      successor.setAddresses();
      successor.setRoutes();
    } catch {
      // A device that went away: its addresses went with it, or run out by their lifetime.
    }
  }

  /** Stops renewing; what is in place stays until its lifetime ends. */
  close(): void {
    this.stopRenewing?.();
    this.stopRenewing = null;
    this.connections.cancel();
  }

  private lifetimeSeconds(): number {
    return Math.ceil(this.tools.leaseMs() / 1000) + LIFETIME_SLACK_SECONDS;
  }

  private setAddresses(): void {
    for (const { device, address, bytes } of this.placed) {
      const link = this.tools.links.fresh(device);
      if (link === null) throw new Error(`${device} does not exist`);
      if (address.family === 4) keepSecondaries(device);
      this.tools.links.route.setAddress(link.index, bytes, address.prefixLength, this.lifetimeSeconds());
    }
    this.renewedMs = this.tools.nowMs();
  }

  private setForwarding(): void {
    const { downlink, uplink } = this.service;
    const devices = [downlink.device, uplink.device];
    if (this.has(4)) for (const device of devices) writeSysctl(`ipv4/conf/${device}/forwarding`, '1');
    // IPv6 knows no forwarding of single devices.
    if (this.has(6)) writeSysctl('ipv6/conf/all/forwarding', '1');
  }

  private setRoutes(): void {
    const { links } = this.tools;
    const link = links.fresh(this.service.uplink.device);
    for (const hop of this.hops) if (link !== null) links.route.addDefaultRoute(link.index, hop);
  }

  /** Takes routes and addresses away, but for those that `successor` or another active service needs as well. */
  private removeAll(successor?: GatewayService): void {
    const { links, othersActive } = this.tools;
    const { device, nextHops } = this.service.uplink;
    const uplink = links.fresh(device);
    const kept = new Set(successor === undefined ? [] : placed(successor).map(placeOf));
    const sharing = [...othersActive(), ...(successor === undefined ? [] : [successor])];
    const keptHops = sharing.flatMap((s) => (s.uplink.device === device ? s.uplink.nextHops : []));
    for (const hop of nextHops) {
      const bytes = parseIp(hop)?.bytes;
      if (uplink !== null && bytes !== undefined && !keptHops.includes(hop))
        links.route.removeDefaultRoute(uplink.index, bytes);
    }
    for (const place of this.placed) {
      if (kept.has(placeOf(place))) continue;
      const link = links.fresh(place.device);
      if (link === null) continue;
      if (place.address.family === 4) keepSecondaries(place.device);
      links.route.removeAddress(link.index, place.bytes, place.address.prefixLength);
    }
  }

  /**
   * What was forwarded before the gate was shut, to a neighbour that did not answer since its cable was out, would leave when it
   * is in again, and be the word of a second gateway. With the uplink's device the kernel does so itself.
   */
  private dropWaiting(): void {
    const { links, othersActive } = this.tools;
    const { device } = this.service.downlink;
    const link = links.fresh(device);
    if (link !== null && !othersActive().some(({ downlink }) => downlink.device === device))
      links.route.dropWaiting(link.index);
  }

  private has(family: 4 | 6): boolean {
    return this.placed.some((p) => p.address.family === family);
  }

  /** The roving addresses that are on their devices now. */
  private present(): Placed[] {
    const there = this.tools.links.route.addresses();
    return this.placed.filter(({ device, bytes }) => {
      const index = this.indexOf(device);
      return there.some((a) => a.index === index && a.bytes.equals(bytes));
    });
  }

  private placeProblem(): Outcome | null {
    const there = this.present();
    const missing = this.placed.find((p) => !there.includes(p));
    if (missing !== undefined) return refuted(`${missing.address.address} is not on ${missing.device}`);
    const { device } = this.service.uplink;
    const index = this.indexOf(device);
    for (const hop of this.hops)
      if (index === undefined || !this.tools.links.route.hasDefaultRoute(index, hop))
        return refuted(`no default route by ${formatIp(hop)} on ${device}`);
    return null;
  }

  private indexOf(device: string): number | undefined {
    return this.tools.links.ear(device).link?.index;
  }

  private forwardingProblem(): Outcome | null {
    const { route } = this.tools.links;
    for (const device of [this.service.downlink.device, this.service.uplink.device])
      if (this.has(4) && route.forwarding(`ipv4/conf/${device}/forwarding`) !== '1')
        return refuted(`net.ipv4.conf.${device}.forwarding is off`);
    if (this.has(6) && route.forwarding('ipv6/conf/all/forwarding') !== '1')
      return refuted('net.ipv6.conf.all.forwarding is off');
    return null;
  }

  private keepRenewing(): void {
    this.stopRenewing ??= everyQuarters(4, () => this.renew(false));
  }

  /** After a stall that may have outlived the lifetimes, only an opened gate brings addresses back (`force`). */
  private renew(force: boolean): void {
    const stalled = this.tools.nowMs() - this.renewedMs > (this.lifetimeSeconds() - 1) * 1000;
    if (!this.isActive || (stalled && !force)) return;
    try {
      const wanted = force ? this.placed : this.present();
      for (const { device, address, bytes } of wanted) {
        const link = this.tools.links.ear(device).link;
        if (link !== null)
          this.tools.links.route.setAddress(link.index, bytes, address.prefixLength, this.lifetimeSeconds());
      }
      this.renewedMs = this.tools.nowMs();
    } catch {
      // A device that went away: checkServiceLocal says so.
    }
  }
}
