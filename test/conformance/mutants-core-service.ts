/** Faults in what a master does, and in how it ends: serving, succession, orders, becoming harmless. */
import { type CoreMutant, edit } from './core-mutant.ts';

export const SERVICE_MUTANTS: readonly CoreMutant[] = [
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
    'service.ts',
    'R8 a suspended host opens on an old round',
    "if (c.s.place === 'service.suspended' && c.policy === 'available') beginRound(c);\n}",
    '}',
  ),
  edit(
    'service.ts',
    'R13 a forced master stays beside another one',
    'else if (c.s.forced) {',
    'else if (false) {',
  ),
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
    'harmless.ts',
    'R16 a host does not stay for its words',
    '|| (c.s.term !== null && cleaning.copies < COPIES)) return;',
    ') return;',
  ),
];
