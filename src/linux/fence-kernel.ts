/**
 * Makes a host harmless that has no usable configuration: the gate's tables in the kernel name the leases, the roving
 * addresses and the uplinks, and are as root's own process wrote them. What only the configuration knows is left as it is: rules,
 * the uplink's driver, programs in place of procedures.
 */
import type { FenceReport, FenceStep } from './fence.ts';
import { LEASE_PREFIX, SERVING_SET, TABLE_PREFIX, TALK_PREFIX } from './gatetable.ts';
import { formatIp, parseIp } from './ip.ts';
import { requireLibc } from './libc.ts';
import { confirmed, type Outcome, unknown } from './outcome.ts';
import { RouteSocket, setLink } from './rtnetlink.ts';
import { writeSysctl } from './sysctl.ts';
import { requireNft, runTool, textOf } from './tools.ts';

/** What the gate's tables say of this host. */
export interface GateMarks {
  /** As `inet portcullis_dmz lease_firewall`: each set in which an element opens something. */
  readonly sets: readonly string[];
  /** Roving addresses, canonical text. */
  readonly addresses: readonly string[];
  /** Devices of uplinks. */
  readonly uplinks: readonly string[];
}

/** From `nft -j list ruleset`; empty where no table is ours. Throws on what is no JSON. */
export function gateMarks(text: string): GateMarks {
  const [sets, addresses, uplinks] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const item of recordOf(JSON.parse(text)).nftables as unknown[]) {
    const [kind, body] = Object.entries(recordOf(item))[0] ?? ['', {}];
    const { family, table, name, expr } = recordOf(body);
    if (typeof table !== 'string' || !table.startsWith(TABLE_PREFIX)) continue;
    if (kind === 'set' && typeof name === 'string') {
      const isTalk = name.startsWith(TALK_PREFIX);
      if (isTalk) uplinks.add(Buffer.from(name.slice(TALK_PREFIX.length), 'hex').toString());
      if (isTalk || name.startsWith(LEASE_PREFIX) || name === SERVING_SET)
        sets.add(`${family} ${table} ${name}`);
    }
    // Only roving addresses are looked up by source.
    if (kind === 'rule' && Array.isArray(expr))
      for (const address of expr.flatMap(sources)) addresses.add(address);
  }
  return { sets: [...sets], addresses: [...addresses], uplinks: [...uplinks] };
}

/** The addresses of `ip saddr vmap { ADDRESS : .., .. }`, in either family. */
function sources(part: unknown): string[] {
  const { key, data } = recordOf(recordOf(part).vmap);
  const { protocol, field } = recordOf(recordOf(key).payload);
  const { set } = recordOf(data);
  if ((protocol !== 'ip' && protocol !== 'ip6') || field !== 'saddr' || !Array.isArray(set)) return [];
  return set.flatMap((pair) => (Array.isArray(pair) && typeof pair[0] === 'string' ? [pair[0]] : []));
}

function recordOf(value: unknown): { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null ? (value as { readonly [key: string]: unknown }) : {};
}

/** Never throws for what the kernel refuses: the report says it. Throws `OperatorError` where nft is not installed. */
export async function fenceByKernel(): Promise<FenceReport> {
  requireLibc();
  requireNft();
  const steps: FenceStep[] = [];
  const attempt = async (step: FenceStep['step'], task: () => Promise<Outcome>): Promise<void> => {
    const outcome = await task().catch((error) => unknown(textOf(error)));
    steps.push({ service: null, step, ok: outcome.verdict === 'confirmed', detail: outcome.detail });
  };
  const marks = await listed().catch(textOf);
  await attempt('gate', async () => (typeof marks === 'string' ? unknown(marks) : shut(marks)));
  if (typeof marks !== 'string') {
    const route = new RouteSocket();
    try {
      if (marks.addresses.length > 0)
        await attempt('deactivateService', async () => removed(route, marks.addresses));
      for (const device of marks.uplinks) await attempt('deactivateUplink', () => lowered(route, device));
    } finally {
      route.close();
    }
  }
  return { ok: steps.every((s) => s.ok), steps };
}

async function listed(): Promise<GateMarks> {
  const { status, output, errors } = await runTool('nft', ['-j', 'list', 'ruleset']);
  if (status !== 0) throw new Error(`nft does not list the rules: ${textOf(errors)}`);
  return gateMarks(output);
}

async function shut({ sets }: GateMarks): Promise<Outcome> {
  if (sets.length === 0) return unknown('the kernel has no gate of this program to tell what was served');
  const text = sets.map((set) => `flush set ${set}\n`).join('');
  const { status, errors } = await runTool('nft', ['-f', '-'], text);
  return status === 0 ? confirmed('shut') : unknown(`nft refused to shut it: ${textOf(errors)}`);
}

function removed(route: RouteSocket, roving: readonly string[]): Outcome {
  const names = new Map([...route.links().values()].map(({ index, name }) => [index, name]));
  const wanted = new Set(roving.map((text) => formatIp(parseIp(text)?.bytes ?? Buffer.alloc(4))));
  const present = () => route.addresses().filter(({ bytes }) => wanted.has(formatIp(bytes)));
  const gone: string[] = [];
  for (const { index, bytes, prefixLength } of present()) {
    const device = names.get(index) ?? String(index);
    // Else the kernel takes the host's own address along, where it came second.
    if (bytes.length === 4) writeSysctl(`ipv4/conf/${device}/promote_secondaries`, '1');
    route.removeAddress(index, bytes, prefixLength);
    gone.push(`${formatIp(bytes)} on ${device}`);
  }
  const left = present().map(({ bytes }) => formatIp(bytes));
  if (left.length > 0) return unknown(`still there: ${left.join(', ')}`);
  return confirmed(gone.length > 0 ? `removed ${gone.join(', ')}` : 'no roving address was here');
}

async function lowered(route: RouteSocket, device: string): Promise<Outcome> {
  if (route.link(device) === null) return confirmed(`${device} is absent`);
  await setLink(device, false);
  return route.link(device)?.up === true
    ? unknown(`${device} is still up`)
    : confirmed(`${device} is down; its driver stays loaded`);
}
