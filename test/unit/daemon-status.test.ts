/** The status document of a state: what is left of a right to serve, whatever that rests on. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { initialState } from '../../src/core/index.ts';
import { NO_RIGHT } from '../../src/core/lease.ts';
import type { ServiceState } from '../../src/core/state.ts';
import { type StatusService, statusOf } from '../../src/daemon/status.ts';
import { clusterTimes, coreConfig, SERVICE } from '../sim/cluster.ts';
import { testRoster } from './wire-fixture.ts';

const CONFIG = coreConfig(testRoster(['fw1', 'fw2', 'fw3']), 'fw1', clusterTimes(200).timing, 'quorum', null);

function statusWith(change: Partial<ServiceState>): StatusService | undefined {
  const state = initialState(CONFIG, 0);
  const service = state.services[SERVICE];
  assert.ok(service !== undefined);
  const services = { [SERVICE]: { ...service, ...change } };
  return statusOf({
    ...{
      nowMs: 10,
      state: { ...state, services },
      standbySince: null,
      names: [SERVICE],
      groups: [[SERVICE]],
    },
    ...{ cluster: 'dmz', roster: { version: 1, hash: new Uint8Array(32) }, settled: 1, protocol: 2 },
    ...{ links: [], peers: [], alarms: [], counters: {} },
  }).services[0];
}

test('leaseMs: of a majority under quorum; of its own renewal when it serves without one', () => {
  const right = { ...NO_RIGHT, ownUntilMs: 250 };
  assert.equal(statusWith({ place: 'service.suspended', right })?.leaseMs, 0);
  const forced = statusWith({ place: 'service.serving', forced: true, right });
  assert.deepEqual([forced?.leaseMs, forced?.forced], [240, true]);
  const majority = { ...right, leases: { fw1: 300, fw2: 300 } };
  assert.equal(statusWith({ place: 'service.serving', right: majority })?.leaseMs, 290);
});

test('who is asked to take over is named, for as long as somebody is', () => {
  const trial = { cause: 'operator', to: 'fw2', id: 1, tried: [], only: false, untilMs: 100 } as const;
  assert.equal(statusWith({ place: 'service.seeking', trial })?.successor, 'fw2');
  assert.equal(statusWith({ place: 'service.serving' })?.successor, null);
});

test('a host that died is not fit any more, nor said to be what it last was, once the core does not count on it', () => {
  const { intervalMs } = CONFIG.timing;
  const said = { fit: true, standby: false, downlink: true, activity: 'backup', sameDigest: true } as const;
  const kept = { load: 0, burdened: false, fitSinceMs: 0, tableTerm: null, tableSeq: 0 };
  const rowOf = (host: string, atMs: number) =>
    statusWith({ reports: { [host]: { ...said, ...kept, atMs } } })?.table.find((row) => row.host === host);
  const heard = rowOf('fw2', 10 - 15 * intervalMs);
  assert.deepEqual([heard?.fit, heard?.activity], [true, 'backup']);
  const dead = rowOf('fw2', 9 - 15 * intervalMs);
  assert.deepEqual([dead?.fit, dead?.activity, dead?.standby], [false, null, false]);
});
