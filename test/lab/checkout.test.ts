/** The pages' lines for a checkout: typed as they stand, in a short form, or left to the test that does the same (checkout.ts). */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { needsRoot } from '../netns/netns.ts';
import { boxesOf, typedOf, wordsOf } from '../pages.ts';
import { PROJECT } from '../programs.ts';
import { ELSEWHERE, SHORT } from './checkout.ts';
import { cleanUpOnSignals } from './lab.ts';
import { type Finished, run } from './process.ts';

const PAGES = ['README.md', 'spec/installation.md', 'spec/trying.md', 'spec/model/README.md'];
const LIMIT_MS = 240_000;
const lines = [
  ...new Set(
    PAGES.flatMap((page) => boxesOf(import.meta.filename, page)).flatMap((box) => box.lines.map(typedOf)),
  ),
];
const work = mkdtempSync(join(tmpdir(), 'portcullis-checkout-'));
test.after(() => rmSync(work, { recursive: true, force: true }));
cleanUpOnSignals();

const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { version: string };

/** A line of the demo without what is chance: hosts, figures, blanks, which host is in which state, and whether a handover lost any. */
function fixedPart(line: string): string {
  return line
    .replaceAll(/\bfw\d\b/g, 'HOST')
    .replaceAll(/\d+(\.\d+)?/g, 'N')
    .replaceAll(/(\(off\)|init|decide|backup|handover|SERVICE)(?= {2,})/g, 'STATE')
    .replaceAll(/ +/g, ' ')
    .replace(/(Planned handover back to HOST:).*/, '$1')
    .trim();
}

/** What the README shows of what `npm run demo` prints; `...` stands for others. */
function demoShown(): string[] {
  const readme = readFileSync(join(PROJECT, 'README.md'), 'utf8');
  const [, box = ''] = /^## What the demo shows\n+```\n([\s\S]*?)^```$/m.exec(readme) ?? [];
  return box
    .split('\n')
    .map(fixedPart)
    .filter((line) => line !== '' && line !== '...');
}

/** What must be in what a line prints, by its first words. */
const PRINTS: { readonly [line: string]: (printed: string) => void } = {
  'npm run demo': (printed) => {
    const shown = demoShown();
    assert.ok(shown.length >= 10);
    const lines = new Set(printed.split('\n').map(fixedPart));
    for (const line of shown) assert.ok(lines.has(line), `${line}\n${printed}`);
    assert.doesNotMatch(printed, /WRONG/);
  },
  'node dist/src/cli/portcullis.js --version': (printed) => assert.equal(printed.trim(), version),
  'npm run -s lab -- list': (printed) => assert.match(printed, /^power +\d+ hosts {2}/m),
  'npm run -s lab -- cascade --hosts 7 --json': (printed) =>
    assert.deepEqual((JSON.parse(printed) as { problems: string[] }).problems, []),
  'npm run -s bench -- scale --svg scale.svg': () =>
    assert.match(readFileSync(join(work, 'scale.svg'), 'utf8'), /^<svg /),
  'npm run -s sim -- --seed 7': (printed) =>
    assert.match(printed, /^hash [0-9a-f]+, \d+ steps, 0 violation\(s\)$/m),
  'npm run -s sim -- --list': (printed) =>
    assert.match(printed, /^everybody fails when the announce link dies/m),
  'npm run -s explore': (printed) => assert.match(printed, / 0 violations$/m),
  'npm run -s model -- --list': (printed) => assert.match(printed, /^quorum3\.three: /m),
};

async function type(line: string): Promise<Finished> {
  const words = wordsOf(line).map((word) => (word === 'scale.svg' ? join(work, word) : word));
  // The whole chain that npm starts is in a directory: the project's.
  return run(['env', '-C', PROJECT, ...words], '', LIMIT_MS);
}

for (const line of lines.filter((one) => ELSEWHERE[one] === undefined))
  test(`${line}${SHORT[line] === undefined ? '' : `, as ${SHORT[line]}`}`, {
    skip: needsRoot(),
  }, async () => {
    const { code, stdout, stderr } = await type(SHORT[line] ?? line);
    assert.equal(code, 0, `${stderr}${stdout}`);
    PRINTS[line]?.(stdout);
  });

test('what is shortened or left to another test stands on a page, and that test is there', () => {
  for (const line of [...Object.keys(SHORT), ...Object.keys(ELSEWHERE), ...Object.keys(PRINTS)])
    assert.ok(lines.includes(line), `no page has: ${line}`);
  for (const [line, [where]] of Object.entries(ELSEWHERE)) {
    assert.ok(existsSync(join(PROJECT, where)), `${line}: ${where}`);
    assert.equal(SHORT[line], undefined, line);
  }
  for (const [line, short] of Object.entries(SHORT)) {
    const same = (words: string): string => wordsOf(words).slice(0, 4).join(' ');
    assert.equal(same(short), same(line.includes(' -- ') ? line : `${line} --`), line);
  }
});
