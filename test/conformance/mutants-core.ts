/** Faults put into a copy of src/core, each of which the comparison must show. */
import { type Place, TRANSITIONS } from '../../src/core/index.ts';
import type { CoreMutant } from './core-mutant.ts';
import { SERVICE_MUTANTS } from './mutants-core-service.ts';
import { TAKEOVER_MUTANTS } from './mutants-core-takeover.ts';
import { WORD_MUTANTS } from './mutants-core-words.ts';

/** By hand: a guard dropped, a comparison turned round, an act left out. */
export const CORE_MUTANTS: readonly CoreMutant[] = [...TAKEOVER_MUTANTS, ...SERVICE_MUTANTS, ...WORD_MUTANTS];

/** A row of the table of transitions: it is gone (`to` null), or it leads elsewhere. */
export interface RowMutant {
  readonly name: string;
  readonly row: number;
  readonly to: Place | null;
}

/** Two for each row. These change the table of a loaded copy, so that not each needs a copy of its own. */
export const ROW_MUTANTS: readonly RowMutant[] = TRANSITIONS.flatMap(([, , to], row) => {
  const elsewhere = to === 'handover.raising' ? 'backup.watching' : 'handover.raising';
  return [
    { name: `T${row + 1} is gone`, row, to: null },
    { name: `T${row + 1} leads to ${elsewhere}`, row, to: elsewhere },
  ];
});
