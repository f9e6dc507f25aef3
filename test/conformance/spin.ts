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

/**
 * Builds `file` of spec/model; `instead`: other texts for files of spec/model. `long`: for so much input that gcc's good code
 * is worth the time to make it; else by tcc.
 */
export function spinProgram(
  file: string,
  instead: { readonly [file: string]: string } = {},
  defines: readonly string[] = [],
  long = false,
): SpinProgram {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-model-'));
  const run = (program: string, args: readonly string[], input?: Buffer): Buffer => {
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      cwd: dir,
      input,
      maxBuffer: 2 ** 30,
      timeout: 900_000,
    });
    if (error === undefined && status === 0) return stdout;
    throw new Error(
      `${program} failed: ${error?.message ?? ''} ${stdout.toString().slice(0, 2000)} ${stderr}`,
    );
  };
  for (const source of ['host.pml', 'voter.pml', file]) cpSync(join(MODEL_DIR, source), join(dir, source));
  for (const [name, text] of Object.entries(instead)) writeFileSync(join(dir, name), text);
  run('spin', ['-a', ...defines, file]);
  const [compiler, ...flags] = long ? ['gcc', '-O1'] : ['tcc'];
  run(compiler as string, [...flags, '-w', '-DSAFETY', '-DNOREDUCE', '-o', 'pan', 'pan.c']);
  return {
    run: (input) => run('./pan', [], input),
    close: () => rmSync(dir, { recursive: true, force: true }),
  };
}
