/**
 * The text of the gate's two nftables tables, from the configuration. They only ever drop: with no lease element
 * in a service's set, nothing of that service is forwarded, answered or sent with its roving addresses.
 * The host's own words (cluster port, probes from addresses that do not rove) match no rule here.
 */
import type { ActuatorConfig, GatewayService } from './config.ts';
import { parseIp } from './ip.ts';

/** `portcullis_CLUSTER`: one table name for both families. Names are [a-z0-9-] by configuration; others become `_`. */
export function tableName(config: ActuatorConfig): string {
  return `portcullis_${config.cluster.replace(/[^a-z0-9]/g, '_')}`;
}

/** The set that holds a service's lease. Service names have no underscore, so that no two sets share a name. */
export function leaseSet(service: string): string {
  return `lease_${service.replace(/[^a-z0-9]/g, '_')}`;
}

/** The set that holds the leave to talk on an uplink. Devices may have any characters, sets may not. */
export function talkSet(device: string): string {
  return `talk_${Buffer.from(device).toString('hex')}`;
}

function uplinks(config: ActuatorConfig): string[] {
  return [...new Set(config.services.map((s) => s.uplink.device))];
}

function setNames(config: ActuatorConfig): string[] {
  return [...config.services.map((s) => leaseSet(s.name)), ...uplinks(config).map(talkSet)];
}

/** `oifname UPLINK LOOKUP != @talk LOOKUP != @lease .. drop`: no word of the kernel's own on an uplink nobody holds. */
function talkRules(config: ActuatorConfig, lookup: string): string[] {
  return uplinks(config).map((device) => {
    const sharers = config.services.filter((s) => s.uplink.device === device);
    const sets = [talkSet(device), ...sharers.map((s) => leaseSet(s.name))];
    return `oifname "${device}" ${sets.map((set) => `${lookup} != @${set}`).join(' ')} drop`;
  });
}

function roving(service: GatewayService, family: 4 | 6): string[] {
  const all = [...service.downlink.addresses, ...service.uplink.addresses];
  return [...new Set(all.filter((a) => a.family === family).map((a) => a.address))];
}

/** ` meta nfproto != @lease_a meta nfproto != @lease_b`: true when none of the services has its lease. */
function noneOpen(services: readonly GatewayService[]): string {
  return services.map((s) => `meta nfproto != @${leaseSet(s.name)}`).join(' ');
}

/**
 * Forwarding from and to each uplink. An uplink that several services share is open while one of them has its
 * lease, but between it and a downlink of its own only that service's lease counts.
 */
function forwardRules(services: readonly GatewayService[]): string[] {
  const out: string[] = [];
  for (const uplink of new Set(services.map((s) => s.uplink.device))) {
    const sharers = services.filter((s) => s.uplink.device === uplink);
    out.push(
      `iifname "${uplink}" ${noneOpen(sharers)} drop`,
      `oifname "${uplink}" ${noneOpen(sharers)} drop`,
    );
    for (const downlink of new Set(sharers.map((s) => s.downlink.device))) {
      const pair = sharers.filter((s) => s.downlink.device === downlink);
      if (pair.length === sharers.length) continue;
      out.push(
        `iifname "${uplink}" oifname "${downlink}" ${noneOpen(pair)} drop`,
        `oifname "${uplink}" iifname "${downlink}" ${noneOpen(pair)} drop`,
      );
    }
  }
  return out;
}

function sentRules(service: GatewayService): string[] {
  const out: string[] = [];
  const shut = noneOpen([service]);
  const four = roving(service, 4);
  const six = roving(service, 6);
  if (four.length > 0) out.push(`ip saddr { ${four.join(', ')} } ${shut} drop`);
  if (six.length > 0) out.push(`ip6 saddr { ${six.join(', ')} } ${shut} drop`);
  for (const address of six) {
    // The target of a neighbour advertisement lies 8 bytes into ICMPv6 (RFC 4861, 4.4); nft 1.0.6 has no word for it.
    const target = `0x${Buffer.from(parseIp(address)?.bytes ?? []).toString('hex')}`;
    out.push(`icmpv6 type nd-neighbor-advert @th,64,128 ${target} ${shut} drop`);
  }
  return out;
}

/** Replaces both tables by new, shut ones in one transaction of `nft -f -`. */
export function gateTables(config: ActuatorConfig): string {
  const table = tableName(config);
  const lines: string[] = [];
  for (const family of ['inet', 'arp'])
    lines.push(`table ${family} ${table}`, `delete table ${family} ${table}`);
  lines.push(`table inet ${table} {`);
  for (const set of setNames(config)) lines.push(`set ${set} {`, 'type nf_proto', 'flags timeout', '}');
  lines.push(
    'chain forward {',
    'type filter hook forward priority -310',
    ...forwardRules(config.services),
    '}',
  );
  // After source NAT (priority 100): masquerading may give a packet of the host's own a roving source.
  lines.push('chain sent {', 'type filter hook postrouting priority 300');
  lines.push(...talkRules(config, 'meta nfproto'));
  for (const service of config.services) lines.push(...sentRules(service));
  lines.push('}', '}', `table arp ${table} {`);
  for (const set of setNames(config)) lines.push(`set ${set} {`, 'type arp_op', 'flags timeout', '}');
  lines.push('chain output {', 'type filter hook output priority -310');
  lines.push(...talkRules(config, 'arp operation'));
  for (const service of config.services) {
    const four = roving(service, 4);
    if (four.length > 0)
      lines.push(`arp saddr ip { ${four.join(', ')} } arp operation != @${leaseSet(service.name)} drop`);
  }
  lines.push('}', '}', '');
  return lines.join('\n');
}
