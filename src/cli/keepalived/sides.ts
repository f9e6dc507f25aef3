/**
 * Which instances of VRRP are one service, and which of its devices is the uplink. keepalived does not know the word: it is
 * told from default routes, addresses and names, or by the operator, and where nothing tells it that is said. Pure.
 */
import { canonicalIp, inNetwork } from '../../daemon/config/address.ts';
import type { HostFacts } from '../host-facts.ts';
import type { VirtualAddress } from './addresses.ts';
import type { Remarks } from './remarks.ts';
import { type Place, refuse } from './source.ts';
import type { Group, Instance, Vrrp } from './vrrp.ts';

/** Instances that move as one. */
export interface Candidate extends Place {
  readonly name: string;
  readonly instances: readonly Instance[];
  /** Null: no group, one instance or two that were put together. */
  readonly group: Group | null;
  /** By device, in the file's order. */
  readonly addresses: ReadonlyMap<string, readonly VirtualAddress[]>;
}

export interface Sides {
  /** Null: not told by the file. */
  readonly downlink: string | null;
  readonly uplink: string | null;
  /** Why that one is the uplink; null: it is a guess. */
  readonly why: string | null;
  /** Devices that have no place in one service. */
  readonly others: readonly string[];
}

export interface SideWishes {
  readonly downlink: string | null;
  readonly uplink: string | null;
}

/** Throws OperatorError where an address has no device. */
export function candidatesOf({ instances, groups }: Vrrp, remarks: Remarks): Candidate[] {
  const out: Candidate[] = [];
  const taken = new Set<string>();
  for (const group of groups) {
    const members = instances.filter(({ name }) => group.members.includes(name) && !taken.has(name));
    for (const { name } of members) taken.add(name);
    if (members.length > 0) out.push(candidate(group.name, group, members, group));
  }
  const alone = instances.filter(({ name }) => !taken.has(name));
  // In a file with groups, what is in none was left out on purpose.
  const parts = out.length > 0 ? alone.map((one) => [one]) : byRole(alone);
  for (const part of parts) {
    const [first, second] = part;
    if (first === undefined) continue;
    if (second !== undefined)
      remarks.add(
        second,
        'vrrp_instance',
        `${part.map(({ name }) => name).join(' and ')} are taken as one gateway, as if they stood in a vrrp_sync_group`,
        'where they are services of their own, write one for each',
      );
    out.push(candidate(first.name, first, part, null));
  }
  return out;
}

/** Instances of one state and priority that can be meant together: two sides of a gateway, or two families of addresses. */
function byRole(instances: readonly Instance[]): Instance[][] {
  const roles = new Map<string, Instance[]>();
  for (const one of instances) {
    const role = JSON.stringify([one.isMaster, one.priority]);
    roles.set(role, [...(roles.get(role) ?? []), one]);
  }
  return [...roles.values()].flatMap((part) => (isOneGateway(part) ? [part] : part.map((one) => [one])));
}

function isOneGateway(part: readonly Instance[]): boolean {
  const devices = new Set(part.flatMap(devicesOf));
  const places = part.map((one) => {
    const families = new Set(one.addresses.map(({ prefix }) => prefix.family));
    return JSON.stringify([devicesOf(one), [...families].sort()]);
  });
  // Two of them in the same place are two routers of VRRP there, on purpose.
  return part.length > 1 && devices.size <= 2 && new Set(places).size === places.length;
}

function devicesOf(instance: Instance): string[] {
  return [...candidate(instance.name, instance, [instance], null).addresses.keys()].sort();
}

function candidate(
  name: string,
  { file, line }: Place,
  instances: readonly Instance[],
  group: Group | null,
): Candidate {
  const addresses = new Map<string, VirtualAddress[]>();
  const seen = new Set<string>();
  for (const instance of instances)
    for (const address of instance.addresses) {
      const device = address.device ?? instance.device;
      if (device === null)
        refuse(
          address,
          `vrrp_instance ${instance.name} says no interface, and this address no dev`,
          'add one of them',
        );
      const list = addresses.get(device) ?? [];
      addresses.set(device, list);
      const place = JSON.stringify([device, address.prefix.address]);
      if (!seen.has(place)) list.push(address);
      seen.add(place);
    }
  return { file, line, name, instances, group, addresses };
}

