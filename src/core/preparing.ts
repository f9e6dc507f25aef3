/**
 * The service behind the shut gate (R11): ordered, then tested. Where `activateService` is the built-in one it runs beside
 * the conflict window: the gate holds all that it does, so that it harms no master who lives. A program may do what no
 * gate holds, and runs only when the window has found nobody.
 */
import { forgetCheck, startCheck } from './checks.ts';
import type { Ctx } from './context.ts';
import type { Attempt, CheckRecord } from './state.ts';

/** Orders it; what an earlier order has put in place is not touched, and tested anew. */
export function prepare(c: Ctx): void {
  forgetCheck(c, 'checkServiceLocal');
  c.run('activateService');
  setPrepared(c, 'ordered');
}

/** A conflict window begins, the first one or another after a stall: what was slept through may be gone. */
export function prepareBesideWindow(c: Ctx): void {
  if (c.cfg.preparesEarly) prepare(c);
  else setPrepared(c, 'no');
}

/** The service was ordered up: whether it is shows its test alone. */
export function serviceActivated(c: Ctx): void {
  if (c.s.attempt?.prepared === 'ordered') startCheck(c, 'checkServiceLocal');
}

/** The local test behind the gate. Beside the window it is made once: who has it fail begins with the order again. */
export function preparedChecked(c: Ctx, record: CheckRecord): void {
  if (c.s.attempt?.prepared !== 'ordered') return;
  const isWaitedFor = c.s.place === 'handover.preparing';
  if (record.verdict === 'confirmed') {
    setPrepared(c, 'tested');
    if (isWaitedFor) c.become('prepared');
  } else if (isWaitedFor) c.timer('probe', c.now + c.t.probeTimeoutMs);
  else setPrepared(c, 'no');
}

function setPrepared(c: Ctx, prepared: Attempt['prepared']): void {
  if (c.s.attempt !== null) c.set({ attempt: { ...c.s.attempt, prepared } });
}
