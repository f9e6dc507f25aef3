/**
 * Root's own record of the orders, bounded: whoever gives them may give thousands a second, each of which would be a line in
 * the journal. What ends a conversation is always told.
 */
import { Bucket } from './permit.ts';

export type Log = (what: string, data: { readonly [key: string]: string | number }) => void;

/** A host's busiest takeover has some twenty. */
const LINES_AT_ONCE = 100;
const LINE_EVERY_MS = 100;
/** One for each order that is given. */
const FREQUENT: ReadonlySet<string> = new Set(['order', 'order refused', 'fence ordered']);

/** `log` with a bound on the lines about single orders; the next line that is told says how many were not (`untold`). */
export function boundedLog(log: Log, nowMs: () => number): Log {
  const bucket = new Bucket(LINES_AT_ONCE, LINE_EVERY_MS);
  let untold = 0;
  return (what, data) => {
    if (FREQUENT.has(what) && !bucket.take(nowMs())) {
      untold++;
      return;
    }
    log(what, untold === 0 ? data : { ...data, untold });
    untold = 0;
  };
}
