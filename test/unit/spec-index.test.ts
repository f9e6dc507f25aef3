/** Every numbered requirement of spec/protocol.md is named by at least one test, and no test names one that is not there. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ALARMS } from '../../src/core/index.ts';
import { GUARD_MUTANTS } from '../mutation/guard-mutants.ts';
import { readText, root } from './vectors.ts';

/** P1, also as part of `P14 to P18`. A letter before it is another word (`IP4`). */
function named(text: string): Set<string> {
  const found = new Set<string>();
  for (const [, first, last] of text.matchAll(/(?<![\w-])P(\d+)(?: to P(\d+))?(?![\w-])/g))
    for (let n = Number(first); n <= Number(last ?? first); n++) found.add(`P${n}`);
  return found;
}

const spec = readText('spec/protocol.md');
const required = [...spec.matchAll(/^- \*\*(P\d+)\*\*/gm)].map(([, id]) => id ?? '');

/** Titles and comments of tests: where they say what they hold. */
function claims(source: string): string {
  const titles = [...source.matchAll(/\btest\(\s*(['"`])(.*?)\1,/gs)].map(([, , title]) => title);
  const comments = source.match(/\/\*\*[\s\S]*?\*\/|\/\/.*/g) ?? [];
  return [...titles, ...comments].join('\n');
}

const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts') && !file.endsWith('spec-index.test.ts'))
  .map((file) => ({ file, ids: named(claims(readText(join('test', file)))) }));

test('requirements are numbered once each', () => {
  assert.equal(new Set(required).size, required.length);
  assert.ok(required.length >= 32);
});

test('each has a test that names it', () => {
  const held = new Set(tests.flatMap(({ ids }) => [...ids]));
  assert.deepEqual(
    required.filter((id) => !held.has(id)),
    [],
  );
});

test('no test names a requirement that is not there', () => {
  for (const { file, ids } of tests)
    for (const id of ids)
      assert.ok(required.includes(id), `${file} names ${id}, which spec/protocol.md does not have`);
});

test('the index can fail: a requirement without test, and a test without requirement, are found', () => {
  assert.deepEqual([...named('P1, P14 to P16; not IP4, P2P or P-3')], ['P1', 'P14', 'P15', 'P16']);
  assert.match(claims("test('P7: x', () => {}); // P8"), /P7[\s\S]*P8/);
  assert.ok(!named(claims('const P9 = 1;')).has('P9'));
});

test('each alarm, of the state machine and of the process, is on a page that says what to do', () => {
  const pages = readText('spec/state-machine.md') + readText('spec/control.md');
  const [, union = ''] = /^export type AnyAlarm =([^;]*);/m.exec(readText('src/daemon/alarms.ts')) ?? [];
  const own = [...union.matchAll(/'([a-z-]+)'/g)].map(([, code]) => code ?? '');
  assert.ok(own.length >= 12);
  const told = (code: string): boolean => pages.includes(`| ${code} | `) || pages.includes(`\`${code}\` (`);
  assert.deepEqual(
    [...ALARMS, ...own].filter((code) => !told(code)),
    [],
  );
  assert.equal(told('nobody-knows'), false);
});

const threats = readText('spec/threats.md');
/** The table of findings: id and the cell that says what fails without the answer. */
const findings = [...threats.matchAll(/^\| ([SHM]\d+) \|.*\| ([^|]*) \|$/gm)].map(([, id, without]) => ({
  id: id ?? '',
  without: without ?? '',
}));

test('spec/threats.md: every finding is answered, by rules that exist, and has a fault or a test that shows it', () => {
  assert.ok(findings.length >= 17);
  for (const id of named(threats)) assert.ok(required.includes(id), `${id} is not in spec/protocol.md`);
  const rules = readText('spec/state-machine.md');
  for (const [id] of threats.matchAll(/\bR\d+\b/g))
    assert.match(rules, new RegExp(`^- \\*\\*${id}\\b`, 'm'), `${id} is not in spec/state-machine.md`);
  for (const { id, without } of findings) {
    const files = without.replace(/(lab|model): .*/, '').match(/[\w/-]+/g) ?? [];
    assert.ok(files.length > 0, id);
    for (const file of files) {
      const path = file.includes('/') ? file : `unit/${file}`;
      assert.ok(
        tests.some((t) => t.file === `${path}.test.ts`),
        `${id}: there is no test/${path}.test.ts`,
      );
    }
  }
});

test('every fault beside the core names a finding', () => {
  const ids = new Set(findings.map(({ id }) => id));
  for (const { finding, breaks } of GUARD_MUTANTS) assert.ok(ids.has(finding), `${finding}: ${breaks}`);
});
