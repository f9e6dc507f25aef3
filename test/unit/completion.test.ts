/** Completion in real shells: every command and every option of the tree, values by their kind. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { leaves } from '../../src/cli/help.ts';
import { buildProgram } from '../../src/cli/main.ts';
import { must, portcullis } from './cli-harness.ts';
import { temporaryDir } from './cluster-files.ts';
import { typedWords } from './shell-session.ts';

const program = buildProgram({ out: () => {}, err: () => {}, askSecret: () => null });
const missing = (shell: string): string | false =>
  spawnSync(shell, ['--version']).error !== undefined ? `needs ${shell}` : false;

/** What bash offers, each time the last word being completed; one bash for all. */
function bashReplies(script: string, directory: string, lines: readonly (readonly string[])[]): string[][] {
  const quoted = (word: string): string => `'${word}'`;
  const asks = lines.map(
    (words) =>
      `COMP_WORDS=(portcullis ${words.map(quoted).join(' ')}); COMP_CWORD=${words.length}; _portcullis; echo "\${COMPREPLY[*]}"`,
  );
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '--noprofile', '-u'], {
    cwd: directory,
    input: `${script}\n${asks.join('\n')}\n`,
    encoding: 'utf8',
  });
  assert.deepEqual([status, stderr], [0, '']);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(' ').filter((word) => word !== ''));
}

test('bash: every command and option is offered where it belongs, and no other', {
  skip: missing('bash'),
}, async (t) => {
  const script = await must(['completion', 'bash']);
  const commands = leaves(program);
  const asked = commands.flatMap(({ words }) => [
    [...words.slice(0, -1), words.at(-1)?.slice(0, -1) ?? ''],
    [...words, '-'],
  ]);
  const replies = bashReplies(script, temporaryDir(t), asked);
  commands.forEach(({ words, command }, i) => {
    assert.ok(replies[2 * i]?.includes(words.at(-1) ?? ''), words.join(' '));
    const options = command.options
      .flatMap(({ short, long }) => [short, long])
      .filter((flag) => flag !== undefined);
    assert.deepEqual(
      replies[2 * i + 1]?.toSorted(),
      [...options, '-h', '--help'].toSorted(),
      words.join(' '),
    );
  });
});

test('bash: values by their kind: files, words, devices, nothing', { skip: missing('bash') }, async (t) => {
  const directory = temporaryDir(t);
  for (const name of ['roster.cose', 'fw1.key', 'a b']) writeFileSync(join(directory, name), '');
  mkdirSync(join(directory, 'logs'));
  const cases: readonly (readonly [string[], string[]])[] = [
    [['key', 'show', 'fw'], ['fw1.key']],
    [['status', '--config', 'ros'], ['roster.cose']],
    [['status', '--config', '=', 'ros'], ['roster.cose']],
    [['audit', 'verify', 'x', 'lo'], ['logs']],
    [
      ['audit', 'export', 'logs', '--format', ''],
      ['json', 'journal'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh'],
    ],
    [['completion', 'bash', ''], []],
    [['cluster', 'add', 'fw1', '--role', 'w'], ['witness']],
    [['cluster', 'add', 'fw1', '--address', '10.0.0.1', ':', ''], []],
    [['cluster', 'add', 'fw1', '--address', '10.0.0.1', ':', '7946', '--pri'], ['--priority']],
    [['uplink', 'plan', 'l'], ['lo']],
    [['handover', '--to', ''], []],
    [['dra'], ['drain']],
    [['nonsense', ''], []],
  ];
  const replies = bashReplies(
    await must(['completion', 'bash']),
    directory,
    cases.map(([words]) => words),
  );
  cases.forEach(([words, wanted], i) => {
    // What is offered at the top level after a word that is none is no matter of values.
    if (words[0] !== 'nonsense') assert.deepEqual(replies[i], wanted, words.join(' '));
  });
});

const LINES = [
  'portcullis clu\tbun\tfw1 --ros\tro\t',
  'portcullis audit exp\tlogs --for\tjou\t',
  'portcullis uplink pl\tlo --js\t',
];
const WORDS = [
  ['cluster', 'bundle', 'fw1', '--roster', 'roster.cose'],
  ['audit', 'export', 'logs', '--format', 'journal'],
  ['uplink', 'plan', 'lo', '--json'],
];

for (const [shell, words, setUp] of [
  ['bash', ['bash', '--norc', '--noprofile', '-i'], ['bind "set bell-style none"', '. ./made']],
  ['zsh', ['zsh', '-f', '-i'], ['autoload -U compinit && compinit -u -D', 'unsetopt beep', '. ./made']],
] as const)
  test(`${shell}: typed on a terminal, with Tab`, { skip: missing(shell) }, async (t) => {
    const directory = temporaryDir(t);
    writeFileSync(join(directory, 'made'), await must(['completion', shell]));
    writeFileSync(join(directory, 'roster.cose'), '');
    mkdirSync(join(directory, 'logs'));
    assert.deepEqual(await typedWords(words, [`cd ${directory}`, ...setUp], LINES), WORDS);
  });

test('another shell is wrong usage, and told which there are', async () => {
  const { status, err } = await portcullis(['completion', 'fish']);
  assert.equal(status, 2);
  assert.match(err, /bash, zsh/);
});
