/**
 * The searches of ci-plans.ts, each by the command itself in a process of its own, two at a time: no violation, and as
 * deep as the plan says, so that a search that ends early is seen.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import test from 'node:test';
import { programArgs } from '../programs.ts';
import { CI_PLANS } from './ci-plans.ts';
import { planText } from './plans.ts';

interface Line {
  readonly states: number;
  readonly depth: number;
  readonly exhausted: boolean;
  readonly calmRuns: number;
  readonly violations: readonly string[];
}

function explored(plan: number): Promise<Line> {
  return new Promise((resolve, reject) => {
    const args = [...programArgs('test/explore/main.ts'), '--plan', String(plan), '--json'];
    execFile(process.execPath, args, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      // Exit 1 is a violation, which stands in the output.
      if (error !== null && error.code !== 1) reject(new Error(stderr));
      else resolve(JSON.parse(stdout) as Line);
    });
  });
}

test('searches', { concurrency: 2 }, async (t) => {
  await Promise.all(
    CI_PLANS.map((plan, i) =>
      t.test(planText(plan), async () => {
        const line = await explored(i + 1);
        assert.deepEqual(line.violations, []);
        const deep = line.exhausted || line.depth >= (plan.limits.depth ?? 0);
        assert.ok(deep, `depth ${line.depth} of ${plan.limits.depth} in ${line.states} states`);
        assert.ok(line.calmRuns > 0 || plan.limits.calm === 0, 'the calm world went on from some of them');
      }),
    ),
  );
});
