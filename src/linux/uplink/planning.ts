/**
 * Which strategies an uplink can have, why, and which is best. Pure: decides from facts, so that `plan` and `check`
 * say the same.
 */
import type { Activation } from '../config.ts';
import { wrongCard } from './appearing.ts';
import type { DeviceUse, UplinkFacts } from './facts.ts';
import { cardText } from './sysfs.ts';

export interface Choice {
  readonly activation: Activation;
  /** Why it cannot be used; empty: it can. */
  readonly refused: readonly string[];
  /** What to know when it is used. */
  readonly notes: readonly string[];
}

export interface UplinkPlan {
  readonly device: string;
  readonly choices: readonly Choice[];
  /** The first that is possible, the one that leaves least of the device before the others; null: none. */
  readonly recommended: Activation | null;
  /** The lines for [service.uplink]; null: none is possible. */
  readonly toml: string | null;
}

export function planUplink(facts: UplinkFacts): UplinkPlan {
  const never = refusedAlways(facts);
  const choices: Choice[] = [
    { activation: 'module', refused: [...never, ...refusedForModule(facts)], notes: notesOnAbsence(facts) },
    { activation: 'unbind', refused: [...never, ...refusedForUnbind(facts)], notes: notesOnUnbind(facts) },
    { activation: 'admin', refused: [...never, ...refusedForAdmin(facts)], notes: notesOnAdmin(facts) },
    {
      activation: 'command',
      refused: never,
      notes: ['needs programs for activateUplink and deactivateUplink; what they leave is your own care'],
    },
  ];
  const best = choices.find((c) => c.refused.length === 0 && c.activation !== 'command');
  const recommended = best?.activation ?? null;
  const toml = recommended === null ? null : tomlLines(facts, recommended);
  return { device: facts.device, choices, recommended, toml };
}

/** What a strategy's lines are under [service.uplink]. */
export function tomlLines({ device, card, module, driver }: UplinkFacts, activation: Activation): string {
  const lines: [string, string | null][] = [
    ['device', device],
    ['activation', activation],
  ];
  const isAway = activation === 'module' || activation === 'unbind';
  if (isAway) lines.push(['card', card === null ? null : cardText(card)]);
  if (activation === 'module') lines.push(['module', module]);
  if (activation === 'unbind') lines.push(['driver', driver]);
  const written = lines.filter(([, value]) => value !== null);
  return written.map(([key, value]) => `${key.padEnd(10)} = ${JSON.stringify(value)}\n`).join('');
}

function refusedAlways(facts: UplinkFacts): string[] {
  const { device, role, master, isLastLink } = facts;
  const out: string[] = [];
  if (device === 'lo') out.push('lo is the loopback of this host');
  if (role === 'downlink') out.push(`${device} is a downlink`);
  if (role === 'link') out.push(`${device} is a [[link]] of the cluster`);
  if (master !== null) out.push(`${device} is a member of ${master}, which alone can have addresses`);
  if (isLastLink && role === null && device !== 'lo')
    out.push(`no other device has a carrier: ${device} is the last link of this host`);
  return out;
}

/** Common to `module` and `unbind`: the device disappears, and with it what stands on it. */
function refusedForAbsence(facts: UplinkFacts): string[] {
  const { device, exists, kind, card, driver, strangeDriver, onCard, upper } = facts;
  const out: string[] = [];
  if (kind === 'vlan')
    out.push(`${device} is a VLAN: it goes with its parent, and nothing would make it anew with it`);
  else if (kind === 'bond')
    out.push(`${device} is a bond: its members would come back without belonging to it`);
  else if (kind === 'bridge' || card === null) out.push(`${device} has no card of its own`);
  else if (exists && driver === null) out.push(`${cardText(card)} shows no driver`);
  else if (strangeDriver !== null) out.push(wrongCard(card, strangeDriver));
  for (const other of [...onCard, ...upper]) {
    const use = useText(other);
    if (use !== null) out.push(`${use}, and would go with it`);
  }
  return out;
}

function refusedForModule(facts: UplinkFacts): string[] {
  const out = refusedForAbsence(facts);
  const { driver, module, isLoadable, moduleHolders, ofModule } = facts;
  if (facts.card === null || (driver === null && module === null)) return out;
  if (module === null || !isLoadable) out.push(`driver ${driver ?? module} is built into the kernel`);
  if (moduleHolders.length > 0) out.push(`${moduleHolders.join(', ')} needs ${module}`);
  for (const { card, devices } of ofModule) {
    if (devices.length === 0) out.push(`${module} drives ${card} too, whose device cannot be seen from here`);
    for (const other of devices) {
      const use = useText(other);
      if (use !== null) out.push(`${use}, and has module ${module} too`);
    }
  }
  return out;
}

function refusedForUnbind(facts: UplinkFacts): string[] {
  return refusedForAbsence(facts);
}

/** What is set down takes the carrier of all that stands on it. */
function refusedForAdmin({ device, upper, lower, kind }: UplinkFacts): string[] {
  const on = upper.filter((u) => isLink(u.role));
  const out = on.map((u) => `${u.device} on ${device} is a configured link, and would be down with it`);
  if (kind !== 'bond' && kind !== 'bridge') return out;
  const shared = lower.filter((l) => l.role !== null);
  return [...out, ...shared.map((l) => `${l.device}, a member of ${device}, is a configured link`)];
}

function isLink(role: DeviceUse['role']): boolean {
  return role === 'downlink' || role === 'link';
}

/** What a device is in use for; null: for nothing that anybody would miss. */
function useText({ device, role, up }: DeviceUse): string | null {
  if (isLink(role)) return `${device} is a configured link`;
  if (role === 'uplink') return `${device} is an uplink too`;
  return up ? `${device} is up` : null;
}

function notesOnAbsence({ device, module, upper, ofModule }: UplinkFacts): string[] {
  const out: string[] = [];
  const idle = ofModule.flatMap((m) => m.devices.filter((d) => useText(d) === null).map((d) => d.device));
  if (idle.length > 0) out.push(`${idle.join(', ')}, down and not configured, goes with ${module}`);
  out.push(...notesOnUpper(device, upper));
  return out;
}

function notesOnUpper(device: string, upper: readonly DeviceUse[]): string[] {
  if (upper.length === 0) return [];
  const names = upper.map((u) => u.device).join(', ');
  return [`${names} on ${device} goes with it, and is not made anew`];
}

function notesOnUnbind({ device, upper, canOverride, card }: UplinkFacts): string[] {
  const out = notesOnUpper(device, upper);
  if (card !== null && !canOverride)
    out.push(
      `the bus ${card.bus} prescribes no driver: a loading of the driver takes the card up, until the guard sees it`,
    );
  return out;
}

function notesOnAdmin({ device, kind, upper, lower }: UplinkFacts): string[] {
  const names = lower.map((l) => l.device).join(', ');
  const out: string[] = [];
  if (kind === 'vlan')
    out.push(`the parent ${names} stays up: only ${device} is down, not the port of the switch`);
  else if (kind === 'bond')
    out.push(`the members ${names} keep their carrier, and LACP may stop and start late`);
  else if (kind === 'bridge' && lower.length > 0)
    out.push(`the members ${names} keep their carrier; what the bridge itself sends by them stops`);
  else out.push(`the device stays there: whoever sets it up has it up until the guard sees it`);
  if (upper.length > 0)
    out.push(`${upper.map((u) => u.device).join(', ')} on ${device} has no carrier while it is down`);
  return out;
}
