/** From what a keepalived configuration says of VRRP to a draft of ours, with the commands that make the roster. Pure. */
import { OperatorError } from '../../trust/errors.ts';
import type { Draft, DraftKeys, DraftService } from '../config-draft.ts';
import { FILL_IN } from '../config-draft.ts';
import { type HostFacts, nameFrom } from '../host-facts.ts';
import type { Remarks } from './remarks.ts';
import { serviceOf } from './service.ts';
import { type Candidate, candidatesOf, type Sides, type SideWishes, sidesOf } from './sides.ts';
import { type Instance, isConntrackHook, type Vrrp } from './vrrp.ts';

export interface Wishes extends SideWishes {
  readonly cluster: string;
  readonly host: string;
  /** Where keys, roster and rules of ours lie. */
  readonly directory: string;
  readonly port: number;
}

/** What is known beside the file. */
export interface Surroundings {
  /** The file that was read, for the first line. */
  readonly file: string;
  /** Null: the file is another host's. */
  readonly facts: HostFacts | null;
  readonly recommended: (device: string) => DraftKeys | null;
}

export interface ConvertedService {
  readonly name: string;
  readonly instances: readonly {
    readonly name: string;
    readonly id: number | null;
    readonly priority: number;
  }[];
  readonly downlink: string | null;
  readonly uplink: string | null;
  readonly why: string | null;
}

export interface Conversion {
  readonly draft: Draft;
  /** To be typed where the admin key is, in this order. */
  readonly commands: readonly string[];
  readonly services: readonly ConvertedService[];
}

const INTERVAL_MIN_MS = 10;
const INTERVAL_MAX_MS = 60_000;

/** The draft, what is open in it, and the commands for the roster; what has no counterpart goes to `remarks`. Throws OperatorError where an address has no device, or no service one that was told. */
export function convert(vrrp: Vrrp, wishes: Wishes, around: Surroundings, remarks: Remarks): Conversion {
  const candidates = candidatesOf(vrrp, remarks);
  const sides = candidates.map((one) => sidesOf(one, wishes, around.facts));
  refuseUnused(wishes, candidates, sides);
  const names = serviceNames(candidates);
  const services = candidates.map((one, i) =>
    serviceOf(one, sides[i] ?? NO_SIDES, names[i] ?? '', {
      ...{ vrrp, around, remarks },
      apart: apartOf(candidates, names, i),
    }),
  );
  const links = linksOf(candidates, sides, wishes, around.facts, remarks);
  const priority = priorityOf(vrrp.instances, remarks);
  const commands = commandsOf(wishes, vrrp.instances, links, priority);
  return {
    draft: draftOf(vrrp, wishes, around, links, services, commands, remarks),
    commands,
    services: candidates.map((one, i) => ({
      name: names[i] ?? '',
      instances: one.instances.map(({ name, routerId, priority }) => ({ name, id: routerId, priority })),
      downlink: sides[i]?.downlink ?? null,
      uplink: sides[i]?.uplink ?? null,
      why: sides[i]?.why ?? null,
    })),
  };
}

/** A device that was told and is no service's would else be passed over without a word, and another one guessed. */
function refuseUnused(wishes: SideWishes, candidates: readonly Candidate[], sides: readonly Sides[]): void {
  const devices = [...new Set(candidates.flatMap(({ addresses }) => [...addresses.keys()]))];
  for (const side of ['uplink', 'downlink'] as const)
    if (wishes[side] !== null && !sides.some((one) => one[side] === wishes[side]))
      throw new OperatorError(
        `--${side} ${JSON.stringify(wishes[side])}: no service of the file can have it for its ${side}`,
        `the addresses in the file are on ${devices.join(', ')}`,
      );
}

const NO_SIDES: Sides = { downlink: null, uplink: null, why: null, others: [] };

function serviceNames(candidates: readonly Candidate[]): string[] {
  const names: string[] = [];
  for (const { name } of candidates) {
    const wanted = nameFrom(name.replaceAll('.', '-')) ?? 'service';
    let free = wanted;
    for (let n = 2; names.includes(free); n++) free = `${wanted.slice(0, 28)}-${n}`;
    names.push(free);
  }
  return names;
}

/** Services that another host would rather have, by the file's priorities or states. */
function apartOf(candidates: readonly Candidate[], names: readonly string[], at: number): string[] {
  const rank = (one: Candidate | undefined): string =>
    JSON.stringify([one?.instances[0]?.isMaster, one?.instances[0]?.priority]);
  return names.filter((_, i) => i !== at && rank(candidates[i]) !== rank(candidates[at]));
}

function priorityOf(instances: readonly Instance[], remarks: Remarks): number {
  const priority = Math.max(...instances.map((instance) => instance.priority));
  const other = instances.find((instance) => instance.priority !== priority);
  if (other !== undefined)
    remarks.add(
      other,
      'priority',
      `differs from that of other instances, and is one a host here: the highest, ${priority}, is kept`,
      'service.apart keeps services on different hosts while there are enough',
    );
  return priority;
}

interface Link {
  readonly device: string;
  /** Null: not known. */
  readonly listen: string | null;
  readonly peers: readonly string[];
}

