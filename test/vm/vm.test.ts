/**
 * Takeovers between emulated machines: kernels, drivers and cards that are a host's own, judged at the lab's switch ports. What must
 * hold is the same as in the lab, and that the standby's card is not there at all. No test asserts how long something took.
 */
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { must } from '../lab/process.ts';
import { GUEST_INTERVAL_MS } from './guest-cluster.ts';
import { closeGuestLabs, closeOnSignals, type GuestLabOptions } from './guest-lab.ts';
import { needsMachines } from './needs.ts';
import { runInGuests } from './run.ts';
import { SCENARIOS } from './scenarios.ts';

closeOnSignals();
const skip = needsMachines();
const COMMON = { intervalMs: GUEST_INTERVAL_MS, policy: 'available', speculative: false } as const;
const CASES: readonly (readonly [name: string, options: GuestLabOptions])[] = [
  ['power', { ...COMMON, strategy: 'module', uplink: 'e1000e', downlink: 'virtio' }],
  ['crash', { ...COMMON, strategy: 'unbind', uplink: 'virtio', downlink: 'virtio' }],
];

for (const [name, options] of CASES)
  test(`${name}: uplink ${options.uplink}, ${options.strategy}`, { skip }, async () => {
    const scenario = SCENARIOS.find((candidate) => candidate.name === name);
    assert.ok(scenario !== undefined);
    const result = await runInGuests(scenario, options);
    assert.deepEqual(result.problems, [], JSON.stringify(result));
    assert.ok(result.parts !== null, 'the takeover is in the successor’s event log');
  });

after(async () => {
  await closeGuestLabs();
  if (skip === false) {
    const left = (await must(['ip', 'netns', 'list']))
      .split('\n')
      .filter((line) => line.startsWith(`pc${process.pid}`));
    assert.deepEqual(left, []);
  }
});
