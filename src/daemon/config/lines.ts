/**
 * Finds the line of each key in a TOML text, since the TOML parser gives values without places. It reads only
 * text that the parser has accepted, so it may be simple: a key that it misses costs an error message its line,
 * never its sense.
 */

/** Key paths as in `service[0].uplink.device` → 1-based line. Tables are entered with the line of their header. */
export type KeyLines = ReadonlyMap<string, number>;

/** The line of that key, or of the nearest table around it; null when there is none. */
export function lineOf(lines: KeyLines, path: readonly (string | number)[]): number | null {
  for (let length = path.length; length > 0; length--) {
    const line = lines.get(pathText(path.slice(0, length)));
    if (line !== undefined) return line;
  }
  return null;
}

/** `['service', 0, 'uplink']` → `service[0].uplink`. */
export function pathText(path: readonly (string | number)[]): string {
  let text = '';
  for (const part of path) {
    text += typeof part === 'number' ? `[${part}]` : text === '' ? part : `.${part}`;
  }
  return text;
}

/** Walks a valid TOML text once. */
export function locateKeys(text: string): KeyLines {
  const lines = new Map<string, number>();
  const arrays = new Map<string, number>();
  let table = '';
  let open = 0; // brackets of a value that goes on over several lines
  let quotes: string | null = null; // the delimiter of a multi-line string that is open
  text.split('\n').forEach((line, index) => {
    const inside = open > 0 || quotes !== null;
    const rest = inside ? line : line.trimStart();
    if (!inside && rest.startsWith('[')) {
      table = enterTable(rest, arrays);
      lines.set(table, index + 1);
      return;
    }
    if (!inside) {
      const key = /^((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+|\s*\.\s*)+?)\s*=/.exec(rest)?.[1];
      if (key === undefined) return;
      const full = splitKey(key).reduce((path, part) => (path === '' ? part : `${path}.${part}`), table);
      lines.set(full, index + 1);
    }
    ({ open, quotes } = scanValue(inside ? line : rest.slice(rest.indexOf('=') + 1), open, quotes));
  });
  return lines;
}

/** `[[service]]` → `service[n]`; `[service.uplink]` → `service[n].uplink`. */
function enterTable(header: string, arrays: Map<string, number>): string {
  const isArray = header.startsWith('[[');
  const inner = /^\[\[?([^\]]*)\]/.exec(header)?.[1] ?? '';
  const parts = splitKey(inner);
  let path = '';
  parts.forEach((part, i) => {
    path = path === '' ? part : `${path}.${part}`;
    const last = i === parts.length - 1;
    if (last && isArray) arrays.set(path, (arrays.get(path) ?? -1) + 1);
    const index = arrays.get(path);
    if (index !== undefined) path = `${path}[${index}]`;
  });
  return path;
}

function splitKey(key: string): string[] {
  return [...key.matchAll(/"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+)/g)].map((m) => m[1] ?? m[2] ?? m[3] ?? '');
}

/** Counts what a value leaves open at the end of its line: brackets, or a multi-line string. */
function scanValue(
  value: string,
  open: number,
  quotes: string | null,
): { open: number; quotes: string | null } {
  let i = 0;
  while (i < value.length) {
    if (quotes !== null) {
      const end = value.indexOf(quotes, i);
      if (end < 0) return { open, quotes: quotes.length === 3 ? quotes : null };
      i = end + quotes.length;
      quotes = null;
      continue;
    }
    const char = value[i] ?? '';
    if (char === '#') break;
    if (char === '"' || char === "'") quotes = value.startsWith(char.repeat(3), i) ? char.repeat(3) : char;
    if (char === '[' || char === '{') open++;
    if (char === ']' || char === '}') open--;
    i += quotes === null ? 1 : quotes.length;
  }
  return { open: Math.max(open, 0), quotes: quotes?.length === 3 ? quotes : null };
}
