/** What the records of a takeover bench say together: rows with medians, longest and ratios pair by pair. Computes only. */
import type { Calm } from '../lab/calm.ts';
import type { GatewayKind, Policy } from '../lab/gateway.ts';
import type { Survived } from '../lab/living.ts';
import type { Rest } from '../lab/rest.ts';
import type { Parts } from '../lab/takeover-parts.ts';
import { hundredths, median } from './statistics.ts';

/** Of which cluster, and of whom, a record is. */
export interface About {
  readonly policy: Policy;
  readonly hosts: number;
  readonly witness: boolean;
  readonly kind: GatewayKind;
  readonly intervalMs: number;
}
/** `spentS`: since the record before, starts of daemons included. */
export type FaultRecord = About & {
  readonly record: 'fault';
  readonly fault: string;
  readonly spentS: number;
} & Survived;
export type RestRecord = About & { readonly record: 'rest'; readonly rest: Rest };
export type CalmRecord = About & { readonly record: 'calm' } & Calm;
/** A fault that could not be judged, or after which the cluster did not come to rest. */
export type FailedRecord = About & {
  readonly record: 'failed';
  readonly fault: string;
  readonly what: string;
};
export type TakeoverRecord = FaultRecord | RestRecord | CalmRecord | FailedRecord;

export interface Series {
  readonly outageMs: readonly number[];
  readonly medianMs: number;
  readonly maxMs: number;
  /** Datagrams lost of the known flow, of 500 a second. */
  readonly lost: readonly number[];
  readonly lostMedian: number;
  readonly lostMax: number;
  /** What a newcomer waits for the gateway's address. */
  readonly unansweredMs: readonly number[];
  readonly takeoverMs: readonly (number | null)[];
  readonly overlapMs: readonly number[];
  readonly endMasters: readonly number[];
  readonly tcpSurvived: number;
  readonly uncaused: number;
  readonly problems: readonly string[];
}
export interface Ratios {
  /** Of ours to the peer's outage, pair by pair; null where the peer's known flow lost next to nothing. */
  readonly pairs: readonly (number | null)[];
  readonly median: number | null;
}
export interface Row {
  readonly fault: string;
  readonly intervalMs: number;
  readonly series: { readonly [K in GatewayKind]?: Series };
  /** By peer. */
  readonly ratios: { readonly [K in GatewayKind]?: Ratios };
  /** Medians of the parts of our takeovers. */
  readonly parts: Parts | null;
  readonly secondsPerPair: number;
}
export interface Report {
  readonly rows: readonly Row[];
  readonly rest: readonly RestRecord[];
  readonly calm: readonly CalmRecord[];
  readonly failed: readonly FailedRecord[];
}

export const OURS = 'portcullis';
/** Below this a known flow lost so little that a ratio says nothing. */
const LEAST_MS = 20;

/** Rows in the order in which they were begun. `records`: of one cluster. */
export function reportOf(records: readonly TakeoverRecord[]): Report {
  const faults = records.filter((record) => record.record === 'fault');
  const keys = [...new Set(faults.map(({ intervalMs, fault }) => `${intervalMs} ${fault}`))];
  return {
    rows: keys.map((key) =>
      rowOf(faults.filter(({ intervalMs, fault }) => `${intervalMs} ${fault}` === key)),
    ),
    rest: records.filter((record) => record.record === 'rest'),
    calm: records.filter((record) => record.record === 'calm'),
    failed: records.filter((record) => record.record === 'failed'),
  };
}

function rowOf(records: readonly FaultRecord[]): Row {
  const [first] = records;
  if (first === undefined) throw new RangeError('a row of no records');
  const kinds = [...new Set(records.map(({ kind }) => kind))];
  const of = (kind: GatewayKind): FaultRecord[] => records.filter((record) => record.kind === kind);
  const ours = of(OURS);
  const pairs = Math.max(...kinds.map((kind) => of(kind).length));
  const peers = kinds.filter((kind) => kind !== OURS && ours.length > 0);
  return {
    ...{ fault: first.fault, intervalMs: first.intervalMs },
    series: Object.fromEntries(kinds.map((kind) => [kind, seriesOf(of(kind))])),
    ratios: Object.fromEntries(peers.map((kind) => [kind, ratiosOf(ours, of(kind))])),
    parts: partsMedian(ours),
    secondsPerPair: hundredths(records.reduce((sum, { spentS }) => sum + spentS, 0) / pairs),
  };
}

function seriesOf(results: readonly FaultRecord[]): Series {
  const outageMs = results.map((result) => result.outageMs);
  const lost = results.map((result) => result.lost);
  return {
    ...{ outageMs, medianMs: median(outageMs) ?? Number.NaN, maxMs: Math.max(...outageMs) },
    ...{ lost, lostMedian: median(lost) ?? Number.NaN, lostMax: Math.max(...lost) },
    unansweredMs: results.map((result) => result.unansweredMs),
    takeoverMs: results.map((result) => result.takeoverMs),
    overlapMs: results.map((result) => result.overlapMs),
    endMasters: results.map((result) => result.endMasters),
    tcpSurvived: results.filter((result) => result.tcpSurvived).length,
    uncaused: results.reduce((sum, result) => sum + result.uncaused, 0),
    problems: results.flatMap((result) => result.problems),
  };
}

function ratiosOf(ours: readonly FaultRecord[], peers: readonly FaultRecord[]): Ratios {
  const pairs = ours.slice(0, peers.length).map(({ outageMs }, i) => {
    const peerMs = peers[i]?.outageMs ?? 0;
    return peerMs < LEAST_MS ? null : hundredths(outageMs / peerMs);
  });
  return { pairs, median: median(pairs) };
}

function partsMedian(results: readonly FaultRecord[]): Parts | null {
  const all = results.flatMap(({ parts }) => (parts === null ? [] : [parts]));
  const [first] = all;
  if (first === undefined) return null;
  const names = Object.keys(first) as (keyof Parts)[];
  return Object.fromEntries(
    names.map((name) => [name, median(all.map((parts) => parts[name]))]),
  ) as unknown as Parts;
}
