/** The blocks of a keepalived configuration: statements of words, each with what stands in its braces. Pure. */
import { type Place, refuse, type SourceLine } from './source.ts';

export interface Statement extends Place {
  /** Without quotation marks; at least one. */
  readonly words: readonly string[];
  /** Null: it has no braces. */
  readonly block: readonly Statement[] | null;
}

const DEPTH_MAX = 16;
const STATEMENTS_MAX = 20_000;

interface Building extends Place {
  readonly words: readonly string[];
  block: Building[] | null;
}

/** Throws OperatorError at braces that do not belong together. */
export function treeOf(lines: readonly SourceLine[]): Statement[] {
  const builder = new Builder();
  for (const { file, line, text } of lines) builder.take(text, { file, line });
  return builder.end();
}

class Builder {
  readonly #top: Building[] = [];
  readonly #open: { readonly into: Building[]; readonly by: Place }[] = [];
  #into = this.#top;
  /** The statement whose { may come, also on the next line. */
  #last: Building | null = null;
  #count = 0;

  take(text: string, place: Place): void {
    let words: string[] = [];
    for (const token of tokensOf(text)) {
      if (token.kind === 'word') {
        words.push(token.text);
        continue;
      }
      this.#statement(words, place);
      words = [];
      if (token.kind === 'open') this.#opened(place);
      else this.#closed(place);
    }
    this.#statement(words, place);
  }

  end(): Statement[] {
    const unclosed = this.#open.at(-1);
    if (unclosed !== undefined) refuse(unclosed.by, '{ is never closed', 'add the } that belongs to it');
    return this.#top;
  }

  #statement(words: readonly string[], place: Place): void {
    if (words.length === 0) return;
    if (++this.#count > STATEMENTS_MAX)
      refuse(place, `more than ${STATEMENTS_MAX} statements`, 'is it the right file?');
    this.#last = { ...place, words, block: null };
    this.#into.push(this.#last);
  }

  #opened(place: Place): void {
    if (this.#last === null)
      refuse(place, '{ without a name before it', 'name the block, or take the brace out');
    if (this.#open.length >= DEPTH_MAX)
      refuse(place, `more than ${DEPTH_MAX} blocks in each other`, 'count the braces');
    this.#open.push({ into: this.#into, by: place });
    this.#into = [];
    this.#last.block = this.#into;
    this.#last = null;
  }

  #closed(place: Place): void {
    const closed = this.#open.pop();
    if (closed === undefined) refuse(place, '} without a { before it', 'take it out, or add the {');
    this.#into = closed.into;
    this.#last = null;
  }
}

type Token = { readonly kind: 'word'; readonly text: string } | { readonly kind: 'open' | 'close' };

/** A brace outside of quotation marks stands alone, even beside a word; `${NAME}`, which nobody defined, is part of one. */
function tokensOf(text: string): Token[] {
  const out: Token[] = [];
  // One character or one quotation at a time: no text makes it slow.
  for (const [found, quoted] of text.matchAll(/"([^"]*)"|\$\{[^}\s]*\}[^\s{}"]*|[{}]|[^\s{}"]+/g)) {
    if (quoted !== undefined) out.push({ kind: 'word', text: quoted });
    else if (found === '{') out.push({ kind: 'open' });
    else if (found === '}') out.push({ kind: 'close' });
    else out.push({ kind: 'word', text: found });
  }
  return out;
}
