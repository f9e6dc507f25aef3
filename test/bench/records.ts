/**
 * What a bench has measured, line by line: each figure is appended to a file of JSON lines as soon as it is there, so that an
 * interrupted bench loses nothing, and goes on where it was. Without a file all is kept in memory alone.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { UsageError } from '../lab/usage.ts';

export class Records<T extends object> {
  readonly #path: string | null;
  readonly #all: T[] = [];

  /** `resume`: goes on with what the file has (null: this bench cannot); else a file that is there already is an error. Throws `UsageError`. */
  constructor(path: string | null, resume: boolean | null) {
    this.#path = path;
    if (path === null) {
      if (resume) throw new UsageError('--resume needs --out FILE');
      return;
    }
    if (!existsSync(path)) begin(path);
    else if (resume) this.#all.push(...readRecords<T>(path));
    else {
      const orElse = resume === null ? '' : ', or go on with it by --resume';
      throw new UsageError(`${path} is there already: name another file${orElse}`);
    }
  }

  add(record: T): void {
    this.#all.push(record);
    if (this.#path !== null) appendFileSync(this.#path, `${JSON.stringify(record)}\n`);
  }

  get all(): readonly T[] {
    return this.#all;
  }
}

function begin(path: string): void {
  try {
    writeFileSync(path, '', { mode: 0o644 });
  } catch (error) {
    throw new UsageError(`--out ${path} cannot be written (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** All whole lines; a last one that was cut off while it was written is left out, and cut off the file. */
function readRecords<T>(path: string): T[] {
  const text = readFileSync(path, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) writeFileSync(path, whole);
  return whole
    .split('\n')
    .filter(Boolean)
    .map((line, i) => {
      try {
        return JSON.parse(line) as T;
      } catch {
        throw new UsageError(`${path}:${i + 1}: no line of JSON`);
      }
    });
}
