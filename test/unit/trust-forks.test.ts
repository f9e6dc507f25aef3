/** Versions that somebody shows: which of two branches is in force, and what is merged. P47 and P48 of spec/protocol.md. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Roster, signRosterBody } from '../../src/trust/roster.ts';
import * as edit from '../../src/trust/roster-edit.ts';
import { mergeRoster, standingOf } from '../../src/trust/roster-merge.ts';
import { bodyAfter } from '../../src/trust/roster-rules.ts';
import { admin2, fileOf, member, next, recovery, roster } from './trust-fixture.ts';
import { appended, firstBody, testIdentity } from './wire-fixture.ts';

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
