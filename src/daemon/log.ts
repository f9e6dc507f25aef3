/**
 * The operational log: pino to standard output, for the service manager's journal. It may lose its tail and is no
 * evidence; that is the event log (journal.ts). Messages are constant; what varies stands in fields.
 */
import { pino } from 'pino';

export type Log = pino.Logger;

/** Secrets have no business in a field; should one come there, it is not printed. */
const REDACTED = ['key', 'secret', 'passphrase', 'pem', 'seed'].flatMap((name) => [name, `*.${name}`]);

export function createLog(host: string, level = 'info'): Log {
  return pino({ level, base: { host }, timestamp: pino.stdTimeFunctions.isoTime, redact: REDACTED });
}
