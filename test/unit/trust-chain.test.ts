/** What an admin may change, who may sign it, what is refused, and what becomes of forks: P40 to P48 of spec/protocol.md. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { OperatorError } from '../../src/trust/errors.ts';
import { thumbprint } from '../../src/trust/fingerprint.ts';
import {
  appendVersion,
  membershipOf,
  nextBody,
  type Roster,
  rosterAt,
  signRosterBody,
  verifyRosterFile,
  voterSets,
} from '../../src/trust/roster.ts';
import type { RosterBody } from '../../src/trust/roster-body.ts';
import * as edit from '../../src/trust/roster-edit.ts';
import { mergeRoster, standingOf } from '../../src/trust/roster-merge.ts';
import { adminProofBytes, bodyAfter } from '../../src/trust/roster-rules.ts';
import {
  DRAFT,
  formatRosterStatus,
  given,
  markOf,
  parseRosterStatus,
  refuseHigher,
  settledForEdit,
} from '../../src/trust/roster-status.ts';
import { admin, appended, firstBody, memberBody, testIdentity, testRoster } from './wire-fixture.ts';

const recovery = testIdentity('recovery');
const admin2 = testIdentity('admin 2');
const member = (name: string, place: number) => memberBody(name, place);

/** fw1, fw2 and w, with a recovery key: version 4. */
function base(): Roster {
  let roster = appended(null, firstBody('dmz', recovery.publicKey));
  for (const [name, place] of [
    ['fw1', 1],
    ['fw2', 2],
    ['w', 3],
  ] as const)
    roster = appended(roster, edit.addMember(roster, member(name, place), roster.version + 1));
  return roster;
}
const roster = base();

function next(current: Roster, body: RosterBody, signer = admin): Roster {
  const result = appendVersion(current, signRosterBody(body, signer));
  return result.ok ? result.roster : assert.fail(result.reason);
}
function refusal(current: Roster, body: RosterBody, signer = admin): string {
  const result = appendVersion(current, signRosterBody(body, signer));
  return result.ok ? 'ok' : result.reason;
}
/** As the second admin would sign it, whatever it says. */
const proven = (current: Roster, body: RosterBody): RosterBody => ({
  ...body,
  adminProof: admin2.sign(adminProofBytes(current.clusterId, body)),
});
const fileOf = (r: Roster) => Uint8Array.from(Buffer.concat(r.versions));
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

test('P45: a floor above the own protocol number is refused with the remedy', () => {
  assert.match(
    refusal(roster, edit.setFloor(roster, 2)),
    /^needs protocol 2, and this portcullis speaks 1: install/,
  );
  assert.equal(refusal(roster, edit.setFloor(roster, 1)), 'ok');
});

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

test('P47: of two versions of one number the first stays; a higher one by the current admin is taken', () => {
  const ours = next(roster, edit.addMember(roster, member('fw3', 4), 4));
  const other = next(roster, edit.addMember(roster, member('fw4', 5), 4));
  const forked = mergeRoster(ours, fileOf(other));
  assert.ok(forked.kind === 'forked');
  assert.equal(forked.fork.version, 5);
  assert.deepEqual(forked.fork.theirs, other.versions[4]);
  const higher = next(other, edit.addMember(other, member('fw5', 6), 4));
  const taken = mergeRoster(ours, fileOf(higher));
  assert.ok(taken.kind === 'taken' && taken.fork?.version === 5);
  assert.deepEqual(taken.roster, higher);
  assert.equal(mergeRoster(higher, fileOf(ours)).kind, 'forked', 'and never back');
  // A branch by an admin key that was changed since is higher, and of no use.
  const rotated = next(ours, edit.rotateAdmin(ours, admin2.publicKey, admin2.sign));
  let thief = higher;
  for (let i = 0; i < 3; i++) thief = next(thief, bodyAfter(thief));
  assert.equal(mergeRoster(rotated, fileOf(thief)).kind, 'forked');
});

