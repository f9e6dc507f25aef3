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
  /** A blow that could not be done, or after which the cluster did not come to rest: nothing was measured. */
  | {
      readonly record: 'failed';
      readonly atS: number;
      readonly fault: string;
      readonly what: string;
      readonly uncaused: number;
    }
  /** Before a blow, and at the end: the places that hosts came to while nothing was done to them. */
  | { readonly record: 'calm'; readonly atS: number; readonly places: { readonly [place: string]: number } }
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
  /** The places that hosts came to though nothing was done to them, counted: what no other host need have heard of. */
  readonly unrest: { readonly [place: string]: number };
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
    records.reduce((sum, record) => sum + ('uncaused' in record ? record.uncaused : 0), 0) +
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
  for (const record of records)
    if (record.record === 'failed')
      problems.push(`${Math.round(record.atS)} s, ${record.fault}: ${record.what.split('\n', 1)[0]}`);
  const unrest = unrestOf(records);
  const lapses = unrest['service.suspended'] ?? 0;
  if (lapses > 0) problems.push(`${lapses} leases that lapsed in place, and no blow caused it`);
  if (falseTakeovers > 0) problems.push(`${falseTakeovers} takeovers that no blow caused`);
  if (lived.length === 0) problems.push('no process was looked at for long enough to say whether it grows');
  for (const { host, part, pid, ownKiBPerHour, descriptorsPerHour, isFlat } of lived)
    if (!isFlat)
      problems.push(
        `${part} process ${pid} of ${host} grew: ${ownKiBPerHour} KiB and ${descriptorsPerHour} descriptors an hour`,
      );
  return {
    ...{ minutes: hundredths(lastS / 60), outages, lostMax: Math.max(0, ...blows.map(({ lost }) => lost)) },
    ...{ growths: lived, falseTakeovers, unrest, problems },
  };
}

function unrestOf(records: readonly EnduranceRecord[]): { [place: string]: number } {
  const sums: { [place: string]: number } = {};
  for (const record of records)
    if (record.record === 'calm')
      for (const [place, count] of Object.entries(record.places)) sums[place] = (sums[place] ?? 0) + count;
  return sums;
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
      const { minutes, ownKiBPerHour, ownKiBMost, descriptorsPerHour } = growth;
      const hours = minutes / 60;
      const isFlat =
        minutes < LEAST_MINUTES ||
        (ownKiBPerHour * hours <= Math.max(FLAT_SHARE * ownKiBMost, FLAT_KIB) &&
          descriptorsPerHour * hours <= FLAT_DESCRIPTORS);
      return { ...growth, minutes: hundredths(minutes), isFlat };
    });
}
