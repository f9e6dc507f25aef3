/**
 * activateService, deactivateService, checkServiceLocal: roving addresses, default routes, forwarding and rules.
 * Invariant: all is put in place behind the shut gate; the addresses carry a lifetime, so that they leave a host
 * whose daemon is dead, after the gate has long silenced it.
 */
import type { AddressPrefix, GatewayService } from './config.ts';
import { Connections } from './connections.ts';
import type { ConnectionSync } from './conntrackd.ts';
import { formatIp, parseIp } from './ip.ts';
import type { Links } from './links.ts';
import { confirmed, type Outcome, refuted, unknown } from './outcome.ts';
import type { Rules } from './rules.ts';
import { readSysctl, writeSysctl } from './sysctl.ts';
import { textOf } from './tools.ts';

const RENEW_MS = 1000;
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
  private timer: NodeJS.Timeout | null = null;
  private readonly connections: Connections;

  constructor(service: GatewayService, tools: ServiceTools) {
    this.service = service;
    this.tools = tools;
    this.connections = new Connections(
      placed(service).map(({ bytes }) => bytes),
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
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    let problem: string | null = null;
    try {
      this.removeAll();
    } catch (error) {
      problem = textOf(error);
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
    const problem = this.placeProblem() ?? this.forwardingProblem();
    if (problem !== null) return problem;
    return this.tools.rules.check(this.service);
  }

  /** After a stall the lifetimes may have run out: when the gate opens again, the addresses must be there. */
  gateOpened(): void {
    if (this.isActive && this.tools.nowMs() - this.renewedMs > RENEW_MS * 2) this.renew(true);
    if (this.isActive) this.connections.opened();
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
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    this.connections.cancel();
  }

  private lifetimeSeconds(): number {
    return Math.ceil(this.tools.leaseMs() / 1000) + LIFETIME_SLACK_SECONDS;
  }

  private setAddresses(): void {
    for (const { device, address, bytes } of placed(this.service)) {
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
    for (const hop of this.hops()) if (link !== null) links.route.addDefaultRoute(link.index, hop);
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
    for (const place of placed(this.service)) {
      if (kept.has(placeOf(place))) continue;
      const link = links.fresh(place.device);
      if (link === null) continue;
      if (place.address.family === 4) keepSecondaries(place.device);
      links.route.removeAddress(link.index, place.bytes, place.address.prefixLength);
    }
  }

  private hops(): Buffer[] {
    return this.service.uplink.nextHops.flatMap((hop) => parseIp(hop)?.bytes ?? []);
  }

  private has(family: 4 | 6): boolean {
    return placed(this.service).some((p) => p.address.family === family);
  }

  /** The roving addresses that are on their devices now. */
  private present(): Placed[] {
    const there = new Set(this.tools.links.route.addresses().map((a) => `${a.index} ${formatIp(a.bytes)}`));
    return placed(this.service).filter(({ device, bytes }) => {
      const index = this.tools.links.ear(device).link?.index;
      return index !== undefined && there.has(`${index} ${formatIp(bytes)}`);
    });
  }

  private placeProblem(): Outcome | null {
    const { links } = this.tools;
    const there = this.present();
    for (const p of placed(this.service))
      if (!there.some((t) => t.device === p.device && t.bytes.equals(p.bytes)))
        return refuted(`${p.address.address} is not on ${p.device}`);
    const { device, nextHops } = this.service.uplink;
    const index = links.ear(device).link?.index;
    for (const hop of nextHops) {
      const bytes = parseIp(hop)?.bytes;
      if (bytes === undefined) continue;
      if (index === undefined || !links.route.hasDefaultRoute(index, bytes))
        return refuted(`no default route by ${hop} on ${device}`);
    }
    return null;
  }

  private forwardingProblem(): Outcome | null {
    for (const device of [this.service.downlink.device, this.service.uplink.device])
      if (this.has(4) && readSysctl(`ipv4/conf/${device}/forwarding`) !== '1')
        return refuted(`net.ipv4.conf.${device}.forwarding is off`);
    if (this.has(6) && readSysctl('ipv6/conf/all/forwarding') !== '1')
      return refuted('net.ipv6.conf.all.forwarding is off');
    return null;
  }

  private keepRenewing(): void {
    if (this.timer === null) this.timer = setInterval(() => this.renew(false), RENEW_MS);
  }

  /** After a stall that may have outlived the lifetimes, only an opened gate brings addresses back (`force`). */
  private renew(force: boolean): void {
    const stalled = this.tools.nowMs() - this.renewedMs > (this.lifetimeSeconds() - 1) * 1000;
    if (!this.isActive || (stalled && !force)) return;
    try {
      const wanted = force ? placed(this.service) : this.present();
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
