/**
 * The slices of the model and what each search must show. A new slice is one more entry here (or in a file beside
 * this one, when there are many); a broken variant needs its counterexample kept: `npm run -s model -- NAME --traces`.
 */
import type { Job, Slice } from './slice.ts';

/** Everything is shared in these slices: reducing the order of steps gains nothing and costs time. */
const SHARED = ['-DNOREDUCE', '-DNOFAIR'];

export const SLICES: readonly Slice[] = [
  {
    name: 'quorum3',
    file: 'quorum3.pml',
    property: 'never two hosts with the service active',
    search: { compile: SHARED },
    variants: [
      {
        name: 'no-abstention',
        defines: ['GATEWAYS=2', 'BROKEN_NO_ABSTENTION'],
        violates: 'neverTwoActive',
        ci: true,
      },
    ],
  },
];

export function allJobs(): Job[] {
  return SLICES.flatMap((slice) => slice.variants.map((variant) => ({ slice, variant })));
}
