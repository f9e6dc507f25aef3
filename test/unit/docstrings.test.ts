/** What these folders export as functions and classes says what it is for, right above it. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { readText, root } from './vectors.ts';

const FOLDERS = ['ahead', 'cli', 'library'];

/** Exported functions and classes without a comment that ends on the line above. */
function bare(source: string): string[] {
  const lines = source.split('\n');
  return lines.filter(
    (line, i) =>
      /^export (default )?(abstract )?(async )?(function|class) /.test(line) &&
      !/\*\/$/.test(lines[i - 1]?.trimEnd() ?? ''),
  );
}

for (const folder of FOLDERS)
  test(`src/${folder}: every exported function and class has a docstring`, () => {
    const files = readdirSync(join(root, 'src', folder), { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.ts'),
    );
    assert.ok(files.length > 0);
    for (const file of files) assert.deepEqual(bare(readText(`src/${folder}/${file}`)), [], file);
  });

test('a function without one is seen', () => {
  assert.deepEqual(
    bare('/** It. */\nexport function a(): void {}\n\nexport async function b() {}\nexport class C {}'),
    ['export async function b() {}', 'export class C {}'],
  );
});
