/** What this host shows of its network, for a configuration that is written for it. Reads only. */
import { hostname } from 'node:os';
import type { AddressPrefix } from '../linux/config.ts';
import { formatIp, isLinkLocal } from '../linux/ip.ts';
import { RouteSocket } from '../linux/rtnetlink.ts';
import { readSysctl } from '../linux/sysctl.ts';
import { uplinkFacts } from '../linux/uplink/facts.ts';
import { planUplink } from '../linux/uplink/planning.ts';
import { cardText, Sysfs } from '../linux/uplink/sysfs.ts';
import type { DraftKeys } from './config-draft.ts';

export interface DeviceFacts {
  readonly name: string;
  readonly up: boolean;
  readonly carrier: boolean;
  /** Without link-local ones. */
  readonly addresses: readonly AddressPrefix[];
  readonly hasIpv6: boolean;
}

export interface HostFacts {
  /** A valid name for a host, from its hostname; null: it gives none. */
  readonly name: string | null;
  /** Without the loopback. */
  readonly devices: readonly DeviceFacts[];
  /** In the kernel's order. */
  readonly defaultRoutes: readonly { readonly device: string; readonly gateway: string }[];
}

/** What the kernel tells by route netlink, without loopback and link-local addresses. Throws SystemCallError. */
export function hostFacts(): HostFacts {
  const route = new RouteSocket();
  try {
    const links = [...route.links().values()].filter(({ name }) => name !== 'lo');
    const addresses = route.addresses();
    const names = new Map(links.map(({ index, name }) => [index, name]));
    return {
      name: nameFrom(hostname()),
      devices: links.map(({ index, name, up, carrier }) => ({
        ...{ name, up, carrier },
        addresses: addresses
          .filter((a) => a.index === index && !isLinkLocal(a.bytes))
          .map(({ bytes, prefixLength }) => ({
            family: bytes.length === 4 ? (4 as const) : (6 as const),
            address: formatIp(bytes),
            prefixLength,
          })),
        hasIpv6: readSysctl(`ipv6/conf/${name}/disable_ipv6`) === '0',
      })),
      defaultRoutes: route.defaultRoutes().flatMap(({ index, gateway }) => {
        const device = index === undefined ? undefined : names.get(index);
        return device === undefined ? [] : [{ device, gateway: formatIp(gateway) }];
      }),
    };
  } finally {
    route.close();
  }
}

/** The first label of a name, in what a roster takes for one; null: nothing of it is left. */
export function nameFrom(text: string): string | null {
  const name = (text.split('.')[0] ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 32);
  return name === '' ? null : name;
}

/** How an uplink is best kept down, as `uplink plan` recommends it; null: the device is not here, or can be no uplink. */
export function recommendedUplink(device: string, sysfs = new Sysfs()): DraftKeys | null {
  const facts = uplinkFacts(device, null, sysfs);
  if (facts === null) return null;
  const { recommended } = planUplink(facts);
  if (recommended === null) return null;
  const { card, module, driver } = facts;
  const isAway = recommended === 'module' || recommended === 'unbind';
  return {
    activation: recommended,
    ...(isAway && card !== null ? { card: cardText(card) } : {}),
    ...(recommended === 'module' && module !== null ? { module } : {}),
    ...(recommended === 'unbind' && driver !== null ? { driver } : {}),
  };
}
