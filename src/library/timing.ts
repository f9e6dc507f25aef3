/** The cluster's times for programs that have no configuration file: the same defaults as that has. */
import type { Timing } from '../core/index.ts';
import { fullTiming } from '../daemon/config/timing.ts';

/** With what the wire needs beside: how far two clocks may differ, and how old a word may be. */
export interface ClusterTiming extends Timing {
  readonly maxDrift: number;
  readonly maxAgeMs: number;
}

/** All times that follow from the interval; equal on all hosts. Throws RangeError outside of 10 ms to 60 s. */
export function usualTiming(intervalMs: number): ClusterTiming {
  if (!(intervalMs >= 10 && intervalMs <= 60_000)) throw new RangeError('an interval is from 10 to 60000 ms');
  const { stallMs: _stallMs, ...timing } = fullTiming({ interval: intervalMs } as Parameters<
    typeof fullTiming
  >[0]);
  return timing;
}
