/**
 * Faults put into the model, each of which the comparison must show. All stand in one text beside the model's own words,
 * chosen by `mut`, so that one run of Spin tries them all.
 */
import { type ModelMutant, MUTANTS_BY_HAND } from './mutants-model-hand.ts';
import { HOST_PML } from './vector.ts';

const ROW = /^ {2}:: ([^\n]*?) ->\s*GO\((\d+), (\w+)\)/gm;

/** Their guards are the contrary of the row's before: whoever drops them changes nothing, the first one that fits is taken. */
const SECOND_OF_TWO: ReadonlySet<string> = new Set(['T17', 'T36']);

/** Three for each row of the table: the row is gone, it leads elsewhere, its guard is dropped. */
function ofRows(): ModelMutant[] {
  return [...HOST_PML.matchAll(ROW)].flatMap(([text, condition, row, to]) => {
    const name = `T${row}`;
    const on = (text as string).split('\n')[0] as string;
    const elsewhere = to === 'HANDOVER_RAISING' ? 'BACKUP_WATCHING' : 'HANDOVER_RAISING';
    const go = `GO(${row}, ${to})`;
    const found: ModelMutant[] = [
      { name: `${name} is gone`, on, find: condition as string, replace: 'false' },
      { name: `${name} leads to ${elsewhere}`, find: go, replace: `GO(${row}, ${elsewhere})`, act: true },
    ];
    const parts = splitGuard(condition as string);
    if (parts !== null && !SECOND_OF_TWO.has(name)) {
      found.push({ name: `${name} without its guard`, on, find: condition as string, replace: parts });
    }
    return found;
  });
}

/** The row's place and question alone; null when it has no other guard. */
function splitGuard(condition: string): string | null {
  const bare = /^(?:AT\(\w+\)|IN_\w+|SERVING) && (?:why == \w+|\(why == \w+)/.exec(condition)?.[0];
  if (bare === undefined || bare === condition) return null;
  return bare + (bare.includes('&& (') ? ')' : '');
}

export const MODEL_MUTANTS: readonly ModelMutant[] = [...MUTANTS_BY_HAND, ...ofRows()];

/** host.pml with all of them in it: `mut` 1 is the first. */
export function woven(): string {
  const original = HOST_PML.split('\n');
  const lines = [...original];
  // A whole condition before a part of it, whose text would be no longer found.
  const order = MODEL_MUTANTS.map((_, i) => i).sort((a, b) => text(b).length - text(a).length || a - b);
  for (const i of order) {
    const { name, on, find, replace, act } = MODEL_MUTANTS[i] as ModelMutant;
    const at = original.flatMap((line, n) =>
      line.includes(find) && (on === undefined || line.includes(on.trim())) ? [n] : [],
    );
    const n = at[0] as number;
    const line = lines[n] as string;
    if (at.length !== 1 || original[n]?.split(find).length !== 2) {
      throw new Error(`'${name}' must fit one place of host.pml; it fits ${at.length} lines`);
    }
    const both = act
      ? `if :: mut == ${i + 1} -> ${replace} :: else -> ${find} fi`
      : `(mut == ${i + 1} -> (${replace}) : (${find}))`;
    const start = line.lastIndexOf(find);
    lines[n] = line.slice(0, start) + both + line.slice(start + find.length);
  }
  return lines.join('\n');
}

const text = (i: number): string => MODEL_MUTANTS[i]?.find ?? '';
