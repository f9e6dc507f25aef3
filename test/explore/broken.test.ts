/** The checker can fail: a core with a guard taken out is seen, by the judge whose business it is. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { step } from '../../src/core/index.ts';
import {
  borrowsTerms,
  claimsBlindly,
  ignoresMasters,
  leavesUplinkUp,
  neverMissesAnybody,
  opensTooLong,
  promisesTwice,
  saysReleasedEarly,
  throwsOnGrant,
} from './broken.ts';
import { explore, type Plan } from './plans.ts';
import { transcript } from './transcript.ts';

type Case = readonly [typeof step, RegExp, Partial<Plan>];

const CASES: readonly Case[] = [
  [promisesTwice, /^two active: /, { start: 'split' }],
  [saysReleasedEarly, /^gave up, gate open: /, { hosts: 2, start: 'ready' }],
  [claimsBlindly, /^claim without downlink: /, { hosts: 2, start: 'advert', faults: { cut: 1 } }],
  [leavesUplinkUp, /^uplink up outside Handover and Service: /, { hosts: 2, start: 'released' }],
  [opensTooLong, /^core invariant on /, { hosts: 2, start: 'advert' }],
  [throwsOnGrant, /^step threw: not today/, { start: 'claim' }],
  [
    neverMissesAnybody,
    /^calm: no master that stays/,
    { faults: { crash: 1 }, limits: { states: 2000, calm: 8 } },
  ],
  [borrowsTerms, /^one term, two hosts: /, { hosts: 2, start: 'advert' }],
  [ignoresMasters, /^two active without a split: /, { hosts: 2, policy: 'available', start: 'split' }],
];

for (const [core, words, more] of CASES) {
  test(`a core that ${core.name} is seen`, () => {
    const plan: Plan = {
      hosts: 3,
      witnesses: 0,
      policy: 'quorum',
      start: 'advert',
      disorder: 0,
      faults: {},
      ...more,
      limits: { states: 150_000, calm: 0, ...more.limits },
    };
    const { result, cluster, from, choices } = explore(plan, core);
    assert.equal(result.violations.length, 1, `nothing seen in ${result.states} states`);
    const [violation] = result.violations;
    assert.ok(violation, 'a violation');
    assert.match(violation.what, words);
    assert.match(
      transcript(cluster, from, choices, violation),
      violation.what.startsWith('calm') ? /./ : /!!!/,
    );
    const sound = explore({ ...plan, limits: { ...plan.limits, depth: violation.path.length } });
    assert.deepEqual(sound.result.violations, [], 'and the real core is not');
  });
}
