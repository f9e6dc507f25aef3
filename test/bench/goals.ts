/** What a takeover bench is to show, and whether its report does: a goal that was not measured is not listed. Computes only. */
import type { Policy } from '../lab/gateway.ts';
import { leaseMs } from '../lab/run.ts';
import { hundredths } from './statistics.ts';
import { OURS, type Report, type Row, type Series } from './takeover-report.ts';

export interface Goal {
  readonly goal: string;
  /** The figure, as text. */
  readonly measured: string;
  readonly holds: boolean;
}

const RATIOS: { readonly [P in Policy]: { readonly [intervalMs: number]: number } } = {
  available: { 1000: 0.4, 100: 0.4, 10: 1 },
  quorum: { 1000: 0.5, 100: 0.5 },
};
const GAP_MS = 10;
const LOST = 5;
const REST_INTERVAL_MS = 100;
const REST_CPU_PERCENT = 3;
const REST_MB = 130;
const MB_PER_MIB = 1.048576;

export function goalsOf(report: Report, policy: Policy): Goal[] {
  return [
    ...report.rows.flatMap((row) => rowGoals(row, policy)),
    ...report.rest.flatMap(({ kind, hosts, intervalMs, rest }) => {
      if (kind !== OURS || intervalMs !== REST_INTERVAL_MS) return [];
      const cpu = Math.max(rest.master.cpuPercent, rest.backup.cpuPercent);
      // As on a machine of its own, where nothing is shared with the lab's other hosts.
      const mb = hundredths(Math.max(rest.master.aloneMiB, rest.backup.aloneMiB) * MB_PER_MIB);
      const at = `at rest, ${hosts} hosts, ${intervalMs} ms`;
      return [
        goal(`${at}: under ${REST_CPU_PERCENT} % of a core a host`, cpu, cpu < REST_CPU_PERCENT),
        goal(`${at}: under ${REST_MB} MB a host`, mb, mb < REST_MB),
      ];
    }),
    ...report.calm.flatMap(({ kind, intervalMs, takeovers, seconds, loops }) =>
      kind === OURS
        ? [
            goal(
              `no false takeover in ${seconds} s at ${intervalMs} ms, ${loops > 0 ? 'all processors busy' : 'quiet'}`,
              takeovers,
              takeovers === 0,
            ),
          ]
        : [],
    ),
  ];
}

function rowGoals(row: Row, policy: Policy): Goal[] {
  const ours = row.series[OURS];
  if (ours === undefined) return [];
  const { fault, intervalMs } = row;
  const at = `${fault}, ${intervalMs} ms`;
  if (fault === 'power') return ratioGoals(row, at, RATIOS[policy][intervalMs]);
  if (fault === 'handover' || fault === 'stop') return plannedGoals(row, ours, at);
  if (fault === 'service') {
    const limitMs = 2 * intervalMs;
    const measured = `${ours.medianMs}, longest ${ours.maxMs}`;
    return [goal(`${at}: median at most 2 intervals`, measured, ours.medianMs <= limitMs)];
  }
  if (fault === 'kill9' || fault === 'hang') {
    const limitMs = leaseMs(intervalMs) + intervalMs;
    return [goal(`${at}: at most lease + interval, ${limitMs} ms`, ours.maxMs, ours.maxMs <= limitMs)];
  }
  return [];
}

function ratioGoals(row: Row, at: string, limit: number | undefined): Goal[] {
  if (limit === undefined) return [];
  return Object.entries(row.ratios).map(([peer, { median, pairs }]) => {
    const count = pairs.filter((ratio) => ratio !== null).length;
    const measured = median === null ? null : `${median} (pairs: ${count})`;
    return goal(`${at}: at most ${limit} of ${peer}`, measured, median !== null && median <= limit);
  });
}

function plannedGoals({ series }: Row, ours: Series, at: string): Goal[] {
  const peers = Object.entries(series).filter(([kind]) => kind !== OURS);
  return [
    goal(`${at}: no gap over ${GAP_MS} ms`, ours.maxMs, ours.maxMs <= GAP_MS),
    goal(`${at}: at most ${LOST} datagrams lost`, ours.lostMax, ours.lostMax <= LOST),
    ...peers.map(([kind, peer]) =>
      goal(
        `${at}: median not above ${kind}'s ${peer.medianMs} ms`,
        ours.medianMs,
        ours.medianMs <= peer.medianMs,
      ),
    ),
  ];
}

function goal(text: string, measured: number | string | null, holds: boolean): Goal {
  return { goal: text, measured: measured === null ? '-' : String(measured), holds };
}
