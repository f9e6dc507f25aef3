/** Rows of cells as aligned lines. Styling may be put around a cell: what a terminal does not show has no width. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
const STYLE = /\u001b\[[0-9;]*m/g;

/** How many columns of a terminal that text takes; our own words have no wide characters. */
export function widthOf(text: string): number {
  return [...text.replace(STYLE, '')].length;
}

/** Each column as wide as its widest cell, two blanks between; nothing behind the last word of a line. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, i) =>
    Math.max(...rows.map((row) => widthOf(row[i] ?? ''))),
  );
  return rows.map((row) =>
    row
      .map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - widthOf(cell)))
      .join('  ')
      .trimEnd(),
  );
}
