/** Which roster is in force at a start and at a reload: the one that P47 would take from anybody, not the higher number. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { loadConfig } from '../../src/daemon/config/read.ts';
import { underRoster } from '../../src/daemon/plan.ts';
import { encodePrivateKey, formatPublicKey } from '../../src/trust/keys.ts';
import { appendVersion, type Roster, signRosterBody } from '../../src/trust/roster.ts';
import type { RosterBody } from '../../src/trust/roster-body.ts';
import * as edit from '../../src/trust/roster-edit.ts';
import { identityFromSeed } from '../../src/wire/ed25519.ts';
import { exampleText, temporaryDir } from './cluster-files.ts';
import { admin, appended, firstBody, memberBody, testIdentity } from './wire-fixture.ts';

const recovery = testIdentity('recovery');
const admin2 = testIdentity('admin 2');
const seed = new Uint8Array(32).fill(7);

function next(current: Roster, body: RosterBody, signer = admin): Roster {
  const result = appendVersion(current, signRosterBody(body, signer));
  return result.ok ? result.roster : assert.fail(result.reason);
}

function base(): Roster {
  const oneLink = (name: string, place: number) => {
    const member = memberBody(name, place);
    return { ...member, addresses: member.addresses.slice(0, 1) };
  };
  const own = { ...oneLink('fw1', 1), publicKey: identityFromSeed(seed).publicKey };
  const first = appended(null, firstBody('dmz', recovery.publicKey));
  const second = next(first, edit.addMember(first, own, 2));
  return next(second, edit.addMember(second, oneLink('fw2', 2), 3));
}
const sound = base();
const rescued = next(sound, edit.rotateAdmin(sound, admin2.publicKey, admin2.sign), recovery);
const later = next(rescued, edit.changeMember(rescued, 'fw2', { priority: 9 }, 3), admin2);
/** Longer, by the stolen admin key. */
const stolen = [1, 2, 3, 4].reduce(
  (roster) => next(roster, edit.changeMember(roster, 'fw2', { priority: roster.version }, 3)),
  sound,
);

interface Choice {
  readonly given: Roster;
  readonly kept: Roster | null;
  readonly trusted?: Uint8Array;
}

function loaded(t: TestContext, { given, kept, trusted = admin.publicKey }: Choice) {
  const dir = temporaryDir(t);
  mkdirSync(join(dir, 'state'));
  writeFileSync(join(dir, 'fw1.key'), encodePrivateKey(seed, null), { mode: 0o600 });
  writeFileSync(join(dir, 'admin.key.pub'), formatPublicKey(trusted, 'admin'));
  writeFileSync(join(dir, 'roster.cose'), Buffer.concat(given.versions));
  if (kept !== null) writeFileSync(join(dir, 'state/roster.cose'), Buffer.concat(kept.versions));
  writeFileSync(join(dir, 'rules.v4'), '*filter\nCOMMIT\n');
  writeFileSync(join(dir, 'portcullis.toml'), exampleText(dir));
  const { config, notes } = loadConfig(join(dir, 'portcullis.toml'));
  return { config, notes: notes.join('\n') };
}

test('P47 at the start: the recovered roster beats a thief’s longer branch under state, from either admin key on', (t) => {
  for (const trusted of [admin.publicKey, admin2.publicKey]) {
    const { config, notes } = loaded(t, { given: rescued, kept: stolen, trusted });
    assert.deepEqual(config.roster, rescued);
    assert.match(notes, /version 4 was signed twice; the branch of .*roster\.cose is in force/);
  }
  const { config, notes } = loaded(t, { given: stolen, kept: rescued });
  assert.deepEqual(config.roster, rescued, 'and never back');
  assert.match(notes, /the branch of .*state\/roster\.cose stays in force/);
});

test('P47 at the start: on one branch the newer of the two, without a word', (t) => {
  for (const [given, kept, wanted] of [
    [sound, later, later],
    [later, sound, later],
    [later, later, later],
    [sound, null, sound],
  ] as const) {
    const { config, notes } = loaded(t, { given, kept });
    assert.deepEqual(config.roster, wanted);
    assert.equal(notes, '');
  }
});

test('P47 at a reload: a shorter recovered roster is offered, an older one is not, a fork is offered and refused', (t) => {
  const config = (given: Roster) => loaded(t, { given, kept: null }).config;
  const choice = (running: Roster, read: Roster) => {
    const { config: chosen, isOffered } = underRoster(config(running), config(read));
    return [chosen.roster.version, chosen.roster.hash, isOffered];
  };
  assert.deepEqual(choice(stolen, rescued), [rescued.version, rescued.hash, true]);
  assert.deepEqual(choice(rescued, stolen), [rescued.version, rescued.hash, true]);
  assert.deepEqual(choice(later, sound), [later.version, later.hash, false]);
  assert.deepEqual(choice(later, later), [later.version, later.hash, false]);
  assert.deepEqual(choice(sound, later), [later.version, later.hash, true]);
});
