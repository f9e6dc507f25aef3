/** A failing seed's faults, without those that the failure does not need: leaves out halves, quarters, ... single ones. */
import type { Plan } from './plan.ts';
import { type Outcome, run } from './run.ts';

const MOST_RUNS = 120;

/** The places in the plan of strikes that can be left out while the same judge still finds a violation. */
export function shrink(plan: Plan, failed: Outcome): ReadonlySet<number> {
  const judge = failed.violations[0]?.judge;
  let without: ReadonlySet<number> = new Set();
  let runs = 0;
  for (let size = Math.ceil(plan.strikes.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < plan.strikes.length && runs < MOST_RUNS; from += size) {
      const piece = Array.from({ length: Math.min(size, plan.strikes.length - from) }, (_, i) => from + i);
      const tried = new Set([...without, ...piece]);
      if (tried.size === without.size) continue;
      runs++;
      if (run(plan, { without: tried }).violations.some((v) => v.judge === judge)) without = tried;
    }
  }
  return without;
}
