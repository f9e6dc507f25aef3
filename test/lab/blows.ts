/**
 * Faults that a cluster lives through again and again: each can be undone, so that the next one finds two sound hosts. They are
 * the scenarios of the same names, without what those do afterwards; done to ours and to the peer alike.
 */
import type { Faults } from './faults.ts';
import type { Cluster } from './gateway.ts';
import { always, moved, restless, type Scenario } from './scenario.ts';
import type { SwitchName } from './topology.ts';
import { UsageError } from './usage.ts';

/** What a blow may touch: the master is the one that it strikes. */
export interface Struck {
  readonly cluster: Cluster;
  readonly faults: Faults;
  readonly master: string;
}

export interface Blow {
  readonly name: string;
  readonly strike: (on: Struck) => Promise<void>;
  /** After it the host is as it was, or will be when it has started. */
  readonly mend: (on: Struck) => Promise<void>;
  /** Whose service moves: `all`, or `ours` where the peer does not see it. */
  readonly moves: 'all' | 'ours';
  /** On these sides nothing of the host passes any more: the blow fell when its last frame did, not when it was ordered. */
  readonly dark?: readonly SwitchName[];
  /** It lasts at least so long, in milliseconds, before it is undone. Default 0. */
  readonly lastsMs?: number;
  /** What must hold of ours; nothing is expected of the peer. */
  readonly expect: Scenario['expect'];
}

const started = ({ cluster, master }: Struck): Promise<void> => Promise.resolve(cluster.start(master));
const HANG_MS = 3_000;

export const BLOWS: readonly Blow[] = [
  {
    name: 'power',
    strike: ({ faults, master }) => faults.power(master, 'down'),
    mend: ({ faults, master }) => faults.power(master, 'up'),
    moves: 'all',
    dark: ['lan'],
    expect: always(moved(1)),
  },
  {
    name: 'stop',
    strike: ({ cluster, master }) => cluster.stop(master),
    mend: started,
    moves: 'all',
    expect: always(moved(1)),
  },
  {
    name: 'handover',
    strike: ({ cluster, master }) => cluster.handOver(master),
    mend: ({ cluster, master }) => cluster.takeBack(master),
    moves: 'all',
    expect: always(moved(1)),
  },
  {
    name: 'service',
    strike: ({ faults, master }) => faults.flushRules(master),
    mend: ({ cluster, master }) => cluster.mendRules(master),
    moves: 'ours',
    expect: always(restless(2)),
  },
  {
    name: 'downcut',
    strike: ({ faults, master }) => faults.port('lan', master, 'down'),
    mend: ({ faults, master }) => faults.port('lan', master, 'up'),
    moves: 'all',
    dark: ['lan'],
    expect: always(moved(1)),
  },
  {
    name: 'upcut',
    strike: ({ faults, master }) => faults.port('wan', master, 'down'),
    mend: ({ faults, master }) => faults.port('wan', master, 'up'),
    moves: 'all',
    dark: ['wan'],
    expect: always(moved(1)),
  },
  {
    name: 'kill9',
    strike: ({ cluster, faults, master }) => cluster.kill(master, faults),
    mend: started,
    moves: 'all',
    expect: always(moved(1)),
  },
  {
    name: 'hang',
    strike: ({ faults, master }) => faults.signal(master, 'SIGSTOP'),
    mend: ({ faults, master }) => faults.signal(master, 'SIGCONT'),
    moves: 'all',
    lastsMs: HANG_MS,
    expect: always(moved(1)),
  },
];

/** Throws `UsageError` for a name that there is not. */
export function blowNamed(name: string): Blow {
  const blow = BLOWS.find((candidate) => candidate.name === name);
  if (blow === undefined)
    throw new UsageError(`there is no fault ${name}; there are ${BLOWS.map((one) => one.name).join(', ')}`);
  return blow;
}
