/**
 * What becomes of one UDP packet in the chains of a ruleset, as `nft -j list ruleset` prints them (libnftables-json(5)). Three
 * answers for each match: yes, no, and not to be told; so a chain may have several possible verdicts. Pure and bounded.
 */
import { inPrefix, parseIp } from '../ip.ts';

export type Verdict = 'accept' | 'drop';

export interface Packet {
  readonly way: 'in' | 'out';
  readonly family: 4 | 6;
  readonly device: string;
  /** Source and destination alike. */
  readonly port: number;
  /** Null: not known. */
  readonly from: string | null;
  readonly to: string | null;
}

export interface Chain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  /** Null: no base chain. */
  readonly hook: string | null;
  readonly type: string | null;
  readonly policy: Verdict;
  readonly rules: readonly (readonly unknown[])[];
}

export interface Ruleset {
  readonly bases: readonly Chain[];
  /** By family, table and name. */
  readonly chains: ReadonlyMap<string, Chain>;
}

const RULES_MAX = 20_000;
const DEPTH_MAX = 16;

type Fields = { readonly [key: string]: unknown };

function fields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

function keyOf(family: unknown, table: unknown, name: unknown): string {
  return JSON.stringify([family, table, name]);
}

/** Null: it is none, or too large to be judged. */
export function readRuleset(json: string): Ruleset | null {
  let items: unknown;
  try {
    items = fields(JSON.parse(json))?.nftables;
  } catch {
    return null;
  }
  if (!Array.isArray(items) || items.length > RULES_MAX) return null;
  const chains = new Map<string, Chain & { rules: (readonly unknown[])[] }>();
  for (const item of items) {
    const chain = fields(fields(item)?.chain);
    if (chain !== null)
      chains.set(keyOf(chain.family, chain.table, chain.name), {
        family: String(chain.family),
        table: String(chain.table),
        name: String(chain.name),
        hook: typeof chain.hook === 'string' ? chain.hook : null,
        type: typeof chain.type === 'string' ? chain.type : null,
        policy: chain.policy === 'drop' ? 'drop' : 'accept',
        rules: [],
      });
    const rule = fields(fields(item)?.rule);
    if (rule !== null && Array.isArray(rule.expr))
      chains.get(keyOf(rule.family, rule.table, rule.chain))?.rules.push(rule.expr);
  }
  return { chains, bases: [...chains.values()].filter(({ hook }) => hook !== null) };
}

/** All that a base chain may end with for that packet. */
export function verdicts(ruleset: Ruleset, chain: Chain, packet: Packet): Set<Verdict> {
  const found = new Set<Verdict>();
  if (walk(ruleset, chain, packet, found, 0)) found.add(chain.policy);
  return found;
}

/** Whether the packet may come out at the chain's end; verdicts on the way go into `found`. */
function walk(ruleset: Ruleset, chain: Chain, packet: Packet, found: Set<Verdict>, depth: number): boolean {
  if (depth > DEPTH_MAX) {
    found.add('accept').add('drop');
    return true;
  }
  for (const rule of chain.rules) {
    const { match, action } = judged(rule, packet);
    if (match === 'no' || action === null) continue;
    let goesOn = match === 'unknown';
    if (action.kind === 'end') found.add(action.verdict);
    else if (action.kind === 'return') {
      if (match === 'yes') return true;
    } else if (action.kind === 'unknown') {
      found.add('accept');
      goesOn = true;
    } else {
      const target = ruleset.chains.get(keyOf(chain.family, chain.table, action.target));
      const comesBack = target === undefined || walk(ruleset, target, packet, found, depth + 1);
      // After `goto` the end of the other chain is the end of this one.
      if (action.kind === 'goto' && match === 'yes') return comesBack;
      goesOn ||= comesBack;
    }
    if (action.kind !== 'return' && !goesOn) return false;
  }
  return true;
}

type Match = 'yes' | 'no' | 'unknown';
type Action =
  | { readonly kind: 'end'; readonly verdict: Verdict }
  | { readonly kind: 'return' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'jump' | 'goto'; readonly target: string };

/** Statements without an influence on where the packet goes. */
const IDLE = new Set(['counter', 'log', 'mangle', 'notrack', 'comment', 'ct helper', 'meter', 'set']);

