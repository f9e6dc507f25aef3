/** Faults in who is believed about a service that only its clients see fail; what catches them is test/sim/disputed.test.ts. */
import type { Mutant } from './mutants.ts';

const FILE = 'test/sim/disputed.test.ts';
const LONE = 'available: a lone complainer';
const ROUND = 'available: what fails whoever serves';
const COMES = 'available: a view that comes and goes';
const ONLY = 'available: the only backup';

function dispute(file: string, find: string, replace: string, breaks: string, name: string): Mutant {
  return { file, find, replace, breaks, catcher: { by: 'test', file: FILE, name } };
}

export const DISPUTE_MUTANTS: readonly Mutant[] = [
  dispute(
    'succession.ts',
    'kept.length >= Math.min(2, others.length)',
    'kept.length >= 1',
    'R14: a lone complainer among several is believed',
    LONE,
  ),
  dispute(
    'succession.ts',
    '(c.s.complaints[host] ?? sinceMs - 1) >= sinceMs',
    'c.s.complaints[host] !== undefined',
    'R14: a complaint of long ago counts with a new one',
    LONE,
  ),
  dispute(
    'succession.ts',
    'agreed && waited && ',
    'agreed && ',
    'R14: whoever makes a view come and go keeps the service moving',
    COMES,
  ),
  dispute(
    'backup.ts',
    'insist: disputed && blamed === master',
    'insist: disputed',
    'R14: a master is blamed for what was bad before it came',
    ROUND,
  ),
  dispute(
    'succession.ts',
    "if (trial.cause === 'disputed') c.set({ dispute: { ...c.s.dispute, blamed: c.me } });",
    '',
    'R14: who gave the service up for its clients blames the next one for the same',
    ONLY,
  ),
];
