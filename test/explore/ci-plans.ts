/** The searches of the test suite. */
import type { Plan } from './plans.ts';

export const CI_PLANS: readonly Plan[] = [];
