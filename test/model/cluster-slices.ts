/** The slices of the main state machine and of its times; what they cover: spec/model/cluster.md. */
import type { Slice, Variant } from './slice.ts';

/** Preparing that takes longer than the window, and preparing by a program, which runs after it. */
const SLOW = ['AS=6'];
const PROGRAM = ['PROGRAM'];

/** A fault, its policy, how many ticks the bound is above the longest outage that there is, and what else is chosen. */
const TIMED: readonly (readonly [
  fault: string,
  policy: string,
  slack: number,
  name?: string,
  more?: readonly string[],
])[] = [
  ['POWER', 'available', 0],
  ['POWER', 'quorum', 1],
  ['KILL', 'available', 1],
  ['KILL', 'quorum', 1],
  ['SERVICE', 'available', 0],
  ['SERVICE', 'quorum', 3],
  ['PLANNED', 'available', 0],
  ['PLANNED', 'quorum', 0],
  ['POWER', 'available', 0, '-slow', SLOW],
  ['POWER', 'available', 0, '-program', PROGRAM],
  ['POWER', 'available', 0, '-two', ['TWO']],
];

function timedVariants(): Variant[] {
  return TIMED.flatMap(([fault, policy, slack, suffix = '', more = []]) => {
    const name = `${fault.toLowerCase()}-${policy}${suffix}`;
    const chosen = [...(policy === 'quorum' ? ['QUORUM'] : []), ...more];
    const defines = [`FAULT=${fault}`, ...chosen, `TIGHTER=${slack}`];
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

/** What struck, as bits of cluster.pml's WHICH. */
const KILL = 1;
const POWER = 2;
const FREEZE = 4;
const LAN_CUT = 8;
const SPLIT_LAN = 128;
const SPLIT_ALL = 512;
const LIAR = 1024;
const ORDER = 8192;
const RESTART = 16_384;
const ONE_WAY = 32_768;
const LAN_MUTE = 16;
const WAN_MUTE = 64;
const WITNESS = 65_536;

/** The steps are long and few. Depth first, since a step has many parts. */
const LONG_STEPS = {
  compile: ['-DCOLLAPSE', '-DVECTORSZ=4096'],
  shortest: false,
  depth: 4_000_000,
} as const;

/** The whole machine under any two faults in noise: a sample of the states, no proof. */
function sampled(name: string, defines: readonly string[]): Variant {
  const search = { compile: ['-DVECTORSZ=4096'], bitstate: 29, depth: 4_000_000 };
  // Two faults may leave one way from host to host, and the noise takes a word on it: the next one comes an interval later.
  const all = [...defines, 'FAULTS=2', 'NOISE=1', 'OVERLAP=4', 'HEAL'];
  return { name, defines: all, violates: null, ci: false, search };
}

function holds(name: string, defines: readonly string[], ci = true): Variant {
  return { name, defines, violates: null, ci };
}

/** Hundreds of thousands of long steps. */
function long(name: string, defines: readonly string[]): Variant {
  return { ...holds(name, defines), search: { long: true } };
}

function broken(name: string, which: number, defines: readonly string[], violates: string): Variant {
  const faults = defines.some((d) => d.startsWith('FAULTS=')) ? [] : ['FAULTS=1'];
  return { name, defines: [...faults, `WHICH=${which}`, ...defines], violates, ci: true };
}

const AVAILABLE: Slice = {
  name: 'available',
  file: 'cluster.pml',
  property: 'two gateways: safety under faults, and after their end exactly one master, which stays',
  search: LONG_STEPS,
  variants: [
    holds('one-fault', ['FAULTS=1', 'HEAL']),
    holds('one-fault-slot', ['FAULTS=1', 'TWO=false', 'HEAL']),
    long('one-fault-noise', ['FAULTS=1', 'NOISE=1', 'HEAL']),
    long('boot', ['BOOT', 'FAULTS=1', 'HEAL']),
    long('split-then-power', ['FAULTS=2', `WHICH=${SPLIT_LAN + POWER}`, 'HOLD=200', 'HEAL']),
    holds('power-and-liar', ['FAULTS=2', `WHICH=${POWER + LIAR}`, 'HEAL']),
    holds('two-faults', ['FAULTS=2', 'HEAL'], false),
    // R28: nothing safe hangs on how long an answer is waited for, even if none can be back in time.
    holds('hasty', ['FAULTS=1', 'RTO=1', 'HEAL']),
    holds('program', ['FAULTS=1', 'EARLY=false', 'HEAL'], false),
    sampled('whole', []),
    broken('no-downlink-check', LAN_CUT, ['BROKEN_NO_DOWNLINK_CHECK'], 'claimsOnlyConfirmed'),
    broken('claim-demotes', ONE_WAY, ['BROKEN_CLAIM_DEMOTES'], 'obeysMasters'),
    broken('no-words-on-the-uplink', SPLIT_LAN, ['BROKEN_NO_UPLINK_WORDS'], 'overlapEnds'),
    broken('no-kernel-lease', KILL, ['BROKEN_NO_KERNEL_LEASE'], 'overlapEnds'),
    broken('word-before-shut', ORDER, ['BROKEN_GATE_STAYS'], 'givenUpIsShut'),
    broken('uplink-left-up', ORDER, ['BROKEN_UPLINK_LEFT_UP'], 'uplinkOnlyWhenTaking'),
    broken('numbers-alone', SPLIT_ALL, ['BOOT', 'BROKEN_NUMBERS_ALONE'], 'neverTwoInOneTerm'),
    broken(
      'hold-down-forbids',
      SPLIT_LAN + POWER,
      ['FAULTS=2', 'HOLD=200', 'HEAL', 'BROKEN_HOLD_FORBIDS'],
      'oneMaster',
    ),
    broken('sign-for-ever', POWER + LIAR, ['FAULTS=2', 'HEAL', 'BROKEN_SIGN_FOR_EVER'], 'oneMaster'),
    // Not a rule taken away: what `available` cannot do. With every way cut both serve until a word is heard.
    broken('every-way-cut', SPLIT_ALL, ['BOTH_CUT_TOO'], 'overlapEnds'),
  ],
};

/** A witness and a gateway die; a master that is left alone is active again within two promises, or as they say. */
const ALONE = ['QUORUM', 'FAULTS=2', 'WATCH_ALONE=12'];

const QUORUM: Slice = {
  name: 'quorum',
  file: 'cluster.pml',
  property: 'two gateways and a witness: the same, and never two active',
  search: LONG_STEPS,
  variants: [
    long('one-fault', ['QUORUM', 'FAULTS=1', 'HEAL']),
    // R11: nothing safe hangs on the conflict window where a majority has promised; preparing hides none here.
    long('no-window', ['QUORUM', 'FAULTS=1', 'HEAL', 'EARLY=false', 'WINDOW=0']),
    long('noise', ['QUORUM', 'FAULTS=1', 'NOISE=1', `WHICH=${KILL + POWER + FREEZE + RESTART + 32}`, 'HEAL']),
    holds('boot', ['QUORUM', 'BOOT', 'FAULTS=1', 'HEAL'], false),
    sampled('whole', ['QUORUM']),
    holds('freeze-and-restart', ['QUORUM', 'FAULTS=2', `WHICH=${FREEZE + RESTART}`, 'HEAL'], false),
    broken('short-promise', FREEZE + LAN_CUT + RESTART, ['QUORUM', 'FAULTS=2', 'P=3'], 'neverTwoActive'),
    broken('no-kernel-lease', KILL, ['QUORUM', 'BROKEN_NO_KERNEL_LEASE'], 'neverTwoActive'),
    broken('word-before-shut', ORDER, ['QUORUM', 'BROKEN_GATE_STAYS'], 'givenUpIsShut'),
    broken('no-downlink-check', LAN_CUT, ['QUORUM', 'BROKEN_NO_DOWNLINK_CHECK'], 'claimsOnlyConfirmed'),
    // R27. What alone = "serve" is for; that "suspend" does not do it; and what it costs: cut off on every link, two masters.
    holds('alone', [...ALONE, 'ALONE', `WHICH=${WITNESS + POWER}`, 'HEAL']),
    holds('alone-mute', ['QUORUM', 'ALONE', 'FAULTS=1', `WHICH=${LAN_MUTE}`, 'HEAL']),
    broken('alone-suspended', WITNESS + POWER, ALONE, 'goesOn'),
    broken('alone-cut-off', LAN_MUTE + WAN_MUTE, ['QUORUM', 'ALONE', 'FAULTS=2'], 'neverTwoActive'),
  ],
};

export const CLUSTER_SLICES: readonly Slice[] = [
  {
    name: 'timing',
    file: 'timing.pml',
    property: 'nobody serves for no longer than the formula of spec/timing.md says',
    search: { compile: ['-DCOLLAPSE'] },
    variants: timedVariants(),
  },
  AVAILABLE,
  QUORUM,
];
