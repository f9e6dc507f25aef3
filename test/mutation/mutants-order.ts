/** Faults in the order among hosts and services; what catches them are test/sim/feedback.test.ts and many.test.ts. */
import type { Mutant } from './mutants.ts';

const FEEDBACK = 'test/sim/feedback.test.ts';
const MANY = 'test/sim/many.test.ts';

function order(
  file: string,
  find: string,
  replace: string,
  breaks: string,
  by: string,
  name: string,
): Mutant {
  return { file, find, replace, breaks, catcher: { by: 'test', file: by, name } };
}

export const ORDER_MUTANTS: readonly Mutant[] = [
  order(
    'placement.ts',
    '+ placed.count(host)',
    '',
    'R25: all services of a dead host go to the same one',
    MANY,
    'R25: two hosts lost at once',
  ),
  order(
    'placement.ts',
    'c.now - sinceMs >= c.probeMs',
    'false',
    'R25: the dead are waited for',
    MANY,
    'R25: two hosts lost at once',
  ),
  order(
    'placement.ts',
    'Number(said.burdened)',
    '0',
    'R25: a burdened host comes before others',
    FEEDBACK,
    'R25: without preempt_delay a burden',
  ),
  order(
    'burden.ts',
    'load <= feedback.low',
    'load < feedback.high',
    'R25: no hysteresis',
    FEEDBACK,
    'R25: without preempt_delay a burden',
  ),
  order(
    'succession.ts',
    'delayMs * 2 ** c.s.moves',
    'delayMs',
    'R26: a service that is the load itself never rests',
    FEEDBACK,
    'R26: a service that is the load',
  ),
  order(
    'succession.ts',
    'isCalm && tenureMs >= waitMs + (c.cfg.feedback?.afterMs ?? 0)',
    'waited && !burdened',
    'R26: the wait begins anew before the next burden shows',
    FEEDBACK,
    'R26: it comes to rest also',
  ),
  order(
    'context.ts',
    'return nextMs > this.now ? nextMs : nextMs + everyMs;',
    'return this.now + everyMs;',
    'R7: each service speaks at a moment of its own',
    MANY,
    'R7: what a host says of all its services',
  ),
];
