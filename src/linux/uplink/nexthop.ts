/** checkUplink: whether a next hop answers. It is asked from no roving address. */
import { type Patience, resolve, sourcesOf } from '../asking.ts';
import type { GatewayService } from '../config.ts';
import { parseIp } from '../ip.ts';
import type { Links } from '../links.ts';
import { confirmed, type Outcome, refuted, unknown } from '../outcome.ts';

/** Any of the next hops answers; without any, a carrier is all that can be known. */
export async function checkNextHop(
  links: Links,
  service: GatewayService,
  roving: ReadonlySet<string>,
  patience: Patience,
): Promise<Outcome> {
  const { device, nextHops } = service.uplink;
  const link = links.fresh(device);
  if (link === null) return refuted(`${device} does not exist`);
  if (!link.carrier) return refuted(link.up ? `${device} has no carrier` : `${device} is down`);
  if (nextHops.length === 0) return confirmed('there is a carrier, and no next hop to ask');
  const ear = links.ear(device);
  const sources = sourcesOf(links.addressesOn(device, roving));
  const isOwn = (mac: Buffer): boolean => links.isOwn(mac);
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
