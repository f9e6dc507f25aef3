/**
 * What every host does with claims and adverts, whatever its place: promise or object, remember who is established,
 * free what was given up. A claim changes nobody's established term; only a serving host's STATUS does.
 */
import { compareTerms, type HostName, type Term } from './basics.ts';
import { type Ctx, termText } from './context.ts';
import { checkDigests } from './fitness.ts';
import { answered } from './lease.ts';
import type { Claim, Message, Released, Status, Withdraw } from './messages.ts';
import { newer } from './table.ts';
import { freed, passedOn, promise } from './voter.ts';

/** A term number further than this above the highest known one is refused. */
export const MAX_TERM_LEAP = 2 ** 20;
/** A host that knows no term yet takes none above this one: half of all numbers stay for what follows. */
export const FIRST_TERM_MAX = 2 ** 52;
/** No table is changed so often within one term. */
const MAX_TABLE_SEQ = 2 ** 32;

/** Whether a message names a term that cannot be honest: its number is absurd, or it speaks in another's term. */
export function absurd(c: Ctx, from: HostName, m: Message): boolean {
  const own = m.type === 'STATUS' || m.type === 'CLAIM' || m.type === 'WITHDRAW' || m.type === 'RELEASED';
  if (own && m.term.host !== from) return true;
  const highest = highestKnown(c);
  // A host that knows nothing yet takes the cluster's numbers as they are, but for those near their end.
  const limit = (leap: number): number => (highest === 0 ? FIRST_TERM_MAX : highest + leap);
  const table = 'table' in m ? m.table : undefined;
  if (table !== undefined && (table.seq > MAX_TABLE_SEQ || table.term.n > limit(MAX_TERM_LEAP))) return true;
  const named = 'term' in m ? m.term : null;
  // OBJECT makes a master take the next number: the others, who did not hear it, must not find that one absurd.
  if (named === null || named.n <= limit(m.type === 'OBJECT' ? MAX_TERM_LEAP / 2 : MAX_TERM_LEAP))
    return false;
  c.alarm('term-absurd', true, `${from} names the term ${termText(named)}`);
  return true;
}

function highestKnown(c: Ctx): number {
  return Math.max(c.s.highestN, c.s.known?.term.n ?? 0, c.s.voter.term?.n ?? 0);
}

/** The number of this host's next claim: above all that it promised, tried or knows as established (R1). */
export function nextTerm(c: Ctx, atLeast = 0): Term {
  return { n: Math.max(highestKnown(c), atLeast) + 1, host: c.me };
}

/**
 * A host says, signed, that it serves in that term: from now on it is the established one, if no higher is known whose
 * host may still serve (R1). A word that was overtaken by the same host's RELEASED changes nothing.
 */
export function established(c: Ctx, term: Term): void {
  const known = c.s.known;
  // R13: while a majority's promises run for this host nobody else serves, whatever a member says of itself.
  if (c.at('service.serving', 'service.seeking') && c.policy === 'quorum' && c.rightUntil > c.now) return;
  const order = known === null ? 1 : compareTerms(term, known.term);
  if ((order < 0 && !overcome(c)) || (order === 0 && known?.released !== undefined)) return;
  if (order !== 0) c.log('note', `${term.host} serves in term ${termText(term)}`, { master: term.host });
  c.set({ known: { term, heardAtMs: c.now }, highestN: Math.max(c.s.highestN, term.n) });
  if (c.s.rival !== null && compareTerms(c.s.rival.term, term) <= 0) c.set({ rival: null });
}

/**
 * Whether nobody serves in the highest known term any more, as it seems. Whoever claimed without having heard of it is
 * master in a lower one, and the only one.
 */
function overcome(c: Ctx): boolean {
  const known = c.s.known;
  if (known === null || c.main === 'service') return false;
  if (known.term.host === c.me || known.released !== undefined) return true;
  return c.now - known.heardAtMs > c.t.intervalMs + c.t.slackMs;
}

