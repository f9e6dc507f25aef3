/**
 * Becoming harmless, the one way for start, roll-back and release: gate shut, then the service off, then the uplink
 * down, each repeated until its read-back confirms it. Only then does the host leave the place.
 */
import { forgetCheck } from './checks.ts';
import type { Ctx } from './context.ts';
import { NO_RIGHT } from './lease.ts';
import type { Procedure, Verdict } from './procedures.ts';
import type { Cause } from './transitions.ts';
import { freed, passedOn } from './voter.ts';

/** How long to wait before an unconfirmed deactivation is tried again. */
const RETRY_MS = 1000;
/** RELEASED and WITHDRAW are said so many times: a lost one costs a promise's time. */
const COPIES = 3;

/** Entry of init.cleaning, handover.withdrawing and service.releasing. */
export function enterCleaning(c: Ctx, cause: Cause | null): void {
  for (const timer of ['lapse', 'retry', 'renew', 'advert'] as const) c.timer(timer, null);
  c.set({ right: NO_RIGHT, attempt: null, suspicion: null, trial: null });
  c.timer('clean', c.now + RETRY_MS);
  if (cause === 'shut') {
    c.set({ cleaning: { stage: 'gate', id: c.s.gate.id, copies: 0 } });
    gateShut(c);
  } else c.set({ cleaning: { stage: 'gate', id: c.gate(null), copies: 0 } });
}

/** The gate was read back. */
export function cleaningGateSet(c: Ctx, id: number, openUntilMs: number | null): void {
  const cleaning = c.s.cleaning;
  if (cleaning === null || cleaning.stage !== 'gate' || cleaning.id !== id || openUntilMs !== null) return;
  gateShut(c);
}

/** Nothing is served from here on, so that others may be told: whoever hears it may serve at once. */
function gateShut(c: Ctx): void {
  const { term, handingTo } = c.s;
  if (term !== null) {
    // The own vote first (R12): it is the successor's for a promise, or free.
    const own = { ...c.s.voter, untilMs: Math.max(c.s.voter.untilMs, c.now + c.t.promiseMs) };
    c.set({
      voter: handingTo === null ? freed(c.s.voter, term, c.now) : passedOn(own, term, handingTo.host),
    });
  }
  sayWhatEnded(c);
  if (c.s.place === 'service.releasing') {
    c.run('announceReleaseDownlink');
    c.run('announceReleaseUplink');
  }
  const copies = c.s.cleaning?.copies ?? 0;
  c.set({ cleaning: { stage: 'service', id: c.run('deactivateService'), copies } });
  c.timer('clean', c.now + c.cfg.switchLimitMs + RETRY_MS);
  forgetCheck(c, 'checkServiceLocal');
}

/** A deactivation ended. */
export function cleaningEnded(c: Ctx, procedure: Procedure, id: number, verdict: Verdict): void {
  const cleaning = c.s.cleaning;
  if (cleaning === null || cleaning.id !== id) return;
  if (verdict !== 'confirmed') {
    c.alarm('not-harmless', true, `${procedure} could not be confirmed; trying again every ${RETRY_MS} ms`);
    c.timer('clean', c.now + RETRY_MS);
    return;
  }
  if (cleaning.stage === 'service') {
    c.uplinkTalk(false);
    c.set({ cleaning: { ...cleaning, stage: 'uplink', id: c.run('deactivateUplink') } });
    forgetCheck(c, 'checkUplink');
    c.timer('clean', c.now + c.cfg.switchLimitMs + RETRY_MS);
  } else {
    c.set({ cleaning: { ...cleaning, stage: 'words', id: 0 } });
    c.timer('clean', null);
    harmless(c);
  }
}

/** The present stage is not confirmed yet: again. */
export function cleaningTimer(c: Ctx): void {
  const cleaning = c.s.cleaning;
  if (cleaning === null || cleaning.stage === 'words') return;
  const { stage } = cleaning;
  const id =
    stage === 'gate' ? c.gate(null) : c.run(stage === 'service' ? 'deactivateService' : 'deactivateUplink');
  c.set({ cleaning: { ...cleaning, id } });
  c.timer('clean', c.now + c.cfg.switchLimitMs + RETRY_MS);
}

/** RELEASED or WITHDRAW, `COPIES` times, one probe's time-out apart. */
export function sayWhatEnded(c: Ctx): void {
  const { cleaning, term, handingTo } = c.s;
  if (cleaning === null || term === null || cleaning.copies >= COPIES) return;
  if (c.s.place === 'service.releasing') {
    c.send('all', {
      type: 'RELEASED',
      service: c.s.service,
      term,
      successor: handingTo?.host ?? null,
      id: handingTo?.id ?? 0,
      // What is left now; a later copy says less, so that nobody can be told more than there is.
      restMs: Math.max(0, Math.floor((handingTo?.leaseUntilMs ?? 0) - c.now)),
    });
  } else {
    c.send('all', { type: 'WITHDRAW', service: c.s.service, term });
  }
  c.set({ cleaning: { ...cleaning, copies: cleaning.copies + 1 } });
  if (cleaning.copies + 1 < COPIES) c.timer('repeat', c.now + c.t.probeTimeoutMs);
  harmless(c);
}

/** All confirmed (uplink down, service off, gate shut), and said as often as it is to be: the host leaves the place. */
function harmless(c: Ctx): void {
  const { cleaning } = c.s;
  if (cleaning?.stage !== 'words' || (c.s.term !== null && cleaning.copies < COPIES)) return;
  c.alarm('not-harmless', false);
  c.alarm('suspended', false);
  c.alarm('uplink-failed', false);
  c.alarm('address-conflict', false);
  c.alarm('forced', false);
  c.alarm('no-successor', false);
  const { known } = c.s;
  const alone = c.s.place === 'handover.withdrawing' && known === null;
  c.set({ cleaning: null, term: null, handingTo: null, forced: false });
  // A former master gives its successor an interval to be heard.
  if (c.s.place === 'service.releasing' && known !== null) c.set({ known: { ...known, heardAtMs: c.now } });
  c.become(alone ? 'harmless-alone' : 'harmless');
}
