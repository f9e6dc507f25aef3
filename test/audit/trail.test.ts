/** What a daemon's own log says beside the core: the rules that each service is decided by, and alarms that the core did not log. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { DATA_MAX } from '../../src/audit/limits.ts';
import { Alarms } from '../../src/daemon/alarms.ts';
import { AuditTrail } from '../../src/daemon/audit-trail.ts';
import { loadConfig } from '../../src/daemon/config/read.ts';
import { createLog } from '../../src/daemon/log.ts';
import { makeCluster, TWO_HOSTS, temporaryDir } from '../unit/cluster-files.ts';
import { eventLines } from './read.ts';

test('P67: the log says by which rules each service is decided, whole, and each alarm once', async (t) => {
  const dir = temporaryDir(t);
  const { config } = await makeCluster(dir, TWO_HOSTS);
  const state = join(dir, 'state');
  mkdirSync(state, { recursive: true });
  const text = readFileSync(config, 'utf8')
    .replace(/^state +=.*$/m, `state = "${state}"`)
    .replace('user    = "portcullis"', '');
  writeFileSync(config, text);
  const loaded = loadConfig(config);
  const alarms = new Alarms(createLog('fw1', 'silent').log);
  const trail = await AuditTrail.open(loaded, alarms);
  alarms.set('stall', null, true, 'too slow');
  alarms.set('stall', null, true, 'too slow, again');
  alarms.set('uplink-failed', 'firewall', true, 'no answer', true);
  alarms.set('stall', null, false, '');
  alarms.set('stall', null, false, '');
  await trail.close(5000);
  const entries = eventLines(state).map((line) => JSON.parse(line));
  const told = entries.filter(({ kind }) => kind === 'configured');
  assert.equal(told.length, 1);
  const [{ service, data } = assert.fail()] = told;
  assert.equal(service, 'firewall');
  const { core } = loaded.config;
  const [{ name: _, ...own } = assert.fail()] = core.services;
  const wanted = Object.keys({ ...core.timing, ...own });
  assert.ok(wanted.length < DATA_MAX, 'room for all, and for the members of a group');
  assert.deepEqual(Object.keys(data), wanted);
  assert.equal(data.leaseMs, core.timing.leaseMs);
  assert.deepEqual(
    entries.filter(({ kind }) => kind === 'alarm').map((entry) => [entry.text, entry.data]),
    [
      ['stall raised: too slow', { code: 'stall', on: true }],
      ['stall cleared', { code: 'stall', on: false }],
    ],
  );
});
