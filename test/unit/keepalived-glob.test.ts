/** Names of included files by pattern; none makes the import hang or fall over. */
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { nameMatcher } from '../../src/cli/keepalived/glob.ts';

const CASES: readonly [pattern: string, takes: readonly string[], refuses: readonly string[]][] = [
  ['*.conf', ['a.conf', 'a.b.conf'], ['.conf', '.a.conf', 'a.conf~', 'conf']],
  ['.*', ['.a', '.'], ['a']],
  ['*', ['a', 'é'], ['.a']],
  ['vrrp?[0-9]', ['vrrp-1'], ['vrrp1', 'vrrp-x', 'vrrp-12']],
  ['[!a-c]x', ['dx'], ['ax', 'x']],
  ['[]a]x', [']x', 'ax'], ['bx']],
  ['a[x-]', ['ax', 'a-'], ['ay']],
  ['[z-a]', [], ['z', 'a', 'm']],
  ['a[b', ['a[b'], ['ab']],
  ['*a*b*', ['ab', 'xaxbx', 'aab'], ['ba']],
  ['a.(b)+$^\\{}|', ['a.(b)+$^\\{}|'], ['ab']],
];

for (const [pattern, takes, refuses] of CASES)
  test(`the pattern ${pattern}`, () => {
    const isTaken = nameMatcher(pattern);
    for (const name of takes) assert.ok(isTaken(name), `${pattern} takes ${name}`);
    for (const name of refuses) assert.ok(!isTaken(name), `${pattern} refuses ${name}`);
  });

test('a pattern of many stars is judged at once', () => {
  const began = performance.now();
  assert.ok(!nameMatcher(`${'*a'.repeat(30)}z`)('a'.repeat(200)));
  assert.ok(performance.now() - began < 2000);
});
