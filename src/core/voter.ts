/**
 * The voter in every host: one promise at a time (spec R2, R3). Safety under `quorum` is this file
 * and lease.ts: nothing else keeps two masters apart.
 */
import { compareTerms, type HostName, type Term } from './basics.ts';

/** One promise. Binding until `untilMs`: nobody but `holder` gets another one before. */
export interface Voter {
  /** The highest term promised; null before the first. */
  readonly term: Term | null;
  readonly holder: HostName | null;
  readonly untilMs: number;
}

/** After a start a host has forgotten what it promised, so it promises nothing for the time of a promise (R3). */
export function abstaining(nowMs: number, promiseMs: number): Voter {
  return { term: null, holder: null, untilMs: nowMs + promiseMs };
}

/** Whether the promise binds the voter to somebody else than `host`. */
export function bound(voter: Voter, host: HostName, nowMs: number): boolean {
  return nowMs < voter.untilMs && voter.holder !== host;
}

/**
 * R2, for CLAIM and for renewals alike: the voter after its promise for `term`, or null when it must object.
 * A term belongs to the host that it names, so `term.host` is who asks.
 */
export function promise(voter: Voter, term: Term, nowMs: number, promiseMs: number): Voter | null {
  if (bound(voter, term.host, nowMs)) return null;
  if (voter.term !== null && compareTerms(term, voter.term) < 0) return null;
  return { term, holder: term.host, untilMs: nowMs + promiseMs };
}

/**
 * R15, R16: the holder itself gave exactly this term up (RELEASED without successor, WITHDRAW). A word about a later
 * attempt of that host frees nothing: it may have handed this term over meanwhile, and somebody lives on the rest.
 */
export function freed(voter: Voter, term: Term, nowMs: number): Voter {
  if (voter.term === null || voter.holder !== term.host || compareTerms(voter.term, term) !== 0) return voter;
  return { ...voter, holder: null, untilMs: nowMs };
}

/** R12: the holder of exactly `term` handed over to `successor`; the promise binds to that host from now on. */
export function passedOn(voter: Voter, term: Term, successor: HostName): Voter {
  if (voter.term === null || voter.holder !== term.host || compareTerms(voter.term, term) !== 0) return voter;
  return { ...voter, holder: successor };
}
