/** Scenarios as tests. Several files have some each, so that the tests' runner can run two of them at a time. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { needsRoot } from '../netns/netns.ts';
import { cleanUpOnSignals, removeWorkDirectory } from './lab.ts';
import { optionsOf } from './options.ts';
import { must } from './process.ts';
import { type RunResult, runScenario } from './run.ts';
import { SCENARIOS } from './scenarios.ts';

const INTERVAL_MS = 200;

async function namespaces(): Promise<string[]> {
  const text = await must(['ip', 'netns', 'list']);
  return text.split('\n').filter((line) => line.startsWith(`pc${process.pid}-`));
}

/** A scenario and how many hosts; `apart`: the two processes of each host are two units, each with a user of its own. */
type Case = readonly [scenario: string, hosts: number, apart?: 'apart'];

/** What went wrong first, then what the hosts decided, then all figures: whoever reads it may have only its beginning. */
function told({ problems, standbyDetail, decisions, ...figures }: RunResult): string {
  return [problems.join('; '), ...standbyDetail, ...decisions, JSON.stringify(figures)].join('\n');
}

/** A test of each; then one that nothing of this process is left behind. */
export function testCases(cases: readonly Case[]): void {
  cleanUpOnSignals();
  const skip = needsRoot();
  for (const [name, hosts, apart] of cases)
    test(`${name}, ${hosts} hosts${apart === undefined ? '' : ', two units'}`, { skip }, async () => {
      const scenario = SCENARIOS.find((candidate) => candidate.name === name);
      assert.ok(scenario !== undefined, `there is no scenario ${name}`);
      const result = await runScenario(
        scenario,
        optionsOf(scenario, hosts, false, INTERVAL_MS, undefined, apart !== undefined),
      );
      if (result.problems.length > 0) assert.fail(told(result));
    });

  test('nothing is left behind: no namespace of this process', { skip }, async () => {
    removeWorkDirectory();
    assert.deepEqual(await namespaces(), []);
  });
}
