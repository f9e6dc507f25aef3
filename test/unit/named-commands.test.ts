/**
 * No page names what is not there: every `portcullis ...` of the pages, manual pages and units is a command that exists, with
 * options that it has; every `npm run ...` a script, and what it is told a thing that the script knows.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import test from 'node:test';
import type { Command } from 'commander';
import { buildProgram } from '../../src/cli/main.ts';
import { SCENARIOS as LAB } from '../lab/scenarios.ts';
import { nameOf } from '../model/slice.ts';
import { allJobs } from '../model/slices.ts';
import { SCENARIOS as VM } from '../vm/scenarios.ts';
import { readText, root } from './vectors.ts';

const program = buildProgram({ out: () => {}, err: () => {}, askSecret: () => null });

/** The pages: all that is read by people and names commands. */
function pages(): string[] {
  const of = (directory: string, pattern: RegExp): string[] =>
    readdirSync(`${root}/${directory}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => pattern.test(name))
      .map((name) => `${directory}/${name}`);
  const systemd = of('systemd', /^[^/]+$|^debian\/(postinst|postrm|prerm)$/).filter(
    (name) => name !== 'systemd/debian',
  );
  return ['README.md', 'keys/README.md', ...of('spec', /\.(md|[157])$/), ...systemd];
}

/** Lines of boxes, and what stands between backticks or in a manual page in bold; continued lines as one. */
function told(text: string): string[] {
  const plain = text
    .replaceAll(/\\\n\s*/g, ' ')
    .replaceAll('\\-', '-')
    .replaceAll('\\&', '');
  const spans = [...plain.matchAll(/`([^`\n]+)`|\\fB([^\\\n]+)\\fP/g)].map(
    ([, code, bold]) => code ?? bold ?? '',
  );
  // In boxes, in comments, behind a colon or as what a unit runs.
  const boxes = [
    ...plain.matchAll(/^```[^\n]*\n([\s\S]*?)^```|^\.nf\n([\s\S]*?)^\.fi|^(#.*|.*ExecStart.*)$/gm),
  ];
  const lines = boxes
    .flatMap(([, box, manual, comment]) => (box ?? manual ?? comment ?? '').split('\n'))
    .flatMap((line) => [
      ...line.matchAll(
        /^[\s#]*((?:portcullis|npm run) .*)$|(?:: |\/node \S*\/)((?:portcullis(?:\.js)?|npm run) .*)$/g,
      ),
    ]);
  return [...spans, ...lines.map(([, line, run]) => line ?? run ?? '')].map((line) =>
    line.replace(/^portcullis\.js /, 'portcullis '),
  );
}

/** Words up to a remark, a pipe, another command or the end of what is typed. */
function wordsOf(line: string): string[] {
  return (line.split(/ [#|;&]|[;,)…]|\.{3}|\.$/)[0] ?? '').split(/\s+/).filter(Boolean);
}

/** What is wrong with a line that begins with `portcullis`; null: nothing. */
function wrongCommand(words: readonly string[]): string | null {
  let command: Command = program;
  let i = 1;
  for (; command.commands.length > 0 && i < words.length; i++) {
    const word = words[i] ?? '';
    if (word.startsWith('-')) break;
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (next === undefined) return `${words.slice(0, i).join(' ')} has no command ${word}`;
    command = next;
  }
  const known = new Set(
    command
      .createHelp()
      .visibleOptions(command)
      .flatMap(({ long, short }) => [long, short]),
  );
  if (command === program) known.add('--version');
  const missing = words
    .slice(i)
    .find((word) => /^--?[a-z]/.test(word) && !known.has(word.replace(/[=.,:].*$/, '')));
  return missing === undefined ? null : `${words.slice(0, i).join(' ')} has no option ${missing}`;
}

const { scripts: SCRIPTS, version } = JSON.parse(readText('package.json')) as {
  scripts: { [name: string]: string };
  version: string;
};
const JOBS = allJobs();
const BENCHES = [...readText('test/bench/main.ts').matchAll(/^ {2}(\w+): \(\) => import/gm)].map(
  ([, name]) => name ?? '',
);
/** What follows `--` first; a script that is not here takes options alone. */
const KNOWN: { readonly [script: string]: readonly string[] } = {
  lab: ['list', 'all', 'attack', 'offsets', 'beside', 'spread', 'SCENARIO', ...LAB.map(({ name }) => name)],
  vm: ['list', 'all', 'table', 'readme', 'SCENARIO', ...VM.map(({ name }) => name)],
  bench: BENCHES,
  model: JOBS.flatMap((job) => [job.slice.name, nameOf(job)]),
};

function wrongScript(words: readonly string[]): string | null {
  const [script = '', ...rest] = words.slice(2).filter((word) => word !== '-s');
  if (SCRIPTS[script] === undefined) return `there is no script ${script}`;
  const [told, ...more] = rest[0] === '--' ? rest.slice(1) : [];
  if (told === undefined) return null;
  if (!told.startsWith('-') && KNOWN[script]?.includes(told) !== true) return `${script} knows no ${told}`;
  // Scenarios may follow each other.
  const names = KNOWN[script] ?? [];
  const isList = /^(lab|vm)$/.test(script) && [...LAB, ...VM].some(({ name }) => name === told);
  const stray = isList
    ? more.find(
        (word, i) => /^[a-z]/.test(word) && !(more[i - 1] ?? '').startsWith('--') && !names.includes(word),
      )
    : undefined;
  if (stray !== undefined) return `${script} knows no ${stray}`;
  const option = [told, ...more].find(
    (word) => word.startsWith('--') && KNOWN[script] !== undefined && !isOption(script, word),
  );
  return option === undefined ? null : `${script} has no option ${option}`;
}

/** Named as such in any file of that program. */
function isOption(script: string, option: string): boolean {
  const name = option.slice(2);
  return readdirSync(`${root}/test/${script}`)
    .filter((file) => file.endsWith('.ts'))
    .some((file) =>
      new RegExp(`^\\s*'?${name}'?: \\{ type|--${name}\\b`, 'm').test(readText(`test/${script}/${file}`)),
    );
}

/** What stands before that which is signed (spec/protocol.md), and looks like a command. */
const SIGNED = /^portcullis [a-z-]+ \d+$/;

function problems(text: string): string[] {
  const found: string[] = [];
  for (const line of told(text)) {
    const words = wordsOf(line);
    // A word of prose, as in a title: commands are small letters.
    const wrong =
      /^portcullis [a-z-]/.test(line) && !SIGNED.test(line)
        ? wrongCommand(words)
        : /^npm run /.test(line)
          ? wrongScript(words)
          : null;
    if (wrong !== null) found.push(`${line}: ${wrong}`);
  }
  return found;
}

for (const page of pages())
  test(`${page} names only commands, options and scripts that are there`, () => {
    assert.deepEqual(problems(readText(page)), []);
  });

/** Every word of the configuration's format: sections and keys. */
function configWords(schema: unknown, found = new Set<string>()): ReadonlySet<string> {
  if (typeof schema !== 'object' || schema === null) return found;
  for (const [name, value] of Object.entries(schema)) {
    if (name === 'properties') for (const key of Object.keys(value as object)) found.add(key);
    configWords(value, found);
  }
  return found;
}

const CONFIG_WORDS = configWords(JSON.parse(readText('spec/portcullis.schema.json')));

/** Sections, keys with a value, and keys behind their section that the format does not have; `service.` begins places as well. */
function unknownKeys(text: string): string[] {
  const spans = [...text.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  return spans.filter((span) => {
    const [, section] = /^\[\[?([a-z_][a-z_.]*)\]\]?$/.exec(span) ?? [];
    const [, key] = /^([a-z_]+) = /.exec(span) ?? [];
    const [, dotted] =
      /^((?:timing|log|load|metrics|conntrackd|uplink|downlink|firewall|remote)\.(?!(?:md|pml)$)[a-z_]+)$/.exec(
        span,
      ) ?? [];
    const words = (section ?? key ?? dotted ?? '').split('.');
    return words.some((word) => word !== '' && !CONFIG_WORDS.has(word));
  });
}

test('no page names a section or key of the configuration that is not there', () => {
  for (const page of pages().filter((name) => name.endsWith('.md')))
    assert.deepEqual(unknownKeys(readText(page)), [], page);
  assert.deepEqual(
    unknownKeys('`[timing]`, `[nosuch]`, `timing.lease`, `timing.nosuch`, `interval = "1s"`, `uplink.md`'),
    ['[nosuch]', 'timing.nosuch'],
  );
});

test('the package that the README names is this version’s', () => {
  const named = [...readText('README.md').matchAll(/portcullis_([^_]*)_amd64\.deb/g)].map(([, one]) => one);
  assert.ok(named.length >= 2);
  assert.deepEqual(new Set(named), new Set([version]));
});

test('the walk can fail, and finds what it is for', () => {
  const bad = [
    '`portcullis claster show`',
    '`portcullis status --jsonn`',
    '```\nnpm run -s lob\n```',
    '`npm run -s lab -- powr`',
    '`npm run -s lab -- power --strange`',
  ];
  for (const text of bad) assert.equal(problems(text).length, 1, text);
  assert.equal(problems('\\fBportcullis check \\-\\-nothing\\fP').length, 1);
  assert.deepEqual(
    problems('`portcullis cluster add fw1 --role witness`, `npm run -s lab -- power kill9 --runs 5`'),
    [],
  );
  const all = pages().flatMap((page) => told(readText(page)));
  assert.ok(all.filter((line) => line.startsWith('portcullis ')).length > 200);
  assert.ok(all.filter((line) => line.startsWith('npm run ')).length > 40);
});
