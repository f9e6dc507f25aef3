/**
 * Every fault of mutants.ts is caught by its catcher, and every catcher is content with the core as it is. A fault is put
 * into a copy of src and test in a temporary directory; the catcher runs there as a process of its own, two at a time.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Catcher, MUTANTS, type Mutant } from './mutants.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** For a process that hangs; far above what any needs. */
const LIMIT_MS = 180_000;

interface Run {
  readonly code: number | null;
  readonly output: string;
}

/** A copy of what the catchers need, removed afterwards. */
async function inCopy<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-mutant-'));
  try {
    for (const part of ['src', 'test/explore', 'test/unit', 'package.json', 'tsconfig.json']) {
      await cp(join(ROOT, part), join(directory, part), { recursive: true });
    }
    await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function argsOf(catcher: Catcher): string[] {
  if (catcher.by === 'explore') return ['test/explore/main.ts', ...catcher.args.split(' ')];
  const literal = catcher.name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return ['--test', '--test-reporter=tap', `--test-name-pattern=^${literal}`, catcher.file];
}

function run(directory: string, catcher: Catcher): Promise<Run> {
  // A runner of tests tells its children that they are its own; these are not.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return new Promise((resolve) => {
    const options = { cwd: directory, env, timeout: LIMIT_MS, maxBuffer: 2 ** 26 };
    execFile(process.execPath, ['--import', 'tsx', ...argsOf(catcher)], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ code, output: stdout + stderr });
    });
  });
}

/** Whether that very thing failed: a core that does not even load is not caught, it is no mutant. */
function caught(catcher: Catcher, { code, output }: Run): boolean {
  if (code !== 1) return false;
  if (catcher.by === 'explore') return catcher.sees.test(output);
  return output.split('\n').some((line) => line.startsWith('not ok ') && line.includes(` - ${catcher.name}`));
}

/** Whether it ran and had nothing to object to. */
function content(catcher: Catcher, { code, output }: Run): boolean {
  if (code !== 0) return false;
  if (catcher.by === 'explore') return output.includes(' 0 violations');
  return output.split('\n').some((line) => /^ok \d+ - /.test(line) && line.includes(` - ${catcher.name}`));
}

async function mutated(directory: string, { file, find, replace }: Mutant): Promise<void> {
  const path = join(directory, 'src/core', file);
  const parts = (await readFile(path, 'utf8')).split(find);
  assert.equal(parts.length, 2, `stands ${parts.length - 1} times in ${file}: ${find}`);
  await writeFile(path, parts.join(replace));
}

function nameOf(catcher: Catcher): string {
  return catcher.by === 'explore' ? `explore ${catcher.args}` : `${catcher.file}: ${catcher.name}`;
}

test('the catchers are content with the core as it is', { concurrency: 2 }, async (t) => {
  const catchers = new Map(MUTANTS.map(({ catcher }) => [nameOf(catcher), catcher]));
  await inCopy((directory) =>
    Promise.all(
      [...catchers].map(([name, catcher]) =>
        t.test(name, async () => {
          const result = await run(directory, catcher);
          assert.ok(content(catcher, result), result.output.slice(-4000));
        }),
      ),
    ),
  );
});

test('every fault is caught', { concurrency: 2 }, async (t) => {
  assert.ok(MUTANTS.length >= 25);
  await Promise.all(
    MUTANTS.map((mutant) =>
      t.test(`${mutant.file}: ${mutant.breaks}; caught by ${nameOf(mutant.catcher)}`, async () => {
        await inCopy(async (directory) => {
          await mutated(directory, mutant);
          const result = await run(directory, mutant.catcher);
          assert.ok(caught(mutant.catcher, result), `not caught: ${result.output.slice(-4000)}`);
        });
      }),
    ),
  );
});
