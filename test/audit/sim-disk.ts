/**
 * A disk that can lose its power between any two of its calls, and in the middle of one. What was synced stays; of what
 * was not, the test chooses what survives: nothing, all, a part, or a part with rubbish where the rest should be.
 */
import type { LogDisk, LogFile } from '../../src/daemon/log-disk.ts';

/** What becomes of bytes that were written and not synced. `cut`: which part of them, from 0 to 1. */
export interface Fate {
  readonly kind: 'lost' | 'kept' | 'torn' | 'zeros' | 'rubbish';
  readonly cut: number;
}

interface File {
  /** What a sync has made durable. */
  durable: Uint8Array;
  /** What is there while the power is on. */
  now: Uint8Array;
}

export class SimDisk implements LogDisk {
  readonly #files: Map<string, File>;
  /** Calls that change something, so far. */
  steps = 0;
  /** The power fails in this step; Infinity: never. */
  readonly #failAt: number;
  #dead = false;
  /** Resolves when the power has failed. */
  readonly died: Promise<void>;
  #die: () => void = () => undefined;

  constructor(files: ReadonlyMap<string, Uint8Array> = new Map(), failAt = Number.POSITIVE_INFINITY) {
    this.#files = new Map([...files].map(([name, bytes]) => [name, { durable: bytes, now: bytes }]));
    this.#failAt = failAt;
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  /** A call that changes something. In the step that fails, `partly` is what may have been done of it. */
  async #step(act: () => void, partly: () => void = () => undefined): Promise<void> {
    if (this.#dead) return new Promise(() => undefined);
    if (++this.steps < this.#failAt) {
      act();
      return;
    }
    this.#dead = true;
    partly();
    this.#die();
    return new Promise(() => undefined);
  }

  #file(name: string): File {
    const file = this.#files.get(name);
    if (file === undefined) throw Object.assign(new Error(`${name} is not there`), { code: 'ENOENT' });
    return file;
  }

  async list(): Promise<{ name: string; bytes: number; changedMs: number }[]> {
    return [...this.#files]
      .map(([name, { now }]) => ({ name, bytes: now.length, changedMs: 0 }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async read(name: string, maxBytes: number): Promise<Uint8Array> {
    return this.#file(name).now.slice(0, maxBytes);
  }

  async create(name: string): Promise<LogFile> {
    if (this.#files.has(name)) throw Object.assign(new Error(`${name} is there`), { code: 'EEXIST' });
    const make = (): void => void this.#files.set(name, { durable: new Uint8Array(), now: new Uint8Array() });
    await this.#step(make, make);
    return this.#open(name);
  }

  async open(name: string): Promise<LogFile> {
    this.#file(name);
    return this.#open(name);
  }

  #open(name: string): LogFile {
    const change = (bytes: (now: Uint8Array) => Uint8Array) => () => {
      const file = this.#file(name);
      file.now = bytes(file.now);
    };
    const sync = (): void => {
      const file = this.#file(name);
      file.durable = file.now;
    };
    return {
      append: (bytes) => {
        const add = change((now) => Uint8Array.from(Buffer.concat([now, bytes])));
        return this.#step(add, add);
      },
      truncate: (length) => {
        const cut = change((now) => now.slice(0, length));
        return this.#step(cut, cut);
      },
      sync: () => this.#step(sync),
      close: async () => undefined,
    };
  }

  async remove(name: string): Promise<void> {
    await this.#step(() => void this.#files.delete(name));
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#step(() => {
      this.#files.set(to, this.#file(from));
      this.#files.delete(from);
    });
  }

  /** What a machine finds when it is on again. */
  survivors({ kind, cut }: Fate): Map<string, Uint8Array> {
    return new Map(
      [...this.#files].map(([name, { durable, now }]) => {
        if (kind === 'lost') return [name, durable];
        if (kind === 'kept' || now.length <= durable.length) return [name, now];
        const kept = durable.length + Math.floor((now.length - durable.length) * cut);
        const part = now.slice(0, kept);
        if (kind === 'torn') return [name, part];
        const rest = new Uint8Array(now.length - kept).fill(kind === 'zeros' ? 0 : 0xd2);
        return [name, Uint8Array.from([...part, ...rest])];
      }),
    );
  }

  /** Everything as it is. */
  contents(): Map<string, Uint8Array> {
    return this.survivors({ kind: 'kept', cut: 1 });
  }
}