test('P47: a higher branch that the current admin signed on is taken, also where it changed the admin key; never the other way', () => {
  const ours = next(roster, edit.changeMember(roster, 'fw1', { priority: 7 }, 4));
  let rotated = next(roster, edit.rotateAdmin(roster, admin2.publicKey, admin2.sign));
  for (let i = 0; i < 3; i++)
    rotated = next(rotated, edit.changeMember(rotated, 'fw1', { priority: i }, 4), admin2);
  const taken = mergeRoster(ours, fileOf(rotated));
  assert.ok(taken.kind === 'taken' && taken.fork?.version === 5);
  assert.deepEqual(taken.roster, rotated);
  // A thief of the former key: longer, rotated to a key of his own, rotated twice; nothing of it is by the present key.
  const thief = testIdentity('thief');
  let stolen = ours;
  for (let i = 0; i < 6; i++) stolen = next(stolen, bodyAfter(stolen));
  assert.equal(mergeRoster(rotated, fileOf(stolen)).kind, 'forked');
  stolen = next(stolen, edit.rotateAdmin(stolen, thief.publicKey, thief.sign));
  stolen = next(stolen, bodyAfter(stolen), thief);
  assert.equal(mergeRoster(rotated, fileOf(stolen)).kind, 'forked');
  // A version of the part that both have, by the present key, says nothing for a branch behind it.
  const common = next(rotated, bodyAfter(rotated), admin2);
  const third = testIdentity('admin 3');
  const left = next(common, edit.rotateAdmin(common, third.publicKey, third.sign), admin2);
  let right = next(common, bodyAfter(common), admin2);
  for (let i = 0; i < 3; i++) right = next(right, bodyAfter(right), admin2);
  assert.equal(mergeRoster(left, fileOf(right)).kind, 'forked', 'by the former key alone');
});

test('P47: a rotation by the recovery key outranks whatever a stolen admin key signed, and stays', () => {
  let stolen = next(roster, edit.changeRecovery(roster, testIdentity('thief').publicKey));
  for (let i = 0; i < 5; i++) stolen = next(stolen, bodyAfter(stolen));
  const rescued = next(roster, edit.rotateAdmin(roster, admin2.publicKey, admin2.sign), recovery);
  const taken = mergeRoster(stolen, fileOf(rescued));
  assert.ok(taken.kind === 'taken');
  assert.deepEqual(taken.roster, rescued);
  assert.equal(mergeRoster(rescued, fileOf(stolen)).kind, 'forked');
  // The thief’s own recovery key was not in force where the branches part.
  const imitated = next(
    stolen,
    edit.rotateAdmin(stolen, testIdentity('thief 2').publicKey, testIdentity('thief 2').sign),
    testIdentity('thief'),
  );
  assert.equal(mergeRoster(rescued, fileOf(imitated)).kind, 'forked');
});

test('P48: what is shown is merged whole or not at all', () => {
  const five = next(roster, edit.addMember(roster, member('fw3', 4), 4));
  const six = next(five, edit.removeMember(five, 'fw1', 5));
  const [v5, v6] = six.versions.slice(4);
  assert.ok(v5 && v6);
  const some = mergeRoster(roster, Buffer.concat([v5, v6]));
  assert.ok(some.kind === 'taken' && some.fork === null);
  assert.deepEqual(some.roster, six, 'from the middle of the chain on');
  assert.equal(mergeRoster(six, fileOf(six)).kind, 'same');
  assert.equal(mergeRoster(six, fileOf(roster)).kind, 'older');
  const reason = (bytes: Uint8Array, current = roster) => {
    const result = mergeRoster(current, bytes);
    return result.kind === 'refused' ? `${result.version} ${result.reason}` : result.kind;
  };
  assert.equal(reason(v6), 'null does not follow a version that is known here');
  assert.equal(reason(new Uint8Array()), 'null empty');
  assert.equal(reason(v5.subarray(0, 100)), 'null not a whole signed version');
  const bad = Uint8Array.from(v6);
  bad[bad.length - 1] = (bad[bad.length - 1] ?? 0) ^ 1;
  assert.equal(reason(Buffer.concat([v5, bad])), '6 the signature does not hold');
  assert.equal(reason(Buffer.concat([v5, v5])), '6 says that it is version 5');
  const foreign = appended(null, firstBody('other'));
  assert.equal(reason(fileOf(foreign)), '1 of another cluster');
  const forged = signRosterBody(edit.removeMember(roster, 'fw1', 4), testIdentity('fw2'));
  assert.equal(reason(forged), '5 not signed by the admin key', 'a host signs no roster');
  let far = roster;
  const ahead: Uint8Array[] = [];
  for (let i = 0; i < 3; i++) {
    far = next(far, bodyAfter(far));
    ahead.push(far.versions[far.version - 1] ?? v5);
  }
  const behind: Roster = { ...roster, version: roster.version - 999 };
  assert.match(reason(Buffer.concat(ahead), behind), /more than 1000 versions ahead/);
});

test('standing of a shown version: by number and hash', () => {
  const five = next(roster, edit.addMember(roster, member('fw3', 4), 4));
  const other = next(roster, edit.addMember(roster, member('fw4', 5), 4));
  const short = (r: Roster) => r.hash.subarray(0, 8);
  assert.equal(standingOf(five, 5, short(five)), 'same');
  assert.equal(standingOf(five, 4, short(roster)), 'older');
  assert.equal(standingOf(roster, 5, short(five)), 'newer');
  assert.equal(standingOf(five, 5, short(other)), 'forked');
  assert.equal(standingOf(next(five, bodyAfter(five)), 5, short(other)), 'forked');
  assert.equal(standingOf(five, 0, short(five)), 'forked');
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
