/**
 * The slices of the model and what each search must show. A new slice is one more entry here, or in a file beside
 * this one; a broken variant needs its counterexample kept: `npm run -s model -- NAME --traces`.
 */
import { CLUSTER_SLICES } from './cluster-slices.ts';
import type { Job, Slice, Variant } from './slice.ts';

/** Everything is shared in these slices: reducing the order of steps gains nothing and costs time. */
const SHARED = ['-DNOREDUCE', '-DNOFAIR'];
/** Steps end where all the others stand still: no deadlock. */
const NO_END_STATES = { run: ['-E'] };

/** A sample of the states, no proof: too many for the memory of a usual machine. */
const SAMPLE = { bitstate: 28, depth: 4_000_000 };

const WITNESS = 'GATEWAYS=2';
const PLANNED = [WITNESS, 'HANDOVER', 'NO_CRASH'];
const NEVER = 'neverTwoActive';

/** Millions of steps. */
const LONG = { long: true };

/** A variant that the tests run. */
function holds(name: string, defines: readonly string[], search: Variant['search'] = {}): Variant {
  return { name, defines, violates: null, ci: true, search };
}

/** One that takes minutes. */
function large(name: string, defines: readonly string[], search: Variant['search'] = {}): Variant {
  return { name, defines, violates: null, ci: false, search };
}

function broken(
  name: string,
  defines: readonly string[],
  violates: string,
  search: Variant['search'] = {},
): Variant {
  return { name, defines, violates, ci: true, search };
}

