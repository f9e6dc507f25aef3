/** Holds what commands print with `--json` to the table in spec/control.md. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../programs.ts';

const TITLE = '## What the other commands print';

/** Asserts that `line` is one document with the keys of the row that begins with `command`, and with no others. */
export function assertDocumented(command: string, line: string): void {
  const page = readFileSync(join(PROJECT, 'spec/control.md'), 'utf8').split(TITLE)[1] ?? '';
  const row = page.split('\n').find((text) => text.startsWith(`| \`${command}\``));
  assert.ok(row, `no row for ${command}`);
  // What stands in brackets is of a key's own value.
  const keys = (row.split(' | ')[1] ?? '').split('. ')[0]?.replaceAll(/\([^)]*\)/g, '');
  const wanted = [...(keys ?? '').matchAll(/`(\w+)`/g)].map(([, key]) => key ?? '');
  assert.ok(wanted.length > 0);
  assert.match(line, /^\{.*\}\n$/, 'one line');
  const printed = JSON.parse(line) as { readonly schema: number };
  assert.equal(printed.schema, 1);
  assert.deepEqual(Object.keys(printed).sort(), ['schema', ...wanted].sort(), command);
}
