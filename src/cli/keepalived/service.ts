/** One service of ours from the instances of VRRP that move as one. Pure. */
import { printable } from '../../audit/words.ts';
import { canonicalIp, inNetwork } from '../../daemon/config/address.ts';
import { durationText } from '../../daemon/config/duration.ts';
import type { AddressPrefix } from '../../linux/config.ts';
import type { Blank, DraftKeys, DraftService } from '../config-draft.ts';
import type { HostFacts } from '../host-facts.ts';
import type { VirtualAddress } from './addresses.ts';
import type { Surroundings } from './conversion.ts';
import type { Remarks } from './remarks.ts';
import type { Candidate, Sides } from './sides.ts';
import type { Tracked, Vrrp } from './vrrp.ts';

const ADDRESSES_MAX = 16;
const PREEMPT_MIN_MS = 1000;

export interface ServiceContext {
  readonly vrrp: Vrrp;
  readonly around: Surroundings;
  readonly remarks: Remarks;
  /** Services that go to other hosts. */
  readonly apart: readonly string[];
}

/** The service for instances that move as one, with what is open in it; `name` is its own among all. */
export function serviceOf(one: Candidate, sides: Sides, name: string, context: ServiceContext): DraftService {
  const { around, apart } = context;
  // Each link has an address of each of them.
  const peers = Math.max(...one.instances.map((instance) => new Set(instance.peers).size));
  const delay = preemptOf(one, context.remarks);
  const uplink = uplinkOf(one, sides, context);
  return {
    notes: notesOf(one, sides, context),
    keys: {
      name,
      // Two hosts as VRRP has them take over without a majority; three can have one.
      policy: peers >= 2 ? 'quorum' : 'available',
      ...(delay === null ? {} : { preempt_delay: delay }),
      ...(apart.length === 0 ? {} : { apart: [...apart] }),
    },
    downlink: {
      device: sides.downlink ?? blank('eth0', 'the device of the own domain'),
      addresses: sideAddresses(one, sides.downlink, around.facts, context) ?? blank(['10.77.1.1/24'], ROVING),
    },
    uplink,
    firewall: {},
    procedures: {},
  };
}

const ROVING = 'the addresses that move with the service on this side';

function blank(example: string | readonly string[], why: string): Blank {
  return { example, why };
}

function uplinkOf(one: Candidate, sides: Sides, context: ServiceContext): DraftKeys {
  const { around, remarks } = context;
  const { uplink, why } = sides;
  if (uplink === null || !one.addresses.has(uplink)) {
    remarks.add(
      one,
      'vrrp_instance',
      `${one.name} has addresses on one link alone; a service here is a gateway between two`,
      'write the uplink’s device, addresses and next hop, or --uplink DEVICE; what has no second link is better left to keepalived',
    );
  }
  const addresses = sideAddresses(one, uplink, around.facts, context);
  const known = addresses?.flatMap((text) => prefixOf(text) ?? []) ?? [];
  const isWhole = known.some(({ family, prefixLength }) => prefixLength < (family === 4 ? 32 : 128));
  const hops = nextHops(one, uplink, known, around.facts);
  const gateway = one.instances.flatMap(({ routes }) => routes)[0]?.gateway;
  const recommended = uplink === null ? null : around.recommended(uplink);
  const doubt = blank(
    'admin',
    uplink === null
      ? 'as portcullis uplink plan DEVICE recommends it'
      : `say it when it is sure that ${uplink} is the uplink: nothing in the file tells it`,
  );
  return {
    device: uplink ?? blank('up0', 'the device of the foreign domain: down unless this host serves'),
    ...(why === null || uplink === null ? { activation: doubt } : (recommended ?? { activation: 'admin' })),
    addresses:
      addresses === null
        ? blank(['203.0.113.1/24'], ROVING)
        : isWhole
          ? addresses
          : blank(addresses, 'with the length of the uplink’s network: the file has none'),
    next_hop: hops.length > 0 ? hops : blank(gateway ?? '203.0.113.254', 'the router beyond the uplink'),
  };
}

function prefixOf(text: string): AddressPrefix | null {
  const [address = '', length = ''] = text.split('/');
  const ip = canonicalIp(address);
  return ip === null ? null : { ...ip, prefixLength: Number(length) };
}

/** Null: there are none. */
function sideAddresses(
  one: Candidate,
  device: string | null,
  facts: HostFacts | null,
  { remarks }: ServiceContext,
): string[] | null {
  const found = device === null ? [] : (one.addresses.get(device) ?? []);
  if (found.length === 0) return null;
  const [, tooMany] = [found[ADDRESSES_MAX - 1], found[ADDRESSES_MAX]];
  if (tooMany !== undefined)
    remarks.add(
      tooMany,
      'virtual_ipaddress',
      `has ${found.length} addresses on ${device}; a service has at most ${ADDRESSES_MAX} a side: the others are left out`,
      'write a second service `together` with this one, with addresses of its own on both sides',
    );
  return found.slice(0, ADDRESSES_MAX).map((address) => withLength(address, device, found, facts, remarks));
}

