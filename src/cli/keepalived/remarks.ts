/** What of a keepalived configuration has no counterpart here, each once: where it stands first, and what to do instead. */
import { printable } from '../../audit/words.ts';
import type { Place } from './source.ts';

export interface Remark extends Place {
  /** Of keywords of which the same is to be said, all. */
  readonly keywords: readonly string[];
  /** What becomes of it. */
  readonly what: string;
  /** What to do instead; empty: nothing. */
  readonly instead: string;
  /** How often it stands in the file. */
  readonly times: number;
}

/** Remarks in the order of their first places, each text once. */
export class Remarks {
  readonly #found = new Map<string, Remark>();

  /** The same is said once, of whatever keywords. */
  add({ file: path, line }: Place, keyword: string, what: string, instead = ''): void {
    const file = printable(path);
    const before = this.#found.get(what);
    if (before === undefined)
      this.#found.set(what, { file, line, keywords: [keyword], what, instead, times: 1 });
    else {
      const keywords = [...new Set([...before.keywords, keyword])];
      this.#found.set(what, { ...before, keywords, times: before.times + 1 });
    }
  }

  /** By line; of included files in the order in which they were found. */
  all(): Remark[] {
    const remarks = [...this.#found.values()];
    const files = [...new Set(remarks.map(({ file }) => file))];
    return remarks.sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line);
  }
}
