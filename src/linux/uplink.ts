/**
 * activateUplink and deactivateUplink for `admin`, and checkUplink. Invariants: an uplink is up only while some
 * service holds it; the next hop is asked from no roving address.
 */
import { type Patience, resolve, sourcesOf } from './asking.ts';
import type { GatewayService } from './config.ts';
import { formatIp, parseIp } from './ip.ts';
import { Lane } from './lane.ts';
import type { Links } from './links.ts';
import { confirmed, type Outcome, refuted, unknown } from './outcome.ts';
import { FOREVER, setLink } from './rtnetlink.ts';
import { writeSysctl } from './sysctl.ts';
import { textOf } from './tools.ts';

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

export class Uplinks {
  private readonly links: Links;
  /** Several services may share a device: raised for the first, lowered after the last. */
  private readonly holders = new Map<string, Set<string>>();
  private readonly lane = new Lane();

  constructor(links: Links) {
    this.links = links;
  }

  activate(service: GatewayService): Promise<Outcome> {
    return this.lane.run(() => this.raise(service));
  }

  deactivate(service: GatewayService): Promise<Outcome> {
    return this.lane.run(() => this.lower(service));
  }

  /** Whether a device is held up, by any service or by the named one. */
  holds(device: string, service?: string): boolean {
    const holders = this.holders.get(device);
    return service === undefined ? (holders?.size ?? 0) > 0 : (holders?.has(service) ?? false);
  }

  /** Any of the next hops answers; without any, a carrier is all that can be known. */
  async check(service: GatewayService, roving: ReadonlySet<string>, patience: Patience): Promise<Outcome> {
    const { device, nextHops } = service.uplink;
    const link = this.links.fresh(device);
    if (link === null) return refuted(`${device} does not exist`);
    if (!link.carrier) return refuted(link.up ? `${device} has no carrier` : `${device} is down`);
    if (nextHops.length === 0) return confirmed('there is a carrier, and no next hop to ask');
    const ear = this.links.ear(device);
    const sources = sourcesOf(this.links.addressesOn(device, roving, formatIp));
    const isOwn = (mac: Buffer): boolean => this.links.isOwn(mac);
    const asked = nextHops.map(async (hop) => {
      const target = parseIp(hop)?.bytes;
      if (target === undefined || (await resolve(ear, sources, target, patience, isOwn)) === null)
        throw new Error(`${hop} does not answer`);
      return confirmed(`${hop} answered`);
    });
    try {
      return await Promise.any(asked);
    } catch {
      return unknown(`${nextHops.join(', ')}: no answer`);
    }
  }

  private async raise(service: GatewayService): Promise<Outcome> {
    const { device, ownAddress } = service.uplink;
    let holders = this.holders.get(device);
    if (holders === undefined) {
      holders = new Set();
      this.holders.set(device, holders);
    }
    holders.add(service.name);
    try {
      if (!this.links.fresh(device)?.up) {
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
    const holders = this.holders.get(device);
    holders?.delete(service.name);
    if (this.holds(device)) return confirmed(`${device} is still used by ${[...(holders ?? [])].join(', ')}`);
    try {
      const link = this.links.fresh(device);
      const own = ownAddress === null ? null : parseIp(ownAddress.address);
      if (own !== null && ownAddress !== null && link !== null)
        this.links.route.removeAddress(link.index, own.bytes, ownAddress.prefixLength);
      if (link?.up) await setLink(device, false);
    } catch (error) {
      return unknown(textOf(error));
    }
    const now = this.links.fresh(device);
    if (now?.up) return unknown(`${device} is still up`);
    return confirmed(now === null ? `${device} is absent` : `${device} is down`);
  }
}
