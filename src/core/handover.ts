/**
 * Handover, first half (slide "Handover Main State"; R11): claim the next term, raise the own uplink, test it.
 * Every way out but the last leaves the uplink down (handover.withdrawing).
 */
import { ask, reclaim } from './asking.ts';
import { compareTerms, type HostName } from './basics.ts';
import { forgetCheck, startCheck } from './checks.ts';
import { masterWord } from './conflict.ts';
import type { Ctx } from './context.ts';
import { majorityUntil } from './lease.ts';
import type { Object_ } from './messages.ts';
import type { CheckRecord } from './state.ts';
import type { Cause } from './transitions.ts';
import { nextTerm } from './voting.ts';

/** Entry of handover.claiming. */
export function enterClaiming(c: Ctx, cause: Cause): void {
  const term = nextTerm(c);
  const forced = cause === 'forced';
  c.set({ term, forced, highestN: term.n });
  c.set({
    attempt: {
      term,
      plannedBy: null,
      plannedId: 0,
      claimedAtMs: c.now,
      suspectedAtMs: c.s.suspicion?.sinceMs ?? c.now,
      granted: false,
      notBeforeMs: isAlone(c) ? c.now : c.now + c.objectionMs,
      masterLives: false,
      released: c.s.known?.released === null,
      readyAtMs: 0,
      readyId: 0,
      probeIds: { downlink: 0, uplink: 0 },
      answeredBy: { downlink: false, uplink: false },
      prepared: 'no',
      stalls: c.s.suspicion?.stalls ?? 0,
      limitAtMs: c.now + 3 * c.t.promiseMs + c.t.handoverLimitMs,
    },
    suspicion: null,
  });
  if (forced) c.alarm('forced', true, 'claiming without a majority, by an operator’s order');
  c.timer('step', c.now + 3 * c.t.promiseMs);
  claim(c);
}

/**
 * Whether nobody but the silent master could object: that one was asked np times, and is again in the conflict window. Who claims
 * by an operator's order has asked nobody.
 */
function isAlone(c: Ctx): boolean {
  const master = c.s.known?.term.host;
  return (
    !c.s.forced &&
    master !== undefined &&
    master !== c.me &&
    c.host.config.membership.members.every(({ name }) => name === c.me || name === master)
  );
}

/** CLAIM, and when to say it again: quickly at first, then once an interval. */
export function claim(c: Ctx): void {
  const attempt = c.s.attempt;
  if (attempt === null) return;
  ask(c);
  const early = c.now - attempt.claimedAtMs < c.t.promiseMs;
  c.timer('retry', c.now + (early ? c.t.probeTimeoutMs : c.t.intervalMs));
  c.timer('claim', Math.max(attempt.notBeforeMs, c.now));
  considerGrants(c);
}

/** Goes on as soon as a majority promised (`quorum`), or nobody objected in time (`available`). */
export function considerGrants(c: Ctx): void {
  const attempt = c.s.attempt;
  if (attempt === null || c.s.place !== 'handover.claiming') return;
  const granted =
    c.policy === 'available'
      ? c.now >= attempt.notBeforeMs
      : majorityUntil(c.s.right, c.host.config.membership) > c.now;
  if (!granted) return;
  c.set({ attempt: { ...attempt, granted: true } });
  c.become('granted');
}

/** Somebody does not want this claim. */
export function objected(c: Ctx, from: HostName, m: Object_, link: number): void {
  const attempt = c.s.attempt;
  if (attempt === null || c.s.term === null) return;
  if (m.reason === 'serving') masterWord(c, from, m.term, m.downlinkAgeMs, link);
  else if (c.s.place !== 'handover.claiming') return;
  else if (m.reason === 'hearing') {
    // Worth one promise at the most (R18): the objector may hear what does not serve us.
    const notBeforeMs = attempt.claimedAtMs + c.t.promiseMs;
    c.set({ attempt: { ...attempt, notBeforeMs: Math.max(attempt.notBeforeMs, notBeforeMs) } });
    c.timer('claim', notBeforeMs);
  } else if (compareTerms(m.term, c.s.term) > 0) reclaim(c, m.term.n);
  else if (m.restMs < c.t.probeTimeoutMs) c.timer('retry', c.now + Math.max(1, m.restMs));
}

/** Entry of handover.raising: the claim holds, or the master asked. */
export function enterRaising(c: Ctx): void {
  forgetCheck(c, 'checkUplink');
  c.run('activateUplink');
  limit(c, c.cfg.switchLimitMs + c.cfg.uplinkLimitMs);
  if (c.s.attempt?.plannedBy === null) {
    ask(c);
    c.timer('advert', c.nextOnGrid(c.t.intervalMs));
  }
}

/** The uplink was ordered up: whether it is shows its next hop alone. The cluster's socket opens on it. */
export function uplinkActivated(c: Ctx): void {
  if (c.s.place !== 'handover.raising') return;
  limit(c, c.cfg.uplinkLimitMs);
  c.uplinkTalk(true);
  startCheck(c, 'checkUplink');
}

/** The next hop answered, or not yet. */
export function uplinkChecked(c: Ctx, record: CheckRecord): void {
  if (c.s.place !== 'handover.raising') return;
  if (record.verdict === 'confirmed') {
    c.become(c.s.attempt?.plannedBy == null ? 'next-hop-answered' : 'next-hop-answered-planned');
  } else c.timer('probe', c.now + c.t.probeTimeoutMs);
}

/** Sets the place's own limit; the limit of the whole attempt stands above it. */
export function limit(c: Ctx, ms: number): void {
  c.timer('step', Math.min(c.now + ms, c.s.attempt?.limitAtMs ?? c.now + ms));
}
