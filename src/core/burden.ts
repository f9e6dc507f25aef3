/**
 * Load (R25): what ring 3 measures becomes a number that is said, and a flag with hysteresis, so that what flaps moves
 * nothing. Both are this host's own word of itself; others believe it as they believe its health.
 */
import type { Ctx } from './context.ts';

/** Loads within one step count as equal; a service that is placed on a host counts as one step more. */
export const LOAD_STEP = 100;

/** A service's view of this host's load. `turningSinceMs`: since when it is beyond the mark that turns the flag. */
export interface Burden {
  readonly burdened: boolean;
  readonly turningSinceMs: number | null;
}

export const UNBURDENED: Burden = { burdened: false, turningSinceMs: null };

/** The load that is said from now on: the former one until the measured one is a step away from it. */
export function saidLoad(former: number, measured: number): number {
  return Math.abs(measured - former) < LOAD_STEP ? former : measured;
}

/** A measurement, 0..1000: the flag turns when it was at the other mark or beyond for `afterMs`. */
export function weighed(c: Ctx, load: number): void {
  const { feedback } = c.cfg;
  const { burdened, turningSinceMs } = c.s.burden;
  if (feedback === null) {
    c.set({ burden: UNBURDENED });
    return;
  }
  const beyond = burdened ? load <= feedback.low : load >= feedback.high;
  const sinceMs = turningSinceMs ?? c.now;
  if (!beyond || c.now - sinceMs < feedback.afterMs) {
    c.set({ burden: { burdened, turningSinceMs: beyond ? sinceMs : null } });
    return;
  }
  c.set({ burden: { burdened: !burdened, turningSinceMs: null } });
  c.log('note', `load ${load}: ${burdened ? 'not burdened any more' : 'burdened'}`, { load });
}
