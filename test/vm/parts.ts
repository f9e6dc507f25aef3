/**
 * How long each part of a takeover took, from the successor's event log and from what its kernel told of its card. All times are
 * brought to one clock, the lab's: the guest's wall clock is compared with it before and after, and what lies between is interpolated.
 */
import type { ClockSample } from './channel.ts';

/** Milliseconds each, one after the other; null: that step was not seen. */
export interface Parts {
  /** From the fault until the successor claims. */
  readonly detect: number | null;
  /** Until the claim is granted. */
  readonly claim: number | null;
  /** Until the card is there: its driver loaded or bound. */
  readonly driver: number | null;
  /** Until the card has its carrier. */
  readonly carrier: number | null;
  /** Until the next hop has answered. */
  readonly nextHop: number | null;
  /** The conflict window, rules and addresses, and the gate. */
  readonly open: number | null;
  /** From the open gate until the first answer that the client got again: the neighbours have heard. */
  readonly announce: number | null;
  /** How far the comparison of the clocks may be off, either way. */
  readonly uncertainty: number;
}

export interface PartsEvidence {
  /** The successor's event log: a JSON line an entry. */
  readonly events: string;
  /** What its kernel told of its cards: the output of `ip -ts -o monitor link`. */
  readonly links: string;
  readonly clocks: readonly ClockSample[];
  readonly faultMs: number;
  /** When the client was served again; null: it never was without. */
  readonly servedMs: number | null;
  readonly uplink: string;
}

interface Step {
  readonly atMs: number;
  readonly to: string;
}

export function partsOf(evidence: PartsEvidence): Parts | null {
  const toLab = clockOf(evidence.clocks);
  const steps = transitions(evidence.events, toLab);
  // The first: it may be suspended for a moment later on.
  const serving = steps.find((step) => step.to === 'service.serving' && step.atMs >= evidence.faultMs)?.atMs;
  // Of several attempts the last before it, the one that succeeded.
  const last = (to: string): number | null =>
    steps.findLast((step) => step.to === to && serving !== undefined && step.atMs <= serving)?.atMs ?? null;
  if (serving === undefined) return null;
  const claiming = last('handover.claiming');
  const raising = last('handover.raising');
  const answered = last('handover.listening');
  const links = linkTimes(evidence.links, evidence.uplink, toLab);
  const after = (times: readonly number[], ms: number | null): number | null =>
    ms === null ? null : (times.find((at) => at >= ms - 5 && at <= serving) ?? null);
  const carrier = after(links.carrier, raising);
  // With `admin`, or loaded ahead, it was there before.
  const appeared = after(links.appeared, raising);
  const there = appeared ?? raising;
  return {
    detect: span(evidence.faultMs, claiming),
    claim: span(claiming, raising),
    driver: span(raising, there),
    carrier: span(there, carrier),
    nextHop: span(carrier, answered),
    open: span(answered, serving),
    announce: span(serving, evidence.servedMs),
    uncertainty: Math.round(Math.max(...evidence.clocks.map((sample) => sample.roundTripMs / 2)) * 10) / 10,
  };
}

function span(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : Math.round((to - from) * 10) / 10;
}

/** From the guest's wall clock to the lab's; linear between two samples, which allows for a clock of another rate. */
export function clockOf(samples: readonly ClockSample[]): (guestMs: number) => number {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined) throw new Error('the clocks were never compared');
  const lapse = last.hostMs - first.hostMs;
  const rate = lapse > 0 ? (last.offsetMs - first.offsetMs) / lapse : 0;
  // guest = host + offset(host), and offset is linear in host.
  return (guestMs) => first.hostMs + (guestMs - first.hostMs - first.offsetMs) / (1 + rate);
}

function transitions(text: string, toLab: (guestMs: number) => number): Step[] {
  const steps: Step[] = [];
  for (const line of text.split('\n')) {
    if (!line.includes('"transition"')) continue;
    const entry = JSON.parse(line) as { time: string; data?: { to?: string } };
    if (entry.data?.to !== undefined)
      steps.push({ atMs: toLab(new Date(entry.time).getTime()), to: entry.data.to });
  }
  return steps;
}

/** When the card appeared, and when it got its carrier, by `ip -ts -o monitor link`. */
function linkTimes(text: string, device: string, toLab: (guestMs: number) => number) {
  const appeared: number[] = [];
  const carrier: number[] = [];
  let isThere = false;
  let hasCarrier = false;
  for (const line of text.split('\n')) {
    const match = /^\[([0-9T:.-]+)\]\s*(Deleted )?\d+: ([^:@]+)(?:@[^:]*)?: <([^>]*)>/.exec(line);
    if (match === null || match[3] !== device) continue;
    const [whole = '', fraction = '0'] = (match[1] ?? '').split('.');
    const atMs = toLab(new Date(whole).getTime() + Number(`0.${fraction}`) * 1_000);
    const nowThere = match[2] === undefined;
    const nowCarrier = nowThere && (match[4] ?? '').split(',').includes('LOWER_UP');
    if (nowThere && !isThere) appeared.push(atMs);
    if (nowCarrier && !hasCarrier) carrier.push(atMs);
    isThere = nowThere;
    hasCarrier = nowCarrier;
  }
  return { appeared, carrier };
}
