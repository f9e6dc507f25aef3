/**
 * What speaks for the end of a mastership that its own log does not tell: a majority's promises to the next one, or at
 * least the lease that its kernel holds it to, and what the next one had looked at before it began.
 */
import { rosterAt } from '../trust/roster.ts';
import type { Chain } from './chain.ts';
import type { Members } from './members.ts';
import type { Tenure } from './tenure.ts';
import { msText } from './words.ts';

/**
 * Why `first` had no right any more when `second` began, by the logs of a majority; null: they do not show it. Under
 * `quorum` a host serves by the leases of a majority, each of which ends before the promise behind it, and nobody
 * promises to a second host while a promise runs (R2). So a host whose log has the promise to `second`, and which
 * `second` had heard it from, was bound to `first` no more. A forced mastership asks nobody.
 */
export function byPromises(
  first: Tenure,
  second: Tenure,
  chains: readonly Chain[],
  members: Members,
): string | null {
  for (const { beginning, forced } of [first, second])
    if (forced || beginning.rules?.policy !== 'quorum') return null;
  const chain = chains.find(({ host, last }) => host === second.host && last >= second.from.n);
  if (chain === undefined) return null;
  const version = versionAt(chain, second.from.n);
  const former = chains.find(({ host, last }) => host === first.host && last >= first.from.n);
  // Over a change of the members two majorities need more than this to be held against each other.
  if (former === undefined || versionAt(former, first.lastSeen?.n ?? first.from.n) !== version) return null;
  const voters = rosterAt(members.roster, version)?.members ?? [];
  const heard = chain.segments
    .flatMap(({ moments }) => moments)
    .filter(
      ({ kind, n, service, text, data }) =>
        kind === 'message' &&
        n < second.from.n &&
        service === second.service &&
        data.type === 'GRANT' &&
        `${text} `.includes(` term=${second.term} `),
    )
    .map(({ data }) => data.from);
  const promised = voters
    .filter(({ name }) => name !== second.host && heard.includes(name))
    .flatMap(({ name }) => {
      const n = promiseOf(name, second, chains);
      return n === null ? [] : [`${name} (entry ${n})`];
    });
  // Its own vote is in its own log, as the claim itself.
  if (2 * (promised.length + 1) <= voters.length) return null;
  return `a majority had promised ${second.term} to ${second.host} before it began, which no host does whose promise to ${first.host} runs: ${second.host} itself, ${promised.join(', ')}`;
}

/** The roster's version in force at that entry; 0: none is named. */
function versionAt(chain: Chain, at: number): number {
  const marks = chain.segments.flatMap(({ rosters }) => rosters);
  return marks.findLast(({ n }) => n <= at)?.version ?? 0;
}

/** The entry in which a host's log promises that term; null: none does, or the log is not there. */
function promiseOf(host: string, { service, term }: Tenure, chains: readonly Chain[]): number | null {
  const moments = chains
    .filter((chain) => chain.host === host)
    .flatMap(({ segments }) => segments)
    .flatMap((segment) => segment.moments);
  const found = moments.find(
    ({ kind, service: of, data }) => kind === 'voted' && of === service && data.term === term,
  );
  return found?.n ?? null;
}

/** What is known of the end of `first`, which its log does not tell, and of what `second` did before it began. */
export function unsaidText(first: Tenure, second: Tenure): string {
  const { lastSeen, harmless, beginning } = first;
  const { rules } = beginning;
  const parts = [
    `${first.host} does not say when it ended: ${lastSeen?.why ?? 'it is not in the log'}`,
    ...(harmless === null ? [] : [`its next run read back in entry ${harmless.n} that it was harmless`]),
    rules === null
      ? 'its lease is not in its log'
      : `after its last renewal its kernel let it serve for ${msText(rules.leaseMs)} at most`,
    ...silenceText(first, second),
  ];
  return `${parts.join('; ')}.`;
}

function silenceText(first: Tenure, { host, from, beginning }: Tenure): string[] {
  const { suspected, rules, quiet } = beginning;
  const parts: string[] = [];
  if (suspected?.data.cause === 'silence' && rules !== null) {
    const silentMs = (from.monoUs - suspected.monoUs) / 1000 + rules.silenceMs;
    const leaseMs = first.beginning.rules?.leaseMs ?? Number.POSITIVE_INFINITY;
    const longer = silentMs > leaseMs ? `: longer than that lease, if ${first.host} was dead then` : '';
    parts.push(`${host} began after it had heard nothing of it for ${msText(silentMs)}${longer}`);
  }
  parts.push(
    quiet === null
      ? `${host} does not say that it found nobody answering for the service’s addresses before`
      : `before it began, in entry ${quiet.n}, it had found nobody answering for the service’s addresses, on either side`,
  );
  return parts;
}
