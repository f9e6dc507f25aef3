/**
 * Pages that are followed to the letter by tests: their boxes of commands, each with the machine on which they are typed, and
 * which test types them there.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { PROJECT } from './programs.ts';

/**
 * By test and page: the machines whose boxes it types. `checkout`: this one, in a checkout; `npm`: a place that npm installs to; `bare`:
 * a Debian without our package; `booted`: one under its systemd; `admin`, `fw1` and the like: the cluster's.
 */
export const TYPED: { readonly [test: string]: { readonly [page: string]: string } } = {
  'test/lab/readme.test.ts': { 'README.md': 'admin fw1 fw2 file=rules.v4' },
  'test/vm/readme.ts': { 'README.md': 'admin fw1 fw2 file=rules.v4' },
  'test/lab/guide.test.ts': { 'spec/operations.md': 'admin fw1 fw2 fw3', 'spec/control.md': 'fw1' },
  'test/unit/ceremony.test.ts': { 'keys/README.md': 'admin fw1 fw2 fw3 w file=token' },
  'test/netns/first-run.test.ts': { 'spec/first-run.md': 'fw1', 'spec/uplink.md': 'fw1' },
  'test/package/life.test.ts': { 'spec/installation.md': 'fw1 w bare', 'spec/procedures.md': 'fw1' },
  'test/package/package.test.ts': { 'spec/installation.md': 'npm' },
  'test/vm/system.test.ts': { 'spec/control.md': 'booted' },
  'test/lab/checkout.test.ts': {
    'README.md': 'checkout',
    'spec/installation.md': 'checkout',
    'spec/trying.md': 'checkout',
    'spec/model/README.md': 'checkout',
  },
};

export interface Block {
  /** The heading (of level 2 or 3) that it stands under. */
  readonly heading: string;
  /** The machine, or `file=NAME`: what follows is a file on the admin machine. */
  readonly where: string;
  readonly lines: readonly string[];
}

/** The boxes that begin with `sh` and a machine, in the order of the page. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let heading = '';
  for (const part of page.matchAll(/^###? (.*)$|^```sh (\S+)\n([\s\S]*?)^```$/gm)) {
    const [, title, where, body] = part;
    if (title !== undefined) heading = title.replaceAll("'", '’');
    else if (where !== undefined) blocks.push({ heading, where, lines: (body ?? '').trimEnd().split('\n') });
  }
  return blocks;
}

/** The boxes of that page which this test types; `file`: its `import.meta.filename`. */
export function boxesOf(file: string, page: string): Block[] {
  const test = relative(PROJECT, file)
    .replace(/^dist\//, '')
    .replace(/\.js$/, '.ts');
  const machines = TYPED[test]?.[page]?.split(' ');
  assert.ok(machines !== undefined, `${test} is not said to type ${page}`);
  return blocksOf(readFileSync(join(PROJECT, page), 'utf8')).filter(({ where }) => machines.includes(where));
}

/** What is typed of a line: a remark may follow it. */
export function typedOf(line: string): string {
  return line.split(/ +# /)[0] ?? '';
}

/** Words of a line; single quotes hold blanks or nothing. The pages need no more of the shell's language. */
export function wordsOf(line: string): string[] {
  assert.doesNotMatch(line, /[|;&<>$`"\\*?]/, 'a line that needs a shell');
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}
