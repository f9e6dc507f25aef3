/** The parts of a service's state where one bit has several causes in the code: checks, reports, the right to serve, the own vote. */
import { compareTerms, type ServiceState, type Term, type Verdict } from '../../src/core/index.ts';
import type { CheckRecord, PeerReport } from '../../src/core/state.ts';
import { INTERVAL_MS, LEASE_MS, NOW, name, RUN, termOf } from './concrete-cluster.ts';
import { ME, type Vector } from './vector.ts';

/** A check's record: `unsound` and `bad` as they must be for the run under way to end as the vector says. */
function record(change: Partial<CheckRecord>): CheckRecord {
  return {
    runningId: 0,
    startedAtMs: NOW - 20,
    confirmedAtMs: NOW - 5000,
    verdict: 'confirmed',
    sound: true,
    good: 5,
    bad: 0,
    again: false,
    ...change,
  };
}

/** The checks: down and sound as the vector says, and the run that ends with the event. */
export function checks(v: Vector, event: string, sinceMs: number, variant: number): ServiceState['checks'] {
  const down = v.down === 1;
  const wasBad = v.fallen === 1 ? 1 : 0;
  const confirmedAtMs = v.downSince === 1 ? sinceMs : sinceMs - 1;
  let downlink = record({
    verdict: down ? 'confirmed' : ((['lost', 'unknown'] as const)[variant % 2] as Verdict),
    sound: v.sound === 1,
    confirmedAtMs,
    good: down ? 1 : 0,
    bad: down ? 0 : 3,
  });
  if (event.startsWith('E_DOWN_')) {
    const first = v.risen === 1 && v.sound === 0 && !down && variant % 2 === 1;
    downlink = {
      ...downlink,
      runningId: RUN,
      startedAtMs: v.began === 1 ? sinceMs : sinceMs - 1,
      good: v.risen === 1 ? 1 : 0,
      bad: wasBad,
      confirmedAtMs: first ? null : downlink.confirmedAtMs,
    };
  }
  const tested = (prefix: string): CheckRecord => {
    // The last self-check is older than an interval: a CHECK starts another one.
    if (!event.startsWith(prefix)) return record({ startedAtMs: NOW - 2 * INTERVAL_MS });
    // A test that was never good yet has not failed before `fall` either.
    const unsound = prefix === 'E_LOCAL_' && variant % 2 === 1;
    return record({ runningId: RUN, bad: wasBad, ...(unsound ? { sound: false, good: 0 } : {}) });
  };
  const remote = tested('E_REMOTE_');
  const disputes = v.disputed === 1 || (!down && variant % 2 === 0);
  return {
    checkDownlink: downlink,
    checkUplink: tested('E_UP_'),
    checkServiceLocal: tested('E_LOCAL_'),
    checkServiceRemote: event === 'E_REMOTE_FAILED' ? { ...remote, bad: disputes ? 1 : 0 } : remote,
  };
}

/** What a peer said last; nothing good, but for the change. */
export function report(change: Partial<PeerReport>): PeerReport {
  return {
    atMs: NOW - 100,
    fit: false,
    standby: false,
    downlink: true,
    activity: 'backup',
    sameDigest: true,
    load: 0,
    burdened: false,
    fitSinceMs: null,
    tableTerm: null,
    tableSeq: 0,
    ...change,
  };
}

/** The right to serve, and until when it lasts. */
export function rightOf(
  v: Vector,
  event: string,
  variant: number,
): { right: ServiceState['right']; untilMs: number } {
  const none = { requests: [], leases: {}, ownUntilMs: 0, lentUntilMs: 0 };
  const restMs = v.renewed === 1 ? 150 : 50;
  if (v.available === 1 || v.forced === 1) {
    const untilMs = v.right === 1 ? NOW + 50 : v.gate === 1 ? NOW - 10 : 0;
    // Under a forced mastership the voters do not count, whatever they say.
    const leases = v.forced === 1 && v.maj === 1 ? { h0: NOW + 50, h1: NOW + 50 } : {};
    return { right: { ...none, leases, ownUntilMs: untilMs }, untilMs };
  }
  if (v.maj === 1 || (v.right === 1 && v.attempt === 0 && (variant % 2 === 0 || v.renewed === 1))) {
    const untilMs = NOW + restMs;
    const leases: Record<string, number> = { h0: untilMs, h1: untilMs };
    if (v.renewed === 1) leases.h2 = untilMs;
    if (event !== 'E_ANSWER' || variant % 4 < 2) return { right: { ...none, leases }, untilMs };
    // It is this answer that completes the majority, or that makes its right longer.
    const from = name(v.from as number);
    const before = v.gate === 0 ? 0 : v.grown === 1 ? untilMs - 20 : untilMs;
    return {
      right: {
        ...none,
        requests: [{ id: 9, sentAtMs: untilMs - LEASE_MS }],
        leases: { h1: untilMs, [from]: before },
      },
      untilMs,
    };
  }
  if (v.right === 1) return { right: { ...none, lentUntilMs: NOW + restMs }, untilMs: NOW + restMs };
  const untilMs = v.gate === 1 ? NOW - 10 : 0;
  return { right: { ...none, lentUntilMs: untilMs, leases: { h0: untilMs } }, untilMs };
}

/** The own vote: what it is before the event, so that `promised` and `bound` hold of it and after it. */
export function voterOf(v: Vector, event: string, variant: number): ServiceState['voter'] {
  const own = { term: { n: 1, host: name(ME) }, holder: name(ME), untilMs: NOW + 100 };
  const t = termOf(v.mt as number);
  const from = name(v.from as number);
  const held = termOf(v.term as number);
  const above = (term: Term) => held !== null && compareTerms(term, held) > 0;
  const asks = v.available === 0 && /^E_(STATUS|STATUS_SUSPENDED|STATUS_HANDOVER|CLAIM)$/.test(event);
  if (asks && t !== null) {
    if (v.promised === 1) {
      // Free, or the sender's own already.
      return variant % 2 === 0
        ? { term: { n: 1, host: 'h3' }, holder: 'h3', untilMs: NOW - 1 }
        : { term: { n: 1, host: from }, holder: from, untilMs: NOW + 100 };
    }
    if (v.bound === 1) return { term: { n: 1, host: 'h3' }, holder: 'h3', untilMs: NOW + 100 };
    // A promise that is over still refuses a lower term; one's own refuses everybody. Above the own term it would
    // refuse that, too: R7 for the own vote is calm.pml's, not host.pml's.
    const higher = { n: v.highest as number, host: 'h3' };
    const refuses = compareTerms(higher, t) > 0 && !above(higher) && variant % 2 === 0;
    return refuses ? { term: higher, holder: 'h3', untilMs: NOW - 1 } : own;
  }
  if (v.bound === 1) return { term: { n: 1, host: 'h3' }, holder: 'h3', untilMs: NOW + 100 };
  if (
    t !== null &&
    !above(t) &&
    (event === 'E_WITHDRAW' || (event === 'E_RELEASED' && v.succ === 0)) &&
    variant % 2 === 1
  ) {
    return { term: t, holder: from, untilMs: NOW + 100 };
  }
  return variant % 4 < 2 ? own : { ...own, holder: 'h3', untilMs: NOW };
}
