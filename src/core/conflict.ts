/**
 * The second opinion of a claimant (R11): with the own uplink raised, is the old master serving after all, and only
 * our view of it broken? A signed "serving, downlink confirmed" rolls the claim back; an unsigned answer for a roving
 * address delays it by one promise (R19); a rival's higher claim wins.
 */
import { compareTerms, type HostName, type Term } from './basics.ts';
import { type Ctx, termText } from './context.ts';
import type { Side } from './events.ts';
import { majorityUntil } from './lease.ts';
import { prepareBesideWindow } from './preparing.ts';
import type { Attempt } from './state.ts';
import { sendProbe } from './suspicion.ts';

/** Entry of handover.listening. */
export function enterConflictWindow(c: Ctx): void {
  const { windowMs, askMs } = c.listening;
  probeBothSides(c, askMs);
  sendProbe(c);
  prepareBesideWindow(c);
  c.timer('window', c.now + windowMs);
  c.timer('step', c.s.attempt?.limitAtMs ?? c.now);
}

/** Entry of handover.waiting. */
export function enterWaiting(c: Ctx): void {
  c.log('note', 'somebody answers for a roving address, unsigned: waiting for one promise');
  probeBothSides(c, c.t.probeTimeoutMs);
  sendProbe(c);
  // From now, not from the claim: the daemon that could have answered the window's PROBE may have died since the claim.
  c.timer('window', c.now + c.t.promiseMs);
}

function probeBothSides(c: Ctx, waitMs: number): void {
  const attempt = c.s.attempt;
  if (attempt === null) return;
  const probeIds = {
    downlink: c.probeAddresses('downlink', waitMs),
    uplink: c.probeAddresses('uplink', waitMs),
  };
  c.set({ attempt: { ...attempt, probeIds, answeredBy: { downlink: false, uplink: false } } });
}

/** One round of ARP probes or DAD ended. */
export function addressesProbed(c: Ctx, side: Side, id: number, answered: boolean): void {
  const attempt = c.s.attempt;
  if (attempt === null || attempt.probeIds[side] !== id) return;
  const probeIds = { ...attempt.probeIds, [side]: 0 };
  const answeredBy = { ...attempt.answeredBy, [side]: answered };
  c.set({ attempt: { ...attempt, probeIds, answeredBy } });
  considerWindow(c);
}

/** The conflict window, or the wait for one promise, is over if its time and both rounds are. */
export function considerWindow(c: Ctx): void {
  const attempt = c.s.attempt;
  if (attempt === null) return;
  const ended = attempt.probeIds.downlink === 0 && attempt.probeIds.uplink === 0;
  const answered = attempt.answeredBy.downlink || attempt.answeredBy.uplink;
  // A time that is over is served by its timer, behind all that has come (R9).
  const timeIsUp = c.s.timers.window === null;
  if (c.s.place === 'handover.listening') {
    if (ended && timeIsUp) c.become(answered ? 'address-answered' : 'quiet');
  } else if (c.s.place === 'handover.waiting') {
    if (timeIsUp) {
      c.alarm(
        'address-conflict',
        true,
        'somebody outside the cluster answers for a roving address; going on',
      );
      c.become('waited');
    } else if (ended && !answered) c.become('quiet');
  }
}

/** Waiting goes on: PROBE again, and another round where the last was answered; at the probes' pace, not at the answers'. */
export function waitOn(c: Ctx): void {
  const ids = c.s.attempt?.probeIds;
  if (ids?.downlink === 0 && ids.uplink === 0) probeBothSides(c, c.t.probeTimeoutMs);
  sendProbe(c);
}

/**
 * A signed word of a host that says it serves. It stops this attempt if that host's downlink is sound: it reached us
 * over the downlink, or was confirmed there after our silence began. Under `quorum` a complete majority
 * is stronger, for then the other's lease is over.
 */
export function masterWord(c: Ctx, from: HostName, term: Term, ageMs: number | null, link: number): void {
  const { attempt, known } = c.s;
  if (attempt === null || attempt.plannedBy?.host === from) return;
  if (known !== null && compareTerms(term, known.term) < 0) return;
  const sound = link === c.cfg.downlinkLink || (ageMs !== null && c.now - ageMs > attempt.suspectedAtMs);
  if (sound && !stronger(c, attempt)) c.become('master-alive', `${from} serves in term ${termText(term)}`);
  else c.set({ attempt: { ...attempt, masterLives: true } });
}

/** Whether a majority's running promises make this attempt stronger than another host's word. */
function stronger(c: Ctx, attempt: Attempt): boolean {
  return (
    c.policy === 'quorum' && attempt.granted && majorityUntil(c.s.right, c.host.config.membership) > c.now
  );
}

/** Another host claims too: the lower term withdraws, unless it has a majority (R11, R16). */
export function rivalClaim(c: Ctx, from: HostName, term: Term): void {
  const { attempt } = c.s;
  if (attempt === null || from === c.me || c.s.term === null) return;
  if (compareTerms(term, c.s.term) < 0) {
    // It withdraws as soon as it hears of this one.
    c.send(from, { type: 'CLAIM', service: c.s.service, id: c.id(), term: c.s.term });
  } else if (!stronger(c, attempt)) c.become('rival', `${from} claims term ${termText(term)}`);
}
