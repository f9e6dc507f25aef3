/** Copies of src/core with one fault each, compiled and loaded beside the real one. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Place } from '../../src/core/index.ts';
import { compileTexts } from '../mutation/compile.ts';
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

const built = (source: string): string => source.replace(/\.ts$/, '.js');

function faultyText({ name, file, find, replace }: CoreMutant): string {
  const text = readFileSync(join(CORE, file), 'utf8');
  if (text.split(find).length !== 2) throw new Error(`'${name}' must fit one place of src/core/${file}`);
  return text.replace(find, () => replace);
}

export class MutatedCores {
  readonly #dir = mkdtempSync(join(tmpdir(), 'portcullis-core-'));
  readonly #sound = join(this.#dir, 'sound');
  readonly #faulty = new Map<CoreMutant, string>();
  #next = 0;

  /** Throws when a mutant's text does not stand in its file exactly once. */
  constructor(mutants: readonly CoreMutant[]) {
    writeFileSync(join(this.#dir, 'package.json'), '{ "type": "module" }');
    symlinkSync(join(process.cwd(), 'node_modules'), join(this.#dir, 'node_modules'));
    const files = readdirSync(CORE).filter((file) => file.endsWith('.ts'));
    const sources = files.map((file) => readFileSync(join(CORE, file), 'utf8'));
    const compiled = compileTexts([...sources, ...mutants.map(faultyText)]);
    mkdirSync(this.#sound);
    for (const [i, file] of files.entries())
      writeFileSync(join(this.#sound, built(file)), compiled[i] as string);
    for (const [i, mutant] of mutants.entries())
      this.#faulty.set(mutant, compiled[files.length + i] as string);
  }

  /** A core with that fault; null: without any. */
  async load(mutant: CoreMutant | null): Promise<Core> {
    const dir = join(this.#dir, String(this.#next++));
    cpSync(this.#sound, dir, { recursive: true });
    if (mutant !== null) writeFileSync(join(dir, built(mutant.file)), this.#faulty.get(mutant) as string);
    const part = async (module: string): Promise<unknown> => import(pathToFileURL(join(dir, module)).href);
    const { step } = (await part('step.js')) as { step: Step };
    const [voter, lease] = [await part('voter.js'), await part('lease.js')];
    const { TRANSITIONS: table } = (await part('transitions.js')) as { TRANSITIONS: Core['table'] };
    return { step, voter, lease, table } as Core;
  }

  close(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
