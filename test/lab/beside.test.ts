/**
 * The control of the lab's judges: what leaves its addresses on the host of a dead daemon is seen to. The same fault that
 * ours must pass without any overlap makes two hosts act with keepalived, on the same cables and before the same judges.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { needsRoot } from '../netns/netns.ts';
import { spread } from './beside.ts';
import { whyNoPeer } from './keepalived.ts';
import { cleanUpOnSignals, removeWorkDirectory } from './lab.ts';
import { optionsOf } from './options.ts';
import { runScenario } from './run.ts';
import { SCENARIOS } from './scenarios.ts';

cleanUpOnSignals();

test('keepalived, killed: its addresses stay, another takes over, and the judge sees both act to the end', {
  skip: needsRoot() || (whyNoPeer() ?? false),
}, async () => {
  const scenario = SCENARIOS.find(({ name }) => name === 'kill9');
  assert.ok(scenario !== undefined);
  const result = await runScenario(scenario, {
    ...optionsOf(scenario, 2, false, 200),
    kind: 'keepalived',
  });
  removeWorkDirectory();
  assert.equal(result.gateway, 'keepalived');
  assert.ok(result.overlapMs > 1_000, JSON.stringify(result));
  assert.deepEqual([result.masters, result.endMasters], [2, 2], JSON.stringify(result));
});

test('a spread is the median between least and most; one value stands alone', () => {
  assert.equal(spread([30.4, 10, 20]), '20 (10..30)');
  assert.equal(spread([7]), '7');
});
