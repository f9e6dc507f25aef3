/** What a run is like when nothing else is said: for the command line and the tests alike. */
import type { Policy } from './gateway.ts';
import type { RunOptions } from './run.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';

/** The options of a run when nothing is said: two hosts without a witness are `available`, more are `quorum`. */
export function optionsOf(
  scenario: Scenario,
  hosts: number,
  witness: boolean,
  intervalMs: number,
  policy?: Policy,
  apart = false,
): RunOptions {
  const answerBroadcasts = SCENARIOS.indexOf(scenario) % 2 === 0; // the clients of the other half ignore them
  const byCount = hosts === 2 && !witness ? 'available' : 'quorum';
  return { hosts, witness, intervalMs, policy: policy ?? byCount, answerBroadcasts, apart };
}
