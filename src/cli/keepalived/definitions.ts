/** `$NAME=VALUE` of a keepalived configuration: kept, and put in where a line names them. Pure. */

const REPLACED_MAX = 256;
const TEXT_MAX_CHARACTERS = 64 * 1024;

/** The definitions that hold at one place of the file, by name. */
export class Definitions {
  /** By name; several lines where the definition had them. */
  readonly #values = new Map<string, readonly string[]>();

  /** `instance`: what `_INSTANCE` stands for. */
  constructor(instance: string) {
    this.#values.set('_INSTANCE', [instance]);
  }

  /** An empty name is a definition whose condition did not hold. */
  set(name: string, lines: readonly string[]): void {
    if (name !== '') this.#values.set(name, lines);
  }

  /**
   * The lines that a line stands for; itself when it names nothing that is defined. What is not defined stays as it is. Null:
   * they have no end. `directory`: what `_PWD` stands for.
   */
  putIn(text: string, directory: string): string[] | null {
    let rest = text;
    let done = '';
    for (let count = 0; count < REPLACED_MAX; count++) {
      // `$NAME` must end with a blank or the line, `${NAME}` need not.
      const found = /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*)(?=\s|$))/.exec(rest);
      if (found === null) return [done + rest];
      const name = found[1] ?? found[2] ?? '';
      const value = this.#value(name, directory);
      const before = done + rest.slice(0, found.index);
      const after = rest.slice(found.index + found[0].length);
      if (before.length + after.length > TEXT_MAX_CHARACTERS) return null;
      if (value === null) {
        done = before + found[0];
        rest = after;
      } else if (value.length > 1) {
        // The lines of a definition are taken one after the other, and are replaced in their turn.
        const [first = '', ...others] = value;
        const last = others.pop() ?? '';
        return [before + first, ...others, last + after];
      } else if (COMMENT_SIGNS.has(name)) {
        done = `${before}\\${value[0] ?? ''}`;
        rest = after;
      } else {
        // Replaced text may name others, so that it is looked at again.
        done = '';
        rest = before + (value[0] ?? '') + after;
      }
    }
    return null;
  }

  #value(name: string, directory: string): readonly string[] | null {
    if (name === '_PWD') return [directory];
    return this.#values.get(name) ?? COMMENT_SIGNS.get(name) ?? null;
  }
}

/** They stand for signs that would begin a comment, and so are put in escaped. */
const COMMENT_SIGNS: ReadonlyMap<string, readonly string[]> = new Map([
  ['_HASH', ['#']],
  ['_BANG', ['!']],
]);
