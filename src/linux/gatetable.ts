/**
 * The text of the gate's two nftables tables, from the configuration. They only ever drop: with no lease element
 * in a service's set, nothing of that service is forwarded, answered or sent with its roving addresses.
 * The host's own words (cluster port, probes from addresses that do not rove) match no rule here. A packet finds its
 * service by one look into a map, however many there are.
 */
import type { ActuatorConfig, AddressPrefix, GatewayService } from './config.ts';
import { parseIp } from './ip.ts';

export const TABLE_PREFIX = 'portcullis_';
export const LEASE_PREFIX = 'lease_';
export const TALK_PREFIX = 'talk_';

/** `portcullis_CLUSTER`: one table name for both families. Names are [a-z0-9-] by configuration; others become `_`. */
export function tableName(config: ActuatorConfig): string {
  return `${TABLE_PREFIX}${config.cluster.replace(/[^a-z0-9]/g, '_')}`;
}

/** The set that holds a service's lease. Service names have no underscore, so that no two sets share a name. */
export function leaseSet(service: string): string {
  return `${LEASE_PREFIX}${service.replace(/[^a-z0-9]/g, '_')}`;
}

/**
 * The set that holds an element while the host may forward at all. It counts where there are no standby rules, which would
 * say so themselves: then one set of rules stands all the time, and coming and going is one element.
 */
export const SERVING_SET = 'serving';

/** The set that holds the leave to talk on an uplink. Devices may have any characters, sets may not. */
export function talkSet(device: string): string {
  return `${TALK_PREFIX}${hex(device)}`;
}

function hex(text: string): string {
  return Buffer.from(text).toString('hex');
}

type Family = 'inet' | 'arp';

/** What an open lease holds an element of, in each family; a lookup of it is true while the lease runs. */
const LOOKUP = { inet: 'meta nfproto', arp: 'arp operation' } as const;
const SET_TYPE = { inet: 'nf_proto', arp: 'arp_op' } as const;

interface Chain {
  readonly name: string;
  /** Of a base chain; null: it is jumped to. */
  readonly hook: string | null;
  readonly rules: readonly string[];
}
interface Table {
  readonly family: Family;
  readonly sets: readonly string[];
  readonly chains: readonly Chain[];
}

function uplinks(config: ActuatorConfig): string[] {
  return [...new Set(config.services.map((s) => s.uplink.device))];
}

function sharers(config: ActuatorConfig, uplink: string): GatewayService[] {
  return config.services.filter((s) => s.uplink.device === uplink);
}

function roving(service: GatewayService, family: 4 | 6): string[] {
  const all: AddressPrefix[] = [...service.downlink.addresses, ...service.uplink.addresses];
  return [...new Set(all.filter((a) => a.family === family).map((a) => a.address))];
}

/** Returns to where it was jumped from while any of these sets has an element; drops otherwise. */
function dropUnless(name: string, family: Family, sets: readonly string[]): Chain {
  return { name, hook: null, rules: [...sets.map((set) => `${LOOKUP[family]} @${set} return`), 'drop'] };
}

const shut = (service: GatewayService): string => `shut_${leaseSet(service.name).slice(LEASE_PREFIX.length)}`;
const shutUplink = (device: string): string => `uplink_${hex(device)}`;
const muteUplink = (device: string): string => `mute_${hex(device)}`;
const leases = (services: readonly GatewayService[]): string[] => services.map((s) => leaseSet(s.name));

/** `KEY vmap { VALUE : jump CHAIN, .. }`; no rule at all without entries. */
function jumps(key: string, entries: readonly (readonly [value: string, chain: string])[]): string[] {
  if (entries.length === 0) return [];
  return [`${key} vmap { ${entries.map(([value, chain]) => `${value} : jump ${chain}`).join(', ')} }`];
}

function byAddress(services: readonly GatewayService[], family: 4 | 6): [string, string][] {
  return services.flatMap((s) => roving(s, family).map((address): [string, string] => [address, shut(s)]));
}

/** The services whose uplink and downlink are another's too: no packet's devices tell them apart. */
function paired(config: ActuatorConfig): GatewayService[] {
  const pair = (s: GatewayService): string => `${s.uplink.device} ${s.downlink.device}`;
  return config.services.filter((s) => config.services.some((o) => o !== s && pair(o) === pair(s)));
}

/**
 * Forwarding from and to each uplink. An uplink that several services share is open while one of them has its
 * lease, but between it and a downlink of its own only that service's lease counts, and a flow that is translated
 * from or to a roving address is that service's alone.
 */
function forwarding(config: ActuatorConfig): { rules: string[]; chains: Chain[] } {
  const rules: string[] = [];
  const chains: Chain[] = [];
  const both: [string, string][] = [];
  for (const uplink of uplinks(config)) {
    const sharing = sharers(config, uplink);
    chains.push(dropUnless(shutUplink(uplink), 'inet', leases(sharing)));
    for (const downlink of new Set(sharing.map((s) => s.downlink.device))) {
      const pair = sharing.filter((s) => s.downlink.device === downlink);
      if (pair.length === sharing.length) continue;
      const name = `pair_${hex(uplink)}_${hex(downlink)}`;
      chains.push(dropUnless(name, 'inet', leases(pair)));
      both.push([`"${uplink}" . "${downlink}"`, name], [`"${downlink}" . "${uplink}"`, name]);
    }
  }
  const one = uplinks(config).map((device): [string, string] => [`"${device}"`, shutUplink(device)]);
  rules.push(...jumps('iifname', one), ...jumps('oifname', one), ...jumps('iifname . oifname', both));
  for (const [family, word] of [
    [4, 'ip'],
    [6, 'ip6'],
  ] as const) {
    const addresses = byAddress(paired(config), family);
    rules.push(
      ...jumps(`ct status dnat ct original ${word} daddr`, addresses),
      ...jumps(`ct status snat ct reply ${word} daddr`, addresses),
    );
  }
  return { rules, chains };
}

