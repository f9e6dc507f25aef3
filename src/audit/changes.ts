/** Changes of master: from whom to whom, why, and how long nobody served, as far as the logs can tell. */
import type { Chain } from './chain.ts';
import { type Gap, gapBetween } from './relation.ts';
import type { Tenure } from './tenure.ts';

export interface Change {
  /** Null: nobody in these logs served before. */
  readonly before: Tenure | null;
  readonly after: Tenure;
  /** What made the new master begin: the event and cause by which it came to suspect, or was asked. */
  readonly cause: string;
  /** From the end of the one to the beginning of the other, by compared clocks; null: it cannot be told. */
  readonly gap: Gap | null;
  /** From the new master's first suspicion to its beginning, by its own clock alone; null: it did not suspect. */
  readonly suspectedMs: number | null;
}

/** In the order of the tenures that begin. */
export function changesOf(tenures: readonly Tenure[], chains: readonly Chain[]): Change[] {
  const changes = tenures.map((after, i) => {
    const before = tenures.slice(0, i).findLast(({ service }) => service === after.service) ?? null;
    const moments = chains
      .filter(({ host }) => host === after.host)
      .flatMap(({ segments }) => segments)
      .flatMap((segment) => segment.moments)
      .filter(({ n, service }) => n < after.from.n && service === after.service);
    const first = moments.findLastIndex(
      ({ data }) => data.to === 'service.releasing' || data.to === 'backup.watching',
    );
    const suspected = moments.slice(first + 1).find(({ data }) => data.to === 'backup.suspecting');
    const cause = suspected ?? after.from;
    return {
      before,
      after,
      cause: String(cause.data.cause ?? ''),
      gap: before === null || before.host === after.host ? null : gapBetween(before, after, chains),
      suspectedMs: suspected === undefined ? null : (after.from.monoUs - suspected.monoUs) / 1000,
    };
  });
  // A master that was suspended and went on is no change.
  return changes.filter(({ before, after }) => before?.host !== after.host);
}