export const SLICES: readonly Slice[] = [
  {
    name: 'quorum3',
    file: 'quorum3.pml',
    property: 'never two hosts with the service active; who gave up its lease has no service active',
    search: { compile: SHARED },
    variants: [
      holds('witness', [WITNESS]),
      holds('three', ['GATEWAYS=3'], LONG),
      large('late-requests', [WITNESS, 'LATE_REQUESTS']),
      holds('late-without-restarts', [WITNESS, 'LATE_REQUESTS', 'NO_CRASH']),
      large('longer-lease', [WITNESS, 'L=3', 'NUMBERS=3'], { memoryMb: 10_000, depth: 20_000_000 }),
      large('three-late', ['GATEWAYS=3', 'LATE_REQUESTS'], SAMPLE),
      broken('no-abstention', [WITNESS, 'BROKEN_NO_ABSTENTION'], NEVER),
      broken('lease-from-arrival', [WITNESS, 'BROKEN_LEASE_FROM_ARRIVAL'], NEVER),
      broken('short-promise', [WITNESS, 'P=1'], NEVER),
      broken('no-kernel-lease', [WITNESS, 'BROKEN_NO_KERNEL_LEASE'], NEVER),
      broken('word-before-shut', [WITNESS, 'BROKEN_WORD_BEFORE_SHUT'], 'givenUpIsShut'),
      broken('word-frees', [WITNESS, 'BROKEN_WORD_BEFORE_SHUT', 'ONLY_TWO_ACTIVE'], NEVER),
      broken('no-sessions', [WITNESS, 'BROKEN_NO_SESSIONS'], NEVER),
    ],
  },
  {
    name: 'planned',
    file: 'quorum3.pml',
    property: 'the same with planned handovers, whose successor is lent the rest of the lease (R12)',
    search: { compile: SHARED },
    variants: [
      holds('rules', PLANNED),
      large('three', ['GATEWAYS=3', 'HANDOVER', 'NO_CRASH'], { memoryMb: 10_000 }),
      large('more-terms', [...PLANNED, 'NUMBERS=3']),
      large('restarts', [WITNESS, 'HANDOVER'], SAMPLE),
      large('whole', ['GATEWAYS=3', 'HANDOVER', 'LATE_REQUESTS'], SAMPLE),
      broken('rest-from-receipt', [...PLANNED, 'BROKEN_REST_FROM_RECEIPT'], NEVER),
      broken('old-released-believed', [...PLANNED, 'NUMBERS=3', 'BROKEN_OLD_RELEASED_BELIEVED'], NEVER),
      broken(
        'later-word-frees',
        ['GATEWAYS=3', 'HANDOVER', 'NO_CRASH', 'BROKEN_LATER_WORD_FREES'],
        NEVER,
        LONG,
      ),
      broken('number-tried-twice', [...PLANNED, 'NUMBERS=3', 'BROKEN_NUMBER_TRIED_TWICE'], NEVER, LONG),
      broken('claims-at-once', [...PLANNED, 'NUMBERS=3', 'BROKEN_CLAIMS_AT_ONCE'], NEVER),
    ],
  },
  {
    name: 'calm',
    file: 'quorum3.pml',
    property: 'when faults stop somebody serves within 2P + 3 ticks, and stays',
    search: { compile: SHARED, ...NO_END_STATES },
    variants: [
      holds('rules', [WITNESS, 'LIVE']),
      broken('no-reclaim', [WITNESS, 'LIVE', 'BROKEN_NO_RECLAIM'], 'activeAgain'),
      broken('own-vote-silent', [WITNESS, 'LIVE', 'BROKEN_OWN_VOTE_SILENT'], 'activeAgain'),
    ],
  },
  {
    name: 'drift',
    file: 'drift.pml',
    property: 'a promise of (1+ρ)(L/(1-d)+g) outlives the gate that hangs on it',
    variants: [
      holds('rules', []),
      broken('promise-is-lease', ['P=L'], 'promiseOutlives'),
      broken('no-drift', ['P=10'], 'promiseOutlives'),
      // Nor is what the gate takes of itself enough when the voter's own clock is fast: that needs more than 11, too.
      broken('no-granularity', ['P=11'], 'promiseOutlives'),
    ],
  },
  {
    name: 'pause',
    file: 'pause.pml',
    property: 'the kernel shuts the gate when the right ends, wherever the process is paused',
    variants: [
      holds('rules', []),
      broken('full-lease', ['BROKEN_FULL_LEASE'], 'shutInTime'),
      broken('not-read-again', ['BROKEN_NOT_READ_AGAIN'], 'shutInTime'),
      broken('only-if-over', ['BROKEN_ONLY_IF_OVER'], 'shutInTime'),
      broken('frozen-at-the-call', ['FROZEN_AT_THE_CALL'], 'shutInTime'),
    ],
  },
  {
    name: 'roster',
    file: 'roster.pml',
    property: 'never two hosts with a majority while the voters change',
    search: { compile: SHARED },
    variants: [
      holds('rules', [], LONG),
      broken('no-joint-majority', ['BROKEN_NO_JOINT_MAJORITY'], NEVER),
      broken('two-at-once', ['BROKEN_TWO_AT_ONCE', 'BROKEN_NO_JOINT_MAJORITY'], NEVER),
      broken('vote-per-key', ['BROKEN_VOTE_PER_KEY'], NEVER),
      broken('confirmed-while-bound', ['BROKEN_CONFIRMED_WHILE_BOUND'], NEVER, LONG),
      broken('old-version-answered', ['BROKEN_OLD_VERSION_ANSWERED'], NEVER, LONG),
    ],
  },
  {
    name: 'snapshot',
    file: 'snapshot.pml',
    property: 'never two majorities with a voter that comes back from a snapshot, or has a copy',
    search: { compile: SHARED },
    variants: [
      holds('restored', []),
      holds('copy', ['COPY'], LONG),
      large('more-terms', ['COPY', 'NUMBERS=3']),
      broken('no-abstention', ['BROKEN_NO_ABSTENTION'], NEVER),
      broken('old-numbers-heard', ['BROKEN_OLD_NUMBERS_HEARD'], NEVER),
      broken('copies-parted', ['COPY', 'COPIES_PARTED'], NEVER),
    ],
  },
  {
    name: 'groups',
    file: 'groups.pml',
    property:
      'a group is never served by halves; a shared uplink is up while somebody holds it, and only then',
    variants: [
      holds('rules', []),
      broken('claim-per-service', ['BROKEN_CLAIM_PER_SERVICE'], 'neverHalf'),
      broken('uplink-not-counted', ['BROKEN_UPLINK_NOT_COUNTED'], 'heldIsUp'),
      broken('never-lowered', ['BROKEN_NEVER_LOWERED'], 'idleIsDown'),
    ],
  },
  {
    name: 'table',
    file: 'table.pml',
    property: 'never two majorities whatever the tables say',
    search: { compile: SHARED },
    variants: [
      holds('advice', [], LONG),
      broken('tables-differ', ['WATCH_AGREEMENT'], 'tablesAgree'),
      broken('two-claim-at-once', ['WATCH_CLAIMS'], 'neverTwoClaim'),
      broken('vote-by-table', ['BROKEN_VOTE_BY_TABLE'], NEVER),
    ],
  },
  ...CLUSTER_SLICES,
];

export function allJobs(): Job[] {
  return SLICES.flatMap((slice) => slice.variants.map((variant) => ({ slice, variant })));
}
