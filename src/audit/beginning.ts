/**
 * How a mastership began, by the log of the host that began it: by which rules, after which suspicion, and what it had
 * looked at before. Where another host's log ends without a word this is what speaks of that host's end.
 */
import type { Moment } from './summary.ts';

export interface Beginning {
  /** The rules in force: `configured` of that service. Null: the log does not have it. */
  readonly rules: {
    readonly policy: string;
    readonly leaseMs: number;
    /** A host is suspected when nothing was heard of it for so long: I + j. */
    readonly silenceMs: number;
  } | null;
  /** Its suspicion of a silent master. */
  readonly suspected: Moment | null;
  /** Nobody answered for the service's addresses, or as a master, before it began. */
  readonly quiet: Moment | null;
}

/** Where an attempt to serve begins: nothing before it belongs to the attempt. */
const BEFORE: ReadonlySet<unknown> = new Set(['backup.watching', 'decide.listening', 'service.releasing']);

/** `moments`: of that host's log, in order. `from`: the one by which it begins to serve. */
export function beginningOf(moments: readonly Moment[], from: Moment): Beginning {
  const own = moments.filter(({ n, service }) => n < from.n && service === from.service);
  const start = own.findLastIndex(({ kind, data }) => kind === 'transition' && BEFORE.has(data.to));
  const steps = own.slice(start + 1).filter(({ kind }) => kind === 'transition');
  const to = (place: string): Moment | undefined => steps.findLast(({ data }) => data.to === place);
  const prepared = to('handover.preparing');
  return {
    rules: rulesIn(own),
    suspected: steps.find(({ data }) => data.to === 'backup.suspecting') ?? null,
    quiet: prepared?.data.cause === 'quiet' ? prepared : null,
  };
}

function rulesIn(own: readonly Moment[]): Beginning['rules'] {
  const data = own.findLast(({ kind }) => kind === 'configured')?.data;
  if (data === undefined) return null;
  const { policy, leaseMs, intervalMs, slackMs } = data;
  // A number that is not whole stands there as text.
  const [lease, silence] = [Number(leaseMs), Number(intervalMs) + Number(slackMs)];
  if (typeof policy !== 'string' || !Number.isFinite(lease) || !Number.isFinite(silence)) return null;
  return { policy, leaseMs: lease, silenceMs: silence };
}
