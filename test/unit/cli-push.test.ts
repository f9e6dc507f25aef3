/** `cluster push` against a control socket: what it says, what it notes, and how it ends (P55). */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { claimedRoster } from '../../src/cli/cluster-file.ts';
import { openControl, type RosterReport } from '../../src/daemon/control.ts';
import { portcullis } from './cli-harness.ts';
import { makeCluster, TWO_HOSTS, temporaryDir } from './cluster-files.ts';
import { assertDocumented } from './printed-json.ts';
import { toHex } from './vectors.ts';

/** A daemon's socket that answers with these reports in turn, the last one for ever. */
async function pushed(t: TestContext, reports: readonly RosterReport[], refused: string | null = null) {
  const dir = temporaryDir(t);
  const { config } = await makeCluster(dir, TWO_HOSTS);
  const offered: Uint8Array[] = [];
  let asked = 0;
  const rosters = {
    report: () => reports[Math.min(asked++, reports.length - 1)] ?? assert.fail(),
    offer: async (bytes: Uint8Array) => {
      offered.push(bytes);
      return refused;
    },
  };
  const handlers = { status: () => ({}), order: () => null, rosters };
  const socket = await openControl(join(dir, 'control.sock'), handlers, false);
  t.after(() => socket.close());
  let printed = '';
  let said = '';
  const roster = join(dir, 'roster.cose');
  hash = toHex(claimedRoster(roster).hash);
  const status = () => readFileSync(`${roster}.status.json`, 'utf8').trim();
  /** The versions that the status says are given out and settled. */
  const noted = () => {
    const { pushed, settled } = JSON.parse(status());
    return [pushed?.version ?? null, settled?.version ?? null];
  };
  const push = async (...more: string[]) => {
    const {
      status: end,
      out,
      err,
    } = await portcullis(['cluster', 'push', '--config', config, roster, ...more]);
    printed += out;
    said += err;
    return end;
  };
  const io = {
    get stdout() {
      return printed;
    },
    get stderr() {
      return said;
    },
  };
  return { io, push, roster, status, noted, offered };
}
/** Of the roster that `pushed` made. */
let hash = '';
const report = (settled: number, confirmed: string[], unreached: string[]): RosterReport => ({
  version: 3,
  get hash() {
    return hash;
  },
  settled,
  confirmed,
  unreached,
});

test('P55: it waits until all have shown the version, notes that, and ends with 0', async (t) => {
  const all = report(3, ['fw1', 'fw2'], []);
  const made = await pushed(t, [report(2, ['fw1'], ['fw2']), report(2, ['fw1', 'fw2'], []), all]);
  assert.equal(await made.push(), 0, made.io.stderr);
  assert.match(made.io.stdout, /^version 3 [0-9a-f]{64}\nconfirmed by fw1, fw2\nsettled\n$/);
  assert.deepEqual(made.offered, [Uint8Array.from(readFileSync(made.roster))]);
  assert.deepEqual(made.noted(), [3, 3]);
  assert.equal(JSON.parse(made.status()).settled.hash, hash);
});

test('P55: hosts that have not shown it are named, and the end is 1; it was given out all the same', async (t) => {
  const made = await pushed(t, [report(2, ['fw1'], ['fw2'])]);
  assert.equal(await made.push('--wait', '0', '--json'), 1);
  assert.match(made.io.stderr, /error: not confirmed by fw2\n.*hint: they may still trust/);
  assertDocumented('cluster push', made.io.stdout);
  assert.deepEqual(JSON.parse(made.io.stdout).unreached, ['fw2']);
  assert.deepEqual(made.noted(), [3, 2]);
});

test('what the host says of another roster than the one that was pushed settles nothing of this one', async (t) => {
  const made = await pushed(t, [{ ...report(3, ['fw1', 'fw2'], []), hash: 'ab'.repeat(32) }]);
  assert.equal(await made.push(), 0);
  assert.deepEqual(made.noted(), [3, null]);
});

test('where the status cannot be read nothing is given out', async (t) => {
  const made = await pushed(t, [report(3, ['fw1', 'fw2'], [])]);
  rmSync(`${made.roster}.status.json`);
  mkdirSync(`${made.roster}.status.json/in-the-way`, { recursive: true });
  assert.equal(await made.push(), 1);
  assert.match(made.io.stderr, /status\.json: not a regular file/);
  assert.equal(made.offered.length, 0);
});

test('a host that the roster takes out is told that the others do not answer it any more', async (t) => {
  const made = await pushed(t, [report(2, [], ['fw2'])]);
  const dir = dirname(made.roster);
  const key = ['--admin-key', join(dir, 'admin.key')];
  const removed = await portcullis(['cluster', 'remove', 'fw1', '--roster', made.roster, ...key, '--force']);
  assert.equal(removed.status, 0, removed.err);
  assert.equal(await made.push('--wait', '0'), 1);
  assert.match(made.io.stderr, /hint: fw1 is out of this roster.*push it on a host that stays/);
});

test('a refused roster, a broken file and a wrong wait end with the reason, and nothing is noted', async (t) => {
  const made = await pushed(t, [report(3, [], [])], 'older than version 9, which is in force');
  assert.equal(await made.push(), 1);
  assert.match(made.io.stderr, /refused: older than version 9/);
  assert.equal(await made.push('--wait', 'long'), 2);
  const before = existsSync(`${made.roster}.status.json`) ? made.status() : '';
  writeFileSync(made.roster, 'rubbish');
  assert.equal(await made.push(), 1);
  assert.match(made.io.stderr, /roster\.cose: not a roster/);
  assert.equal(made.offered.length, 1);
  assert.equal(existsSync(`${made.roster}.status.json`) ? made.status() : '', before);
  assert.doesNotMatch(before, /"pushed":3/);
});
