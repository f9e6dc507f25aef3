/** What each entry is stamped with, altered: its two clocks, and the roster in force. */
import { edited, UNHEARD } from './altered.ts';
import { type Case, fw1, others, own, twice } from './tamper-case.ts';

export const STAMPS: readonly Case[] = [
  {
    name: 'the clock set back for new entries',
    by: 'the clock of the entry before',
    from: own,
    host: 'fw1',
    severity: 'doubt',
    text: /clock was set back by/,
    make: () => ({
      logs: edited(
        'fw1',
        (entry) => entry.set(2, (entry.get(2) as number) - 7_200_000),
        (text) => text === UNHEARD,
      ),
    }),
  },
  {
    name: 'all times moved back, all signed anew',
    by: 'S, which holds later heads',
    from: others,
    ...fw1,
    text: twice,
    make: () => ({
      logs: edited(
        'fw1',
        (entry) => entry.set(2, (entry.get(2) as number) - 7_200_000),
        () => true,
      ),
    }),
  },
  {
    name: 'an entry written out of its time',
    by: 'the monotonic clock of the entry before',
    from: own,
    ...fw1,
    text: /monotonic clock is before/,
    make: () => ({
      logs: edited(
        'fw1',
        (entry) => entry.set(3, 1),
        (text) => text === UNHEARD,
      ),
    }),
  },
  {
    name: 'another roster named as the one in force',
    by: 'the roster',
    from: own,
    ...fw1,
    text: /another roster version/,
    make: () => ({
      logs: edited(
        'fw1',
        (entry) => entry.set(10, [2, new Uint8Array(32)]),
        (text) => text === UNHEARD,
      ),
    }),
  },
];