/** An address without a length has that of a network that it lies in, where one is known. */
function withLength(
  { prefix, isBare, file, line }: VirtualAddress,
  device: string | null,
  beside: readonly VirtualAddress[],
  facts: HostFacts | null,
  remarks: Remarks,
): string {
  const own = facts?.devices.find(({ name }) => name === device)?.addresses ?? [];
  const networks = [...own, ...beside.filter((other) => !other.isBare).map((other) => other.prefix)];
  const network = isBare ? networks.find((candidate) => inNetwork(prefix, candidate)) : undefined;
  if (isBare && network === undefined)
    remarks.add(
      { file, line },
      'virtual_ipaddress',
      'has single addresses (/32, /128, or no length), which do not tell their network',
      'write the length of the network',
    );
  return `${prefix.address}/${network?.prefixLength ?? prefix.prefixLength}`;
}

/** At most one a family, each within a network of the uplink's addresses. */
function nextHops(
  { instances }: Candidate,
  uplink: string | null,
  addresses: readonly AddressPrefix[],
  facts: HostFacts | null,
): string[] {
  const written = instances.flatMap(({ routes }) => routes.map(({ gateway }) => gateway));
  const here = (facts?.defaultRoutes ?? []).filter(({ device }) => device === uplink);
  const out: { family: 4 | 6; address: string }[] = [];
  for (const text of [...written, ...here.map(({ gateway }) => gateway)]) {
    const ip = canonicalIp(text);
    if (ip === null || out.some(({ family }) => family === ip.family)) continue;
    const isNear = addresses.some((a) => a.address !== ip.address && inNetwork(ip, a));
    if (isNear || /^fe[89ab]/.test(ip.address)) out.push(ip);
  }
  return out.map(({ address }) => address);
}

/** As text; null: never. */
function preemptOf({ instances }: Candidate, remarks: Remarks): string | null {
  if (instances.some(({ preempts }) => !preempts)) return null;
  const delays = instances.flatMap(({ preemptDelayMs }) => preemptDelayMs ?? []);
  if (delays.length > 0) return durationText(Math.max(PREEMPT_MIN_MS, ...delays));
  const [first] = instances;
  if (first !== undefined)
    remarks.add(
      first,
      'preempt',
      'is what keepalived does unless told nopreempt; here a host of higher priority takes nothing back by itself',
      'write preempt_delay = "60s" (or what you like) under [[service]] where it shall',
    );
  return null;
}

function notesOf(one: Candidate, sides: Sides, { vrrp, remarks }: ServiceContext): string[] {
  const { instances, group } = one;
  const notes = instances.map(({ name, routerId, priority, device }) => {
    const id = routerId === null ? '' : `virtual_router_id ${routerId}, `;
    return `vrrp_instance ${name}: ${id}priority ${priority}, interface ${device ?? 'none'}`;
  });
  if (group !== null) notes.unshift(`vrrp_sync_group ${group.name}`);
  const { uplink, why, others } = sides;
  if (uplink !== null && why !== null && one.addresses.size > 1)
    notes.push(`${uplink} is taken for the uplink: ${why}.`);
  for (const device of others) {
    const [first] = one.addresses.get(device) ?? [];
    if (first !== undefined)
      remarks.add(
        first,
        'virtual_ipaddress',
        `on ${device}: a service has one downlink and one uplink, so that these addresses are left out`,
        'make it a service of its own, `together` with this one, with an address of its own on the uplink',
      );
  }
  const tracked = [...(group?.trackedScripts ?? []), ...instances.flatMap((one) => one.trackedScripts)];
  for (const script of uniqueByName(tracked)) notes.push(...scriptNote(script, vrrp, remarks));
  const devices = [...(group?.trackedDevices ?? []), ...instances.flatMap((one) => one.trackedDevices)];
  for (const { name, weight, file, line } of uniqueByName(devices)) {
    if (weight !== null && weight !== 0) toldWeight({ file, line }, remarks);
    if (name !== uplink && name !== sides.downlink)
      remarks.add(
        { file, line },
        'track_interface',
        `${name} is neither side of the service, and is not looked at`,
        'write a program that ends with 0 while it is well, as procedure checkServiceLocal',
      );
  }
  return notes;
}

function uniqueByName(all: readonly Tracked[]): Tracked[] {
  return [...new Map(all.map((one) => [one.name, one])).values()];
}

function toldWeight(place: { file: string; line: number }, remarks: Remarks): void {
  remarks.add(
    place,
    'weight',
    'has no counterpart: no test moves a priority; what fails makes the host unfit',
    'where it is about load, see [load] and [service.feedback]',
  );
}

function scriptNote({ name, weight, file, line }: Tracked, { scripts }: Vrrp, remarks: Remarks): string[] {
  const script = scripts.find((one) => one.name === name);
  if (script === undefined) {
    remarks.add({ file, line }, 'track_script', `names ${name}, which is no vrrp_script of this file`);
    return [];
  }
  if ((weight ?? script.weight) !== 0) toldWeight({ file, line }, remarks);
  remarks.add(
    script,
    'vrrp_script',
    'is not carried over by itself: a program as checkServiceLocal replaces the built-in test of addresses, routes and rules',
    'write a program that makes both tests, for [service.procedures]; or have the others ask, with [service.remote]',
  );
  // Its arguments may hold a pass word.
  const [program = '', ...more] = (script.command ?? '').trim().split(/\s+/);
  const ran = `${printable(program.slice(0, 200))}${more.length > 0 ? ' ...' : ''}`;
  return [`vrrp_script ${name} ran each ${durationText(script.intervalMs)}: ${ran}`];
}
