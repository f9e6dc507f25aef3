/**
 * How a procedure ended: a verdict for the core and one line for people.
 */
import type { Verdict } from '../core/procedures.ts';

export interface Outcome {
  readonly verdict: Verdict;
  readonly detail: string;
}

export function confirmed(detail: string): Outcome {
  return { verdict: 'confirmed', detail };
}
export function unknown(detail: string): Outcome {
  return { verdict: 'unknown', detail };
}
export function lost(detail: string): Outcome {
  return { verdict: 'lost', detail };
}
export function refuted(detail: string): Outcome {
  return { verdict: 'refuted', detail };
}
