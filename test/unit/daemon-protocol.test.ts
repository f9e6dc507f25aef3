/** P79 in the configuration: a host that speaks less than the roster's floor does not start, and one that runs is told why it ends. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { run } from '../../src/cli/main.ts';
import { type Config, followRoster } from '../../src/daemon/config/config.ts';
import { NUMBER_KEYS } from '../../src/daemon/config/keys.ts';
import { ConfigError, describeProblem } from '../../src/daemon/config/problems.ts';
import { loadConfig } from '../../src/daemon/config/read.ts';
import { planReload } from '../../src/daemon/plan.ts';
import { PROTOCOL, PROTOCOL_LEAST } from '../../src/wire/limits.ts';
import { makeCluster, RecordedIo, TWO_HOSTS, temporaryDir } from './cluster-files.ts';

const TOLD = /protocol is 1, and the roster lets nobody take part who speaks less than 2 \(its floor\)/;

test('the key has the range of the software', () => {
  const { min, max, default: without } = NUMBER_KEYS.protocol;
  assert.deepEqual([min, max, without], [PROTOCOL_LEAST, PROTOCOL, PROTOCOL]);
});

test('P79: the key protocol, and a floor above it', async (t) => {
  const dir = temporaryDir(t);
  const { config: file } = await makeCluster(dir, TWO_HOSTS);
  const text = readFileSync(file, 'utf8');
  const load = (): Config => loadConfig(file).config;
  const before = load();
  assert.equal(before.settings.protocol, 2, 'without the key: all that this software can');
  writeFileSync(file, `protocol = 1\n${text}`);
  const old = load();
  assert.equal(old.settings.protocol, 1);
  assert.match(planReload(before, old).refused.join(), /^protocol cannot change while running/);

  const signed = ['--roster', join(dir, 'roster.cose'), '--admin-key', join(dir, 'admin.key')];
  const io = new RecordedIo();
  assert.equal(await run(['cluster', 'floor', '2', ...signed], io), 0, io.stderr);
  assert.throws(load, (error: ConfigError) => {
    assert.ok(error instanceof ConfigError);
    const [problem] = error.problems;
    assert.ok(problem !== undefined);
    assert.match(describeProblem(problem), /portcullis\.toml:1: protocol is 1/);
    assert.match(describeProblem(problem), TOLD);
    assert.match(problem.remedy, /set it to 2/);
    return true;
  });
  writeFileSync(file, text);
  const raised = load();
  assert.equal(raised.roster.body.floor, 2);
  // It runs with protocol 1 when the roster comes: it is in force all the same, and the operator hears why the host lets go.
  assert.match(followRoster(old, raised.roster).misfits.join(), TOLD);
  assert.deepEqual(followRoster(before, raised.roster).misfits, []);
});