function judged(rule: readonly unknown[], packet: Packet): { match: Match; action: Action | null } {
  let match: Match = 'yes';
  for (const statement of rule) {
    const parts = fields(statement) ?? {};
    const [name = ''] = Object.keys(parts);
    if (name === 'match') {
      const one = matches(fields(parts.match) ?? {}, packet);
      if (one === 'no') return { match: 'no', action: null };
      if (one === 'unknown') match = 'unknown';
    } else if (name === 'accept' || name === 'drop') return { match, action: { kind: 'end', verdict: name } };
    else if (name === 'reject') return { match, action: { kind: 'end', verdict: 'drop' } };
    else if (name === 'return') return { match, action: { kind: 'return' } };
    else if (name === 'jump' || name === 'goto')
      return { match, action: { kind: name, target: String(fields(parts[name])?.target) } };
    else if (!IDLE.has(name)) {
      // Limits, verdict maps, extensions of iptables: the packet may go anywhere, or nowhere.
      match = 'unknown';
      if (name === 'vmap' || name === 'queue' || name === 'xt' || name === 'fwd' || name === 'tproxy')
        return { match, action: { kind: 'unknown' } };
    }
  }
  return { match, action: null };
}

function matches({ op, left, right }: Fields, packet: Packet): Match {
  const value = fieldOf(left, packet);
  if (value === null) return 'unknown';
  if (value === undefined) return 'no';
  if (op !== '==' && op !== 'in' && op !== '!=') return 'unknown';
  const one = isAmong(value, right);
  if (one === null) return 'unknown';
  return one === (op !== '!=') ? 'yes' : 'no';
}

/** What the packet has there. Undefined: it has no such field, and does not match; null: not known. */
function fieldOf(left: unknown, packet: Packet): string | number | null | undefined {
  const meta = fields(fields(left)?.meta)?.key;
  const { way, family, device, port } = packet;
  if (meta === 'iifname' || meta === 'iif') return way === 'in' ? device : undefined;
  if (meta === 'oifname' || meta === 'oif') return way === 'out' ? device : undefined;
  if (meta === 'l4proto') return 'udp';
  if (meta === 'nfproto') return family === 4 ? 'ipv4' : 'ipv6';
  if (meta === 'protocol') return family === 4 ? 'ip' : 'ip6';
  if (fields(fields(left)?.ct)?.key === 'state') return 'established';
  const payload = fields(fields(left)?.payload);
  const { protocol, field } = payload ?? {};
  if (protocol === 'udp' || protocol === 'th') return field === 'dport' || field === 'sport' ? port : null;
  if (protocol === (family === 4 ? 'ip' : 'ip6')) {
    if (field === 'saddr') return packet.from;
    if (field === 'daddr') return packet.to;
    return field === 'protocol' || field === 'nexthdr' ? 'udp' : null;
  }
  // Of another protocol: the kernel looks for it in vain.
  return typeof protocol === 'string' && OTHERS.has(protocol) ? undefined : null;
}

const OTHERS = new Set(['tcp', 'icmp', 'icmpv6', 'sctp', 'dccp', 'ip', 'ip6', 'esp', 'ah', 'igmp']);

/** Whether a value is what stands there, or one of it; null: not to be told. */
function isAmong(value: string | number, right: unknown): boolean | null {
  if (Array.isArray(right)) return anyOf(right.map((one) => isAmong(value, one)));
  const parts = fields(right);
  if (parts === null) {
    if (typeof right === 'string' && right.startsWith('@')) return null;
    if (typeof right === 'string' && right.endsWith('*')) return String(value).startsWith(right.slice(0, -1));
    const [own, other] = [parseIp(String(value)), parseIp(String(right))];
    if (own !== null && other !== null) return own.bytes.equals(other.bytes);
    return String(right) === String(value) || (value === 'udp' && right === 17);
  }
  if (Array.isArray(parts.set)) return anyOf(parts.set.map((one) => isAmong(value, one)));
  if (Array.isArray(parts.range)) return inRange(value, parts.range);
  const prefix = fields(parts.prefix);
  if (prefix !== null) {
    const [own, network] = [parseIp(String(value)), parseIp(String(prefix.addr))];
    return own === null || network === null ? null : inPrefix(own, network, Number(prefix.len));
  }
  return null;
}

function anyOf(answers: readonly (boolean | null)[]): boolean | null {
  if (answers.includes(true)) return true;
  return answers.includes(null) ? null : false;
}

function inRange(value: string | number, [low, high]: readonly unknown[]): boolean | null {
  if (typeof value === 'number') return value >= Number(low) && value <= Number(high);
  const [own, from, to] = [value, low, high].map((one) => parseIp(String(one))?.bytes);
  if (own === undefined || from === undefined || to === undefined) return null;
  return Buffer.compare(own, from) >= 0 && Buffer.compare(own, to) <= 0;
}
