/** Faults in what holds in every place: each step's order, what is made of an event or a word, votes and leases. */
import { type CoreMutant, edit } from './core-mutant.ts';

export const WORD_MUTANTS: readonly CoreMutant[] = [
  edit(
    'step.ts',
    'R8 a round that was slept through counts',
    "else if (c.s.place === 'service.suspended' && c.policy === 'available') beginRound(c);",
    '',
  ),
  edit(
    'step.ts',
    'R8 the right is not looked at first',
    "c.now >= c.rightUntil) c.become('lapsed', endedText(c));\n  if (!c.stalled)",
    "c.now > c.rightUntil + 1000) c.become('lapsed', endedText(c));\n  if (!c.stalled)",
  ),
  edit('step.ts', 'R9 a stall changes nothing', 'if (!c.stalled) return;', 'return;'),
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
    'if (id !== gate.id && (',
    'if (id === gate.id && (',
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
    'voting.ts',
    'R13 a member’s word deposes a master with a majority',
    "if (c.at('service.serving', 'service.seeking') && c.policy === 'quorum' && c.rightUntil > c.now) return;",
    '',
  ),
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
