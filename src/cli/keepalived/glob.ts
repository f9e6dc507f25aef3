/** File name patterns of includes: `*`, `?` and `[...]`, as glob(7) has them. No pattern can make a match slow. */

/** One character of a pattern: whether it takes that one; `any`: as many as there are. */
type Token = 'any' | ((char: string) => boolean);

/** Judges names by a pattern without slashes; hidden ones only where the pattern says so. */
export function nameMatcher(pattern: string): (name: string) => boolean {
  const tokens = tokensOf(pattern);
  return (name) => (pattern.startsWith('.') || !name.startsWith('.')) && matches(tokens, [...name]);
}

function tokensOf(pattern: string): Token[] {
  return [...pattern.matchAll(/\[(!?)(\]?[^\]]*)\]|[\s\S]/gu)].map(([found, not, set]) => {
    if (found === '*') return 'any';
    if (found === '?') return () => true;
    if (set === undefined || set === '') return (char) => char === found;
    return (char) => holds(set, char) !== (not === '!');
  });
}

/** A range that is the wrong way round holds nothing. */
function holds(set: string, char: string): boolean {
  return [...set.matchAll(/([\s\S])-([\s\S])|[\s\S]/gu)].some(([one, from, to]) =>
    from === undefined || to === undefined ? char === one : from <= char && char <= to,
  );
}

/** Only the last `any` is ever tried again: what an earlier one took cannot matter any more. */
function matches(tokens: readonly Token[], name: readonly string[]): boolean {
  let at = 0;
  let retry: { token: number; from: number } | null = null;
  for (let i = 0; i < name.length; ) {
    const token = tokens[at];
    if (token === 'any') {
      retry = { token: ++at, from: i };
    } else if (token?.(name[i] ?? '')) {
      at++;
      i++;
    } else if (retry === null) return false;
    else {
      at = retry.token;
      i = ++retry.from;
    }
  }
  return tokens.slice(at).every((token) => token === 'any');
}
