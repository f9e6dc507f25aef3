/** Newer rosters in a running daemon, on a disk that is good, refuses, or hangs: P54. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Alarms } from '../../src/daemon/alarms.ts';
import { createLog } from '../../src/daemon/log.ts';
import { RosterDesk } from '../../src/daemon/rosters.ts';
import type { Roster } from '../../src/trust/roster.ts';
import * as edit from '../../src/trust/roster-edit.ts';
import { clusterTimes, coreConfig } from '../sim/cluster.ts';
import { appended, memberBody, testRoster } from './wire-fixture.ts';

const four = testRoster(['fw1', 'fw2'], ['w']);
const five = appended(four, edit.revokeMember(four, 'fw2', 4));
const six = appended(five, edit.addMember(five, memberBody('fw3', 4), 5));
const sizeOf = (roster: Roster) => Buffer.concat(roster.versions).length;

/** A desk whose disk does as told: each store waits for its own end. */
function desk() {
  const { log } = createLog('fw1', 'silent');
  const alarms = new Alarms(log);
  const begun: { readonly bytes: number; readonly end: (error?: Error) => void }[] = [];
  const inForce: number[] = [];
  const rosters = new RosterDesk({
    path: '/state/roster.cose',
    stateDir: '/state',
    log,
    alarms,
    follow: () => ({ core: coreConfig(four, 'fw1', clusterTimes(200).timing, 'quorum', null), misfits: [] }),
    replace: (_path, bytes) =>
      new Promise((resolve, reject) => {
        begun.push({
          bytes: bytes.length,
          end: (error) => (error === undefined ? resolve() : reject(error)),
        });
      }),
    storeLimitMs: 20,
  });
  const adopt = (roster: Roster) => rosters.adopt(roster, () => void inForce.push(roster.version));
  const trouble = () =>
    alarms
      .list()
      .map(({ code, detail }) => `${code} ${detail}`)
      .join();
  return { rosters, adopt, begun, inForce, trouble };
}
/** Lets what is due run. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('P54: a roster is in force once it is stored, not before', async () => {
  const { rosters, adopt, begun, inForce, trouble } = desk();
  adopt(five);
  await turn();
  assert.deepEqual(inForce, []);
  begun[0]?.end();
  await rosters.idle();
  assert.deepEqual([inForce, trouble()], [[5], '']);
});

test('P54: a disk that hangs keeps no revocation back; the stores go on in their order and clear the alarm', async () => {
  const { rosters, adopt, begun, inForce, trouble } = desk();
  adopt(five);
  adopt(six);
  await rosters.idle();
  assert.deepEqual(inForce, [5, 6], 'both, in their order');
  assert.match(trouble(), /roster-trouble .*no answer yet\): version 6 is in force, and lost at a restart/);
  assert.deepEqual(
    begun.map(({ bytes }) => bytes),
    [sizeOf(five)],
    'the newer is not overtaken on the disk',
  );
  begun[0]?.end();
  await turn();
  assert.match(trouble(), /version 6/, 'the older one is stored, and that is not enough');
  assert.deepEqual(
    begun.map(({ bytes }) => bytes),
    [sizeOf(five), sizeOf(six)],
  );
  begun[1]?.end();
  await turn();
  assert.equal(trouble(), '');
});

test('P54: a disk that refuses, at once or late, is told with its reason; the next roster that is stored ends that', async () => {
  const { rosters, adopt, begun, inForce, trouble } = desk();
  adopt(five);
  await turn();
  begun[0]?.end(Object.assign(new Error('full'), { code: 'ENOSPC' }));
  await rosters.idle();
  assert.deepEqual(inForce, [5]);
  assert.match(trouble(), /ENOSPC\): version 5/);
  adopt(six);
  await rosters.idle();
  assert.match(trouble(), /no answer yet\): version 6/);
  begun[1]?.end(Object.assign(new Error('broken'), { code: 'EIO' }));
  await turn();
  assert.match(trouble(), /EIO\): version 6/);
  adopt(six);
  await turn();
  begun[2]?.end();
  await rosters.idle();
  assert.equal(trouble(), '');
});
