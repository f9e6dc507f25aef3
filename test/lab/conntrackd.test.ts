/**
 * Stateful failover, end to end: kernels that take up no connection in mid-flow, a long TCP transfer through translation.
 * With conntrackd beside the hosts it outlives its gateway; without, the same run loses it, so that the test can fail.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { needsRoot } from '../netns/netns.ts';
import { cleanUpOnSignals, removeWorkDirectory } from './lab.ts';
import { optionsOf } from './options.ts';
import { type RunResult, runScenario } from './run.ts';
import { SCENARIOS } from './scenarios.ts';

const skip = needsRoot();
cleanUpOnSignals();
test.after(() => removeWorkDirectory());

async function runOf(name: string, more: { conntrackd?: boolean; strict?: boolean }): Promise<RunResult> {
  const scenario = SCENARIOS.find((candidate) => candidate.name === name);
  assert.ok(scenario !== undefined);
  return runScenario(scenario, { ...optionsOf(scenario, 2, false, 200), ...more });
}

test('power, with conntrackd: the transfer survives', { skip }, async () => {
  const result = await runOf('power', { conntrackd: true });
  assert.deepEqual([result.problems, result.tcpSurvived], [[], true], JSON.stringify(result));
});

test('power, without it: the service moves, and the transfer dies', { skip }, async () => {
  const result = await runOf('power', { strict: true });
  assert.deepEqual(result.problems, ['the TCP transfer died'], JSON.stringify(result));
});
