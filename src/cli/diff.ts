/** The difference of two short texts, as `diff -u` shows it, whole files in one piece. */

/** Lines that both texts have, in order: the longest such sequence, as pairs of indices. */
function common(a: readonly string[], b: readonly string[]): [number, number][] {
  // length[i][j]: of the longest one from a[i] and b[j] on.
  const length = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  const at = (i: number, j: number): number => length[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) {
      const row = length[i];
      if (row !== undefined)
        row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return pairs;
}

/** `before` or `after` null: there is no such file. Empty when nothing differs. */
export function unifiedDiff(path: string, before: string | null, after: string | null): string {
  if (before === after) return '';
  const linesOf = (text: string | null): string[] =>
    text === null || text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const a = linesOf(before);
  const b = linesOf(after);
  const out = [
    `--- ${before === null ? '/dev/null' : path}`,
    `+++ ${after === null ? '/dev/null' : path}`,
    `@@ -${a.length === 0 ? '0,0' : `1,${a.length}`} +${b.length === 0 ? '0,0' : `1,${b.length}`} @@`,
  ];
  let [i, j] = [0, 0];
  for (const [nextA, nextB] of [...common(a, b), [a.length, b.length] as const]) {
    while (i < nextA) out.push(`-${a[i++]}`);
    while (j < nextB) out.push(`+${b[j++]}`);
    if (i < a.length) out.push(` ${a[i++]}`);
    j++;
  }
  return `${out.join('\n')}\n`;
}
