/** A copy of src/core with one fault, loaded beside the real one. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CoreMutant } from './mutants-core.ts';
import type { Step } from './relation.ts';
import type { Votes } from './voter.ts';

/** What the comparisons call of a core. */
export interface Core extends Votes {
  readonly step: Step;
}

const CORE = join(process.cwd(), 'src/core');

export class MutatedCores {
  readonly #dir = mkdtempSync(join(tmpdir(), 'portcullis-core-'));
  #next = 0;

  constructor() {
    writeFileSync(join(this.#dir, 'package.json'), '{ "type": "module" }');
    symlinkSync(join(process.cwd(), 'node_modules'), join(this.#dir, 'node_modules'));
  }

  /** A core with that fault. */
  async load({ name, file, find, replace }: CoreMutant): Promise<Core> {
    const text = readFileSync(join(CORE, file), 'utf8');
    if (text.split(find).length !== 2) throw new Error(`'${name}' must fit one place of src/core/${file}`);
    const dir = join(this.#dir, String(this.#next++));
    cpSync(CORE, dir, { recursive: true });
    writeFileSync(
      join(dir, file),
      text.replace(find, () => replace),
    );
    const part = async (module: string): Promise<unknown> => import(pathToFileURL(join(dir, module)).href);
    const { step } = (await part('step.ts')) as { step: Step };
    const [voter, lease] = await Promise.all([part('voter.ts'), part('lease.ts')]);
    return { step, voter, lease } as Core;
  }

  close(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
