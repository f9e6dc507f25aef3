/** A driver of spec/model as a program: Spin's verifier, built in a directory of its own, fed over its standard input. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MODEL_DIR } from './vector.ts';

export interface SpinProgram {
  run(input: Buffer): Buffer;
  close(): void;
}

/** Builds `file` of spec/model; `instead`: other texts for files of spec/model. */
export function spinProgram(
  file: string,
  instead: { readonly [file: string]: string } = {},
  defines: readonly string[] = [],
): SpinProgram {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-model-'));
  const run = (program: string, args: readonly string[], input?: Buffer): Buffer => {
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      cwd: dir,
      input,
      maxBuffer: 2 ** 30,
      timeout: 300_000,
    });
    if (error === undefined && status === 0) return stdout;
    throw new Error(
      `${program} failed: ${error?.message ?? ''} ${stdout.toString().slice(0, 2000)} ${stderr}`,
    );
  };
  for (const source of ['host.pml', 'voter.pml', file]) cpSync(join(MODEL_DIR, source), join(dir, source));
  for (const [name, text] of Object.entries(instead)) writeFileSync(join(dir, name), text);
  run('spin', ['-a', ...defines, file]);
  // The build costs more than the run, but for the large domain.
  run('gcc', [
    file === 'enumerate.pml' ? '-O1' : '-O0',
    '-w',
    '-DSAFETY',
    '-DNOREDUCE',
    '-o',
    'pan',
    'pan.c',
  ]);
  return {
    run: (input) => run('./pan', [], input),
    close: () => rmSync(dir, { recursive: true, force: true }),
  };
}
