/**
 * Whether two masterships of one service ever were at once: decided by what the logs hold of each other where that orders
 * them, else by the clocks' bounded difference, else by a majority's promises, else said to be open, with what is known.
 */
import type { Chain } from './chain.ts';
import { Clocks, type Crossing } from './clocks.ts';
import type { Members } from './members.ts';
import { byPromises, unsaidText } from './reasons.ts';
import type { SeenHead } from './summary.ts';
import type { Tenure } from './tenure.ts';
import { msText } from './words.ts';

/** How two tenures of one service stand to each other. */
export interface Relation {
  readonly a: Tenure;
  readonly b: Tenure;
  readonly verdict: 'apart' | 'overlap' | 'open';
  readonly because: string;
}

/** Tenures so near in an order are held against each other: those further on have the tenures between them as well. */
const NEAR = 3;

/** How every two tenures of different hosts in one service stand, where they follow each other or come near. `tenures`: by term. */
export function relationsOf(
  tenures: readonly Tenure[],
  chains: readonly Chain[],
  members: Members,
): Relation[] {
  const clocks = new Clocks(crossingsOf(chains));
  const relations: Relation[] = [];
  for (const service of new Set(tenures.map((tenure) => tenure.service))) {
    const own = tenures.filter((tenure) => tenure.service === service);
    for (const [a, near] of nearOnes(own, clocks)) {
      const open = new Set<string>();
      for (const b of near) {
        const relation = relate(a, b, chains, clocks, members);
        // What is open for the next one of a host is no news for those after it.
        if (relation.verdict === 'open' && open.has(b.host)) continue;
        if (relation.verdict === 'open') open.add(b.host);
        relations.push(relation);
      }
    }
  }
  return relations;
}

/**
 * For each tenure those of other hosts that follow it closely in some order, by term: terms, wall clocks, and the clock of
 * one host, as far as the others' can be compared with it. A host that lies about one of them does not get out of sight.
 */
function nearOnes(own: readonly Tenure[], clocks: Clocks): [Tenure, Tenure[]][] {
  const common = own[0]?.host ?? '';
  const shared = new Map(own.map((tenure) => [tenure, commonMs(tenure, common, clocks)] as const));
  const comparable = own.filter((tenure) => shared.get(tenure) !== null);
  const orders = [
    own,
    own.toSorted((a, b) => a.from.wallMs - b.from.wallMs),
    comparable.toSorted((a, b) => (shared.get(a) ?? 0) - (shared.get(b) ?? 0)),
  ];
  const place = new Map(own.map((tenure, i) => [tenure, i] as const));
  const near = new Map(own.map((tenure) => [tenure, new Set<Tenure>()] as const));
  for (const order of orders)
    for (const [i, one] of order.entries())
      for (const other of order.slice(i + 1, i + 1 + NEAR)) {
        if (one.host === other.host) continue;
        const isFirst = (place.get(one) ?? 0) < (place.get(other) ?? 0);
        near.get(isFirst ? one : other)?.add(isFirst ? other : one);
      }
  const byPlace = (a: Tenure, b: Tenure): number => (place.get(a) ?? 0) - (place.get(b) ?? 0);
  return [...near].map(([tenure, others]) => [tenure, [...others].sort(byPlace)]);
}

/** When a tenure began, by that host's clock; null: it cannot be told. */
function commonMs({ host, from }: Tenure, common: string, clocks: Clocks): number | null {
  const atMs = from.monoUs / 1000;
  if (host === common) return atMs;
  const bounds = clocks.between(host, common, atMs);
  return bounds === null ? null : atMs + (bounds.leastMs + bounds.mostMs) / 2;
}

/** `a` has the lower term; either may turn out to be the first. */
function relate(a: Tenure, b: Tenure, chains: readonly Chain[], clocks: Clocks, members: Members): Relation {
  const orders = [
    [a, b],
    [b, a],
  ] as const;
  for (const [first, second] of orders) {
    const because = endedBefore(first, second, chains);
    if (because !== null) return { a, b, verdict: 'apart', because };
  }
  const shown = byClocks(a, b, clocks);
  if (shown.verdict !== 'open') return shown;
  for (const [first, second] of orders) {
    const because = byPromises(first, second, chains, members);
    if (because !== null) return { a, b, verdict: 'apart', because };
  }
  return shown;
}

