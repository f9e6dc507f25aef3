/**
 * Real daemons in namespaces while their roster changes: a host is added and joins, the master is revoked and lets go.
 * Everything is done with the commands that an operator has.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { makeCluster, temporaryDir } from '../unit/cluster-files.ts';
import { needsRoot } from './netns.ts';
import { addressOf, masterOf, type Name, RULES, Site } from './site.ts';

test('P56: a host is added, and the master revoked, while real daemons run', {
  skip: needsRoot(),
}, async (t: TestContext) => {
  const dir = temporaryDir(t);
  const place = (name: Name, role: string) => ({ name, role, addresses: `${addressOf(name)}:7946` });
  await makeCluster(dir, [place('fw1', 'gateway'), place('fw2', 'gateway'), place('w', 'witness')]);
  writeFileSync(join(dir, 'rules.v4'), RULES);
  const site = new Site(dir);
  t.after(() => site.net.close());
  writeFileSync(join(dir, 'first.cose'), readFileSync(join(dir, 'roster.cose')));
  for (const name of ['fw1', 'fw2', 'w'] as const) site.start(name, 'first.cose');
  const before = await site.status('w', (status) => masterOf(status) !== undefined);
  const master = masterOf(before) ?? assert.fail();

  const known = site.push('w');
  assert.equal(known.status, 0, known.stderr);
  assert.match(known.stdout, /confirmed by fw1, fw2, w/);

  const generated = site.cli('fw3', 'key', 'generate', '--out', join(dir, 'fw3.key'));
  assert.equal(generated.status, 0, generated.stderr);
  const key = ['--key', join(dir, 'fw3.key.pub'), '--address', `${addressOf('fw3')}:7946`];
  site.edit('add', 'fw3', ...key);
  writeFileSync(join(dir, 'second.cose'), readFileSync(join(dir, 'roster.cose')));
  site.start('fw3', 'second.cose');
  const added = site.push('w');
  assert.equal(added.status, 0, added.stderr);
  assert.match(added.stdout, /confirmed by fw1, fw2, w, fw3\nsettled/);
  const joined = await site.status('fw3', (status) => status.services[0]?.substate === 'watching');
  assert.equal(joined.services[0]?.master, master, 'the master stayed');
  assert.deepEqual(joined.services[0]?.term, before.services[0]?.term, 'in its term');
  const noted = JSON.parse(readFileSync(join(dir, 'roster.cose.status.json'), 'utf8'));
  assert.equal(noted.pushed.version, joined.roster.version);
  assert.deepEqual(noted.settled, noted.pushed);

  site.edit('revoke', master);
  const revoked = site.push('w');
  assert.equal(revoked.status, 0, revoked.stderr);
  const out = await site.status(
    master,
    ({ services, alarms }) =>
      ['watching', 'suspecting'].includes(services[0]?.substate ?? '') &&
      alarms.some((alarm) => alarm.code === 'expelled'),
  );
  assert.match(site.net.ip(site.place(master), 'link', 'show', 'up0'), /state DOWN/);
  assert.doesNotMatch(site.net.ip(site.place(master), 'addr'), /10\.77\.1\.1\/24/);
  const after = await site.status('w', (status) => ![undefined, master].includes(masterOf(status)));
  assert.equal(after.roster.version, out.roster.version);
  assert.deepEqual(
    readFileSync(join(dir, `state-${master}`, 'roster.cose')),
    readFileSync(join(dir, 'roster.cose')),
    'stored as it was pushed',
  );
});
