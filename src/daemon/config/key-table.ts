/** The table of all keys for people, printed from the one that the checks read. Pure. */
import { durationText } from './duration.ts';
import type { DurationKey, NumberKey, TextKey } from './key-kinds.ts';
import { DURATION_KEYS, knownAt, NUMBER_KEYS, TEXT_KEYS } from './keys.ts';

/** The table of spec/configuration.md, as Markdown; the last column is computed for an interval of 200 ms. */
export function renderKeyTable(): string {
  const known = knownAt(200);
  const rows: string[][] = [];
  for (const [key, spec] of Object.entries<TextKey>(TEXT_KEYS))
    rows.push([key, spec.unit, spec.default, '', '', spec.rule]);
  for (const [key, spec] of Object.entries<DurationKey>(DURATION_KEYS)) {
    const at200 = spec.defaultMs === null ? '' : durationText(spec.defaultMs(known));
    const range = `${durationText(spec.minMs)} to ${durationText(spec.maxMs)}`;
    rows.push([key, 'duration', spec.formula, at200, range, spec.rule]);
  }
  for (const [key, spec] of Object.entries<NumberKey>(NUMBER_KEYS)) {
    const range = `${spec.min} to ${spec.max}`;
    rows.push([
      key,
      spec.whole ? 'count' : 'fraction',
      String(spec.default),
      String(spec.default),
      range,
      spec.rule,
    ]);
  }
  const head = ['Key', 'Unit', 'Default', 'At I = 200ms', 'Range', 'Rule'];
  const lines = [head, head.map(() => '---'), ...rows.map(([key = '', ...rest]) => [`\`${key}\``, ...rest])];
  return `${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}
