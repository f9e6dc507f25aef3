/** A copy of src/core with one fault, loaded beside the real one. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Place } from '../../src/core/index.ts';
import type { CoreMutant } from './core-mutant.ts';
import type { Step } from './relation.ts';
import type { Votes } from './voter.ts';

/** What the comparisons call of a core. */
export interface Core extends Votes {
  readonly step: Step;
  /** Its own table, which may be changed. */
  readonly table: [string, string, Place][];
}

const CORE = join(process.cwd(), 'src/core');

export class MutatedCores {
  readonly #dir = mkdtempSync(join(tmpdir(), 'portcullis-core-'));
  #next = 0;

  constructor() {
    writeFileSync(join(this.#dir, 'package.json'), '{ "type": "module" }');
    symlinkSync(join(process.cwd(), 'node_modules'), join(this.#dir, 'node_modules'));
  }

  /** A core with that fault; null: without any. */
  async load(mutant: CoreMutant | null): Promise<Core> {
    const dir = join(this.#dir, String(this.#next++));
    cpSync(CORE, dir, { recursive: true });
    if (mutant !== null) {
      const { name, file, find, replace } = mutant;
      const text = readFileSync(join(CORE, file), 'utf8');
      if (text.split(find).length !== 2) throw new Error(`'${name}' must fit one place of src/core/${file}`);
      const faulty = text.replace(find, () => replace);
      writeFileSync(join(dir, file), faulty);
    }
    const part = async (module: string): Promise<unknown> => import(pathToFileURL(join(dir, module)).href);
    const { step } = (await part('step.ts')) as { step: Step };
    const [voter, lease] = [await part('voter.ts'), await part('lease.ts')];
    const { TRANSITIONS: table } = (await part('transitions.ts')) as { TRANSITIONS: Core['table'] };
    return { step, voter, lease, table } as Core;
  }

  close(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