/** By the bounded difference of their monotonic clocks, where nothing else orders them. */
function byClocks(a: Tenure, b: Tenure, clocks: Clocks): Relation {
  const [ab, ba] = [gap(a, b, clocks), gap(b, a, clocks)];
  for (const between of [ab, ba])
    if (between !== null && between.leastMs >= 0) {
      const because = `by their monotonic clocks ${msText(between.leastMs)} to ${msText(between.mostMs)} lie between`;
      return { a, b, verdict: 'apart', because };
    }
  // Both served when the later one began, if that was before the other ended.
  for (const [first, second, between] of [
    [a, b, ab],
    [b, a, ba],
  ] as const) {
    const starts = clockGap(first, first.from.monoUs, second, clocks);
    if (between === null || between.mostMs >= 0 || starts === null || starts.leastMs < 0) continue;
    const ownEnd = second.to ?? second.lastSeen;
    const ownMs = ownEnd === null ? Number.POSITIVE_INFINITY : (ownEnd.monoUs - second.from.monoUs) / 1000;
    const [least, most] = [Math.min(-between.mostMs, ownMs), Math.min(-between.leastMs, ownMs)];
    const because = `by their monotonic clocks both served for ${Number.isFinite(most) ? `${msText(least)} to ${msText(most)}` : `${msText(least)} at least`}`;
    return { a, b, verdict: 'overlap', because };
  }
  const because =
    a.to === null
      ? unsaidText(a, b)
      : ab === null
        ? 'nothing orders them, and the hosts heard too little of each other to compare their clocks'
        : `their clocks can be compared to ${msText(ab.mostMs - ab.leastMs)} only`;
  return { a, b, verdict: 'open', because };
}

export interface Gap {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** The same for one who has no clocks compared yet. */
export function gapBetween(first: Tenure, second: Tenure, chains: readonly Chain[]): Gap | null {
  return gap(first, second, new Clocks(crossingsOf(chains)));
}

/** From the end of the first to the beginning of the second; null: it cannot be told. */
function gap(first: Tenure, second: Tenure, clocks: Clocks): Gap | null {
  const [earliest, latest] = [first.to ?? first.lastSeen, first.to ?? first.harmless];
  const most = earliest === null ? null : clockGap(first, earliest.monoUs, second, clocks);
  const least = latest === null ? null : clockGap(first, latest.monoUs, second, clocks);
  if (most === null) return null;
  return { leastMs: least?.leastMs ?? Number.NEGATIVE_INFINITY, mostMs: most.mostMs };
}

/** From that time of the first host's clock to the beginning of the second's tenure. */
function clockGap(first: Tenure, monoUs: number, second: Tenure, clocks: Clocks): Gap | null {
  const bounds = clocks.between(first.host, second.host, monoUs / 1000);
  if (bounds === null) return null;
  const apartMs = (second.from.monoUs - monoUs) / 1000;
  return { leastMs: apartMs - bounds.mostMs, mostMs: apartMs - bounds.leastMs };
}

/** Why the first ended before the second began, whatever any clock says; null: nothing shows it. */
function endedBefore(first: Tenure, second: Tenure, chains: readonly Chain[]): string | null {
  const to = first.to ?? first.harmless;
  if (to === null) return null;
  const chain = chains.find(({ host, last }) => host === second.host && last >= second.from.n);
  if (chain === undefined) return null;
  const record = headsOf(chain).find(
    ({ host, n, headN }) => host === first.host && n < second.from.n && headN >= to.n,
  );
  if (record !== undefined)
    return `${second.host} had recorded ${first.host}'s entry ${record.headN} in entry ${record.n}, before it began`;
  const told = chain.segments
    .flatMap(({ moments }) => moments)
    .find(
      ({ kind, n, text, data }) =>
        kind === 'message' &&
        data.from === first.host &&
        n <= second.from.n &&
        text.includes(` RELEASED ${first.service} term=${first.term} `),
    );
  return told === undefined
    ? null
    : `${second.host} heard ${first.host} release ${first.term} (entry ${told.n}) before it began`;
}

function headsOf(chain: Chain): SeenHead[] {
  return chain.segments.flatMap(({ heads }) => heads).filter(({ fault }) => fault === null);
}

/** Every recorded word, as a crossing from one monotonic clock to the other. */
function crossingsOf(chains: readonly Chain[]): Crossing[] {
  return chains.flatMap((chain) =>
    headsOf(chain).map(({ host, sentMs, monoUs, ageMs }) => ({
      from: host,
      to: chain.host,
      sentMs,
      heardMs: monoUs / 1000 - ageMs,
    })),
  );
}
