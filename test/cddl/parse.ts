/**
 * Reads the subset of CDDL (RFC 8610) that spec/messages.cddl uses and names in its head. Whatever is outside the
 * subset is an error, never ignored: a matcher that skips what it does not know proves nothing.
 */

export type Type =
  | { readonly kind: 'ref'; readonly name: string }
  | { readonly kind: 'int'; readonly low: number; readonly high: number }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'choice'; readonly of: readonly Type[] }
  | { readonly kind: 'map' | 'array'; readonly entries: readonly Entry[] }
  | { readonly kind: 'tag'; readonly tag: number; readonly type: Type }
  | {
      readonly kind: 'control';
      readonly base: Type;
      readonly control: 'size' | 'lt' | 'regexp' | 'cbor';
      readonly by: Type;
    };

/** One entry of a map, an array or a group. Without `key` in a map it names a group. */
export interface Entry {
  readonly least: number;
  readonly most: number;
  /** A map's integer key; a word is only a comment and reads as null. */
  readonly key: number | null;
  readonly type: Type;
}

export interface Grammar {
  readonly types: ReadonlyMap<string, Type>;
  readonly groups: ReadonlyMap<string, readonly Entry[]>;
}

const TOKEN =
  /\s+|;[^\n]*|"[^"\n]*"|#6\.\d+|\.\.|\.[a-z]+|-?\d+\*\d+|-?\d+|[a-z][a-z0-9-]*|[A-Z][A-Za-z]*|[=:,/?()[\]{}&]/giy;

/** Throws SyntaxError on anything outside the subset, on a rule that is defined twice and on one that is missing. */
export function parseCddl(text: string): Grammar {
  const parser = new Parser(tokens(text));
  const types = new Map<string, Type>();
  const groups = new Map<string, readonly Entry[]>();
  while (!parser.atEnd()) {
    const name = parser.word();
    parser.expect('=');
    if (types.has(name) || groups.has(name)) throw new SyntaxError(`${name} is defined twice`);
    if (parser.isGroup()) groups.set(name, parser.entries('(', ')'));
    else types.set(name, parser.type());
  }
  for (const name of parser.named)
    if (!types.has(name) && !groups.has(name) && !BUILT_IN.has(name))
      throw new SyntaxError(`${name} is not defined`);
  return { types, groups };
}

/** The names that need no rule (RFC 8610, appendix D). */
export const BUILT_IN: ReadonlySet<string> = new Set(['int', 'uint', 'bstr', 'tstr', 'bool', 'true', 'null']);

function tokens(text: string): string[] {
  const found: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new SyntaxError(`not of the subset: ${text.slice(at, at + 30)}`);
    const [token] = match;
    if (!/^[\s;]/.test(token)) found.push(token);
  }
  return found;
}

class Parser {
  readonly named = new Set<string>();
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(found: readonly string[]) {
    this.#tokens = found;
  }

  atEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  #peek(ahead = 0): string {
    return this.#tokens[this.#at + ahead] ?? '';
  }

  #take(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#at++;
    return true;
  }

  expect(token: string): void {
    if (!this.#take(token)) throw new SyntaxError(`'${token}' expected, '${this.#peek()}' found`);
  }

  word(): string {
    const token = this.#peek();
    if (!/^[a-z]/i.test(token)) throw new SyntaxError(`a name expected, '${token}' found`);
    this.#at++;
    return token;
  }

  /** A rule whose body is in round brackets is a group, by the convention of the file. */
  isGroup(): boolean {
    return this.#peek() === '(';
  }

  type(): Type {
    const of = [this.#controlled()];
    while (this.#take('/')) of.push(this.#controlled());
    const [only] = of;
    return of.length === 1 && only !== undefined ? only : { kind: 'choice', of };
  }

  #controlled(): Type {
    const base = this.#single();
    const token = this.#peek();
    if (!/^\.[a-z]/.test(token)) return base;
    this.#at++;
    const control = token.slice(1);
    if (control !== 'size' && control !== 'lt' && control !== 'regexp' && control !== 'cbor')
      throw new SyntaxError(`the control ${token} is not of the subset`);
    return { kind: 'control', base, control, by: this.#single() };
  }

  #single(): Type {
    const token = this.#peek();
    if (token === '{') return { kind: 'map', entries: this.entries('{', '}') };
    if (token === '[') return { kind: 'array', entries: this.entries('[', ']') };
    this.#at++;
    if (token === '(') {
      const inner = this.type();
      this.expect(')');
      return inner;
    }
    if (token === '&') return this.#words();
    if (token.startsWith('"')) return { kind: 'text', text: token.slice(1, -1) };
    if (token.startsWith('#6.')) {
      this.expect('(');
      const type = this.type();
      this.expect(')');
      return { kind: 'tag', tag: Number(token.slice(3)), type };
    }
    if (/^-?\d+$/.test(token)) {
      const low = Number(token);
      return { kind: 'int', low, high: this.#take('..') ? Number(this.#tokens[this.#at++]) : low };
    }
    if (!/^[a-z]/.test(token)) throw new SyntaxError(`a type expected, '${token}' found`);
    this.named.add(token);
    return { kind: 'ref', name: token };
  }

  /** &(word: number, ...): one of the numbers. */
  #words(): Type {
    const of = this.entries('(', ')').map((entry) => entry.type);
    return { kind: 'choice', of };
  }

  entries(open: string, close: string): Entry[] {
    this.expect(open);
    const found: Entry[] = [];
    while (!this.#take(close)) {
      let [least, most] = [1, 1];
      const count = /^(\d+)\*(\d+)$/.exec(this.#peek());
      if (count !== null) {
        [least, most] = [Number(count[1]), Number(count[2])];
        this.#at++;
      } else if (this.#take('?')) least = 0;
      let key: number | null = null;
      if (this.#peek(1) === ':') {
        const label = this.#peek();
        if (/^-?\d+$/.test(label)) key = Number(label);
        this.#at += 2;
      }
      found.push({ least, most, key, type: this.type() });
      if (this.#peek() !== close) this.expect(',');
    }
    return found;
  }
}
