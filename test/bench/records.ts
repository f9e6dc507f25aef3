/**
 * What a bench has measured, line by line: each figure is appended to a file of JSON lines as soon as it is there, so that an
 * interrupted bench loses nothing, and goes on where it was. Without a file all is kept in memory alone.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';

export class Records<T extends object> {
  readonly #path: string | null;
  readonly #all: T[] = [];

  /** `resume`: goes on with what the file has; else a file that is there already is an error. */
  constructor(path: string | null, resume: boolean) {
    this.#path = path;
    if (path === null) {
      if (resume) throw new RangeError('--resume needs --out FILE');
      return;
    }
    if (!existsSync(path)) writeFileSync(path, '', { mode: 0o644 });
    else if (resume) this.#all.push(...readRecords<T>(path));
    else throw new RangeError(`${path} is there already: name another file, or go on with it by --resume`);
  }

  add(record: T): void {
    this.#all.push(record);
    if (this.#path !== null) appendFileSync(this.#path, `${JSON.stringify(record)}\n`);
  }

  get all(): readonly T[] {
    return this.#all;
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
        throw new RangeError(`${path}:${i + 1}: no line of JSON`);
      }
    });
}
