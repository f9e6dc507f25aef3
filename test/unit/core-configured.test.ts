/** A reload or a newer roster, in one step: what others said before it is judged anew, or counts for nothing any more. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type CoreConfig, type HostState, initialState, step } from '../../src/core/index.ts';
import { clusterTimes, coreConfig } from '../sim/cluster.ts';
import { testRoster } from './wire-fixture.ts';

const SERVICE = 'firewall';
const CONFIG = coreConfig(testRoster(['fw1', 'fw2', 'fw3']), 'fw1', clusterTimes(200).timing, 'quorum', null);

/** The state after fw2 said, in a REPORT, that its configuration has another digest than ours. */
function differing(): HostState {
  const started = step(initialState(CONFIG, 0), { type: 'started' }, 0).state;
  const message = {
    ...({ type: 'REPORT', service: SERVICE, activity: 'backup', fit: true, standby: false } as const),
    ...{ downlink: true, digest: 'e'.repeat(64), tableTerm: null, tableSeq: 0 },
    ...{ load: 0, burdened: false },
  };
  const { state } = step(started, { type: 'message', from: 'fw2', link: 1, message }, 10);
  assert.deepEqual(state.services[SERVICE]?.alarms, ['config-differs'], 'the operator hears of it');
  return state;
}

function alarmsAfter(config: CoreConfig): readonly string[] | undefined {
  return step(differing(), { type: 'configured', config }, 20).state.services[SERVICE]?.alarms;
}

test('R21: what a host said that is no member any more counts for nothing: its other digest is no alarm', () => {
  const { membership } = CONFIG;
  const members = membership.members.filter(({ name }) => name !== 'fw2');
  const without = { ...CONFIG, membership: { ...membership, version: membership.version + 1, members } };
  assert.deepEqual(alarmsAfter(without), []);
  const same = { ...CONFIG, membership: { ...membership, version: membership.version + 1 } };
  assert.deepEqual(alarmsAfter(same), ['config-differs'], 'a member that stays differs as before');
});

test('R2: a reload that changes the own digest takes the alarm back until others say theirs again', () => {
  const services = CONFIG.services.map((service) => ({ ...service, digest: 'e'.repeat(64) }));
  assert.deepEqual(alarmsAfter({ ...CONFIG, services }), []);
});
