/**
 * Whether this process is punctual enough for its interval: how late its loop usually is, against how late a master's word may be
 * before others doubt it. A single long stall is another alarm's matter (`stall`).
 */
import { setTimeout } from 'node:timers/promises';
import type { Timing } from '../core/basics.ts';
import { probeMs } from '../core/trips.ts';
import { durationText } from './config/duration.ts';

const SECONDS = 60;
/** In so many of them the loop may be too late. */
const LATE_MAX = 6;
/** The next interval worth naming. */
const ROUND_MS = 10;

/** How late a word may be until it is missed and no question was answered: j + np rto', with round trips of nothing. */
export function patienceMs(
  timing: Pick<Timing, 'intervalMs' | 'slackMs' | 'probes' | 'probeTimeoutMs'>,
): number {
  return timing.slackMs + timing.probes * probeMs(timing, 0);
}

/** The least interval whose defaults bear such a lateness, in tens of milliseconds. */
export function intervalFor(lateMs: number, patienceOf: (intervalMs: number) => number): number {
  let intervalMs = ROUND_MS;
  while (intervalMs < 60_000 && patienceOf(intervalMs) < lateMs) intervalMs += ROUND_MS;
  return intervalMs;
}

/** How long and how often `check` looks at this host's timers. */
const LOOKS = 60;
const LOOK_MS = 5;

/** How late the timers of this process are, at most, nine times of ten; measured within a third of a second. */
export async function measureLateness(): Promise<number> {
  const late: number[] = [];
  for (let i = 0; i < LOOKS; i++) {
    const dueMs = performance.now() + LOOK_MS;
    await setTimeout(LOOK_MS);
    late.push(Math.max(0, performance.now() - dueMs));
  }
  return late.sort((a, b) => a - b)[Math.floor(0.9 * LOOKS)] ?? 0;
}

/** What `check` says of an interval that this host's timers do not keep; null: nothing. Longer intervals bear any host. */
export async function unpunctual(
  timing: Timing,
  measure = measureLateness,
): Promise<{ message: string; hint: string } | null> {
  if (timing.intervalMs > ROUND_MS * ROUND_MS) return null;
  const lateMs = await measure();
  const allowedMs = patienceMs(timing);
  if (lateMs <= allowedMs) return null;
  return {
    message: `timing.interval of ${durationText(timing.intervalMs)} bears ${Math.floor(allowedMs)} ms of lateness, but timers of this host are up to ${Math.ceil(lateMs)} ms late now`,
    hint: 'unburden this host, or choose a longer interval on all hosts',
  };
}

export class Jitter {
  /** How late the loop was in each of the last seconds, at most. */
  #worst: number[] = [];
  /** Said once as long as it lasts. */
  #told: string | null = null;

  /** One more second; what is wrong, or null. */
  second(worstMs: number, timing: Timing, patienceOf: (intervalMs: number) => number): string | null {
    this.#worst = [...this.#worst, worstMs].slice(-SECONDS);
    const allowedMs = patienceMs(timing);
    const late = this.#worst.filter((ms) => ms > allowedMs);
    if (late.length <= LATE_MAX) this.#told = null;
    else this.#told ??= this.#text(allowedMs, timing.intervalMs, patienceOf);
    return this.#told;
  }

  #text(allowedMs: number, intervalMs: number, patienceOf: (intervalMs: number) => number): string {
    // What nine of ten seconds keep to.
    const usualMs = this.#worst.toSorted((a, b) => a - b)[Math.floor(0.9 * (this.#worst.length - 1))] ?? 0;
    const need = durationText(intervalFor(Math.max(usualMs, allowedMs), patienceOf));
    return (
      `this process is often later than an interval of ${durationText(intervalMs)} bears (${Math.floor(allowedMs)} ms): ` +
      `unburden the host, or set timing.interval to ${need} on all hosts`
    );
  }
}
