/**
 * What an hour of takeovers says: how long nobody served, by fault; whether memory and descriptors of the processes that lived
 * through it all grew; whether the service ever moved without a blow. Computes only.
 */
import { type Footprint, type Growth, growths } from '../lab/footprint.ts';
import { hundredths, quantile } from './statistics.ts';

/** `atS`: since the beginning. */
export type EnduranceRecord =
  | { readonly record: 'sample'; readonly atS: number; readonly footprint: Footprint }
  | {
      readonly record: 'blow';
      readonly atS: number;
      readonly fault: string;
      readonly struck: string;
      readonly outageMs: number;
      readonly lost: number;
      readonly changes: number;
      readonly uncaused: number;
      readonly problems: readonly string[];
    }
  /** After the last blow; `uncaused`: moves since then. */
  | { readonly record: 'end'; readonly atS: number; readonly uncaused: number };

export interface Distribution {
  readonly count: number;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
}

/** Of a process that was there from the warm-up's end to the last sample. */
export interface Lived extends Growth {
  readonly isFlat: boolean;
}

export interface Verdict {
  readonly minutes: number;
  readonly outages: { readonly [fault: string]: Distribution };
  readonly lostMax: number;
  readonly growths: readonly Lived[];
  /** Moves of the service that no blow caused: between blows, and beyond the one move of each. */
  readonly falseTakeovers: number;
  /** What was not as it must be; empty: all is well. */
  readonly problems: readonly string[];
}

/** A share of the whole time in which caches fill and code is compiled. */
const WARM_UP = 1 / 6;
/** Growth over the time looked at that is still flat: so much of the process, or so many MiB, whichever is more. */
const FLAT_SHARE = 0.05;
const FLAT_KIB = 2_048;
/** So many descriptors more at the end are still flat. */
const FLAT_DESCRIPTORS = 1;
/** What grew in less than this is the filling of heaps and caches: it is told, and not judged. */
const LEAST_MINUTES = 20;
/** Of the time after the warm-up a process must have lived through so much. */
const LIVED = 0.9;

export function verdictOf(records: readonly EnduranceRecord[]): Verdict {
  const blows = records.filter((record) => record.record === 'blow');
  const samples = records.filter((record) => record.record === 'sample');
  const lastS = Math.max(0, ...records.map(({ atS }) => atS));
  const lived = growthsOf(samples, samples.at(-1)?.atS ?? 0);
  const falseTakeovers =
    records.reduce((sum, record) => sum + (record.record === 'sample' ? 0 : record.uncaused), 0) +
    blows.reduce((sum, { changes }) => sum + Math.max(0, changes - 1), 0);
  const outages: { [fault: string]: Distribution } = {
    all: distribution(blows.map(({ outageMs }) => outageMs)),
  };
  for (const fault of [...new Set(blows.map((blow) => blow.fault))].sort())
    outages[fault] = distribution(
      blows.filter((blow) => blow.fault === fault).map(({ outageMs }) => outageMs),
    );
  const problems = blows.flatMap(({ problems: told, fault, struck, atS }) =>
    told.map((problem) => `${Math.round(atS)} s, ${fault} of ${struck}: ${problem}`),
  );
  if (falseTakeovers > 0) problems.push(`${falseTakeovers} takeovers that no blow caused`);
  if (lived.length === 0) problems.push('no process was looked at for long enough to say whether it grows');
  for (const { host, part, pid, pssKiBPerHour, descriptorsPerHour, isFlat } of lived)
    if (!isFlat)
      problems.push(
        `${part} process ${pid} of ${host} grew: ${pssKiBPerHour} KiB and ${descriptorsPerHour} descriptors an hour`,
      );
  return {
    ...{ minutes: hundredths(lastS / 60), outages, lostMax: Math.max(0, ...blows.map(({ lost }) => lost)) },
    ...{ growths: lived, falseTakeovers, problems },
  };
}

function distribution(outagesMs: readonly number[]): Distribution {
  const at = (share: number): number | null => quantile(outagesMs, share);
  return { count: outagesMs.length, p50Ms: at(0.5), p90Ms: at(0.9), p99Ms: at(0.99), maxMs: at(1) };
}

function growthsOf(samples: readonly { readonly footprint: Footprint }[], lastS: number): Lived[] {
  const all = growths(
    samples.map(({ footprint }) => footprint),
    WARM_UP * lastS * 1_000,
  );
  const leastMinutes = (LIVED * (1 - WARM_UP) * lastS) / 60;
  return all
    .filter(({ minutes }) => minutes >= leastMinutes)
    .map((growth) => {
      const { minutes, pssKiBPerHour, pssKiBMost, descriptorsPerHour } = growth;
      const hours = minutes / 60;
      const isFlat =
        minutes < LEAST_MINUTES ||
        (pssKiBPerHour * hours <= Math.max(FLAT_SHARE * pssKiBMost, FLAT_KIB) &&
          descriptorsPerHour * hours <= FLAT_DESCRIPTORS);
      return { ...growth, minutes: hundredths(minutes), isFlat };
    });
}
