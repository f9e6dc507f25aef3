/**
 * Lines for whoever reads what a process prints, written so that a reader that has stopped or gone, or a full disk, neither
 * stops nor ends it. Loads nothing, for the actuator's sake (M14).
 */
import { write } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

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

  /** Before the process ends: waits until all is written, half a second at most. */
  async flush(): Promise<void> {
    for (let waitedMs = 0; this.#busy && waitedMs < FLUSH_LIMIT_MS; waitedMs += FLUSH_POLL_MS)
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