/** The hosts talk over what VRRP talked over, but for uplinks, which are down at rest. */
function linksOf(
  candidates: readonly Candidate[],
  sides: readonly Sides[],
  { port }: Wishes,
  facts: HostFacts | null,
  remarks: Remarks,
): Link[] {
  const uplinks = new Set(sides.map(({ uplink }) => uplink));
  const instances = candidates.flatMap((one) => one.instances);
  for (const instance of instances)
    if (uplinks.has(instance.device) && (instance.source !== null || instance.peers.length > 0))
      remarks.add(
        instance,
        'unicast_peer',
        `of ${instance.name} is not used: ${instance.device} is the uplink, which is down at rest`,
        'the hosts find each other there by themselves once it is up (own_address where IPv6 is off)',
      );
  const wanted = [...sides.map(({ downlink }) => downlink), ...instances.map(({ device }) => device)];
  const devices = [...new Set(wanted)].filter((device) => device !== null && !uplinks.has(device));
  const roving = new Set(instances.flatMap(({ addresses }) => addresses.map(({ prefix }) => prefix.address)));
  return devices.slice(0, LINKS_MAX).map((device) => {
    const own = instances.filter((instance) => instance.device === device);
    const source = own.find((instance) => instance.source !== null)?.source ?? null;
    const found = facts?.devices.find(({ name }) => name === device)?.addresses;
    const free = found?.find(({ address }) => !roving.has(address))?.address ?? null;
    const ip = source ?? free;
    const peers = [...new Set(own.flatMap((instance) => instance.peers))];
    return { device: device ?? '', listen: ip === null ? null : endpoint(ip, port), peers };
  });
}

const LINKS_MAX = 8;

function endpoint(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

function commandsOf(
  { cluster, host, port }: Wishes,
  instances: readonly Instance[],
  links: readonly Link[],
  priority: number,
): string[] {
  const signed = '--roster roster.cose --admin-key admin.key';
  const own = links.map(({ listen }) => listen ?? `ADDRESS:${port}`).join(',') || `ADDRESS:${port}`;
  const peers = links.map((link) => link.peers);
  const count = Math.max(1, ...peers.map((list) => list.length));
  const others = Array.from({ length: count }, (_, i) => {
    const at = peers.map((list) => (list[i] === undefined ? `ADDRESS:${port}` : endpoint(list[i], port)));
    const address = at.join(',') || `ADDRESS:${port}`;
    return `portcullis cluster add HOST${i + 2} ${signed} --key HOST${i + 2}.key.pub --address ${address} --priority N`;
  });
  return [
    'portcullis key generate --out admin.key --passphrase',
    `portcullis cluster init ${cluster} --admin-key admin.key --out roster.cose`,
    `portcullis cluster add ${host} ${signed} --key ${host}.key.pub --address ${own} --priority ${instances.length > 0 ? priority : 100}`,
    ...others,
    `portcullis cluster bundle ${host} --roster roster.cose --out ${host}.bundle`,
  ];
}

/** This host's private key, where the units take it from, as a credential. */
export function keyFile(directory: string): string {
  return `${directory}/host.key`;
}

function intervalOf(instances: readonly Instance[], remarks: Remarks): number | null {
  const said = instances.filter((one) => one.intervalMs !== null);
  const [first] = said;
  if (first === undefined) return null;
  const shortest = Math.min(...said.map(({ intervalMs }) => intervalMs ?? 0));
  const kept = Math.min(Math.max(shortest, INTERVAL_MIN_MS), INTERVAL_MAX_MS);
  const differs = said.some(({ intervalMs }) => intervalMs !== kept);
  remarks.add(
    first,
    'advert_int',
    `becomes timing.interval, one for all services${differs ? `: the shortest that is possible, ${kept} ms` : ''}`,
    'without timing.interval it is 200ms, and a takeover is quicker',
  );
  return kept;
}

function draftOf(
  vrrp: Vrrp,
  { cluster, host, directory }: Wishes,
  { file }: Surroundings,
  links: readonly Link[],
  services: readonly DraftService[],
  commands: readonly string[],
  remarks: Remarks,
): Draft {
  const hooks = [...vrrp.instances, ...vrrp.groups].filter((one) => one.hooks.some(isConntrackHook));
  const [hooked] = hooks;
  if (hooked !== undefined)
    remarks.add(
      hooked,
      'notify_master',
      'and its like that switch conntrackd become the section [conntrackd]: it is done by itself',
      `portcullis conntrackd --config FILE --out ${directory}/conntrackd.conf, and portcullis-conntrackd.service`,
    );
  return {
    head: [
      `Made from ${file} by portcullis import keepalived.`,
      `What is marked ${FILL_IN} that file does not say; portcullis check --config FILE names it.`,
      '',
      `Each host makes its key (portcullis key generate --out ${keyFile(directory)}), and its public half goes to the admin’s machine as ${host}.key.pub. The roster keeps the priorities; there, once for all hosts but for the bundle, with the other hosts’ names, addresses and priorities:`,
      ...commands.map((command) => `    ${command}`),
    ],
    keys: {
      cluster,
      host,
      key: keyFile(directory),
      admin: `${directory}/admin.pub`,
      state: '/var/lib/portcullis',
      roster: `${directory}/roster.cose`,
      control: '/run/portcullis/control.sock',
      user: 'portcullis',
    },
    intervalMs: intervalOf(vrrp.instances, remarks),
    conntrackd: hooked === undefined ? null : { config: `${directory}/conntrackd.conf` },
    links: links.map(({ device, listen }, i) => ({
      name: nameFrom(device) ?? `link${i + 1}`,
      device,
      listen: listen ?? {
        example: '10.77.1.11:7946',
        why: `an address of this host alone on ${device}, as in the roster`,
      },
    })),
    services,
  };
}
