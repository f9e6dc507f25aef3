/**
 * Every command in the documents is run by a test: each box of a page that has commands says on which machine they are typed, and a test types
 * the boxes of that machine (test/pages.ts). What stands in the text beside has its command in some box, or in the table below.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { blocksOf, TYPED, typedOf } from '../pages.ts';
import { readText, root } from './vectors.ts';

const PROGRAMS =
  /^(?:portcullis|npm|npx|node|apt|apt-get|dpkg|systemctl|journalctl|curl|cp|mv|rm|install|ssh-keygen|useradd|nft|ip|bash|git|openssl|promtool|modprobe|update-initramfs|systemd-[a-z-]+|iptables[a-z-]*)(?= |$)/;
const GROUPS = new Set(['key', 'cluster', 'host', 'uplink', 'audit', 'import']);
const PAGES = [
  ...['README.md', 'keys/README.md'],
  ...['spec', 'test', 'systemd'].flatMap((directory) =>
    readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${directory}/${name}`),
  ),
];

/** What the text of pages names and no box has: the test that runs it, or whose program it is. */
const BESIDE: { readonly [command: string]: string } = {
  'portcullis daemon': 'test/netns/daemon.test.ts',
  'portcullis conntrackd': 'test/netns/linux-conntrackd.test.ts',
  'node dist/src/daemon/config/print-table.js': 'test/unit/daemon-config.test.ts',
  'node dist/src/daemon/config/print-json-schema.js': 'test/unit/config-json-schema.test.ts',
  'node dist/test/sim/timing.js': 'test/sim/timing.test.ts',
  'node --import': 'test/conformance/conformance.test.ts',
  'node server.js': 'test/netns/library-example.test.ts',
  'apt purge': 'test/package/life.test.ts',
  'systemctl status': 'Debian',
  'systemctl disable': 'Debian',
  'systemctl daemon-reload': 'test/vm/system.ts',
  'modprobe --ignore-install': 'test/vm/vm.test.ts',
  'openssl pkey': 'test/unit/cli-key.test.ts',
  'ssh-keygen -p': 'test/unit/cli-key-ssh.test.ts',
  'nft -j': 'test/netns/check-host.test.ts',
  'update-initramfs -u': 'test/vm/readme.ts',
  'iptables-restore --test': 'test/netns/linux-rules.test.ts',
  'systemd-analyze security': 'test/unit/systemd.test.ts',
  'systemd-journal-remote -o': 'Debian',
};

/** Boxes with commands that say no machine. */
function unmarked(page: string): string[] {
  return [...page.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)]
    .filter(
      ([, mark = '', body = '']) =>
        !/^sh \S+$/.test(mark) && body.split('\n').some((line) => PROGRAMS.test(line)),
    )
    .map(([box]) => box);
}

/** A command line as a command: of ours its words up to the options, of npm the script, of others the program and its first word. */
function commandOf(line: string): string {
  const words = typedOf(line).split(/\s+/);
  const [program = '', first = '', second = '', third = ''] = words;
  if (program === 'portcullis') return words.slice(0, GROUPS.has(first) ? 3 : 2).join(' ');
  if (program === 'npm' && first === 'run') return `npm run -s ${second === '-s' ? third : second}`;
  return `${program} ${first}`;
}

/** What stands between backticks outside of boxes and begins with a program and a word that is no blank of a form. */
function beside(page: string): string[] {
  const text = page.replaceAll(/^```[\s\S]*?^```$/gm, '');
  return (
    [...text.matchAll(/`([^`]+)`/g)]
      .map(([, span = '']) => span.replaceAll('\n', ' '))
      // Not a group of ours alone, nor the words before what is signed (spec/protocol.md).
      .filter((span) => !GROUPS.has(span.replace('portcullis ', '')) && !/^portcullis msg /.test(span))
      .filter((span) => PROGRAMS.test(span) && / [a-z-]/.test(span))
  );
}

const boxes = PAGES.flatMap((page) => blocksOf(readText(page)).map((block) => ({ page, ...block })));

test('every box with commands says on which machine they are typed', () => {
  for (const page of PAGES) assert.deepEqual(unmarked(readText(page)), [], page);
  assert.equal(unmarked('```\nportcullis init\n```\n').length, 1);
  assert.equal(unmarked('```sh fw1\nportcullis init\n```\n').length, 0);
});

test('a test types the boxes of each machine of each page, and no test is said to type what is not there', () => {
  const said = Object.entries(TYPED).flatMap(([by, pages]) =>
    Object.entries(pages).flatMap(([page, machines]) =>
      machines.split(' ').map((where) => ({ by, page, where })),
    ),
  );
  assert.ok(boxes.length > 70);
  for (const { page, where } of boxes)
    assert.ok(
      said.some((one) => one.page === page && one.where === where && one.by.endsWith('.test.ts')),
      `${page}: nobody types what is typed on ${where}`,
    );
  for (const { by, page, where } of said) {
    assert.ok(
      boxes.some((box) => box.page === page && box.where === where),
      `${page} has no box for ${where}, which ${by} types`,
    );
    const source = readText(by);
    assert.match(source, /boxesOf\(import\.meta\.filename, /, by);
    assert.ok(source.includes(`'${page}'`), `${by} does not read ${page}`);
  }
});

test('what the text names has its command in a box that is typed, or is run by a test that is named here', () => {
  const typed = new Set(boxes.flatMap(({ lines }) => lines.map(commandOf)));
  const named = new Set(PAGES.flatMap((page) => beside(readText(page)).map(commandOf)));
  assert.deepEqual(
    [...named].filter((command) => !typed.has(command) && BESIDE[command] === undefined),
    [],
  );
  assert.deepEqual(
    Object.keys(BESIDE).filter((command) => !named.has(command) || typed.has(command)),
    [],
    'not named, or in a box',
  );
  for (const by of Object.values(BESIDE)) assert.ok(by === 'Debian' || existsSync(join(root, by)), by);
});
