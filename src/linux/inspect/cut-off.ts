/**
 * Whether the packet filter that is in force now cuts the members off from each other: each of the cluster's packets, of a
 * conversation that is going on, is taken through the chains as the kernel would take it. Said is only what is certain: a
 * rule that cannot be judged may let the packet pass.
 */
import type { ActuatorConfig } from '../config.ts';
import { parseIp } from '../ip.ts';
import { findTool, runTool } from '../tools.ts';
import { error, type Finding } from './finding.ts';
import { type Chain, type Packet, type Ruleset, readRuleset, verdicts } from './verdict.ts';

/** Hooks that a packet passes on its way in and out. */
const WAYS = [
  { way: 'in', hooks: ['prerouting', 'input'] },
  { way: 'out', hooks: ['output', 'postrouting'] },
] as const;

export async function inspectCutOff(config: ActuatorConfig): Promise<Finding[]> {
  if (findTool('nft') === null || config.clusterLinks.length === 0) return [];
  const { status, output } = await runTool('nft', ['-j', 'list', 'ruleset']);
  // Who may not read the ruleset is told so by another test.
  const ruleset = status === 0 ? readRuleset(output) : null;
  return ruleset === null ? [] : cutOff(config, ruleset);
}

/** Pure. */
export function cutOff(config: ActuatorConfig, ruleset: Ruleset): Finding[] {
  const out: Finding[] = [];
  for (const link of config.clusterLinks) {
    const family = link.address.includes(':') ? 6 : 4;
    const member =
      config.memberAddresses.find((address) => (parseIp(address)?.family ?? 4) === family) ?? null;
    for (const { way, hooks } of WAYS) {
      const [from, to] = way === 'in' ? [member, link.address] : [link.address, member];
      const packet: Packet = { way, family, device: link.device, port: link.port, from, to };
      for (const chain of ruleset.bases) {
        if (!hooks.some((hook) => hook === chain.hook) || !isJudged(chain, config, family)) continue;
        const found = verdicts(ruleset, chain, packet);
        if (found.size === 1 && found.has('drop')) out.push(dropped(chain, packet));
      }
    }
  }
  return out;
}

/** Chains of ours only drop what is not the cluster's; the tables of iptables get its port first when our rules are loaded. */
function isJudged({ family, table, type }: Chain, { services }: ActuatorConfig, of: 4 | 6): boolean {
  if (type !== 'filter' || table.startsWith('portcullis_')) return false;
  if (family !== 'inet' && family !== (of === 4 ? 'ip' : 'ip6')) return false;
  const isRestored = services.some(({ firewall }) => (of === 4 ? firewall.rules : firewall.rules6) !== null);
  return !(isRestored && family !== 'inet' && ['filter', 'mangle', 'raw', 'security'].includes(table));
}

function dropped({ family, table, name }: Chain, { way, device, port }: Packet): Finding {
  const side =
    way === 'in'
      ? `what comes to UDP port ${port} on ${device}`
      : `what leaves for UDP port ${port} by ${device}`;
  const match = way === 'in' ? `iifname ${device} udp dport` : `oifname ${device} udp dport`;
  return error(
    `table ${family} ${table}, chain ${name}, drops ${side}: the members do not hear each other`,
    `nft insert rule ${family} ${table} ${name} ${match} ${port} accept, and the same where the rules are kept`,
  );
}
