/** A copy of src/core with one fault, loaded beside the real one. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CoreMutant } from './mutants-core.ts';
import type { Step } from './relation.ts';

const CORE = join(process.cwd(), 'src/core');

export class MutatedCores {
  readonly #dir = mkdtempSync(join(tmpdir(), 'portcullis-core-'));
  #next = 0;

  constructor() {
    writeFileSync(join(this.#dir, 'package.json'), '{ "type": "module" }');
    symlinkSync(join(process.cwd(), 'node_modules'), join(this.#dir, 'node_modules'));
  }

  /** `step` of a core with that fault. */
  async step({ name, file, find, replace }: CoreMutant): Promise<Step> {
    const text = readFileSync(join(CORE, file), 'utf8');
    if (text.split(find).length !== 2) throw new Error(`'${name}' must fit one place of src/core/${file}`);
    const dir = join(this.#dir, String(this.#next++));
    cpSync(CORE, dir, { recursive: true });
    writeFileSync(
      join(dir, file),
      text.replace(find, () => replace),
    );
    const core = (await import(pathToFileURL(join(dir, 'step.ts')).href)) as { step: Step };
    return core.step;
  }

  close(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
