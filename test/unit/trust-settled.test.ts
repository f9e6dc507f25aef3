/** How far a roster is settled: the voter sets (P46 of spec/protocol.md), and what the admin's side knows of it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { membershipOf, voterSets } from '../../src/trust/roster.ts';
import * as edit from '../../src/trust/roster-edit.ts';
import { bodyAfter } from '../../src/trust/roster-rules.ts';
import {
  DRAFT,
  formatRosterStatus,
  given,
  markOf,
  parseRosterStatus,
  refuseHigher,
  settledForEdit,
} from '../../src/trust/roster-status.ts';
import { member, next, refusal, roster } from './trust-fixture.ts';

test('P46: voter sets reach from the settled version to the newest; what is settled never goes back', () => {
  const five = next(roster, edit.addMember(roster, member('fw3', 4), 4));
  assert.deepEqual(five.voterSets, [
    ['fw1', 'fw2', 'w'],
    ['fw1', 'fw2', 'w', 'fw3'],
  ]);
  const six = next(five, edit.addMember(five, member('fw4', 5), 4));
  assert.equal(six.voterSets.length, 3, 'nothing is settled by being followed');
  assert.deepEqual(voterSets(six, 5), six.voterSets.slice(1));
  assert.deepEqual(voterSets(six, 6), six.voterSets.slice(2));
  const seven = next(six, edit.changeMember(six, 'fw4', { priority: 1 }, 6));
  assert.deepEqual(seven.voterSets, [['fw1', 'fw2', 'w', 'fw3', 'fw4']], 'the same voters are one set');
  const forced = next(five, edit.addMember(five, member('fw4', 5), 6));
  assert.equal(forced.voterSets.length, 1, 'a version that names itself is settled at once');
  assert.equal(refusal(six, { ...bodyAfter(six), settled: 3 }), 'takes back what was settled');
  assert.equal(
    refusal(six, { ...bodyAfter(six), settled: 8 }),
    'names a later version than itself as settled',
  );
  assert.deepEqual(roster.voterSets, [['fw1', 'fw2', 'w']], 'a draft is settled at once, without empty sets');
  assert.deepEqual(membershipOf(six, 'fw1', 6).voterSets, six.voterSets.slice(2));
});

test('the admin’s side: a draft is settled at once, later a change of voters waits for the last to settle', () => {
  const settled = (...args: Parameters<typeof settledForEdit>) => settledForEdit(...args).settled;
  assert.deepEqual(settledForEdit(roster, DRAFT, true), { settled: 5, word: 'draft' });
  const pushed = given(DRAFT, roster, 4);
  assert.deepEqual(settledForEdit(roster, pushed, true), { settled: 4, word: 'roster' });
  const five = next(roster, edit.addMember(roster, member('fw3', 4), 4));
  const unsettled = given(pushed, five, null);
  assert.throws(() => settledForEdit(five, unsettled, true), /not known to be settled/);
  assert.deepEqual(settledForEdit(five, unsettled, true, true), { settled: 6, word: 'force' });
  assert.equal(settled(five, unsettled, false), 4, 'what changes no voter need not wait');
  assert.deepEqual(settledForEdit(five, given(unsettled, five, 5), true), { settled: 5, word: 'status' });
  assert.equal(settled(roster, null, true), 4, 'without a record the roster may be in use');
  assert.throws(() => settledForEdit(five, null, true), /not known to be settled/);
  const six = next(five, bodyAfter(five));
  const known = given(given(unsettled, five, 5), six, 4);
  assert.deepEqual(known, { pushed: markOf(six, 6), settled: markOf(six, 5) }, 'never back');
  assert.deepEqual(parseRosterStatus(formatRosterStatus(unsettled)), unsettled);
});

test('the admin’s side: a status is believed of the versions alone whose hashes it has, and never of higher ones', () => {
  const five = next(roster, edit.addMember(roster, member('fw3', 4), 4));
  const other = next(roster, edit.addMember(roster, member('fw4', 5), 4));
  const foreign = given(DRAFT, other, 5);
  assert.throws(() => settledForEdit(five, foreign, true), /not known to be settled/, 'of another branch');
  assert.deepEqual(given(foreign, five, null), { pushed: markOf(five, 5), settled: null });
  assert.equal(settledForEdit(five, foreign, false).settled, 4);
  // It says a draft, and the roster knows better: such a version is signed for hosts that have the one before.
  assert.throws(() => settledForEdit(five, DRAFT, true), /not known to be settled/);
  const draft = next(roster, edit.changeRecovery(roster, null));
  assert.equal(
    settledForEdit(draft, DRAFT, true).word,
    'draft',
    'what changes no voter says nothing of that',
  );
  for (const status of [given(DRAFT, five, null), { pushed: null, settled: markOf(five, 5) }])
    assert.throws(
      () => refuseHigher('s', roster, status),
      /s: knows of version 5, and the roster ends with 4/,
    );
  refuseHigher('s', five, given(DRAFT, five, 5));
  const hash = 'a'.repeat(64);
  const mark = (version: string, text = hash) =>
    `{"pushed":{"version":${version},"hash":"${text}"},"settled":null}`;
  assert.notEqual(parseRosterStatus(mark('3')), null);
  for (const text of [
    ...['', '{}', '[]', 'null', '{"pushed":3,"settled":2}', '{"pushed":{"version":3},"settled":null}'],
    ...[mark('0'), mark('1.5'), mark('"3"'), mark('3', 'a'), mark('3', hash.toUpperCase())],
  ])
    assert.equal(parseRosterStatus(text), null, text);
});