/** Nothing is forwarded on standby: of each family with rules and without standby rules. */
function standby({ services }: ActuatorConfig): string[] {
  const isCut = {
    ipv4: services.some(({ firewall: f }) => f.rules !== null && f.standbyRules === null),
    ipv6: services.some(({ firewall: f }) => f.rules6 !== null && f.standbyRules6 === null),
  };
  return (['ipv4', 'ipv6'] as const)
    .filter((family) => isCut[family])
    .map((family) => `meta nfproto ${family} meta nfproto != @${SERVING_SET} drop`);
}

/** No word of the kernel's own on an uplink nobody holds. */
function muted(config: ActuatorConfig, family: Family): { rules: string[]; chains: Chain[] } {
  const chains = uplinks(config).map((device) =>
    dropUnless(muteUplink(device), family, [talkSet(device), ...leases(sharers(config, device))]),
  );
  const entries = uplinks(config).map((device): [string, string] => [`"${device}"`, muteUplink(device)]);
  return { rules: jumps('oifname', entries), chains };
}

/** What is said with a roving address as source, or tells where one is. */
function sent({ services }: ActuatorConfig): { rules: string[]; chains: Chain[] } {
  // The target of a neighbour advertisement lies 8 bytes into ICMPv6 (RFC 4861, 4.4); nft 1.0.6 has no word for it.
  const targets = byAddress(services, 6).map(([address, chain]): [string, string] => [
    `0x${Buffer.from(parseIp(address)?.bytes ?? []).toString('hex')}`,
    chain,
  ]);
  const adverts: Chain = { name: 'adverts', hook: null, rules: jumps('@th,64,128', targets) };
  return {
    rules: [
      ...jumps('ip saddr', byAddress(services, 4)),
      ...jumps('ip6 saddr', byAddress(services, 6)),
      ...(targets.length > 0 ? ['icmpv6 type nd-neighbor-advert jump adverts'] : []),
    ],
    chains: targets.length > 0 ? [adverts] : [],
  };
}

function tables(config: ActuatorConfig): Table[] {
  const { services } = config;
  const sets = [SERVING_SET, ...leases(services), ...uplinks(config).map(talkSet)];
  const own = (family: Family): Chain[] =>
    services.map((s) => dropUnless(shut(s), family, [leaseSet(s.name)]));
  const forward = forwarding(config);
  const quiet = muted(config, 'inet');
  const said = sent(config);
  const quietArp = muted(config, 'arp');
  const arp = jumps('arp saddr ip', byAddress(services, 4));
  return [
    {
      family: 'inet',
      sets,
      chains: [
        ...[...own('inet'), ...forward.chains, ...quiet.chains, ...said.chains],
        {
          name: 'forward',
          hook: 'type filter hook forward priority -310',
          rules: [...standby(config), ...forward.rules],
        },
        // After source NAT (priority 100): masquerading may give a packet of the host's own a roving source.
        {
          name: 'sent',
          hook: 'type filter hook postrouting priority 300',
          rules: [...quiet.rules, ...said.rules],
        },
      ],
    },
    {
      family: 'arp',
      sets,
      chains: [
        ...[...own('arp'), ...quietArp.chains],
        {
          name: 'output',
          hook: 'type filter hook output priority -310',
          rules: [...quietArp.rules, ...arp],
        },
      ],
    },
  ];
}

function setText(family: Family, set: string): string[] {
  return [`set ${set} {`, `type ${SET_TYPE[family]}`, 'flags timeout', '}'];
}

function chainText({ name, hook, rules }: Chain): string[] {
  return [`chain ${name} {`, ...(hook === null ? [] : [hook]), ...rules, '}'];
}

function tableText(name: string, { family, sets, chains }: Table): string[] {
  return [
    ...[`table ${family} ${name} {`, ...sets.flatMap((set) => setText(family, set))],
    ...[...chains.flatMap(chainText), '}'],
  ];
}

/** Replaces both tables by new, shut ones in one transaction of `nft -f -`. */
export function gateTables(config: ActuatorConfig): string {
  const name = tableName(config);
  const lines: string[] = [];
  for (const family of ['inet', 'arp'])
    lines.push(`table ${family} ${name}`, `delete table ${family} ${name}`);
  for (const table of tables(config)) lines.push(...tableText(name, table));
  return `${lines.join('\n')}\n`;
}

/**
 * From one configuration's tables to another's of the same name, in one transaction: what both have keeps its elements,
 * so that leases and leaves that run go on running, to the moment that they were set to end at.
 */
export function changedTables(before: ActuatorConfig, after: ActuatorConfig): string {
  const name = tableName(after);
  const old = tables(before);
  const lines: string[] = [];
  tables(after).forEach((table, i) => {
    const was = old[i];
    if (was === undefined) return;
    const { family } = table;
    const emptied = was.chains.map((chain) => ({ ...chain, rules: [] }));
    // Declared first: a transaction that empties or deletes what is not there is refused whole.
    lines.push(...tableText(name, { ...was, chains: emptied }), `flush table ${family} ${name}`);
    lines.push(...tableText(name, table));
    const kept = new Set(table.chains.map((chain) => chain.name));
    for (const chain of was.chains)
      if (!kept.has(chain.name)) lines.push(`delete chain ${family} ${name} ${chain.name}`);
    for (const set of was.sets)
      if (!table.sets.includes(set)) lines.push(`delete set ${family} ${name} ${set}`);
  });
  return `${lines.join('\n')}\n`;
}
