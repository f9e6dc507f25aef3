/**
 * Every fault of mutants.ts (in the core) and guard-mutants.ts (beside it) is caught by its catcher, and every catcher is
 * content with the code as it is. A fault is put into a copy of the project in a temporary directory, both compiled; the
 * catcher runs there as a process of its own, two at a time. A copy is used again for the next fault.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { compileProject, compileTexts } from './compile.ts';
import { GUARD_MUTANTS } from './guard-mutants.ts';
import { type Catcher, MUTANTS as GENERAL, type Mutant } from './mutants.ts';
import { DISPUTE_MUTANTS } from './mutants-disputes.ts';
import { LIMIT_MUTANTS } from './mutants-limits.ts';
import { ORDER_MUTANTS } from './mutants-order.ts';

const ROOT = process.cwd();
const CORE: readonly Mutant[] = [...GENERAL, ...LIMIT_MUTANTS, ...DISPUTE_MUTANTS, ...ORDER_MUTANTS];
const ALL: readonly Mutant[] = [
  ...CORE.map((mutant) => ({ ...mutant, file: `core/${mutant.file}` })),
  ...GUARD_MUTANTS,
];
/** For a process that hangs; far above what any needs, also where it gets only what others leave. */
const LIMIT_MS = 900_000;

interface Run {
  readonly code: number | null;
  readonly output: string;
}

/** How many catchers run at a time, each with a copy of its own, which they use one after the other. */
const COPIES = 2;

/** A copy of what the catchers need, compiled. */
async function copied(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-mutant-'));
  for (const part of ['src', 'spec', 'keys', 'systemd', 'test', 'package.json', 'tsconfig.json']) {
    await cp(join(ROOT, part), join(directory, part), { recursive: true });
  }
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  compileProject(directory);
  return directory;
}

/** The mutant's file with its fault. Throws when what it replaces does not stand there exactly once. */
async function faultyText({ file, find, replace }: Mutant): Promise<string> {
  const parts = (await readFile(join(ROOT, 'src', file), 'utf8')).split(find);
  assert.equal(parts.length, 2, `stands ${parts.length - 1} times in ${file}: ${find}`);
  return parts.join(replace);
}

const copies: string[] = [];
/** The compiled file of each mutant. */
const faulty = new Map<Mutant, string>();
before(async () => {
  for (let i = 0; i < COPIES; i++) copies.push(await copied());
  const compiled = compileTexts(await Promise.all(ALL.map(faultyText)));
  for (const [i, mutant] of ALL.entries()) faulty.set(mutant, compiled[i] as string);
});
after(() => Promise.all(copies.map((directory) => rm(directory, { recursive: true, force: true }))));

function argsOf(catcher: Catcher): string[] {
  if (catcher.by === 'explore') return ['dist/test/explore/main.js', ...catcher.args.split(' ')];
  return namedArgs(catcher.file, [catcher.name]);
}

/** The file by itself is its own runner, which costs one process less than `--test`. */
function namedArgs(file: string, names: readonly string[]): string[] {
  const patterns = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return [
    '--test-reporter=tap',
    ...patterns.map((pattern) => `--test-name-pattern=^${pattern}`),
    builtFile(file),
  ];
}

const builtFile = (source: string): string => `dist/${source.replace(/\.ts$/, '.js')}`;

function run(directory: string, args: readonly string[]): Promise<Run> {
  // A runner of tests tells its children that they are its own; these are not.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return new Promise((resolve) => {
    const options = { cwd: directory, env, timeout: LIMIT_MS, maxBuffer: 2 ** 26 };
    execFile(process.execPath, [...args], options, (error, stdout, stderr) => {
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

/** Puts a fault in, runs its catcher, and takes the fault out again. */
async function mutated(directory: string, mutant: Mutant): Promise<Run> {
  const path = join(directory, builtFile(`src/${mutant.file}`));
  const sound = await readFile(path, 'utf8');
  await writeFile(path, faulty.get(mutant) as string);
  try {
    return await run(directory, argsOf(mutant.catcher));
  } finally {
    await writeFile(path, sound);
  }
}

function nameOf(catcher: Catcher): string {
  return catcher.by === 'explore' ? `explore ${catcher.args}` : `${catcher.file}: ${catcher.name}`;
}

/** Hands the items out one by one, to as many as there are copies. */
async function each<T>(
  items: readonly T[],
  use: (directory: string, item: T) => Promise<unknown>,
): Promise<void> {
  const left = items.slice();
  const worker = async (directory: string) => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await use(directory, item);
  };
  await Promise.all(copies.map(worker));
}

test('the catchers are content with the core as it is', { concurrency: COPIES }, async (t) => {
  const searches = new Map<string, Catcher>();
  const files = new Map<string, Set<string>>();
  for (const { catcher } of ALL) {
    if (catcher.by === 'explore') searches.set(catcher.args, catcher);
    else files.set(catcher.file, (files.get(catcher.file) ?? new Set()).add(catcher.name));
  }
  await each([...searches.values()], (directory, catcher) =>
    t.test(nameOf(catcher), async () => {
      const result = await run(directory, argsOf(catcher));
      assert.ok(content(catcher, result), result.output.slice(-4000));
    }),
  );
  // All of a file together: that is quicker, and each must be among those that passed.
  await each([...files], (directory, [file, names]) =>
    t.test(file, async () => {
      const result = await run(directory, namedArgs(file, [...names]));
      for (const name of names) {
        const catcher: Catcher = { by: 'test', file, name };
        assert.ok(content(catcher, result), `${nameOf(catcher)}: ${result.output.slice(-4000)}`);
      }
    }),
  );
});

test('every fault is caught', { concurrency: COPIES }, async (t) => {
  assert.ok(CORE.length >= 25 && GUARD_MUTANTS.length >= 25, 'as many as promised');
  await each(ALL, (directory, mutant) =>
    t.test(`${mutant.file}: ${mutant.breaks}; caught by ${nameOf(mutant.catcher)}`, async () => {
      const result = await mutated(directory, mutant);
      assert.ok(caught(mutant.catcher, result), `not caught: ${result.output.slice(-4000)}`);
    }),
  );
});
