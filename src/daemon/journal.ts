/**
 * The event log: one JSON line an entry, in `events.jsonl` under the state directory. Appending only queues; a
 * writer of its own batches, syncs and rotates. A disk that is full or slow costs entries, which are counted and
 * leave a gap in the numbers, and never a takeover.
 */
import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm } from 'node:fs/promises';
import type { HostName } from '../core/basics.ts';
import type { LogEntry } from '../core/effects.ts';
import type { Journal } from '../driver/ports.ts';

/** Entries that may wait for the disk; at some 300 bytes each, 3 MB. */
const QUEUE_LIMIT = 10_000;
/** An entry's text may come from a program's output or a peer's word: cut. */
const LINE_LIMIT_BYTES = 8192;
const RETRY_MS = 1000;
/** How much of the file's end is read at start to find the last number. */
const TAIL_BYTES = 64 * 1024;

export interface JournalOptions {
  readonly path: string;
  readonly host: HostName;
  /** Milliseconds of the monotonic clock. */
  readonly now: () => number;
  /** The file is rotated when it is larger. */
  readonly rotateBytes?: number;
  /** How many old files are kept: `path.1` is the newest. */
  readonly keep?: number;
  /** Called when writing begins to fail, and when it works again (null). */
  readonly onTrouble: (error: string | null) => void;
}

export class FileJournal implements Journal {
  readonly #options: Required<JournalOptions>;
  #file: FileHandle | null = null;
  #sizeBytes = 0;
  #nextNumber = 1;
  #queue: string[] = [];
  #lost = 0;
  #lostSinceWrite = 0;
  #failing = false;
  #writing: Promise<void> | null = null;
  #retry: NodeJS.Timeout | null = null;

  private constructor(options: JournalOptions) {
    this.#options = { rotateBytes: 16 * 1024 * 1024, keep: 4, ...options };
  }

  /** Opens or creates the file; a line torn by a crash is cut off. Never fails: trouble is reported and retried. */
  static async open(options: JournalOptions): Promise<FileJournal> {
    const journal = new FileJournal(options);
    await journal.#openFile().catch((error: unknown) => journal.#failed(error));
    return journal;
  }

  append(entry: LogEntry & { readonly detail?: string }): void {
    const n = this.#nextNumber++;
    if (this.#queue.length >= QUEUE_LIMIT) {
      this.#lost++;
      this.#lostSinceWrite++;
      return;
    }
    this.#queue.push(this.#line(n, entry));
    if (this.#retry === null) this.#writing ??= this.#write();
  }

  /** Waits for what is queued, at most `limitMs`, and closes the file. */
  async close(limitMs: number): Promise<void> {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    await Promise.race([(async () => (this.#writing ??= this.#write()))(), limit]);
    clearTimeout(timer);
    await Promise.race([this.#file?.close().catch(() => undefined), limit]);
    this.#file = null;
  }

  status(): { entries: number; lost: number; failing: boolean } {
    return { entries: this.#nextNumber - 1, lost: this.#lost, failing: this.#failing };
  }

  #line(n: number, entry: LogEntry & { readonly detail?: string }): string {
    const { service, kind, text, data, detail } = entry;
    const head = { time: new Date().toISOString(), monoMs: Math.round(this.#options.now() * 1000) / 1000 };
    const full = { ...head, host: this.#options.host, n, service, kind, text, data, detail };
    const line = JSON.stringify(full);
    if (Buffer.byteLength(line) <= LINE_LIMIT_BYTES) return `${line}\n`;
    return `${JSON.stringify({ ...full, text: text.slice(0, 512), data: { cut: true }, detail: undefined })}\n`;
  }

  async #write(): Promise<void> {
    try {
      if (this.#file === null) await this.#openFile();
      while (this.#queue.length > 0) {
        if (this.#sizeBytes > this.#options.rotateBytes) await this.#rotate();
        await this.#writeBatch();
      }
      this.#works();
    } catch (error) {
      this.#failed(error);
    }
    this.#writing = null;
  }

  /** The batch leaves the queue only when it is on the disk as a whole; else the file is cut back to before it. */
  async #writeBatch(): Promise<void> {
    const batch = this.#queue.slice(0, 256);
    const gap = this.#lostSinceWrite;
    const note = {
      service: null,
      kind: 'note',
      text: `${gap} entries were lost: the log could not be written`,
    } as const;
    const lines = gap > 0 ? [this.#line(this.#nextNumber++, note), ...batch] : batch;
    const bytes = Buffer.from(lines.join(''));
    const file = this.#file;
    if (file === null) return;
    try {
      await file.appendFile(bytes);
      await file.datasync().catch(ignoreUnsupported);
    } catch (error) {
      await file.truncate(this.#sizeBytes).catch(() => undefined);
      throw error;
    }
    this.#sizeBytes += bytes.length;
    this.#lostSinceWrite -= gap;
    this.#queue.splice(0, batch.length);
  }

  async #rotate(): Promise<void> {
    const { path, keep } = this.#options;
    await this.#file?.close();
    this.#file = null;
    await rm(`${path}.${keep}`, { force: true });
    for (let i = keep - 1; i >= 0; i--) {
      const from = i === 0 ? path : `${path}.${i}`;
      await rename(from, `${path}.${i + 1}`).catch(ignoreMissing);
    }
    await this.#openFile();
  }

  async #openFile(): Promise<void> {
    const file = await open(this.#options.path, 'a+', 0o640);
    const { size } = await file.stat();
    const start = Math.max(0, size - TAIL_BYTES);
    const tail = Buffer.alloc(size - start);
    if (tail.length > 0) await file.read(tail, 0, tail.length, start);
    const whole = tail.lastIndexOf(0x0a) + 1;
    if (whole < tail.length) await file.truncate(start + whole).catch(ignoreUnsupported);
    this.#sizeBytes = start + whole;
    this.#nextNumber = Math.max(this.#nextNumber, lastNumber(tail.subarray(0, whole)) + 1);
    this.#file = file;
  }

  #failed(error: unknown): void {
    if (!this.#failing) this.#options.onTrouble(error instanceof Error ? error.message : String(error));
    this.#failing = true;
    this.#file?.close().catch(() => undefined);
    this.#file = null;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.#writing ??= this.#write();
    }, RETRY_MS);
    this.#retry.unref();
  }

  #works(): void {
    if (this.#failing) this.#options.onTrouble(null);
    this.#failing = false;
  }
}

/** The number of the last entry of a text of whole lines; 0 without one. */
function lastNumber(text: Buffer): number {
  const lines = text.toString('utf8').trimEnd().split('\n');
  try {
    const last: unknown = JSON.parse(lines.at(-1) ?? '');
    const n = typeof last === 'object' && last !== null && 'n' in last ? last.n : 0;
    return typeof n === 'number' && Number.isSafeInteger(n) ? n : 0;
  } catch {
    return 0; // not ours, or empty: numbers begin anew
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** Devices and some file systems cannot sync or cut; that is no reason to lose entries. */
function ignoreUnsupported(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EINVAL' && error.code !== 'ENOTSUP') throw error;
}
