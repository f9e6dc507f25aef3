/**
 * Faults made by hand in src/core, and what catches each. `find` stands in the file exactly once. `rule`: the named test of
 * test/explore/rules.test.ts fails; `unit`: the named test of that file; `explore`: a search with those arguments ends with
 * such a violation.
 */
export type Catcher =
  | { readonly by: 'test'; readonly file: string; readonly name: string }
  | { readonly by: 'explore'; readonly args: string; readonly sees: RegExp };

export interface Mutant {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly breaks: string;
  readonly catcher: Catcher;
}

const rule = (name: string): Catcher => ({ by: 'test', file: 'test/explore/rules.test.ts', name });
const finding = (name: string): Catcher => ({ by: 'test', file: 'test/explore/findings.test.ts', name });
const voter = (name: string): Catcher => ({ by: 'test', file: 'test/unit/core-voter.test.ts', name });
const explore = (args: string, sees: RegExp): Catcher => ({ by: 'explore', args, sees });

const QUORUM = '--hosts 3 --policy quorum';
const AVAILABLE = '--hosts 2 --policy available';

export const MUTANTS: readonly Mutant[] = [
  {
    file: 'voter.ts',
    find: 'return nowMs < voter.untilMs && voter.holder !== host;',
    replace: 'return nowMs > voter.untilMs && voter.holder !== host;',
    breaks: 'flipped comparison: a running promise binds nobody',
    catcher: voter('R2: a running promise binds to its holder'),
  },
  {
    file: 'voter.ts',
    find: 'if (voter.term !== null && compareTerms(term, voter.term) < 0) return null;',
    replace: '',
    breaks: 'dropped guard: a lower term is promised',
    catcher: voter('R2: a term below the promised one'),
  },
  {
    file: 'voter.ts',
    find: 'untilMs: nowMs + promiseMs };\n}\n\n/** Whether',
    replace: 'untilMs: nowMs };\n}\n\n/** Whether',
    breaks: 'a host votes at once after its start',
    catcher: voter('R3: after a start nobody is promised'),
  },
  {
    file: 'lease.ts',
    find: 'Math.floor(voters.length / 2)',
    replace: 'Math.floor(voters.length / 2) - 1',
    breaks: 'off by one: less than a majority is enough',
    catcher: voter('R4: a majority is more than half'),
  },
  {
    file: 'dispatch.ts',
    find: 'c.set({ right: answered(c.s.right, from, m.id, c.t.leaseMs) });',
    replace:
      'c.set({ right: answered({ ...c.s.right, requests: [{ id: m.id, sentAtMs: c.now }] }, from, m.id, c.t.leaseMs) });',
    breaks: 'the lease runs from the arrival of the answer',
    catcher: rule('R4: a late answer counts from the sending'),
  },
  {
    file: 'voting.ts',
    find: 'c.set({ voter, highestN: Math.max(c.s.highestN, m.term.n) });',
    replace: 'c.set({ highestN: Math.max(c.s.highestN, m.term.n) });',
    breaks: 'a promise is answered but not recorded',
    catcher: rule('R2: a voter that promised answers a second claim'),
  },
  {
    file: 'voting.ts',
    find: 'c.set({ voter, right: answered(c.s.right, c.me, id, c.t.leaseMs) });',
    replace: 'c.set({ right: answered(c.s.right, c.me, id, c.t.leaseMs) });',
    breaks: 'the own vote counts without being given',
    catcher: rule('R2: a claimant has given its own vote'),
  },
  {
    file: 'voting.ts',
    find: 'c.set({ voter: freed(c.s.voter, m.term, c.now) });\n  if (c.s.rival',
    replace: 'if (c.s.rival',
    breaks: 'WITHDRAW frees nothing',
    catcher: rule('R16: WITHDRAW frees the promise'),
  },
  {
    file: 'voting.ts',
    find: 'atLeast) + 1, host: c.me };',
    replace: 'atLeast), host: c.me };',
    breaks: 'wrong term: a number is tried twice',
    catcher: rule('R1: the next number is above all'),
  },
  {
    file: 'voting.ts',
    find: '(order < 0 && !overcome(c)) || ',
    replace: 'order < 0 || ',
    breaks: 'dropped exception: a former master never hears one in a lower term',
    catcher: finding('a former master hears the one that claimed'),
  },
  {
    file: 'voting.ts',
    find: "if (c.cfg.policy === 'quorum') vote(c, from, m);\n  else if (fresh && ",
    replace: "if (c.cfg.policy === 'quorum') vote(c, from, m);\n  else if (!fresh && ",
    breaks: 'flipped: who hears the master does not object',
    catcher: rule('R18: under `available` a host that hears'),
  },
  {
    file: 'asking.ts',
    find: 'for (const voter of silent) c.send(voter, status(c, id));',
    replace: '',
    breaks: 'silent voters are not asked again',
    catcher: rule('R7: a voter that has not answered'),
  },
  {
    file: 'readiness.ts',
    find: 'if (untilMs > c.now) c.gate(untilMs);',
    replace: 'if (untilMs > c.now) c.gate(untilMs + c.t.leaseMs);',
    breaks: 'the gate is opened for longer than the right lasts',
    catcher: explore(
      `${AVAILABLE} --start advert --disorder 0 --depth 60 --calm 0`,
      /^(calm: )?core invariant/m,
    ),
  },
  {
    file: 'readiness.ts',
    find: 'lentUntilMs: attempt.readyAtMs + Math.min(',
    replace: 'lentUntilMs: c.now + Math.min(',
    breaks: 'the lent rest counts from its arrival',
    catcher: rule('R12: the successor may serve until its READY'),
  },
  {
    file: 'readiness.ts',
    find: "c.timer('renew', c.nextOnGrid(c.t.intervalMs / 2));",
    replace: '',
    breaks: 'timer not set: the own right is not renewed',
    catcher: explore(`${AVAILABLE} --start prepared --disorder 0 --depth 12 --calm 2`, /^calm: no master/m),
  },
  {
    file: 'readiness.ts',
    find: "alarm('handover-failed', true, ",
    replace: "alarm('handover-failed', false, ",
    breaks: 'forgotten alarm: handover-failed',
    catcher: rule('a claimant whose uplink never answers'),
  },
  {
    file: 'succession.ts',
    find: "c.gate(null);\n  c.timer('step', c.now + c.t.leaseMs);",
    replace: "c.become('shut');",
    breaks: 'RELEASED is said before the gate is shut',
    catcher: explore(`${AVAILABLE} --start ready --disorder 0 --depth 20 --calm 0`, /^gave up, gate open/m),
  },
  {
    file: 'succession.ts',
    find: "if (first) c.timer('step', Math.max(trial.untilMs, c.now));",
    replace: '',
    breaks: 'timer not set: a dead successor is waited for without end',
    catcher: explore(
      `${QUORUM} --start asked --disorder 0 --crash 1 --depth 3 --calm 40`,
      /^calm: no master/m,
    ),
  },
  {
    file: 'harmless.ts',
    find: "else c.set({ cleaning: { stage: 'gate', id: c.gate(null), copies: 0 } });",
    replace: "else { c.set({ cleaning: { stage: 'gate', id: c.gate(null), copies: 0 } }); gateShut(c); }",
    breaks: 'the read-back of the gate is not waited for',
    catcher: explore(
      `${AVAILABLE} --start advert --disorder 0 --cut 1 --depth 12 --calm 0`,
      /^gave up, gate open/m,
    ),
  },
  {
    file: 'harmless.ts',
    find: 'passedOn(own, term, handingTo.host)',
    replace: 'freed(own, term, c.now)',
    breaks: 'the old master keeps its own vote free instead of giving it to the successor',
    catcher: rule('R12: the old master’s own vote'),
  },
  {
    file: 'harmless.ts',
    find: "c.set({ cleaning: { ...cleaning, stage: 'uplink', id: c.run('deactivateUplink') } });",
    replace: "c.set({ cleaning: { ...cleaning, stage: 'words', id: 0 } }); harmless(c); return;",
    breaks: 'the uplink is left up',
    catcher: explore(
      `${AVAILABLE} --start released --disorder 0 --depth 30 --calm 0`,
      /^uplink up outside Handover and Service/m,
    ),
  },
  {
    file: 'suspicion.ts',
    find: "confirmedSince(c, 'checkDownlink', suspicion.sinceMs) &&\n",
    replace: '',
    breaks: 'dropped guard: a claim without a downlink',
    catcher: explore(
      `${AVAILABLE} --start advert --disorder 0 --cut 1 --states 20000 --calm 0`,
      /^claim without downlink/m,
    ),
  },
  {
    file: 'suspicion.ts',
    find: 'suspicion.unanswered >= c.t.probes)',
    replace: 'suspicion.unanswered >= 0)',
    breaks: 'flipped bound: a silent master is not probed',
    catcher: rule('R10: a silent master is probed'),
  },
  {
    file: 'suspicion.ts',
    find: "c.timer('probe', c.now + pauseMs);",
    replace: '',
    breaks: 'timer not set: one probe only, and so never a claim',
    catcher: explore(`${AVAILABLE} --start boot --disorder 0 --depth 6 --calm 2`, /^calm: no master/m),
  },
  {
    file: 'suspicion.ts',
    find: 'const notBefore = [c.host.startedAtMs + c.t.promiseMs, c.s.noClaimBeforeMs];',
    replace: 'const notBefore = [c.host.startedAtMs + c.t.promiseMs, c.s.noClaimBeforeMs, c.s.holdUntilMs];',
    breaks: 'hold-down forbids a claim',
    catcher: rule('R17: a held-down host that is alone'),
  },
  {
    file: 'placement.ts',
    find: '(a[at] ?? 0) - (b[at] ?? 0)',
    replace: '(b[at] ?? 0) - (a[at] ?? 0)',
    breaks: 'wrong rank: the order of claims is turned round',
    catcher: rule('R10: the first in the order takes over'),
  },
  {
    file: 'backup.ts',
    find: "c.timer('silence', heardAtMs + c.t.intervalMs + c.t.slackMs);",
    replace: '',
    breaks: 'timer not set: silence is never noticed',
    catcher: explore(
      `${AVAILABLE} --start advert --disorder 0 --crash 1 --depth 6 --calm 60`,
      /^calm: no master/m,
    ),
  },
  {
    file: 'step.ts',
    find: "if (c.at('service.serving', 'service.seeking') && c.now >= c.rightUntil) c.become('lapsed', endedText(c));\n  if (!c.stalled)",
    replace: 'if (!c.stalled)',
    breaks: 'after a stall words leave before the own right is looked at',
    catcher: rule('R8: after a stall no word says'),
  },
  {
    file: 'step.ts',
    find: '  send: 2,',
    replace: '  send: -1,',
    breaks: 'swapped order: words leave before what they tell is done',
    catcher: rule('effects come as log, switches'),
  },
  {
    file: 'conflict.ts',
    find: 'compareTerms(term, known.term) < 0) return;',
    replace: 'compareTerms(term, known.term) <= 0) return;',
    breaks: 'flipped comparison: the old master’s signed word is not heard',
    catcher: explore(
      `${AVAILABLE} --start split --disorder 0 --depth 200 --calm 0`,
      /^two active without a split/m,
    ),
  },
  {
    file: 'conflict.ts',
    find: "c.timer('window', c.now + c.t.promiseMs);",
    replace: "c.timer('window', (c.s.attempt?.claimedAtMs ?? c.now) + c.t.promiseMs);",
    breaks: 'the wait for unsigned answers counts from the claim: over before the lease of who died since',
    catcher: { by: 'test', file: 'test/sim/dead-daemon.test.ts', name: 'T22: a daemon that died before' },
  },
  {
    file: 'conflict.ts',
    find: 'if (sound && !stronger(c, attempt)) c.become(',
    replace: 'if (sound && stronger(c, attempt)) c.become(',
    breaks: 'flipped guard: a living master’s signed word stops nobody',
    catcher: rule('R11: a master that says over the downlink'),
  },
  {
    file: 'service.ts',
    find: "c.alarm('suspended', true, 'the right to serve ran out before it was renewed');",
    replace: '',
    breaks: 'forgotten alarm: suspended',
    catcher: rule('R8: a lapse raises its alarm'),
  },
  {
    file: 'service.ts',
    find: "c.alarm('two-masters', true, ",
    replace: "c.alarm('two-masters', false, ",
    breaks: 'forgotten alarm: two-masters',
    catcher: rule('two masters, a downlink that is not confirmed'),
  },
  {
    file: 'service.ts',
    find: 'if (known.term.host === from) {\n    c.become(',
    replace: 'if (known.term.host === from) {\n    c.s.place.concat(',
    breaks: 'a higher established term deposes nobody',
    catcher: rule('R13: a serving master releases'),
  },
  {
    file: 'service.ts',
    find: "if (record.verdict === 'refuted') return true;",
    replace: '',
    breaks: 'dropped guard: a master without a downlink goes on',
    catcher: rule('R14: a refuted downlink'),
  },
  {
    file: 'service.ts',
    find: 'noClaimBeforeMs: c.now + c.t.promiseMs',
    replace: 'noClaimBeforeMs: c.now',
    breaks: 'who released may claim at once',
    catcher: rule('R15: who released does not claim'),
  },
  {
    file: 'service.ts',
    find: 'if (untilMs > (c.s.gate.untilMs ?? 0)) openGate(c);',
    replace: '',
    breaks: 'the kernel’s gate is not renewed',
    catcher: explore(`${AVAILABLE} --start advert --disorder 0 --depth 6 --calm 2`, /^calm: no master/m),
  },
  {
    file: 'checks.ts',
    find: 'if (old.runningId !== id) return null;',
    replace: '',
    breaks: 'the result of an older run counts',
    catcher: rule('an answer to an older run'),
  },
  {
    file: 'handover.ts',
    find: "c.timer('step', Math.min(c.now + ms, c.s.attempt?.limitAtMs ?? c.now + ms));",
    replace: '',
    breaks: 'timer not set: a takeover has no limits',
    catcher: rule('a claimant whose uplink never answers'),
  },
  {
    file: 'context.ts',
    find: 'timers: { ...NO_TIMERS, report, checks, ...stays } });',
    replace: 'timers: { ...this.s.timers, report, checks, ...stays } });',
    breaks: 'missing reset: a place’s timers go on in the next',
    catcher: explore(
      `${AVAILABLE} --start died --disorder 0 --depth 60 --calm 2`,
      /^(step threw|calm: |claim |core )/m,
    ),
  },
];