/** STATUS: the master's advert, or a claimant's renewal. */
export function heardStatus(c: Ctx, from: HostName, m: Status): void {
  const known = c.s.known;
  if (m.phase === 'serving') {
    established(c, m.term);
  } else if (m.phase === 'suspended' && known !== null && known.term.host === from) {
    // It lives and may come back in its term; a term that it only tries for establishes nothing.
    c.set({ known: { ...known, heardAtMs: c.now } });
  } else {
    c.set({ rival: { term: m.term, heardAtMs: c.now } });
  }
  if (m.table !== undefined && newer(m.table, c.s.table)) c.set({ table: m.table });
  const report = c.s.reports[from];
  if (report !== undefined && report.sameDigest !== (m.digest === c.cfg.digest)) {
    c.set({ reports: { ...c.s.reports, [from]: { ...report, sameDigest: m.digest === c.cfg.digest } } });
    checkDigests(c);
  }
  if (m.digest === c.cfg.digest) vote(c, from, m);
}

/** CLAIM: under `quorum` a vote; under `available` a host that hears the master says so (R18). */
export function heardClaim(c: Ctx, from: HostName, m: Claim): void {
  c.set({ rival: { term: m.term, heardAtMs: c.now } });
  const known = c.s.known;
  const fresh = known !== null && c.now - known.heardAtMs <= c.t.intervalMs + c.t.slackMs;
  if (c.s.reports[from]?.sameDigest !== true) return;
  if (c.cfg.policy === 'quorum') vote(c, from, m);
  else if (fresh && known.released === undefined && known.term.host !== from && known.term.host !== c.me) {
    c.send(from, {
      type: 'OBJECT',
      service: c.s.service,
      id: m.id,
      reason: 'hearing',
      term: known.term,
      restMs: Math.floor(c.t.promiseMs),
      downlinkAgeMs: null,
    });
  }
}

/**
 * R2. Under `available` nothing is promised and nothing answered; nor, under either policy, to a host that counts its
 * majority by a roster that is over (R21): it learns of the newer one and asks again.
 */
function vote(c: Ctx, from: HostName, m: Status | Claim): void {
  if (c.cfg.policy === 'available' || c.outdated) return;
  const voter = promise(c.s.voter, m.term, c.now, c.t.promiseMs);
  const { service } = c.s;
  if (voter === null) {
    c.send(from, {
      type: 'OBJECT',
      service,
      id: m.id,
      reason: 'promise',
      term: c.s.voter.term ?? m.term,
      restMs: Math.max(0, Math.ceil(c.s.voter.untilMs - c.now)),
      downlinkAgeMs: null,
    });
    return;
  }
  if (c.s.voter.holder !== from || m.type === 'CLAIM') {
    c.log('voted', `promised term ${termText(m.term)} to ${from}`, { term: termText(m.term) });
  }
  c.set({ voter, highestN: Math.max(c.s.highestN, m.term.n) });
  if (m.type === 'STATUS') c.send(from, { type: 'ACK', service, id: m.id, term: m.term });
  else {
    const table = c.s.table === null ? {} : { table: c.s.table };
    c.send(from, { type: 'GRANT', service, id: m.id, term: m.term, ...table });
  }
}

/** This host's own vote for its own term (R2 binds it): true when it counts from now on. */
export function voteForOneself(c: Ctx, term: Term, id: number): boolean {
  const voter = promise(c.s.voter, term, c.now, c.t.promiseMs);
  if (voter === null) return false;
  c.set({ voter, right: answered(c.s.right, c.me, id, c.t.leaseMs) });
  return true;
}

/** RELEASED: promises for that term are free, or passed on to the successor (R12, R15). */
export function heardReleased(c: Ctx, from: HostName, m: Released): void {
  c.set({
    voter: m.successor === null ? freed(c.s.voter, m.term, c.now) : passedOn(c.s.voter, m.term, m.successor),
  });
  const known = c.s.known;
  if (known === null || known.term.host !== from || compareTerms(m.term, known.term) < 0) return;
  c.set({ known: { ...known, heardAtMs: c.now, released: m.successor } });
  c.log('note', `${from} released term ${termText(m.term)} to ${m.successor ?? 'whoever claims first'}`);
}

/** WITHDRAW: that claim is over; its promises are free at once (R16). */
export function heardWithdraw(c: Ctx, m: Withdraw): void {
  c.set({ voter: freed(c.s.voter, m.term, c.now) });
  if (c.s.rival !== null && c.s.rival.term.host === m.term.host) c.set({ rival: null });
}
