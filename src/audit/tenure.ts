/**
 * Who served when, out of verified logs, and whether two ever did at once: decided by what the logs hold of each other
 * where that orders them, else by the clocks' bounded difference, else said to be open.
 */
import type { Chain } from './chain.ts';
import { Clocks, type Crossing } from './clocks.ts';
import { type Moment, type SeenHead, serving } from './summary.ts';

export interface Tenure {
  readonly host: string;
  readonly service: string;
  /** As `number/host`. */
  readonly term: string;
  readonly from: Moment;
  /** Null: the log does not say when it ended. */
  readonly to: Moment | null;
  /** The last entry of that run of the log where the end is not said, and why it is not. */
  readonly lastSeen: {
    readonly n: number;
    readonly wallMs: number;
    readonly monoUs: number;
    readonly why: string;
  } | null;
}

/** How two tenures of one service stand to each other. */
export interface Relation {
  readonly a: Tenure;
  readonly b: Tenure;
  readonly verdict: 'apart' | 'overlap' | 'open';
  readonly because: string;
}

/** All tenures of all logs, in the order of their hosts' clocks. */
export function tenuresOf(chains: readonly Chain[]): Tenure[] {
  return chains.flatMap(tenuresIn).sort((a, b) => a.from.wallMs - b.from.wallMs);
}

function tenuresIn(chain: Chain): Tenure[] {
  const tenures: Tenure[] = [];
  const open = new Map<string, Moment>();
  const end = (service: string, to: Moment | null, lastSeen: Tenure['lastSeen']): void => {
    const from = open.get(service);
    open.delete(service);
    if (from !== undefined)
      tenures.push({ host: chain.host, service, term: String(from.data.term ?? ''), from, to, lastSeen });
  };
  let last: Moment | null = null;
  for (const moment of chain.segments.flatMap(({ moments }) => moments)) {
    const { kind, service, data } = moment;
    if (kind === 'opened') {
      // The run before ended without a word: a crash, or a loss of power.
      for (const name of [...open.keys()])
        end(name, null, seen(last, `the run ended unsaid before entry ${moment.n}`));
    } else if (kind === 'transition' && service !== null) {
      if (serving(data.to) && !serving(data.from)) open.set(service, moment);
      else if (serving(data.from) && !serving(data.to)) end(service, moment, null);
    }
    last = moment;
  }
  const final = chain.segments.at(-1);
  const why = `the log ends with entry ${chain.last}`;
  const atEnd =
    final === undefined
      ? null
      : { n: chain.last, wallMs: final.clock.lastMs, monoUs: last?.monoUs ?? 0, why };
  for (const name of [...open.keys()]) end(name, null, atEnd);
  return tenures;
}

function seen(moment: Moment | null, why: string): Tenure['lastSeen'] {
  return moment === null ? null : { n: moment.n, wallMs: moment.wallMs, monoUs: moment.monoUs, why };
}

/** How every two tenures of different hosts in one service stand, where they follow each other or come near. */
export function relationsOf(tenures: readonly Tenure[], chains: readonly Chain[]): Relation[] {
  const clocks = new Clocks(crossingsOf(chains));
  const relations: Relation[] = [];
  for (const service of new Set(tenures.map((tenure) => tenure.service))) {
    const own = tenures.filter((tenure) => tenure.service === service);
    // Only near ones: those further on have the tenures between them as well.
    for (const [i, a] of own.entries())
      for (const b of own.slice(i + 1, i + 4))
        if (a.host !== b.host) relations.push(relate(a, b, chains, clocks));
  }
  return relations;
}

/** `a` began first by the hosts' clocks; either may turn out to be the first. */
function relate(a: Tenure, b: Tenure, chains: readonly Chain[], clocks: Clocks): Relation {
  for (const [first, second] of [
    [a, b],
    [b, a],
  ] as const) {
    const because = endedBefore(first, second, chains);
    if (because !== null) return { a, b, verdict: 'apart', because };
  }
  return byClocks(a, b, clocks);
}

/** By the bounded difference of their monotonic clocks, where nothing else orders them. */
function byClocks(a: Tenure, b: Tenure, clocks: Clocks): Relation {
  const [ab, ba] = [gap(a, b, clocks), gap(b, a, clocks)];
  for (const between of [ab, ba])
    if (between !== null && between.leastMs >= 0) {
      const because = `by their monotonic clocks ${ms(between.leastMs)} to ${ms(between.mostMs)} lie between`;
      return { a, b, verdict: 'apart', because };
    }
  // Both served when the later one began, if that was before the other ended.
  for (const [first, second, between] of [
    [a, b, ab],
    [b, a, ba],
  ] as const) {
    const starts = clockGap(first, first.from.monoUs, second, clocks);
    if (between === null || between.mostMs >= 0 || starts === null || starts.leastMs < 0) continue;
    const ownMs =
      second.to === null ? Number.POSITIVE_INFINITY : (second.to.monoUs - second.from.monoUs) / 1000;
    const [least, most] = [Math.min(-between.mostMs, ownMs), Math.min(-between.leastMs, ownMs)];
    const because = `by their monotonic clocks both served for ${ms(least)} to ${ms(most)}`;
    return { a, b, verdict: 'overlap', because };
  }
  const unsaid = [a, b].find(({ to }) => to === null);
  const because =
    unsaid !== undefined
      ? `${unsaid.host} does not say when it ended: ${unsaid.lastSeen?.why ?? 'it is not in the log'}`
      : ab === null
        ? 'nothing orders them, and the hosts heard too little of each other to compare their clocks'
        : `their clocks can be compared to ${ms(ab.mostMs - ab.leastMs)} only`;
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
  return first.to === null ? null : clockGap(first, first.to.monoUs, second, clocks);
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
  const { to } = first;
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

function ms(value: number): string {
  return `${Math.max(0, value).toFixed(value < 10 ? 1 : 0)} ms`;
}
