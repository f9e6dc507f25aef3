/** Help, examples and exit statuses of every command there is, and what is said while somebody waits. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { EXIT_STATUSES, examplesOf, groups, leaves } from '../../src/cli/help.ts';
import { buildProgram } from '../../src/cli/main.ts';
import { withProgress } from '../../src/cli/progress.ts';
import { PROJECT } from '../programs.ts';
import { portcullis } from './cli-harness.ts';

const program = buildProgram({ out: () => {}, err: () => {}, askSecret: () => null });
const commands = leaves(program);

test('every command has examples, which its help shows', async () => {
  assert.ok(commands.length > 30);
  for (const { words, command } of commands) {
    const name = words.join(' ');
    assert.ok(examplesOf(command).length > 0, `${name} has no example: see src/cli/help.ts`);
    const { status, out } = await portcullis([...words, '--help']);
    assert.equal(status, 0, name);
    for (const line of examplesOf(command)) assert.ok(out.includes(`  portcullis ${line}\n`), name);
    for (const option of command.options)
      assert.notEqual(option.description, '', `${name} ${option.flags} is not explained`);
  }
});

test('help before a command’s name, or within it, shows what --help shows behind it', async () => {
  for (const { words } of [...commands, ...groups(program)]) {
    const { out } = await portcullis([...words, '--help']);
    for (let i = 0; i < words.length; i++) {
      const asked = [...words.slice(0, i), 'help', ...words.slice(i)];
      assert.deepEqual(await portcullis(asked), { status: 0, out, err: '', questions: [] }, asked.join(' '));
    }
  }
  const drain = await portcullis(['help', 'drain', '--config', 'p.toml']);
  assert.match(drain.out, /^Usage: portcullis standby\|drain /, 'another name, and options are passed over');
  const whole = await portcullis(['--help']);
  assert.deepEqual(await portcullis(['help']), whole);
});

test('help of what is no command: an error and a hint, and nothing is carried out', async () => {
  const hint = 'portcullis: hint: --help behind a command says how it is used\n';
  const wrong = [
    [['help', 'frobnicate'], 'frobnicate'],
    [['help', 'key', 'frobnicate'], 'frobnicate'],
    [['key', 'help', 'frobnicate', '--out', 'k'], 'frobnicate'],
    [['help', 'completion', 'bash'], 'completion bash'],
    [['help', 'key', 'generate', 'more'], 'key generate more'],
  ] as const;
  for (const [words, name] of wrong) {
    const { status, out, err } = await portcullis(words);
    assert.deepEqual([status, out], [2, ''], words.join(' '));
    assert.equal(err, `portcullis: error: unknown command '${name}'\n${hint}`);
  }
  assert.match(
    (await portcullis(['help', 'key', 'generat'])).err,
    /'generat'\n\(Did you mean generate\?\)\n/,
  );
  const named = await portcullis(['completion', 'help']);
  assert.match(named.err, /value 'help' is invalid/, 'an argument of that name is one');
});

test('every group has examples, and each is of a command in it, with options that this has', async () => {
  const found = groups(program);
  assert.ok(found.length >= 6);
  for (const { words, command } of found) {
    const name = words.join(' ');
    const lines = examplesOf(command);
    assert.ok(lines.length > 0, `${name} has no example: see src/cli/help.ts`);
    const { status, out } = await portcullis([...words, '--help']);
    assert.equal(status, 0, name);
    for (const line of lines) {
      assert.ok(out.includes(`  portcullis ${line}\n`), name);
      const of = commands.find((leaf) => line.startsWith(`${leaf.words.join(' ')} `));
      assert.ok(of?.words[0] === name, line);
      for (const word of line.split(' ').filter((part) => part.startsWith('--')))
        assert.ok(
          of.command.options.some(({ long }) => long === word),
          `${line}: ${word}`,
        );
    }
  }
});

test('every example is of its command, with options that it has and all that it needs', () => {
  for (const { words, command } of commands)
    for (const line of examplesOf(command)) {
      const typed = line.split(' > ')[0]?.split(' ') ?? [];
      const names = [
        words.join(' '),
        ...command.aliases().map((alias) => [...words.slice(0, -1), alias].join(' ')),
      ];
      assert.ok(
        names.some((name) => line === name || line.startsWith(`${name} `)),
        line,
      );
      const rest = typed.slice(words.length);
      const options = rest.filter((word) => word.startsWith('--'));
      for (const word of options)
        assert.ok(
          command.options.some(({ long }) => long === word),
          `${line}: ${word}`,
        );
      for (const option of command.options.filter(({ mandatory }) => mandatory))
        assert.ok(options.includes(option.long ?? ''), `${line} lacks ${option.long}`);
      const values = command.options.filter(
        (o) => options.includes(o.long ?? '') && (o.required || o.optional),
      );
      const places = rest.length - options.length - values.length;
      const needed = command.registeredArguments.filter(({ required }) => required).length;
      assert.ok(places >= needed, `${line} lacks an argument`);
    }
});

test('the program’s help tells how it can end', async () => {
  const { out } = await portcullis(['--help']);
  for (const [status, words] of EXIT_STATUSES) assert.ok(out.includes(`${status}  ${words}\n`), words);
});

test('progress: on a terminal, from the first tick on, taken back at the end; elsewhere nothing', async (t) => {
  const screen = (isTTY: boolean) => {
    const lines: string[] = [];
    return { isTTY, lines, write: (text: string) => lines.push(text) > 0 };
  };
  const long = (): Promise<number> => new Promise((resolve) => setTimeout(resolve, 120, 7));
  const term = process.env.TERM;
  process.env.TERM = 'dumb';
  const dumb = screen(true);
  await withProgress('waiting', long, dumb, 40);
  assert.deepEqual(dumb.lines, [], 'a terminal that shows orders is given none');
  process.env.TERM = 'xterm';
  t.after(() => {
    if (term === undefined) delete process.env.TERM;
    else process.env.TERM = term;
  });
  const shown = screen(true);
  assert.equal(await withProgress('waiting', long, shown, 40), 7);
  assert.match(shown.lines[0] ?? '', /waiting \(1 s\)$/);
  assert.equal(shown.lines.at(-1), '\r\u001b[K');
  const quick = screen(true);
  await withProgress('waiting', async () => 1, quick, 40);
  assert.deepEqual(quick.lines, []);
  const piped = screen(false);
  await withProgress('waiting', long, piped, 40);
  assert.deepEqual(piped.lines, []);
  const failed = screen(true);
  await assert.rejects(
    withProgress('waiting', () => long().then(() => Promise.reject(new Error('no'))), failed, 40),
    /no/,
  );
  assert.equal(failed.lines.at(-1), '\r\u001b[K');
});

test('whatever an operator is refused says also what to do', () => {
  const lonely = /new OperatorError\(\s*(?:'[^'\n]*'|`[^`]*`),?\s*\)/g;
  assert.match("throw new OperatorError('no');", lonely);
  assert.doesNotMatch("throw new OperatorError('no', 'try again');", lonely);
  const folder = join(PROJECT, 'src/cli');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  for (const file of files)
    assert.deepEqual(readFileSync(join(folder, file), 'utf8').match(lonely) ?? [], [], file);
});
