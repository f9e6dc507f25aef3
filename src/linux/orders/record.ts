/**
 * Root's own record of the orders, in lines like the network process's, and bounded: whoever gives them may give thousands a
 * second, each of which would be a line in the journal. What ends a conversation is always told.
 */
import { Bucket } from './permit.ts';

/** The numbers that pino, which this process does not load (M14), has for them. */
export const LEVELS = { info: 30, warn: 40, error: 50 } as const;
export type Level = keyof typeof LEVELS;

export type Data = { readonly [key: string]: string | number };
export type Log = (level: Level, what: string, data: Data) => void;

/** One entry, with the keys and in the order of the network process's (spec/control.md). */
export function recordLine(level: Level, time: Date, host: string, what: string, data: Data): string {
  const entry = {
    level: LEVELS[level],
    time: time.toISOString(),
    host,
    process: 'actuator',
    ...data,
    msg: what,
  };
  return `${JSON.stringify(entry)}\n`;
}

/** A host's busiest takeover has some twenty. */
const LINES_AT_ONCE = 100;
const LINE_EVERY_MS = 100;
/** One for each order that is given. */
const FREQUENT: ReadonlySet<string> = new Set(['order', 'order refused', 'fence ordered']);

/** `log` with a bound on the lines about single orders; the next line that is told says how many were not (`untold`). */
export function boundedLog(log: Log, nowMs: () => number): Log {
  const bucket = new Bucket(LINES_AT_ONCE, LINE_EVERY_MS);
  let untold = 0;
  return (level, what, data) => {
    if (FREQUENT.has(what) && !bucket.take(nowMs())) {
      untold++;
      return;
    }
    log(level, what, untold === 0 ? data : { ...data, untold });
    untold = 0;
  };
}
