/** More faults, in times, limits and alarms; what catches them is test/explore/limits.test.ts. */
import type { Mutant } from './mutants.ts';

const FILE = 'test/explore/limits.test.ts';
const RELEASED = 'R12: RELEASED tells no more than the rest of the lease';
const HELD_ONCE = 'R19: words that cannot be verified hold a host once';
const OBJECT = 'an OBJECT may name half as far a term';
const INSISTS = 'a backup that sees the service fail insists only';
const NOBODY = 'R14: nobody to hand over to is an alarm';

const NEVER_LONGER = 'R28: never longer than configured';
const BY_HALVES = 'R28: a long round trip counts at once';
const SLOWEST = 'R28: the slowest gateway decides';

function trip(find: string, replace: string, breaks: string, name: string): Mutant {
  return {
    file: 'trips.ts',
    find,
    replace,
    breaks,
    catcher: { by: 'test', file: 'test/unit/trips.test.ts', name },
  };
}

function limit(file: string, find: string, replace: string, breaks: string, name: string): Mutant {
  return { file, find, replace, breaks, catcher: { by: 'test', file: FILE, name } };
}

export const LIMIT_MUTANTS: readonly Mutant[] = [
  trip(
    'return Math.min(t.probeTimeoutMs, needed);',
    'return needed;',
    'a slow peer lengthens a time-out',
    NEVER_LONGER,
  ),
  trip(
    'LEAST_PART_OF_INTERVAL * t.intervalMs, LEAST_MS)',
    '0)',
    'time-outs shrink without end',
    NEVER_LONGER,
  ),
  trip(
    'Math.min(t.slotMs, probeMs(t, tripMs))',
    'probeMs(t, tripMs)',
    'an objection has longer than a slot',
    NEVER_LONGER,
  ),
  {
    file: 'listening.ts',
    find: "if (policy === 'available')",
    replace: "if (policy === 'available' && t.probes === 0)",
    breaks: 'the second opinion has no longer than a question',
    catcher: {
      by: 'test',
      file: 'test/unit/times.test.ts',
      name: 'R11: the conflict window is short under quorum alone',
    },
  },
  trip('Math.max(measuredMs, (', '((', 'a path that became slow is believed by halves', BY_HALVES),
  trip(
    "member.role === 'gateway'",
    'member !== undefined',
    'a witness far away lengthens time-outs',
    SLOWEST,
  ),
  limit(
    'harmless.ts',
    'restMs: Math.max(0, Math.floor((handingTo?.leaseUntilMs ?? 0) - c.now)),',
    'restMs: c.t.leaseMs,',
    'RELEASED lends a whole lease instead of its rest',
    RELEASED,
  ),
  limit(
    'harmless.ts',
    'untilMs: Math.max(c.s.voter.untilMs, c.now + c.t.promiseMs) };',
    'untilMs: c.s.voter.untilMs };',
    'the own vote is the successor’s for a rest only',
    RELEASED,
  ),
  limit(
    'dispatch.ts',
    'if (id !== gate.id && (openUntilMs === null || id < gate.fromId || id > gate.id)) return;\n',
    '',
    'the answer to an older order of the gate counts',
    RELEASED,
  ),
  limit(
    'readiness.ts',
    'if (heardMs < c.t.promiseMs && c.now < attempt.limitAtMs) limit',
    'if (heardMs < c.t.promiseMs) limit',
    'dropped guard: a successor waits without end for a master that is heard',
    'R12: a successor whose master is heard',
  ),
  limit(
    'readiness.ts',
    "c.timer('step', c.now + c.t.promiseMs);\n  if (c.policy",
    'limit(c, c.t.promiseMs);\n  if (c.policy',
    'the limit of the attempt ends a takeover that was let go',
    'R12: once the old master let go, the limit',
  ),
  limit(
    'step.ts',
    "if (event.type === 'timer') dueTimers(c);",
    'dueTimers(c);',
    'any event serves a deadline',
    'R9: a deadline is served by `timer` alone',
  ),
  limit(
    'step.ts',
    '  overdueNow(c);\n',
    '',
    'a stall is judged with each event after it',
    'R9: a stall is judged with',
  ),
  limit(
    'step.ts',
    ' * 2 ** Math.min(stalls, 16), promiseMs)',
    ', promiseMs)',
    'who is often late begins anew for ever',
    'R9: each stall doubles',
  ),
  limit(
    'checks.ts',
    'const confirmedAtMs = confirmed ? old.startedAtMs :',
    'const confirmedAtMs = confirmed ? c.now :',
    'a check confirms what was so when it ended',
    'R10: a check confirms what was so when it began',
  ),
  limit(
    'service.ts',
    '    holdMs: 0,\n',
    '',
    'missing reset: a success does not end the doubling of the hold-down',
    'R17: whoever became master is held down',
  ),
  limit(
    'step.ts',
    '?.trusted !== true && state.trustHoldUntilMs === null;',
    '?.trusted !== true;',
    'dropped guard: whoever sends rubbish holds a host for ever',
    HELD_ONCE,
  ),
  limit(
    'step.ts',
    "{ type: 'alarm', code: 'untrusted', service: null, on: true, detail },",
    '',
    'forgotten alarm: untrusted',
    HELD_ONCE,
  ),
  limit(
    'step.ts',
    'if (untilMs === null || untilMs <= c.rightUntil) return;',
    'if (untilMs === null || untilMs >= 0) return;',
    'flipped comparison: the gate stays open for what former voters gave',
    'R21: voters that leave less of a right',
  ),
  limit(
    'voting.ts',
    "m.type === 'OBJECT' ? MAX_TERM_LEAP / 2 : MAX_TERM_LEAP",
    'MAX_TERM_LEAP',
    'a master follows an OBJECT to a number that others refuse',
    OBJECT,
  ),
  limit(
    'voting.ts',
    "c.alarm('term-absurd', true,",
    "c.alarm('term-absurd', false,",
    'forgotten alarm: term-absurd',
    OBJECT,
  ),
  limit(
    'backup.ts',
    "record.bad < c.cfg.fall ||\n    !confirmedSince(c, 'checkDownlink', record.startedAtMs - c.cfg.checkIntervalMs)\n",
    'record.bad < c.cfg.fall\n',
    'dropped guard: a backup with a broken downlink blames the master',
    INSISTS,
  ),
  limit(
    'backup.ts',
    "c.alarm('service-disputed', disputed,",
    "c.alarm('service-disputed', false,",
    'forgotten alarm: service-disputed',
    INSISTS,
  ),
  limit(
    'succession.ts',
    "c.alarm('no-successor', true,",
    "c.alarm('no-successor', false,",
    'forgotten alarm: no-successor',
    NOBODY,
  ),
  limit(
    'succession.ts',
    'Math.max(2 * c.s.trialPauseMs, FIRST_PAUSE_MS)',
    'Math.max(c.s.trialPauseMs, FIRST_PAUSE_MS)',
    'pauses between searches do not grow',
    NOBODY,
  ),
  limit(
    'table.ts',
    'rows: [...first, ...rows.filter((r) => r.host === failed)] };',
    'rows };',
    'a failed master comes first again',
    'R22: a new master puts its failed predecessor last',
  ),
];
