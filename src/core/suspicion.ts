/**
 * Nobody serves, as it seems: probing before claiming (spec R9, R10, R17 to R20). Entered as backup.suspecting when
 * the master fell silent or let go, and as decide.electing when no master was ever heard.
 * A host that cannot confirm its own downlink blames nobody and claims nothing.
 */
import { confirmedSince, startCheck } from './checks.ts';
import type { Ctx } from './context.ts';
import { fit, trustHeld } from './fitness.ts';
import { orderText, preferred } from './placement.ts';
import type { Suspicion } from './state.ts';
import { bound } from './voter.ts';

/** No round of address probes is waited for. */
const NO_ROUND = { downlink: 0, uplink: 0 };

/** A suspicion that begins now. */
export function begun(
  sinceMs: number,
  signOfLife: boolean,
  probeIds: Suspicion['probeIds'],
  stalls = 0,
): Suspicion {
  return { sinceMs, unanswered: 0, probes: 0, signOfLife, probeIds, stalls, clearedAtMs: null };
}

/** Entry of backup.suspecting and decide.electing. */
export function enterSuspicion(c: Ctx): void {
  beginAnew(c);
  if (c.policy === 'available') {
    startCheck(c, 'checkServiceRemote');
    c.probeAddresses('downlink');
  }
}

/** Forgets what the silence seemed to prove: on entry, and after a stall (R9). */
export function beginAnew(c: Ctx): void {
  // Who answers for the service, unsigned, goes on answering through our stall (R19).
  const signOfLife = c.s.suspicion?.signOfLife ?? false;
  const stalls = c.s.suspicion === null ? 0 : c.s.suspicion.stalls + 1;
  c.set({ suspicion: begun(c.now, signOfLife, NO_ROUND, stalls) });
  startCheck(c, 'checkDownlink');
  sendProbe(c);
}

/** PROBE to all members on every present link. `blame`: our own downlink is confirmed, so the fault is not ours. */
export function sendProbe(c: Ctx): void {
  const sinceMs = c.s.attempt?.suspectedAtMs ?? c.s.suspicion?.sinceMs ?? c.now;
  c.send('all', {
    type: 'PROBE',
    service: c.s.service,
    id: c.id(),
    claim: c.s.term,
    blame: confirmedSince(c, 'checkDownlink', sinceMs),
  });
  const probes = c.s.suspicion?.probes ?? 0;
  // Past the probes that decide the pace slows down to the advert interval: a lonely host may suspect for days.
  const doublings = Math.min(Math.max(0, probes - c.t.probes), 16);
  // Whoever waits for an end, and not for an answer, has time.
  const firstMs = c.s.suspicion === null ? c.t.probeTimeoutMs : c.probeMs;
  const pauseMs = Math.min(firstMs * 2 ** doublings, Math.max(c.t.intervalMs, firstMs));
  c.timer('probe', c.now + pauseMs);
  if (c.s.suspicion !== null) c.set({ suspicion: { ...c.s.suspicion, probes: probes + 1 } });
}

/** One more probe stayed without a signed answer of a master. */
export function probeUnanswered(c: Ctx): void {
  const suspicion = c.s.suspicion;
  if (suspicion === null) return;
  c.set({ suspicion: { ...suspicion, unanswered: suspicion.unanswered + 1 } });
  sendProbe(c);
  consider(c);
}

/** The downlink check of this suspicion ended. What was probed over a link that is not confirmed proves nothing. */
export function suspicionChecked(c: Ctx, confirmed: boolean): void {
  const suspicion = c.s.suspicion;
  if (suspicion === null) return;
  if (!confirmed) {
    c.set({ suspicion: { ...suspicion, unanswered: 0, clearedAtMs: null } });
    c.timer('checks', c.now + c.t.intervalMs);
    return;
  }
  consider(c);
}

/** Somebody answers for the service, unsigned: that delays, it never decides (R19). */
export function signOfLife(c: Ctx, what: string): void {
  const suspicion = c.s.suspicion;
  if (suspicion === null || suspicion.signOfLife) return;
  c.set({ suspicion: { ...suspicion, signOfLife: true, clearedAtMs: null } });
  const until =
    c.s.place === 'service.suspended' ? 'the gate stays shut' : 'waiting for the end of the lease';
  c.log('note', `${what} still answers; ${until}`);
}

/** R10: claims as soon as everything allows it and the own slot is reached; else names the time to look again. */
export function consider(c: Ctx): void {
  const suspicion = c.s.suspicion;
  if (suspicion === null || !c.at('backup.suspecting', 'decide.electing')) return;
  if (!mayClaim(c, suspicion)) {
    if (suspicion.clearedAtMs !== null) c.set({ suspicion: { ...suspicion, clearedAtMs: null } });
    return;
  }
  // A slot that is set stands until it comes: whoever goes before is looked at again then.
  if (suspicion.clearedAtMs !== null && (c.s.timers.claim ?? 0) > c.now) return;
  const clearedAtMs = suspicion.clearedAtMs ?? c.now;
  if (suspicion.clearedAtMs === null) c.set({ suspicion: { ...suspicion, clearedAtMs } });
  // At an initial bootstrap there is no hurry, and the others may still be starting.
  const slotMs = c.s.place === 'decide.electing' ? c.t.intervalMs : c.t.slotMs;
  const slotAtMs = clearedAtMs + preferred(c).indexOf(c.me) * slotMs;
  if (c.now >= slotAtMs) c.become('may-claim', orderText(c));
  else c.timer('claim', slotAtMs);
}

/** All of R10 but the slot; hindrance.ts says the same in words, held to this by a test. */
export function mayClaim(c: Ctx, suspicion: Suspicion): boolean {
  const { known, rival } = c.s;
  // RELEASED without successor needs no probing: it is the master's own, fresh and signed word (R15).
  const released = known?.released === null && c.now - known.heardAtMs < c.t.promiseMs;
  const notBefore = [c.host.startedAtMs + c.t.promiseMs, c.s.noClaimBeforeMs];
  if (c.policy === 'quorum') {
    if (bound(c.s.voter, c.me, c.now)) notBefore.push(c.s.voter.untilMs);
  } else if (!released && suspicion.signOfLife) {
    notBefore.push((known?.heardAtMs ?? suspicion.sinceMs) + c.t.promiseMs);
  }
  if (rival !== null) notBefore.push(rival.heardAtMs + c.t.intervalMs + c.t.slackMs);
  const earliestMs = Math.max(...notBefore);
  if (c.now < earliestMs) {
    c.timer('claim', earliestMs);
    return false;
  }
  return (
    fit(c) &&
    !trustHeld(c) &&
    confirmedSince(c, 'checkDownlink', suspicion.sinceMs) &&
    (released || suspicion.unanswered >= c.t.probes)
  );
}
