/** What an admin may change of hosts and their keys, one at a time, and what is refused: P40, P41, P42 and P45 of spec/protocol.md. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { OperatorError } from '../../src/trust/errors.ts';
import { thumbprint } from '../../src/trust/fingerprint.ts';
import { nextBody, type Roster, voterSets } from '../../src/trust/roster.ts';
import type { RosterBody } from '../../src/trust/roster-body.ts';
import * as edit from '../../src/trust/roster-edit.ts';
import { member, next, refusal, roster } from './trust-fixture.ts';
import { testIdentity } from './wire-fixture.ts';

const names = (r: Roster) => r.members.map((m) => m.name);

test('P40: a host is added, removed, changed; each is one version that all hosts can judge', () => {
  const added = next(roster, edit.addMember(roster, member('fw3', 4), 4));
  assert.deepEqual(names(added), ['fw1', 'fw2', 'w', 'fw3']);
  const removed = next(added, edit.removeMember(added, 'fw2', 5));
  assert.deepEqual(names(removed), ['fw1', 'w', 'fw3']);
  const back = next(removed, edit.addMember(removed, member('fw2', 2), 6));
  assert.deepEqual(names(back), ['fw1', 'w', 'fw3', 'fw2'], 'a removed key may come back');
  const { addresses } = member('x', 9);
  const changed = next(back, edit.changeMember(back, 'fw2', { addresses, priority: 7, role: 'witness' }, 7));
  const fw2 = changed.members.find((m) => m.name === 'fw2');
  assert.deepEqual([fw2?.priority, fw2?.role, fw2?.addresses], [7, 'witness', addresses]);
  const all = roster.body.members;
  for (const members of [
    [...all, member('fw3', 4), member('fw4', 5)],
    all.slice(0, 1),
    [...all.slice(1), member('fw3', 4)],
  ])
    assert.equal(refusal(roster, nextBody(roster, members)), 'adds or removes more than one member');
  assert.throws(() => edit.addMember(roster, member('fw1', 9), 4), OperatorError);
  assert.throws(() => edit.removeMember(roster, 'fw9', 4), OperatorError);
});

test('P41: a revoked key is nobody’s for good: not a host’s, the admin’s or the recovery key', () => {
  const revoked = next(roster, edit.revokeMember(roster, 'fw2', 4));
  assert.deepEqual(revoked.body.revoked, [thumbprint(testIdentity('fw2').publicKey)]);
  assert.match(refusal(revoked, edit.addMember(revoked, member('fw2', 2), 5)), /which is revoked$/);
  const withOther = { ...member('fw2', 2), publicKey: testIdentity('fw2 new').publicKey };
  const again = next(revoked, edit.addMember(revoked, withOther, 5));
  assert.equal(
    refusal(again, { ...nextBody(again, again.body.members), revoked: [] }),
    'takes a revocation back',
  );
  assert.match(
    refusal(again, edit.changeRecovery(again, testIdentity('fw2').publicKey)),
    /which is revoked$/,
  );
  let full: RosterBody = { ...again.body, revoked: Array.from({ length: 256 }, (_, i) => kid(i)) };
  const packed: Roster = { ...again, body: full };
  assert.throws(() => edit.revokeMember(packed, 'fw2', 5), /list of revoked keys is full/);
  full = { ...full, revoked: [kid(1), kid(1)] };
  assert.equal(
    refusal(again, {
      ...nextBody(again, again.body.members),
      revoked: [...again.body.revoked, kid(1), kid(1)],
    }),
    'revokes a key twice',
  );
});
const kid = (i: number) => Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? i : 1));

test('P42: a key is exchanged with an overlap; one host, one vote, and no way around the overlap', () => {
  const fresh = testIdentity('fw2 new').publicKey;
  const both = next(roster, edit.rekeyMember(roster, 'fw2', fresh, 4));
  const fw2 = both.members.find((m) => m.name === 'fw2');
  assert.deepEqual(fw2?.kid, thumbprint(fresh));
  assert.deepEqual(fw2?.oldKid, thumbprint(testIdentity('fw2').publicKey));
  assert.deepEqual(voterSets(both, 4), [['fw1', 'fw2', 'w']], 'a vote is a host’s, not a key’s');
  assert.throws(() => edit.rekeyMember(both, 'fw2', testIdentity('third').publicKey, 4), /being exchanged/);
  const done = next(both, edit.dropOldKey(both, 'fw2', 4));
  assert.deepEqual(done.members.find((m) => m.name === 'fw2')?.oldKid, null);
  assert.deepEqual(done.body.revoked, [thumbprint(testIdentity('fw2').publicKey)]);
  assert.throws(() => edit.dropOldKey(done, 'fw2', 4), /no key of fw2 is being exchanged/);
  const change = (current: Roster, keys: object) =>
    refusal(
      current,
      nextBody(
        current,
        current.body.members.map((m) => (m.name === 'fw2' ? { ...m, ...keys } : m)),
      ),
    );
  const without = 'changes the key of fw2 without an overlap';
  assert.equal(change(roster, { publicKey: fresh }), without);
  assert.equal(change(roster, { oldKey: fresh }), without, 'a former key that it never had');
  const third = testIdentity('third').publicKey;
  assert.equal(change(both, { publicKey: third, oldKey: fresh }), without, 'a second exchange in the first');
  assert.equal(change(both, { publicKey: testIdentity('fw2').publicKey, oldKey: null }), 'ok', 'given up');
  const newcomer = { ...member('fw3', 4), oldKey: third };
  assert.equal(
    refusal(roster, nextBody(roster, [...roster.body.members, newcomer])),
    'adds fw3 with a former key',
  );
});

test('P45: a floor above the own protocol number is refused with the remedy', () => {
  assert.match(
    refusal(roster, edit.setFloor(roster, 3)),
    /^needs protocol 3, and this portcullis speaks 2: install/,
  );
  assert.equal(refusal(roster, edit.setFloor(roster, 2)), 'ok');
});
