/** Who served when, out of verified logs: from the order to open the gate to the answer that it is shut, or as far as a log says. */
import { type Beginning, beginningOf } from './beginning.ts';
import type { Chain } from './chain.ts';
import { type Moment, serving } from './summary.ts';

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
  /** Where the end is not said: the place in the next run where the host had read back that it is harmless. */
  readonly harmless: Moment | null;
  readonly beginning: Beginning;
  /** At some time in it no majority was behind it: by an operator's order, or alone as configured. */
  readonly forced: boolean;
}

/** All tenures of all logs, in the order of their terms; those of one term as they stand in the log. No clock is asked. */
export function tenuresOf(chains: readonly Chain[]): Tenure[] {
  return chains.flatMap(tenuresIn).sort((a, b) => termNumber(a) - termNumber(b) || a.from.n - b.from.n);
}

function termNumber({ term }: Tenure): number {
  return Number(/^\d+/.exec(term)?.[0] ?? 0);
}

function tenuresIn(chain: Chain): Tenure[] {
  const moments = chain.segments.flatMap((segment) => segment.moments);
  const tenures: Tenure[] = [];
  const open = new Map<string, Moment>();
  /** Services that this host serves, or will, by force: now, and at some time in the mastership that is open. */
  const [forced, wasForced] = [new Set<string>(), new Set<string>()];
  const end = (service: string, to: Moment | null, lastSeen: Tenure['lastSeen'], after: number): void => {
    const from = open.get(service);
    open.delete(service);
    if (from === undefined) return;
    const harmless = to === null ? harmlessAfter(moments, service, after) : null;
    const beginning = beginningOf(moments, from);
    const term = String(from.data.term ?? '');
    const isForced = wasForced.has(service);
    tenures.push({
      host: chain.host,
      service,
      term,
      from,
      to,
      lastSeen,
      harmless,
      beginning,
      forced: isForced,
    });
  };
  for (const moment of moments) {
    const { kind, service, data, n } = moment;
    if (kind === 'opened') {
      // The run before ended without a word: a crash, or a loss of power.
      const why = `the run ended unsaid before entry ${n}`;
      for (const name of [...open.keys()]) end(name, null, seenBefore(chain, n, why), n);
      forced.clear();
    } else if (kind === 'alarm' && service !== null) {
      if (data.on !== true) forced.delete(service);
      else for (const services of [forced, wasForced]) services.add(service);
    } else if (kind === 'transition' && service !== null) {
      if (serving(data.to) && !serving(data.from)) {
        open.set(service, moment);
        if (!forced.has(service)) wasForced.delete(service);
      } else if (serving(data.from) && !serving(data.to)) end(service, whenItEnded(moment), null, n);
    }
  }
  const next = chain.last + 1;
  const why = `the log ends with entry ${chain.last}`;
  for (const name of [...open.keys()]) end(name, null, seenBefore(chain, next, why), next);
  return tenures;
}

/** A host that was paused says of its lapsed right only when it goes on: the kernel's gate was shut long before. */
function whenItEnded(moment: Moment): Moment {
  const { cause, detail } = moment.data;
  const [, digits] = cause === 'lapsed' ? (/^ended (\d{1,12}) ms before$/.exec(String(detail)) ?? []) : [];
  const beforeMs = Number(digits ?? 0);
  return {
    ...moment,
    wallMs: moment.wallMs - beforeMs,
    monoUs: Math.max(0, moment.monoUs - beforeMs * 1000),
  };
}

/** The last entry of the run that ended before entry `n`. */
function seenBefore(chain: Chain, n: number, why: string): Tenure['lastSeen'] {
  const run = chain.segments.flatMap(({ runs }) => runs).findLast(({ first }) => first < n);
  return run === undefined ? null : { n: run.last, wallMs: run.wallMs, monoUs: run.monoUs, why };
}

function harmlessAfter(moments: readonly Moment[], service: string, n: number): Moment | null {
  const found = moments.find(
    (moment) =>
      moment.n > n &&
      moment.service === service &&
      moment.kind === 'transition' &&
      moment.data.cause === 'harmless' &&
      moment.data.from === 'init.cleaning',
  );
  return found ?? null;
}
