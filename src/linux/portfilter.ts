/**
 * The filter in front of the cluster's own sockets (spec/protocol.md, "In the kernel"), as text. It only ever drops
 * datagrams to the cluster's own addresses and port, and such for this host to conntrackd's, and takes both ports out of
 * connection tracking. Pure.
 */
import type { ActuatorConfig, AddressPrefix } from './config.ts';
import { tableName } from './gatetable.ts';
import { inPrefix, parseIp } from './ip.ts';

/**
 * What one address may send, datagrams a second. Not what honest hosts need (below 500 at the shortest interval) but what the
 * daemon's gate bears with a fraction of a core: a lower rate would let whoever forges a member's address silence it.
 */
export const RATE_PER_SECOND = 25_000;
const RATE_BURST = 5_000;
/** More members than a roster may have, each with several addresses. */
const SOURCES_MAX = 1024;

/** Why the filter drops: no member's address, not from the link, too many. */
export const FILTER_COUNTERS = ['stranger', 'hops', 'rate'] as const;
export type FilterCounter = (typeof FILTER_COUNTERS)[number];

/** What is in nobody's name that may speak there. */
const REFUSED = 'counter name stranger drop';

export function filterTable(config: ActuatorConfig): string {
  return `${tableName(config)}_port`;
}

/** This host's own addresses with their prefix lengths, as they are now. */
export type OwnPrefixes = readonly AddressPrefix[];

/** Members that are reached without a router: those in the network of one of the cluster's own addresses. */
function onLink(config: ActuatorConfig, own: OwnPrefixes, family: 4 | 6): string[] {
  const addresses = new Set(config.clusterLinks.map((link) => link.address));
  const networks = own.filter((prefix) => prefix.family === family && addresses.has(prefix.address));
  return members(config, family).filter((member) =>
    networks.some((network) => {
      const [a, b] = [parseIp(member), parseIp(network.address)];
      return a !== null && b !== null && inPrefix(a, b, network.prefixLength);
    }),
  );
}

function members(config: ActuatorConfig, family: 4 | 6): string[] {
  return [...new Set(config.memberAddresses.filter((address) => parseIp(address)?.family === family))].sort();
}

function setOf(name: string, type: string, elements: readonly string[]): string[] {
  const listed = elements.length === 0 ? [] : [`elements = { ${elements.join(', ')} }`];
  return [`set ${name} {`, `type ${type}`, ...listed, '}'];
}

/** Replaces the table in one transaction of `nft -f -`, so that there is no moment without one. */
export function portFilter(config: ActuatorConfig, own: OwnPrefixes): string {
  const table = filterTable(config);
  const lines = [`table inet ${table}`, `delete table inet ${table}`, `table inet ${table} {`];
  for (const counter of FILTER_COUNTERS) lines.push(`counter ${counter} {`, '}');
  const into: string[] = [];
  const out: string[] = [];
  /** Where nothing comes that the host forwards: conntrackd has no address of its own to tell its datagrams by. */
  const here: string[] = [];
  for (const [family, word, type, hops] of [
    [4, 'ip', 'ipv4_addr', 'ttl'],
    [6, 'ip6', 'ipv6_addr', 'hoplimit'],
  ] as const) {
    const links = config.clusterLinks.filter((link) => parseIp(link.address)?.family === family);
    if (links.length === 0) continue;
    lines.push(...setOf(`members${family}`, type, members(config, family)));
    lines.push(...setOf(`onlink${family}`, type, onLink(config, own, family)));
    lines.push(`set rate${family} {`, `type ${type}`, `size ${SOURCES_MAX}`, 'flags dynamic', '}');
    for (const { address, port } of links) {
      // A later fragment has no port and matches nothing: it is worth what its first one is.
      const to = `${word} daddr ${address} udp dport ${port}`;
      const rate = `limit rate over ${RATE_PER_SECOND}/second burst ${RATE_BURST} packets`;
      into.push(
        `${to} ${word} saddr != @members${family} ${REFUSED}`,
        `${to} ${word} saddr @onlink${family} ${word} ${hops} != 255 counter name hops drop`,
        `${to} update @rate${family} { ${word} saddr ${rate} } counter name rate drop`,
        `${to} notrack`,
      );
      out.push(`${word} saddr ${address} udp sport ${port} notrack`);
    }
  }
  const { conntrackd = null } = config;
  if (conntrackd !== null) {
    // conntrackd believes whoever reaches its port; at least it must be in a member's name (threats: an insider's LAN).
    const to = `iifname "${conntrackd.device}" udp dport ${conntrackd.port}`;
    for (const [family, word, type] of [
      [4, 'ip', 'ipv4_addr'],
      [6, 'ip6', 'ipv6_addr'],
    ] as const) {
      lines.push(...setOf(`synced${family}`, type, members(config, family)));
      into.push(`${to} ${word} saddr @synced${family} notrack`);
      here.push(`${to} ${word} saddr != @synced${family} ${REFUSED}`);
    }
    out.push(`oifname "${conntrackd.device}" udp dport ${conntrackd.port} notrack`);
  }
  // Before connection tracking (-200): a table that is full must not cut the cluster.
  lines.push('chain in {', 'type filter hook prerouting priority -300', ...into, '}');
  lines.push('chain out {', 'type filter hook output priority -300', ...out, '}');
  if (here.length > 0) lines.push('chain here {', 'type filter hook input priority -300', ...here, '}');
  lines.push('}', '');
  return lines.join('\n');
}