/** `facts` null: the file is not this host's. */
export function sidesOf(one: Candidate, wishes: SideWishes, facts: HostFacts | null): Sides {
  const devices = [...one.addresses.keys()];
  const [first = null, second = null] = devices;
  if (devices.length < 2) {
    const isUplink = first !== null && first === wishes.uplink;
    return {
      downlink: isUplink ? wishes.downlink : (first ?? wishes.downlink),
      uplink: isUplink ? first : wishes.uplink,
      why: wishes.uplink === null ? null : 'as it was told',
      others: [],
    };
  }
  const told = devices.filter((device) => device === wishes.uplink);
  const beside =
    wishes.downlink !== null && devices.length === 2 ? devices.filter((d) => d !== wishes.downlink) : [];
  const tests: readonly (readonly [string, readonly string[]])[] = [
    ['as it was told', told],
    ['the other one was told to be the downlink', beside.length === 1 ? beside : []],
    ['the default route of the file leaves there', routed(one)],
    ['this host’s default route leaves there', (facts?.defaultRoutes ?? []).map(({ device }) => device)],
    ['its addresses alone are public', onlyPublic(one)],
    ['its name says so', named(one)],
  ];
  for (const [why, found] of tests) {
    const uplink = devices.find((device) => found.includes(device) && device !== wishes.downlink);
    if (uplink === undefined) continue;
    const rest = devices.filter((device) => device !== uplink);
    const downlink = rest.find((device) => device === wishes.downlink) ?? largest(rest, one);
    return { downlink, uplink, why, others: rest.filter((device) => device !== downlink) };
  }
  return { downlink: first, uplink: second, why: null, others: devices.slice(2) };
}

function largest(devices: readonly string[], { addresses }: Candidate): string | null {
  const count = (device: string): number => addresses.get(device)?.length ?? 0;
  return devices.reduce<string | null>(
    (best, device) => (best === null || count(device) > count(best) ? device : best),
    null,
  );
}

/** What a network is commonly: where no length is written, a router within as much is near. */
const NEAR = { 4: 24, 6: 64 } as const;

function routed({ instances, addresses }: Candidate): string[] {
  return instances.flatMap(({ routes }) =>
    routes.flatMap(({ gateway, device }) => {
      if (device !== null) return [device];
      const ip = canonicalIp(gateway);
      if (ip === null) return [];
      const near = [...addresses].find(([, list]) =>
        list.some(({ prefix, isBare }) =>
          inNetwork(ip, isBare ? { ...prefix, prefixLength: NEAR[prefix.family] } : prefix),
        ),
      );
      return near === undefined ? [] : [near[0]];
    }),
  );
}

/** RFC 1918, 6598, 3927, 4193, 4291: what is not routed in the open network. */
const PRIVATE = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
];

function isPrivate({ prefix }: VirtualAddress): boolean {
  return PRIVATE.some((network) => {
    const [address = '', length = ''] = network.split('/');
    const ip = canonicalIp(address);
    return ip !== null && inNetwork(prefix, { ...ip, prefixLength: Number(length) });
  });
}

function onlyPublic({ addresses }: Candidate): string[] {
  const open = [...addresses].filter(([, list]) => list.some((address) => !isPrivate(address)));
  return open.length === 1 ? open.map(([device]) => device) : [];
}

const OUTER = new Set([
  ...['wan', 'up', 'uplink', 'ext', 'extern', 'external', 'out', 'outer', 'outside', 'outbound'],
  ...['pub', 'public', 'inet', 'internet', 'isp', 'untrust', 'ppp'],
]);
const INNER = new Set([
  ...['lan', 'in', 'int', 'intern', 'internal', 'inner', 'inside', 'inbound'],
  ...['pvt', 'priv', 'private', 'dmz', 'trust', 'local', 'br'],
]);

/** By the names of devices, and of instances that have all their addresses there. */
function named({ addresses, instances }: Candidate): string[] {
  const devices = [...addresses.keys()];
  const says = (device: string, words: ReadonlySet<string>): boolean => {
    const own = instances.filter((one) => one.addresses.every((a) => (a.device ?? one.device) === device));
    const names = [device, ...own.map(({ name }) => name)];
    return names.some((name) =>
      name
        .toLowerCase()
        .split(/[^a-z]+/)
        .some((word) => words.has(word)),
    );
  };
  const outer = devices.filter((device) => says(device, OUTER));
  if (outer.length === 1) return outer;
  const other = devices.filter((device) => !says(device, INNER));
  return devices.length > 1 && other.length === 1 ? other : [];
}
