/**
 * The operational log: pino to standard output, for the service manager's journal. It may lose its tail and is no
 * evidence; that is the event log (journal.ts). Messages are constant; what varies stands in fields.
 */
import { pino } from 'pino';

export type Log = pino.Logger;

/** Secrets have no business in a field; should one come there, it is not printed. */
const REDACTED = ['key', 'secret', 'passphrase', 'pem', 'seed'].flatMap((name) => [name, `*.${name}`]);

/** Beyond this what waits for a stopped reader is dropped: a full pipe must not stop the daemon. */
const WAITING_MAX_BYTES = 1024 * 1024;

/** The log, and how to write out what waits before the process ends. */
export function createLog(host: string, level: string): { log: Log; flush: () => void } {
  const destination = pino.destination({ dest: 1, sync: false, maxLength: WAITING_MAX_BYTES });
  const options = { level, base: { host }, timestamp: pino.stdTimeFunctions.isoTime, redact: REDACTED };
  const flush = (): void => {
    try {
      destination.flushSync();
    } catch {
      // the reader has gone; there is nobody to tell
    }
  };
  return { log: pino(options, destination), flush };
}
