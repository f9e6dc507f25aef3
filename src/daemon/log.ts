/**
 * The operational log: pino to standard output, for the service manager's journal. It may lose lines and is no
 * evidence; that is the event log (event-log.ts). Messages are constant; what varies stands in fields. Invariant: a
 * reader that has stopped, or a full disk, never stops the daemon; so the writer is our own (line-sink.ts; pino's waits
 * for ever in both cases).
 */
import { pino } from 'pino';
import { LineSink } from './line-sink.ts';
import { prioritised } from './log-priority.ts';

export type Log = pino.Logger;

/** Secrets have no business in a field; should one come there, it is not printed. */
const REDACTED = ['key', 'secret', 'passphrase', 'pem', 'seed'].flatMap((name) => [name, `*.${name}`]);

/** The log, and how to write out what waits before the process ends. */
export function createLog(host: string, level: string, fd = 1): { log: Log; flush: () => Promise<void> } {
  const lines = new LineSink(fd);
  const options = { level, base: { host }, timestamp: pino.stdTimeFunctions.isoTime, redact: REDACTED };
  return { log: pino(options, prioritised(lines, fd)), flush: () => lines.flush() };
}
