/** What CI prints last of tests that failed: whoever sees only the end sees which they were, and why. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { PROJECT } from '../programs.ts';

const { NODE_TEST_CONTEXT: _, ...env } = process.env;

/** The lines that are printed of these test files, each the text of one, run as CI runs them. */
function toldOf(...texts: readonly string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-failures-'));
  const node = (program: string, ...args: string[]) =>
    spawnSync(process.execPath, [join(PROJECT, '.ci', program), ...args], {
      cwd: directory,
      env,
      encoding: 'utf8',
    });
  try {
    const files = texts.map((text, i) => {
      const name = `made-${i}.test.mjs`;
      writeFileSync(
        join(directory, name),
        `import assert from 'node:assert/strict';\nimport { describe, it, test } from 'node:test';\n${text}`,
      );
      return name;
    });
    const { status } = node('run-tests.js', 'report.tap', '2', ...files);
    const {
      stdout,
      stderr,
      status: told,
    } = node('failures.js', 'report.tap.failures', 'there-is-none.failures');
    assert.equal(told, 0, stderr);
    assert.equal(status === 0, stdout === '', 'what failed is told, and nothing else');
    return stdout.split('\n').slice(0, -1);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test('nothing is printed when all tests passed, or were to do', () => {
  assert.deepEqual(
    toldOf("test('fine', () => {}); test('later', { todo: true }, () => { throw new Error('not yet'); });"),
    [],
  );
});

test('a failed test is told with its file, its suites and its error; the suites are not told beside it', () => {
  const lines = toldOf(
    "describe('outer', () => { describe('inner', () => { it('fine', () => {}); it('differs', () => assert.deepEqual({ a: 1 }, { a: 2 })); }); });",
    "test('parent', (t) => { t.test('left alone', () => new Promise((done) => setTimeout(done, 60_000).unref())); });",
    "test('fine', () => {}); console.error('the disk is full'); test('ends', () => process.exit(3));",
    "import './missing.mjs';",
  );
  const all = lines.join('\n');
  assert.equal(lines[0], '4 failed:');
  const told = lines.filter((line) => line.startsWith('made-'));
  assert.deepEqual(told, [
    'made-0.test.mjs: outer > inner > differs',
    'made-1.test.mjs: parent > left alone',
    'made-2.test.mjs: the file itself',
    'made-3.test.mjs: the file itself',
  ]);
  assert.match(all, /^ {2}\+ +a: 1\n {2}- +a: 2$/m, 'the difference');
  assert.match(all, /^ {6}at .*made-0\.test\.mjs:3:\d+/m, 'the stack');
  assert.match(all, /did not finish before its parent/);
  assert.match(all, /it ended with status 3\n.*\n {2}the disk is full/);
  assert.match(all, /Cannot find module .*missing\.mjs/);
});

test('an error longer than its room keeps the beginning of its message and of its stack; lines are cut', () => {
  const lines = toldOf(
    "test('long', () => { throw new Error('x'.repeat(1000) + '\\n' + 'line\\n'.repeat(100) + 'end'); });",
  );
  assert.equal(lines.length, 3 + 30);
  assert.ok(lines.every((line) => line.length <= 400));
  assert.match(
    lines.join('\n'),
    /\.\.\.\n(?: {2}line\n)+ {2}\.\.\. 78 lines more\n(?: {6}at .*\n){4} {6}at /,
  );
});

test('of very many the last hundred lines still name each, as far as they go', () => {
  const failing = (count: number): string[] =>
    toldOf(
      `for (let i = 0; i < ${count}; i++) test('number ' + i, () => { throw new Error('reason ' + i); });`,
    );
  const some = failing(60);
  assert.ok(some.length <= 200, `${some.length}`);
  for (let i = 0; i < 60; i++)
    assert.ok(
      some.slice(-95).some((line) => line.endsWith(`: number ${i}: Error: reason ${i}`)),
      `${i}`,
    );
  const many = failing(300);
  assert.ok(many.length <= 200, `${many.length}`);
  assert.equal(many.at(-1), '... 207 failed tests more');
});
