/** Who may sign a roster: another admin key, and what the recovery key may do. P43 and P44 of spec/protocol.md. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Roster, rosterAt, verifyRosterFile } from '../../src/trust/roster.ts';
import type { RosterBody } from '../../src/trust/roster-body.ts';
import * as edit from '../../src/trust/roster-edit.ts';
import { bodyAfter } from '../../src/trust/roster-rules.ts';
import { admin2, fileOf, member, next, proven, recovery, refusal, roster } from './trust-fixture.ts';
import { admin, appended, testIdentity, testRoster } from './wire-fixture.ts';

test('P43: a thief of the former key cannot give a version of his own the new key’s signature', () => {
  const rotated = next(roster, edit.rotateAdmin(roster, admin2.publicKey, admin2.sign));
  const { adminProof } = rotated.body;
  const thiefs = appended(roster, edit.addMember(roster, member('thief', 9), 5));
  const stolen: [Roster, RosterBody][] = [
    [roster, { ...edit.addMember(roster, member('thief', 9), 5), admins: [admin2.publicKey], adminProof }],
    [thiefs, { ...bodyAfter(thiefs), admins: [admin2.publicKey], adminProof }],
  ];
  for (const [current, body] of stolen)
    assert.equal(refusal(current, body), 'changes the admin key, whose signature does not hold');
});

test('P43: another admin key needs the old one’s signature and its own', () => {
  const rotated = next(roster, edit.rotateAdmin(roster, admin2.publicKey, admin2.sign));
  assert.deepEqual(rotated.admins, [admin2.publicKey]);
  const more = edit.addMember(rotated, member('fw3', 4), 4);
  assert.equal(refusal(rotated, more), 'not signed by the admin key', 'the old one signs no more');
  const head = next(rotated, more, admin2);
  const body = edit.rotateAdmin(roster, admin2.publicKey, admin2.sign);
  assert.equal(refusal(roster, { ...body, adminProof: null }), 'changes the admin key without its signature');
  const foreign = edit.rotateAdmin(roster, admin2.publicKey, admin.sign);
  assert.equal(refusal(roster, foreign), 'changes the admin key, whose signature does not hold');
  const earlier = edit.rotateAdmin(rosterAt(roster, 3) ?? roster, admin2.publicKey, admin2.sign);
  assert.equal(
    refusal(roster, { ...body, adminProof: earlier.adminProof }),
    'changes the admin key, whose signature does not hold',
    'it is for one version',
  );
  assert.equal(
    refusal(roster, { ...bodyAfter(roster), adminProof: new Uint8Array(64) }),
    'carries a new admin key’s signature, and has none',
  );
  assert.equal(
    refusal(roster, proven(roster, { ...body, admins: [admin2.publicKey, admin.publicKey] })),
    'has more than one admin key, which is not supported yet',
  );
  for (const trusted of [admin, admin2])
    assert.ok(verifyRosterFile(fileOf(head), trusted.publicKey).ok, 'old and new admin.pub both lead to it');
  const stranger = verifyRosterFile(fileOf(head), recovery.publicKey);
  assert.ok(!stranger.ok && stranger.reason === 'not signed by the admin key');
});

test('P44: the recovery key changes the admin key and nothing else', () => {
  const body = edit.rotateAdmin(roster, admin2.publicKey, admin2.sign);
  const rotated = next(roster, body, recovery);
  assert.deepEqual(rotated.admins, [admin2.publicKey]);
  const more = 'is signed by the recovery key and changes more than the admin key';
  const [, ...fewer] = roster.body.members;
  assert.equal(refusal(roster, proven(roster, { ...body, members: fewer }), recovery), more);
  assert.equal(refusal(roster, proven(roster, { ...body, settled: 5 }), recovery), more);
  assert.equal(refusal(roster, proven(roster, { ...body, recovery: null }), recovery), more);
  assert.equal(
    refusal(roster, edit.addMember(roster, member('fw3', 4), 4), recovery),
    'is signed by the recovery key, which may only change the admin key',
  );
  const plain = testRoster(['fw1', 'fw2']);
  assert.equal(
    refusal(plain, edit.rotateAdmin(plain, admin2.publicKey, admin2.sign), recovery),
    'not signed by the admin key',
    'where the roster names none',
  );
  const changed = next(roster, edit.changeRecovery(roster, testIdentity('recovery 2').publicKey));
  assert.equal(
    refusal(changed, edit.rotateAdmin(changed, admin2.publicKey, admin2.sign), recovery),
    'not signed by the admin key',
  );
});
