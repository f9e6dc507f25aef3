/**
 * The slices of the model and what each search must show. A new slice is one more entry here (or in a file beside
 * this one, when there are many); a broken variant needs its counterexample kept: `npm run -s model -- NAME --traces`.
 */
import { CLUSTER_SLICES } from './cluster-slices.ts';
import type { Job, Slice, Variant } from './slice.ts';

/** Everything is shared in these slices: reducing the order of steps gains nothing and costs time. */
const SHARED = ['-DNOREDUCE', '-DNOFAIR'];

export const SLICES: readonly Slice[] = [
  {
    name: 'quorum3',
    file: 'quorum3.pml',
    property: 'never two hosts with the service active',
    search: { compile: SHARED },
    variants: [
      { name: 'witness', defines: ['GATEWAYS=2'], violates: null, ci: true },
      { name: 'witness-longer', defines: ['GATEWAYS=2', 'L=3', 'NUMBERS=3'], violates: null, ci: false },
      { name: 'three', defines: ['GATEWAYS=3'], violates: null, ci: true },
      { name: 'late-requests', defines: ['GATEWAYS=2', 'LATE_REQUESTS'], violates: null, ci: true },
      broken('no-abstention', ['GATEWAYS=2', 'BROKEN_NO_ABSTENTION'], 'neverTwoActive'),
      broken('lease-from-arrival', ['GATEWAYS=2', 'BROKEN_LEASE_FROM_ARRIVAL'], 'neverTwoActive'),
      broken('short-promise', ['GATEWAYS=2', 'P=1'], 'neverTwoActive'),
      broken('no-kernel-lease', ['GATEWAYS=2', 'BROKEN_NO_KERNEL_LEASE'], 'neverTwoActive'),
      broken('word-before-shut', ['GATEWAYS=2', 'BROKEN_WORD_BEFORE_SHUT'], 'givenUpIsShut'),
      broken('word-frees', ['GATEWAYS=2', 'BROKEN_WORD_BEFORE_SHUT', 'ONLY_TWO_ACTIVE'], 'neverTwoActive'),
      broken('no-sessions', ['GATEWAYS=2', 'BROKEN_NO_SESSIONS'], 'neverTwoActive'),
    ],
  },
  ...CLUSTER_SLICES,
];

function broken(name: string, defines: readonly string[], violates: string): Variant {
  return { name, defines, violates, ci: true };
}

export function allJobs(): Job[] {
  return SLICES.flatMap((slice) => slice.variants.map((variant) => ({ slice, variant })));
}
