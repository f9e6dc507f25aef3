/** A takeover taken to pieces: from the successor's own log where the daemon was, from the switch ports where the network was. */
import type { Frame } from './capture.ts';
import type { LoggedEvent } from './events.ts';
import { actingSpans, type Evidence, forwardsDatagram } from './judge.ts';

/** Milliseconds each, one after the other from the fault to the first datagram forwarded; null where the way led elsewhere. */
export interface Parts {
  /** Until an advert is missed. */
  readonly silence: number | null;
  /** Until nobody answered the question after it. */
  readonly probe: number | null;
  /** Until it may go on: grants, or no objection. */
  readonly claim: number | null;
  /** Until the next hop answers on the raised uplink. */
  readonly uplink: number | null;
  /** Until nobody is found serving there. */
  readonly window: number | null;
  /** Addresses, routes and rules, and their test, behind the shut gate. */
  readonly rules: number | null;
  /** Until the old master was asked to let go, and the gate is open. */
  readonly gate: number | null;
  /** Until the first station is told of it. */
  readonly announce: number | null;
  /** Until the server has the first datagram from it. */
  readonly firstPacket: number | null;
}

/** The log tells of the open gate when the network process has its answer: after the first frame that passed it, on a busy machine long after. */
const SLACK_MS = 250;

/** Where each part ends, in order. A place that was skipped makes the parts on both its sides null. */
const ENDS: readonly (readonly [part: keyof Parts, place: string])[] = [
  ['silence', 'backup.suspecting'],
  ['probe', 'handover.claiming'],
  ['claim', 'handover.raising'],
  ['uplink', 'handover.listening'],
  ['window', 'handover.preparing'],
  ['rules', 'handover.releasing'],
  ['gate', 'service.serving'],
];

/** When another host than `old` first acted, and when it first forwarded a datagram to the server; null: never. */
export function firstActs(
  evidence: Pick<Evidence, 'frames' | 'macs'>,
  old: string,
  fromMs: number,
): { host: string; actMs: number; forwardMs: number | null } | null {
  let first: { host: string; actMs: number } | null = null;
  for (const [host, spans] of actingSpans(evidence))
    for (const { from } of spans)
      if (host !== old && from > fromMs && (first === null || from < first.actMs))
        first = { host, actMs: from };
  if (first === null) return null;
  const { host } = first;
  const isFirst = (frame: Frame): boolean =>
    frame.atMs > fromMs &&
    frame.way === 'out' &&
    evidence.macs.get(frame.mac) === host &&
    forwardsDatagram(frame);
  return { ...first, forwardMs: evidence.frames.find(isFirst)?.atMs ?? null };
}

/** The parts of the takeover that ended in that act. `events`: the successor's. */
export function partsOf(
  events: readonly LoggedEvent[],
  fromMs: number,
  { actMs, forwardMs }: { readonly actMs: number; readonly forwardMs: number | null },
): Parts {
  const parts: Record<keyof Parts, number | null> = {
    ...{ silence: null, probe: null, claim: null, uplink: null, window: null, rules: null, gate: null },
    ...{ announce: null, firstPacket: null },
  };
  // Backwards from the act: attempts that failed before belong to whatever part came first.
  const ended = new Map<keyof Parts, number>();
  let laterMs = actMs + SLACK_MS;
  for (const [part, place] of ENDS.toReversed()) {
    const found = events.findLast(
      ({ kind, to, atMs }) => kind === 'transition' && to === place && atMs <= laterMs && atMs >= fromMs - 1,
    );
    if (found === undefined) continue;
    ended.set(part, found.atMs);
    laterMs = found.atMs;
  }
  let beganMs: number | undefined = fromMs;
  for (const [part] of ENDS) {
    const loggedMs = ended.get(part);
    // What the log tells after the act was over before it; and it has whole milliseconds. So the parts add up to the whole.
    const endMs = loggedMs === undefined ? undefined : Math.min(Math.max(loggedMs, fromMs), actMs);
    if (beganMs !== undefined && endMs !== undefined) parts[part] = tenths(endMs - beganMs);
    beganMs = endMs;
  }
  if (beganMs !== undefined) parts.announce = tenths(actMs - beganMs);
  if (forwardMs !== null) parts.firstPacket = tenths(Math.max(0, forwardMs - actMs));
  return parts;
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
