/**
 * Rule sets as text, in the format of iptables-save: what is put into an operator's file before it is loaded, and
 * whether a loaded set is still there. Pure.
 */
import type { ActuatorConfig } from './config.ts';
import { parseIp } from './ip.ts';

export type Family = 4 | 6;

/** The rules that keep the cluster's own port open, as arguments of `-I`: INPUT and OUTPUT, on its own links only. */
export function portRules(config: ActuatorConfig, family: Family): string[] {
  const out: string[] = [];
  const add = (device: string, port: number): void => {
    out.push(`INPUT -i ${device} -p udp -m udp --dport ${port} -j ACCEPT`);
    out.push(`OUTPUT -o ${device} -p udp -m udp --sport ${port} -j ACCEPT`);
    // Without neighbour discovery no unicast IPv6 leaves at all.
    if (family === 6)
      for (const type of [135, 136])
        out.push(
          `INPUT -i ${device} -p ipv6-icmp -m icmp6 --icmpv6-type ${type} -j ACCEPT`,
          `OUTPUT -o ${device} -p ipv6-icmp -m icmp6 --icmpv6-type ${type} -j ACCEPT`,
        );
  };
  for (const { device, address, port } of config.clusterLinks)
    if (parseIp(address)?.family === family) add(device, port);
  // The two ends of conntrackd's own words differ in their ports; strangers' are dropped before (portfilter.ts).
  const { conntrackd = null } = config;
  if (conntrackd !== null) {
    out.push(`INPUT -i ${conntrackd.device} -p udp -m udp --dport ${conntrackd.port} -j ACCEPT`);
    out.push(`OUTPUT -o ${conntrackd.device} -p udp -m udp --dport ${conntrackd.port} -j ACCEPT`);
  }
  for (const port of new Set(config.clusterLinks.map((l) => l.port)))
    for (const { uplink } of config.services)
      if (family === 6 || uplink.ownAddress?.family === family) add(uplink.device, port);
  return [...new Set(out)];
}

/**
 * The operator's text with the cluster's port first in INPUT and OUTPUT, in the same transaction. A text without a filter table is
 * left as it is.
 */
export function withOurRules(text: string, portRulesFirst: readonly string[]): string {
  return merged(text, portRulesFirst)
    .map(({ line }) => line)
    .join('\n');
}

/** What was said of the text with our rules, with the lines as the operator's own text counts them. */
export function inOwnLines(said: string, text: string, portRulesFirst: readonly string[]): string {
  const lines = merged(text, portRulesFirst);
  return said.replace(/\bline(:?) (\d+)/g, (whole, colon: string, n: string) => {
    const found = lines[Number(n) - 1];
    return found === undefined ? whole : `line${colon} ${found.from}`;
  });
}

/** Each line, and the line of the operator's text that it is, or stands before. */
function merged(text: string, portRulesFirst: readonly string[]): { line: string; from: number }[] {
  const out: { line: string; from: number }[] = [];
  let inFilter = false;
  for (const [i, line] of text.split('\n').entries()) {
    const word = line.trim();
    const from = i + 1;
    if (word.startsWith('*')) inFilter = word === '*filter';
    else if (inFilter && word === 'COMMIT') {
      // Inserted last, and so before everything else, whatever the file's own -I lines do.
      for (const rule of [...portRulesFirst].reverse()) out.push({ line: `-I ${rule}`, from });
      inFilter = false;
    }
    out.push({ line, from });
  }
  return out;
}

/** The rules that only keep the port open, for `iptables-restore --noflush`. */
export function portRulesAlone(rules: readonly string[]): string {
  return ['*filter', ...[...rules].reverse().map((rule) => `-I ${rule}`), 'COMMIT', ''].join('\n');
}

/** Table name -> its policies and rules in order, without comments and counters. */
export function readSaved(saved: string): Map<string, string[]> {
  const tables = new Map<string, string[]>();
  let lines: string[] = [];
  for (const raw of saved.split('\n')) {
    const line = raw.replace(/\[\d+:\d+\]/g, '').trim();
    if (line === '' || line.startsWith('#') || line === 'COMMIT') continue;
    if (line.startsWith('*')) {
      lines = [];
      tables.set(line.slice(1), lines);
    } else lines.push(line);
  }
  return tables;
}

/**
 * How many transactions loading that text makes at least: one a table. A table of which the text says nothing makes none where it
 * was empty before, and one that is reckoned and was not made would hide another's.
 */
export function transactionsIn(text: string): number {
  const tables = text.split(/^\*/m).slice(1);
  return tables.filter((table) => /^\s*[:[-]/m.test(table)).length;
}

/** The tables that a rule file sets. */
export function tablesIn(text: string): string[] {
  return text.split('\n').flatMap((line) => (line.startsWith('*') ? [line.slice(1).trim()] : []));
}

/**
 * What of `loaded` is missing from `now`, as the first missing line; null when all is there in its order. Rules
 * that others added between ours are theirs to add.
 */
export function firstMissing(
  loaded: ReadonlyMap<string, readonly string[]>,
  now: ReadonlyMap<string, readonly string[]>,
): string | null {
  for (const [table, lines] of loaded) {
    const present = now.get(table) ?? [];
    let at = 0;
    for (const line of lines) {
      const found = present.indexOf(line, at);
      if (found < 0) return `${table}: ${line}`;
      at = found + 1;
    }
  }
  return null;
}

/** Whether the cluster's port is first: nothing but our own rules before the last of them in INPUT and OUTPUT. */
export function portIsFirst(
  saved: ReadonlyMap<string, readonly string[]>,
  rules: readonly string[],
): boolean {
  const filter = saved.get('filter') ?? [];
  for (const chain of ['INPUT', 'OUTPUT']) {
    const ours = rules.filter((r) => r.startsWith(`${chain} `)).map((r) => `-A ${r}`);
    const there = filter.filter((line) => line.startsWith(`-A ${chain} `)).slice(0, ours.length);
    if (!ours.every((rule) => there.includes(rule))) return false;
  }
  return true;
}
