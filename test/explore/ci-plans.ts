/**
 * The searches of the test suite. Of three kinds: every order of events without a fault, to a depth; every place for one
 * fault (or for two events out of order) in the calm course of things, until nothing new is found; and faults that leave
 * too much open for that, to a depth.
 */
import type { Plan } from './plans.ts';

type Who = Pick<Plan, 'hosts' | 'witnesses' | 'policy'>;

const QUORUM_3: Who = { hosts: 3, witnesses: 0, policy: 'quorum' };
const QUORUM_2: Who = { hosts: 2, witnesses: 0, policy: 'quorum' };
const WITNESS: Who = { hosts: 2, witnesses: 1, policy: 'quorum' };
const AVAILABLE_2: Who = { hosts: 2, witnesses: 0, policy: 'available' };
const AVAILABLE_3: Who = { hosts: 3, witnesses: 0, policy: 'available' };

const CALM_RUNS = 3;
const END = 100_000;

function anyOrder(who: Who, start: Plan['start'], depth: number): Plan {
  return { ...who, start, disorder: null, faults: {}, limits: { depth, calm: CALM_RUNS } };
}

function faulty(
  who: Who,
  start: Plan['start'],
  faults: Plan['faults'],
  depth: number = END,
  disorder = 0,
): Plan {
  return { ...who, start, disorder, faults, limits: { depth, calm: CALM_RUNS } };
}

export const CI_PLANS: readonly Plan[] = [
  anyOrder(QUORUM_3, 'boot', 4),
  anyOrder(QUORUM_3, 'died', 6),
  anyOrder(QUORUM_3, 'claim', 6),
  anyOrder(QUORUM_3, 'ready', 9),
  anyOrder(QUORUM_3, 'released', 7),
  anyOrder(QUORUM_3, 'suspended', 11),
  anyOrder(WITNESS, 'linking', 16),
  anyOrder(WITNESS, 'claim', 6),
  anyOrder(AVAILABLE_2, 'boot', 7),
  anyOrder(AVAILABLE_2, 'killed', 7),
  anyOrder(AVAILABLE_2, 'ready', 12),
  anyOrder(AVAILABLE_3, 'prepared', 6),
  faulty(QUORUM_3, 'advert', {}, END, 2),
  faulty(AVAILABLE_2, 'asked', {}, END, 2),
  faulty(QUORUM_3, 'boot', { loss: 1 }),
  faulty(QUORUM_3, 'asked', { loss: 1 }),
  faulty(WITNESS, 'suspended', { loss: 1 }),
  faulty(QUORUM_2, 'boot', { delay: 1 }),
  faulty(AVAILABLE_2, 'advert', { lie: 1 }),
  faulty(AVAILABLE_2, 'released', { lie: 1 }),
  faulty(AVAILABLE_3, 'asked', { delay: 1 }),
  faulty(AVAILABLE_2, 'advert', { crash: 1 }, 60),
  faulty(AVAILABLE_2, 'ready', { cut: 1 }, 50),
  faulty(AVAILABLE_3, 'split', {}, 120),
  faulty(QUORUM_3, 'split', {}, 120),
  faulty(QUORUM_3, 'advert', { freeze: 1 }, 60),
  faulty(WITNESS, 'advert', { crash: 1, loss: 1 }, 12),
  faulty(QUORUM_3, 'released', { crash: 1, loss: 1 }, 9),
  faulty(AVAILABLE_3, 'asked', { order: 1 }, 60),
];
