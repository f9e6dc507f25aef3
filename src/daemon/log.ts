/**
 * The operational log: pino to standard output, for the service manager's journal. It may lose lines and is no
 * evidence; that is the event log (journal.ts). Messages are constant; what varies stands in fields. Invariant: a
 * reader that has stopped, or a full disk, never stops the daemon; so the writer here is our own (pino's waits for
 * ever in both cases).
 */
import { fstatSync, write } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';

export type Log = pino.Logger;

/** Secrets have no business in a field; should one come there, it is not printed. */
const REDACTED = ['key', 'secret', 'passphrase', 'pem', 'seed'].flatMap((name) => [name, `*.${name}`]);
/** Lines beyond this that wait for a stopped reader are dropped. */
const WAITING_MAX_BYTES = 1024 * 1024;
const RETRY_MS = 100;
const FLUSH_POLL_MS = 5;
const FLUSH_LIMIT_MS = 500;

/** Writes lines to a descriptor, one write under way at a time; drops what does not fit. */
export class LineSink {
  readonly #fd: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #rest: Buffer = Buffer.alloc(0);
  #busy = false;
  /** Lines that were dropped. */
  dropped = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(line: string): void {
    if (this.#waitingBytes + line.length > WAITING_MAX_BYTES) {
      this.dropped++;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    if (!this.#busy) this.#next();
  }

  /** Before the process ends: waits until all is written, at most that long. */
  async flush(limitMs: number): Promise<void> {
    for (let waitedMs = 0; this.#busy && waitedMs < limitMs; waitedMs += FLUSH_POLL_MS)
      await sleep(FLUSH_POLL_MS);
  }

  #take(): Buffer {
    if (this.#rest.length > 0) return this.#rest;
    const bytes = Buffer.from(this.#waiting.join(''));
    this.#waiting = [];
    this.#waitingBytes = 0;
    return bytes;
  }

  #next(): void {
    const bytes = this.#take();
    this.#busy = bytes.length > 0;
    if (!this.#busy) return;
    this.#rest = bytes;
    write(this.#fd, bytes, (error, written) => {
      if (error !== null) {
        setTimeout(() => this.#next(), RETRY_MS).unref();
        return;
      }
      this.#rest = this.#rest.subarray(written);
      this.#next();
    });
  }
}

/** pino's levels as syslog's priorities. */
const PRIORITIES: { readonly [level: string]: number } = { 60: 2, 50: 3, 40: 4, 30: 6, 20: 7, 10: 7 };

/**
 * Whether that descriptor is the journal's (systemd.exec(5), JOURNAL_STREAM): then each line begins with its priority, which
 * the journal takes off again, so that `journalctl -p warning` finds what it should (sd-daemon(3)).
 */
export function isJournal(fd: number, stream: string | undefined): boolean {
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** A line with its priority in front. */
export function withPriority(line: string): string {
  const level = /^\{"level":(\d+)/.exec(line)?.[1] ?? '';
  return `<${PRIORITIES[level] ?? PRIORITIES[30]}>${line}`;
}

/** The log, and how to write out what waits before the process ends. */
export function createLog(host: string, level: string, fd = 1): { log: Log; flush: () => Promise<void> } {
  const lines = new LineSink(fd);
  const sink = isJournal(fd, process.env.JOURNAL_STREAM)
    ? { write: (line: string) => lines.write(withPriority(line)) }
    : lines;
  const options = { level, base: { host }, timestamp: pino.stdTimeFunctions.isoTime, redact: REDACTED };
  return { log: pino(options, sink), flush: () => lines.flush(FLUSH_LIMIT_MS) };
}
