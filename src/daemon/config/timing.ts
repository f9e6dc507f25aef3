/**
 * The cluster's times from the file: defaults computed, relations checked (spec R24). A configuration whose times
 * break a relation is refused, since each relation is what "never two masters" or "back in time" hangs on.
 */
import type { Timing } from '../../core/basics.ts';
import { durationText } from './duration.ts';
import type { Known } from './key-kinds.ts';
import type { DurationKeyName } from './keys.ts';
import { DURATION_KEYS, NUMBER_KEYS } from './keys.ts';
import type { FileContent } from './schema.ts';

/** The granularity of the kernel's gate: one jiffy at 250 Hz and the actuator's own time (g in R24), in ms. */
const GATE_GRANULARITY_MS = 8;
/** rho: how far the clock of our processes may be off in rate, a hundred times a crystal's error: no time daemon slews it. */
export const CLOCK_DRIFT = 0.01;
/** Hold-downs double up to this. */
const HOLD_DOWN_MAX_MS = 60_000;

export interface FullTiming extends Timing {
  /** d: how far the time by which a kernel shuts the gate may be off in rate. */
  readonly maxDrift: number;
  readonly maxAgeMs: number;
  /** J: the stall of this process that the lease allows for. */
  readonly stallMs: number;
}

/** A broken relation, at a key of `[timing]`. */
export interface TimingProblem {
  readonly key: string;
  readonly what: string;
  readonly remedy: string;
}

/**
 * P: how long a promise must last so that it outlives every lease that hangs on it, in ms, rounded up (R24). The kernel that holds
 * a lease may be slow by `maxDrift`, for its time is slewed; the voter's process, whose clock is not, fast by far less.
 */
export function promiseMs(leaseMs: number, maxDrift: number): number {
  return Math.ceil((1 + CLOCK_DRIFT) * (leaseMs / (1 - maxDrift) + GATE_GRANULARITY_MS));
}

/** The file's `[timing]` with all defaults. */
export function fullTiming(file: NonNullable<FileContent['timing']>): FullTiming {
  const intervalMs = file.interval ?? DURATION_KEYS['timing.interval'].defaultMs();
  const probes = file.probes ?? NUMBER_KEYS['timing.probes'].default;
  const stallMs = file.stall ?? DURATION_KEYS['timing.stall'].defaultMs();
  const start: Known = { intervalMs, probes, stallMs, probeTimeoutMs: 0 };
  const probeTimeoutMs = file.probe_timeout ?? DURATION_KEYS['timing.probe_timeout'].defaultMs(start);
  const known = { ...start, probeTimeoutMs };
  const leaseMs = file.lease ?? DURATION_KEYS['timing.lease'].defaultMs(known);
  const maxDrift = file.max_drift ?? NUMBER_KEYS['timing.max_drift'].default;
  const holdDownMs = file.hold_down ?? DURATION_KEYS['timing.hold_down'].defaultMs();
  return {
    intervalMs,
    leaseMs,
    promiseMs: promiseMs(leaseMs, maxDrift),
    slackMs: Math.max(2, Math.round(intervalMs / 20)),
    probeTimeoutMs,
    probes,
    slotMs: file.slot ?? DURATION_KEYS['timing.slot'].defaultMs(known),
    conflictWindowMs: file.conflict_window ?? DURATION_KEYS['timing.conflict_window'].defaultMs(known),
    handoverLimitMs: file.handover_limit ?? DURATION_KEYS['timing.handover_limit'].defaultMs(),
    holdDownMs,
    holdDownMaxMs: Math.max(HOLD_DOWN_MAX_MS, holdDownMs),
    trustHoldMs: file.trust_hold ?? DURATION_KEYS['timing.trust_hold'].defaultMs(),
    maxDrift,
    maxAgeMs: file.max_age ?? DURATION_KEYS['timing.max_age'].defaultMs(known),
    stallMs,
  };
}

/** The relations of R24 between `[timing]` keys, as spec/configuration.md numbers them (C7 to C11). `slowestUplink`: the longest `uplink.limit` of its services. */
export function timingProblems(timing: FullTiming, slowestUplinkMs: number): TimingProblem[] {
  const problems: TimingProblem[] = [];
  const atLeast = (key: DurationKeyName, isMs: number, leastMs: number, why: string): void => {
    if (isMs >= leastMs) return;
    const what = `is ${durationText(isMs)}, but ${why} is ${durationText(leastMs)}`;
    problems.push({
      key,
      what,
      remedy: `raise ${key} to at least ${durationText(leastMs)}, or remove the key`,
    });
  };
  const { intervalMs, probeTimeoutMs, stallMs } = timing;
  const leastLeaseMs = intervalMs + 3 * probeTimeoutMs + stallMs;
  atLeast('timing.lease', timing.leaseMs, leastLeaseMs, 'interval + 3 probe_timeout + stall');
  atLeast(
    'timing.slot',
    timing.slotMs,
    Math.ceil(probeTimeoutMs / 2),
    'half a probe_timeout, one way between two hosts,',
  );
  atLeast('timing.conflict_window', timing.conflictWindowMs, 2 * probeTimeoutMs, '2 probe_timeout');
  atLeast('timing.max_age', timing.maxAgeMs, 2 * intervalMs, '2 intervals');
  const shortestHandoverMs = slowestUplinkMs + timing.conflictWindowMs + 1;
  atLeast(
    'timing.handover_limit',
    timing.handoverLimitMs,
    shortestHandoverMs,
    'uplink.limit + conflict_window',
  );
  return problems;
}

/** The relations of R24 between a service's limits and the probes (C12, C13): a question needs its probes' time. */
export function limitProblems(
  limits: { readonly testMs: number; readonly uplinkLimitMs: number },
  timing: FullTiming,
): { readonly path: string; readonly what: string; readonly remedy: string }[] {
  const roundMs = timing.probes * timing.probeTimeoutMs;
  const why = `probes × probe_timeout is ${durationText(roundMs)}`;
  const remedy = (key: string): string =>
    `raise ${key} to at least ${durationText(roundMs)}, or lower timing.probes or timing.probe_timeout`;
  return (
    [
      ['limits.test', limits.testMs],
      ['uplink.limit', limits.uplinkLimitMs],
    ] as const
  ).flatMap(([path, ms]) =>
    ms >= roundMs
      ? []
      : [{ path, what: `is ${durationText(ms)}, but ${why}`, remedy: remedy(`service.${path}`) }],
  );
}
