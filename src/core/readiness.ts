/**
 * Handover, second half (R11, R12): prepare the service behind the shut gate, have the old master let go, open the
 * gate. Preparing comes before letting go, so that a planned handover is make-before-break and a failed one costs
 * nobody anything; behind a shut gate nothing is answered, announced or forwarded (R6).
 */
import { ask } from './asking.ts';
import { compareTerms, type HostName } from './basics.ts';
import type { Ctx } from './context.ts';
import { limit } from './handover.ts';
import { enterCleaning } from './harmless.ts';
import type { Released } from './messages.ts';
import { prepare } from './preparing.ts';
import type { Cause } from './transitions.ts';

/** Entry of handover.preparing: over at once when all was done beside the conflict window. */
export function enterPreparing(c: Ctx): void {
  const prepared = c.s.attempt?.prepared;
  if (prepared === 'tested') {
    c.become('prepared');
    return;
  }
  if (prepared === 'no') prepare(c);
  limit(c, 2 * c.cfg.switchLimitMs);
}

/** Entry of handover.releasing. */
export function enterReleasing(c: Ctx): void {
  const { attempt, known } = c.s;
  if (attempt === null) return;
  if (attempt.plannedBy !== null) {
    c.set({ attempt: { ...attempt, readyAtMs: c.now, readyId: c.id() } });
    c.timer('step', c.now + c.t.promiseMs);
    tell(c);
    return;
  }
  // One that no probe of this attempt brought a word of would not answer RELEASE either.
  if (known === null || known.term.host === c.me || attempt.released || !attempt.masterLives) {
    c.become('silent');
    return;
  }
  // It lives, and gets time to look at its links.
  c.timer('step', c.now + c.t.promiseMs);
  tell(c);
}

/** READY to the master that asked, or RELEASE to all; again until it is answered. */
export function tell(c: Ctx): void {
  const { attempt, term, service } = c.s;
  if (attempt === null || term === null) return;
  if (attempt.plannedBy !== null) {
    c.send(attempt.plannedBy.host, { type: 'READY', service, id: attempt.readyId, term });
  } else c.send('all', { type: 'RELEASE', service, id: c.id(), term });
  c.timer('repeat', c.now + c.t.probeTimeoutMs);
}

/** RELEASED by the old master: its gate is shut. A planned one lends us the rest of its lease (R12). */
export function masterReleased(c: Ctx, from: HostName, m: Released): void {
  const attempt = c.s.attempt;
  const { known } = c.s;
  if (attempt === null || known?.term.host !== from || compareTerms(m.term, known.term) < 0) return;
  if (attempt.plannedBy !== null) {
    if (c.s.place !== 'handover.releasing' || m.successor !== c.me || m.id !== attempt.readyId) return;
    // Counted from the first sending of READY, which is before the master reckoned the rest.
    c.set({ right: { ...c.s.right, lentUntilMs: attempt.readyAtMs + Math.min(m.restMs, c.t.leaseMs) } });
  } else if (m.successor !== null && m.successor !== c.me) return;
  c.set({ attempt: { ...attempt, released: true } });
  if (c.s.place === 'handover.releasing') c.become('released');
}

/** The old master did not answer in time. */
export function notReleased(c: Ctx): void {
  const { attempt, known } = c.s;
  if (attempt === null) return;
  if (attempt.plannedBy !== null) {
    // As long as it is heard it may still be waiting for its gate; a silent one will never answer.
    const heardMs = known === null ? 0 : c.now - known.heardAtMs;
    if (heardMs < c.t.promiseMs && c.now < attempt.limitAtMs) limit(c, c.t.promiseMs);
    else c.become('too-late', 'the old master did not let go');
  } else if (c.policy === 'available') {
    c.become('too-late', 'the old master lives and did not let go');
  } else c.become('silent');
}

/** Entry of handover.opening. */
export function enterOpening(c: Ctx): void {
  // Not cut by the attempt's own limit: the old master let go, and who rolls back now leaves nobody serving.
  c.timer('step', c.now + c.t.promiseMs);
  if (c.policy === 'available') renewOwn(c);
  else if (c.s.attempt?.plannedBy !== null || c.rightUntil <= c.now) {
    // What is lent may be over at once, or too short for the kernel's gate: a majority is asked beside it.
    ask(c);
    c.timer('retry', c.now + c.t.probeTimeoutMs);
  }
  openGate(c);
}

/** R5: the own renewal, while the loop turns. */
export function renewOwn(c: Ctx): void {
  c.set({ right: { ...c.s.right, ownUntilMs: c.now + c.t.leaseMs } });
  c.timer('renew', c.nextOnGrid(c.t.intervalMs / 2));
}

/** Orders the gate open for as long as the right lasts; nothing without a right. */
export function openGate(c: Ctx): void {
  const untilMs = c.rightUntil;
  if (untilMs > c.now) c.gate(untilMs);
}

/** Entry of handover.withdrawing: hold-down for a failure of ours, then the way to harmlessness. */
export function enterWithdrawing(c: Ctx, cause: Cause): void {
  if (cause !== 'ordered' && cause !== 'rival') {
    const holdMs = Math.min(Math.max(2 * c.s.holdMs, c.t.holdDownMs), c.t.holdDownMaxMs);
    c.set({ holdMs, holdUntilMs: c.now + holdMs });
    if (cause !== 'master-alive') c.alarm('handover-failed', true, `rolled back: ${cause}`);
  }
  enterCleaning(c, cause);
}
