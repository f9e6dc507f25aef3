/** Faults put into a copy of src/core, each of which the comparison must show. */
import { type Place, TRANSITIONS } from '../../src/core/index.ts';

export interface CoreMutant {
  readonly name: string;
  /** In src/core. */
  readonly file: string;
  /** Must be there exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Place and event whose vectors are tried first; for faults that show in few. */
  readonly where?: string;
}

const edit = (file: string, name: string, find: string, replace: string): CoreMutant => ({
  name,
  file,
  find,
  replace,
});

/** By hand: a guard dropped, a comparison turned round, an act left out. */
const BY_HAND: readonly CoreMutant[] = [
  edit(
    'suspicion.ts',
    'R10 a claim before the probes',
    '(released || suspicion.unanswered >= c.t.probes)',
    'true',
  ),
  edit(
    'suspicion.ts',
    'R10 one probe more',
    'suspicion.unanswered >= c.t.probes',
    'suspicion.unanswered > c.t.probes',
  ),
  edit('suspicion.ts', 'R10 a claim by an unfit host', '    fit(c) &&\n', ''),
  edit(
    'suspicion.ts',
    'R10 a claim without an own downlink',
    "    confirmedSince(c, 'checkDownlink', suspicion.sinceMs) &&\n",
    '',
  ),
  {
    ...edit('suspicion.ts', 'R19 no trust hold', '    !trustHeld(c) &&\n', ''),
    where: 'DECIDE_ELECTING E_T_CLAIM',
  },
  edit('suspicion.ts', 'R3 a claim soon after the start', 'c.host.startedAtMs + c.t.promiseMs, ', ''),
  edit('suspicion.ts', 'R15 a claim soon after an own release', ', c.s.noClaimBeforeMs]', ']'),
  edit(
    'suspicion.ts',
    'R10 the own vote binds nobody',
    'if (bound(c.s.voter, c.me, c.now)) notBefore',
    'if (false) notBefore',
  ),
  edit('suspicion.ts', 'R10 a sign of life is nothing', '!released && suspicion.signOfLife', 'false'),
  edit(
    'suspicion.ts',
    'R11 a rival is nothing',
    'if (rival !== null) notBefore',
    'if (rival === undefined) notBefore',
  ),
  {
    ...edit(
      'suspicion.ts',
      'R15 RELEASED counts for ever',
      'known?.released === null && c.now - known.heardAtMs < c.t.promiseMs',
      'known?.released === null',
    ),
    where: 'DECIDE_ELECTING E_T_CLAIM',
  },
  edit(
    'suspicion.ts',
    'R9 what was probed without a downlink counts',
    '{ ...suspicion, unanswered: 0, clearedAtMs: null }',
    '{ ...suspicion, clearedAtMs: null }',
  ),
  edit(
    'suspicion.ts',
    'R10 the slot is not waited for',
    'if (c.now >= slotAtMs) ',
    'if (c.now >= clearedAtMs) ',
  ),
  edit(
    'suspicion.ts',
    'R9 a stall proves silence',
    '  c.set({ suspicion: { sinceMs: c.now, unanswered: 0, probes: 0, signOfLife, clearedAtMs: null } });\n  startCheck',
    '  startCheck',
  ),
  edit(
    'suspicion.ts',
    'R9 a stall forgets who answers for the service',
    'const signOfLife = c.s.suspicion?.signOfLife ?? false;',
    'const signOfLife = false;',
  ),
  edit('conflict.ts', 'R11 any word of a master is evidence', 'if (sound && !stronger', 'if (!stronger'),
  edit(
    'conflict.ts',
    'R11 a majority is not stronger',
    "c.policy === 'quorum' && attempt.granted",
    "c.policy === 'available' && attempt.granted",
  ),
  edit(
    'conflict.ts',
    'R11 the lower claim wins',
    'compareTerms(term, c.s.term) < 0',
    'compareTerms(term, c.s.term) > 0',
  ),
  edit('conflict.ts', 'R11 only one side is asked', "uplink: c.probeAddresses('uplink')", 'uplink: 0'),
  edit('conflict.ts', 'R19 an unsigned answer stops for ever', "c.become('waited');", ''),
  edit('conflict.ts', 'R11 the window ends with the answers', 'if (ended && timeIsUp)', 'if (ended)'),
  edit('conflict.ts', 'R11 the window does not wait for answers', 'if (ended && timeIsUp)', 'if (timeIsUp)'),
  edit(
    'service.ts',
    'R13 a claim deposes',
    "    case 'CLAIM':\n",
    "    case 'CLAIM':\n      if (c.s.term !== null && compareTerms(m.term, c.s.term) > 0) c.become('deposed');\n",
  ),
  edit(
    'service.ts',
    'R13 RELEASE deposes a healthy master',
    "if (c.s.place === 'service.suspended') c.become('deposed'",
    "if (c.main === 'service') c.become('deposed'",
  ),
  edit(
    'service.ts',
    'R13 no objection',
    '        object(c, from, m.id);\n        advert(c);',
    '        advert(c);',
  ),
  edit(
    'service.ts',
    'R7 a number in place for a lower one',
    "m.reason === 'promise' && c.s.term !== null && compareTerms(m.term, c.s.term) > 0",
    "m.reason === 'promise'",
  ),
  edit(
    'service.ts',
    'R14 one failed check is enough',
    '!record.sound && record.bad >= c.cfg.fall',
    'record.bad > 0',
  ),
  edit(
    'service.ts',
    'a lonely master goes',
    "if (record.verdict === 'refuted') return true;",
    'if (record.bad > 0) return true;',
  ),
  edit(
    'service.ts',
    'R8 open again without a round of probes',
    '(suspicion?.signOfLife === true || rivalFresh) && waitMs > 0',
    'waitMs < 0',
  ),
  edit(
    'service.ts',
    'R8 a suspended gate stays open',
    '  c.gate(null);\n  c.set({ trial: null });',
    '  c.set({ trial: null });',
  ),
  edit(
    'service.ts',
    'R15 claims soon after an own release',
    'noClaimBeforeMs: c.now + c.t.promiseMs',
    'noClaimBeforeMs: c.now',
  ),
  edit(
    'service.ts',
    'R1 a term taken in place is not established',
    'compareTerms(term, known.term) > 0) {',
    'compareTerms(term, known.term) < 0) {',
  ),
  edit(
    'voting.ts',
    'R1 a lower term is established',
    'if ((order < 0 && !overcome(c)) || (order',
    'if ((order',
  ),
  edit(
    'voting.ts',
    'R1 a word overtaken by RELEASED counts',
    ' || (order === 0 && known?.released !== undefined)',
    '',
  ),
  edit(
    'voting.ts',
    'R1 a claim establishes its term',
    '  c.set({ rival: { term: m.term, heardAtMs: c.now } });\n  const known',
    '  established(c, m.term);\n  const known',
  ),
  edit(
    'voting.ts',
    'R18 no objection of those that hear',
    'else if (fresh && known.released',
    'else if (false && known.released',
  ),
  edit('voting.ts', 'R2 a renewal is no request', 'if (m.digest === c.cfg.digest) vote(c, from, m);', ''),
  edit(
    'voting.ts',
    'R15 RELEASED of anybody',
    'known === null || known.term.host !== from || compareTerms(m.term, known.term) < 0',
    'known === null || compareTerms(m.term, known.term) < 0',
  ),
  edit(
    'voting.ts',
    'R16 WITHDRAW keeps the rival',
    'if (c.s.rival !== null && c.s.rival.term.host === m.term.host) c.set({ rival: null });',
    '',
  ),
  edit(
    'backup.ts',
    'R12 HANDOVER to an unfit host',
    '!fit(c) || c.now < c.s.holdUntilMs',
    'c.now < c.s.holdUntilMs',
  ),
  {
    ...edit('backup.ts', 'R17 HANDOVER in the hold-down', '!fit(c) || c.now < c.s.holdUntilMs', '!fit(c)'),
    where: 'BACKUP_WATCHING E_HANDOVER',
  },
  edit(
    'backup.ts',
    'R12 HANDOVER of an old term',
    'compareTerms(m.term, known.term) !== 0',
    'compareTerms(m.term, known.term) > 0',
  ),
  edit(
    'readiness.ts',
    'R12 any RELEASED is enough',
    ' || m.successor !== c.me || m.id !== attempt.readyId',
    '',
  ),
  edit(
    'readiness.ts',
    'R11 a living master is passed over',
    "attempt.masterLives && c.policy === 'available'",
    'false',
  ),
  edit(
    'readiness.ts',
    'R11 nobody is asked to let go',
    'known === null || known.term.host === c.me || attempt.released',
    'true',
  ),
  edit(
    'readiness.ts',
    'R6 the gate opens without a right',
    'if (untilMs > c.now) c.gate(untilMs);',
    'c.gate(untilMs);',
  ),
  edit(
    'readiness.ts',
    'R17 no hold-down',
    'c.set({ holdMs, holdUntilMs: c.now + holdMs });',
    'c.set({ holdMs });',
  ),
  {
    ...edit(
      'readiness.ts',
      'R12 the lent rest runs from its receipt',
      'attempt.readyAtMs + Math.min',
      'c.now + Math.min',
    ),
    where: 'HANDOVER_RELEASING E_RELEASED',
  },
  edit(
    'handover.ts',
    'R11 the claimant does not renew',
    '  if (c.s.attempt?.plannedBy === null) {\n    ask(c);',
    '  if (c.s.attempt?.plannedBy === null) {',
  ),
  edit(
    'handover.ts',
    'R18 an objection is worth nothing',
    "else if (m.reason === 'hearing') {",
    "else if (m.reason === 'hearing' && c.s.forced) {",
  ),
  edit(
    'handover.ts',
    'R7 no number in place while claiming',
    'else if (compareTerms(m.term, c.s.term) > 0) reclaim',
    'else if (compareTerms(m.term, c.s.term) < 0) reclaim',
  ),
  edit('handover.ts', 'available: no slot for objections', '? c.now >= attempt.notBeforeMs', '? true'),
  edit(
    'handover.ts',
    'quorum: a slot is enough',
    ': majorityUntil(c.s.right, c.host.config.membership) > c.now;',
    ': c.now >= attempt.notBeforeMs;',
  ),
  edit(
    'handover.ts',
    'R11 a planned takeover listens',
    "c.s.attempt?.plannedBy == null ? 'next-hop-answered'",
    "c.s.attempt !== null ? 'next-hop-answered'",
  ),
  edit(
    'harmless.ts',
    'R15 RELEASED before the gate is shut',
    "c.set({ cleaning: { stage: 'gate', id: c.gate(null), copies: 0 } });",
    "c.set({ cleaning: { stage: 'gate', id: c.gate(null), copies: 0 } });\n    sayWhatEnded(c);",
  ),
  edit(
    'harmless.ts',
    'a switch that is not confirmed counts',
    "if (verdict !== 'confirmed') {",
    "if (verdict === 'refuted') {",
  ),
  edit('harmless.ts', 'RELEASED is said for ever', 'cleaning.copies >= COPIES', 'cleaning.copies > COPIES'),
  edit('harmless.ts', 'the socket on the uplink stays open', '    c.uplinkTalk(false);\n', ''),
  edit(
    'harmless.ts',
    'the term outlives its end',
    'cleaning: null, term: null, handingTo: null',
    'cleaning: null, handingTo: null',
  ),
  edit(
    'dispatch.ts',
    'a refuted downlink does not end a takeover',
    "else if (verdict === 'refuted' && c.main === 'handover'",
    "else if (verdict === 'refuted' && c.main === 'init'",
  ),
  edit(
    'dispatch.ts',
    'a gate that is not open makes a master',
    "else if (c.s.place === 'handover.opening') c.become('gate-open');",
    "else if (c.s.place === 'handover.opening') c.timer('probe', c.now);",
  ),
  edit(
    'dispatch.ts',
    'an answer for an older gate order counts',
    'if (id !== c.s.gate.id) return;',
    'if (id === c.s.gate.id) return;',
  ),
  edit(
    'dispatch.ts',
    'a lost gate is no lapse',
    "c.become('lapsed', 'the gate could not be kept open');",
    "c.log('note', 'lost');",
  ),
  edit(
    'dispatch.ts',
    'R9 any host ends a suspicion',
    'known.term.host !== from || known.released !== undefined',
    'known.released !== undefined',
  ),
  edit(
    'dispatch.ts',
    'R9 a word after RELEASED ends a suspicion',
    ' || known.released !== undefined) return;',
    ') return;',
  ),
  edit(
    'dispatch.ts',
    'R8 a gate that was read back after the right opens the service',
    'if (c.rightUntil <= c.now) service.tooLate(c);',
    'if (false) service.tooLate(c);',
  ),
  edit(
    'service.ts',
    'R8 a suspended host opens on an old round',
    "if (c.s.place === 'service.suspended' && c.policy === 'available') beginRound(c);\n}",
    '}',
  ),
  edit(
    'step.ts',
    'R8 a round that was slept through counts',
    "else if (c.s.place === 'service.suspended' && c.policy === 'available') beginRound(c);",
    '',
  ),
  edit(
    'voting.ts',
    'R13 a member’s word deposes a master with a majority',
    "if (c.at('service.serving', 'service.seeking') && c.policy === 'quorum' && c.rightUntil > c.now) return;",
    '',
  ),
  edit(
    'service.ts',
    'R13 a forced master stays beside another one',
    'else if (c.s.forced) {',
    'else if (false) {',
  ),
  edit(
    'harmless.ts',
    'R16 a host does not stay for its words',
    '|| (c.s.term !== null && cleaning.copies < COPIES)) return;',
    ') return;',
  ),
  edit(
    'readiness.ts',
    'R12 nobody but the former master is asked',
    'c.s.attempt?.plannedBy !== null || c.rightUntil',
    'c.rightUntil',
  ),
  edit(
    'readiness.ts',
    'R12 an older word lets go',
    ' || compareTerms(m.term, known.term) < 0) return;',
    ') return;',
  ),
  edit(
    'step.ts',
    'R8 the right is not looked at first',
    "c.now >= c.rightUntil) c.become('lapsed');\n  if (!c.stalled)",
    "c.now > c.rightUntil + 1000) c.become('lapsed');\n  if (!c.stalled)",
  ),
  edit('step.ts', 'R9 a stall changes nothing', 'if (!c.stalled) return;', 'return;'),
  edit(
    'succession.ts',
    'R12 READY of anybody',
    'if (trial === null || from !== trial.to) return;',
    'if (trial === null) return;',
  ),
  edit(
    'succession.ts',
    'R12 the gate stays open for the successor',
    'export function enterShutting(c: Ctx): void {\n  c.gate(null);',
    'export function enterShutting(c: Ctx): void {',
  ),
  edit(
    'succession.ts',
    'R14 the same host is tried again',
    '!trial.tried.includes(host)',
    'trial.tried.includes(host)',
  ),
  edit(
    'orders.ts',
    'standby does not end a takeover',
    "    else withdraw(c);\n  } else if (order.kind === 'stop')",
    "  } else if (order.kind === 'stop')",
  ),
  edit(
    'orders.ts',
    'force from anywhere but suspecting',
    "'backup.watching', 'backup.suspecting', 'decide.electing'",
    "'backup.watching', 'decide.electing'",
  ),
  edit('fitness.ts', 'R26 a host in standby is fit', '    !c.host.standby &&\n', ''),
  edit('fitness.ts', 'R10 an unsound downlink is fit', '    c.s.checks.checkDownlink.sound &&\n', ''),
  edit(
    'checks.ts',
    'one lost answer makes the downlink unsound',
    "verdict !== 'refuted' && bad < c.cfg.fall",
    "verdict === 'confirmed'",
  ),
  edit(
    'checks.ts',
    'R10 an old check counts',
    'confirmedAtMs !== null && confirmedAtMs >= sinceMs',
    'confirmedAtMs !== null',
  ),
  edit(
    'deciding.ts',
    'Init ends without a link',
    "if (c.s.checks.checkDownlink.verdict === 'confirmed' || heard) c.become",
    'c.become',
  ),
  {
    ...edit(
      'readiness.ts',
      'R12 the limit of the attempt ends a takeover that was let go',
      "c.timer('step', c.now + c.t.promiseMs);\n  if (c.policy",
      'limit(c, c.t.promiseMs);\n  if (c.policy',
    ),
    where: 'HANDOVER_RELEASING E_RELEASED',
  },
  edit(
    'voter.ts',
    'R2 a promise binds nobody',
    'return nowMs < voter.untilMs && voter.holder !== host;',
    'return false;',
  ),
  edit(
    'voter.ts',
    'R2 a lower term is promised',
    'compareTerms(term, voter.term) < 0',
    'compareTerms(term, voter.term) < -99',
  ),
  edit('lease.ts', 'R4 the lease runs from the answer', 'r.id === id);', 'r.id === id + 1000);'),
  edit('lease.ts', 'R4 a minority is enough', 'Math.floor(voters.length / 2)', '0'),
  edit(
    'lease.ts',
    'R12 the lent rest counts for nothing',
    'Math.max(majorityUntil(right, membership), right.lentUntilMs)',
    'majorityUntil(right, membership)',
  ),
];

export const CORE_MUTANTS: readonly CoreMutant[] = BY_HAND;

/** A row of the table of transitions: it is gone (`to` null), or it leads elsewhere. */
export interface RowMutant {
  readonly name: string;
  readonly row: number;
  readonly to: Place | null;
}

/** Two for each row. These change the table of a loaded copy, so that not each needs a copy of its own. */
export const ROW_MUTANTS: readonly RowMutant[] = TRANSITIONS.flatMap(([, , to], row) => {
  const elsewhere = to === 'handover.preparing' ? 'backup.watching' : 'handover.preparing';
  return [
    { name: `T${row + 1} is gone`, row, to: null },
    { name: `T${row + 1} leads to ${elsewhere}`, row, to: elsewhere },
  ];
});
