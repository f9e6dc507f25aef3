/** What a configuration's times promise: the bounds of spec/timing.md for its services, and as tables for people. */
import type { ServiceConfig } from '../../core/basics.ts';
import { type Bound, FAULTS, type Fault, takeoverBounds, usualSteps } from '../../core/times.ts';
import { DURATION_KEYS, NUMBER_KEYS } from './keys.ts';
import type { ServiceSettings } from './settings.ts';
import { type FullTiming, fullTiming } from './timing.ts';

/** Whole milliseconds without service, rounded up. `anyClockMs`: with every clock off by `max_drift`. */
export interface BoundRow {
  readonly fault: Fault;
  readonly worstMs: number;
  readonly medianMs: number;
  readonly anyClockMs: number;
}

type Timed = Pick<ServiceSettings, 'policy' | 'checkIntervalMs' | 'fall' | 'uplinkLimitMs'> &
  Pick<ServiceConfig, 'preparesEarly'>;

export function boundRows(timing: FullTiming, service: Timed): BoundRow[] {
  const right = takeoverBounds(timing, service);
  const wrong = takeoverBounds(timing, service, usualSteps(timing), 0, timing.maxDrift);
  const up = (bound: Bound): number => Math.ceil(bound.worstMs);
  return FAULTS.map((fault) => ({
    fault,
    worstMs: up(right[fault]),
    medianMs: Math.ceil(right[fault].medianMs),
    // Not always the slow ones: a slow check timer may fit a check that a right one misses.
    anyClockMs: Math.max(up(right[fault]), up(wrong[fault])),
  }));
}

/** The bounds of a service with nothing but defaults, its uplink raised by `admin`. */
export function defaultBounds(policy: Timed['policy'], intervalMs: number): BoundRow[] {
  const timing = fullTiming({ interval: intervalMs } as Parameters<typeof fullTiming>[0]);
  return boundRows(timing, {
    policy,
    checkIntervalMs: DURATION_KEYS['service.check_interval'].defaultMs(timing),
    fall: NUMBER_KEYS['service.fall'].default,
    uplinkLimitMs: DURATION_KEYS['service.uplink.limit'].defaultMs({ ...timing, activation: 'admin' }),
    preparesEarly: true,
  });
}

/** The bounds at default times, as in spec/timing.md: a line a fault, `worst / median` for each interval. */
export function renderBounds(policy: Timed['policy'], intervalsMs: readonly number[]): string {
  const columns = intervalsMs.map((intervalMs) => defaultBounds(policy, intervalMs));
  const head = [`fault, \`${policy}\``, ...intervalsMs.map((ms) => `I = ${ms} ms`)];
  const rows = FAULTS.map((fault, i) => [
    fault,
    ...columns.map((rows) => `${rows[i]?.worstMs} / ${rows[i]?.medianMs}`),
  ]);
  return `${[head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}
