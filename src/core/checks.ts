/**
 * The four tests: when they run and what their results mean. Positive definite: only `confirmed` is good;
 * a result counts from when its run *started*, since it may rest on what was seen then.
 */
import type { Ctx } from './context.ts';
import type { TestProcedure, Verdict } from './procedures.ts';
import type { CheckRecord } from './state.ts';

/** The tests that each main state repeats every `checkIntervalMs`. */
const PERIODIC = {
  init: ['checkDownlink'],
  decide: ['checkDownlink'],
  backup: ['checkDownlink', 'checkServiceRemote'],
  handover: ['checkDownlink'],
  service: ['checkDownlink', 'checkUplink', 'checkServiceLocal'],
} as const satisfies { [state: string]: readonly TestProcedure[] };

/** Starts a test, or marks it to be started again when the run under way ends. */
export function startCheck(c: Ctx, procedure: TestProcedure): void {
  const record = c.s.checks[procedure];
  if (record.runningId !== 0) {
    setRecord(c, procedure, { ...record, again: true });
    return;
  }
  const runningId = c.run(procedure);
  setRecord(c, procedure, { ...c.s.checks[procedure], runningId, startedAtMs: c.now, again: false });
}

/** The periodic tests of the present state, and the time of the next ones (R7): what services test alike is tested once for all. */
export function periodicChecks(c: Ctx): void {
  const everyMs = c.cfg.checkIntervalMs;
  c.timer('checks', isWithAdverts(c) ? c.now + everyMs + c.t.slackMs : c.nextOnGrid(everyMs));
  if (c.at('init.cleaning', 'handover.withdrawing', 'service.releasing')) return;
  for (const procedure of PERIODIC[c.main]) {
    if (procedure === 'checkServiceRemote' && c.s.known === null) continue;
    if (c.s.checks[procedure].runningId === 0) startCheck(c, procedure);
  }
}

/**
 * R7: an advert has come to a watching backup. Tests that will be due before the next one are due now, so that one turn serves both, or
 * with the next one.
 */
export function checksWithAdvert(c: Ctx): void {
  const { checks } = c.s.timers;
  if (checks === null || !isWithAdverts(c)) return;
  const { intervalMs, slackMs } = c.t;
  const restMs = checks - c.now;
  if (restMs <= intervalMs / 2 + slackMs) c.timer('checks', c.now);
  else if (restMs < intervalMs + slackMs) c.timer('checks', c.now + intervalMs + slackMs);
}

/** What several services test alike is tested once, on the host's grid; and what is tested more often than adverts come cannot wait for them. */
function isWithAdverts(c: Ctx): boolean {
  const { place } = c.s;
  return (
    place === 'backup.watching' &&
    c.cfg.checkIntervalMs >= c.t.intervalMs &&
    c.host.config.services.length === 1
  );
}

/** Takes a result in. Returns the new record, or null when it is not the one waited for. */
export function checkEnded(
  c: Ctx,
  procedure: TestProcedure,
  id: number,
  verdict: Verdict,
): CheckRecord | null {
  const old = c.s.checks[procedure];
  if (old.runningId !== id) return null;
  const confirmed = verdict === 'confirmed';
  const good = confirmed ? old.good + 1 : 0;
  const bad = confirmed ? 0 : old.bad + 1;
  const first = old.confirmedAtMs === null;
  const sound = old.sound
    ? verdict !== 'refuted' && bad < c.cfg.fall
    : confirmed && (first || good >= c.cfg.rise);
  const confirmedAtMs = confirmed ? old.startedAtMs : old.confirmedAtMs;
  const record = { ...old, runningId: 0, again: false, verdict, good, bad, sound, confirmedAtMs };
  setRecord(c, procedure, record);
  if (old.verdict !== verdict || old.sound !== sound) {
    c.log('procedure', `${procedure}: ${verdict}`, { procedure, verdict, sound });
  }
  if (procedure === 'checkDownlink') {
    c.alarm(
      'downlink-unconfirmed',
      !sound,
      sound ? '' : 'no host outside the cluster answers on the downlink',
    );
  }
  if (old.again) startCheck(c, procedure);
  return record;
}

/** Whether a test that started at or after `sinceMs` was confirmed, and nothing since said otherwise. */
export function confirmedSince(c: Ctx, procedure: TestProcedure, sinceMs: number): boolean {
  const { confirmedAtMs, verdict } = c.s.checks[procedure];
  return verdict === 'confirmed' && confirmedAtMs !== null && confirmedAtMs >= sinceMs;
}

/** How long ago the own downlink was confirmed, in whole milliseconds rounded up; null when it is not. */
export function downlinkAgeMs(c: Ctx): number | null {
  const { confirmedAtMs, verdict } = c.s.checks.checkDownlink;
  if (confirmedAtMs === null || verdict !== 'confirmed') return null;
  return Math.ceil(c.now - confirmedAtMs);
}

/** Forgets what a test showed: the thing that it tests was switched off since. */
export function forgetCheck(c: Ctx, procedure: TestProcedure): void {
  const record = c.s.checks[procedure];
  setRecord(c, procedure, {
    ...record,
    runningId: 0,
    again: false,
    confirmedAtMs: null,
    verdict: 'unknown',
    sound: false,
    good: 0,
    bad: 0,
  });
}

function setRecord(c: Ctx, procedure: TestProcedure, record: CheckRecord): void {
  c.set({ checks: { ...c.s.checks, [procedure]: record } });
}
