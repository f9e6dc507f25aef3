/** The slices of the main state machine and of its times; what they cover: spec/model/cluster.md. */
import type { Slice, Variant } from './slice.ts';

/** A fault, its policy, and how many ticks the bound is above the longest outage that there is. */
const TIMED: readonly (readonly [fault: string, policy: string, slack: number])[] = [
  ['POWER', 'available', 0],
  ['POWER', 'quorum', 1],
  ['KILL', 'available', 1],
  ['KILL', 'quorum', 1],
  ['SERVICE', 'available', 0],
  ['SERVICE', 'quorum', 3],
  ['PLANNED', 'available', 0],
  ['PLANNED', 'quorum', 0],
];

function timedVariants(): Variant[] {
  return TIMED.flatMap(([fault, policy, slack]) => {
    const name = `${fault.toLowerCase()}-${policy}`;
    const defines = [`FAULT=${fault}`, ...(policy === 'quorum' ? ['QUORUM'] : []), `TIGHTER=${slack}`];
    const tighter = [...defines.slice(0, -1), `TIGHTER=${slack + 1}`];
    return [
      { name, defines, violates: null, ci: true },
      {
        name: `${name}-tighter`,
        defines: tighter,
        violates: 'withinBound',
        ci: true,
        search: { compile: ['-DCOLLAPSE'], shortest: false },
      },
    ];
  });
}

export const CLUSTER_SLICES: readonly Slice[] = [
  {
    name: 'timing',
    file: 'timing.pml',
    property: 'nobody serves for no longer than the formula of spec/timing.md says',
    search: { compile: ['-DCOLLAPSE'] },
    variants: timedVariants(),
  },
];
