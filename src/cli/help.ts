/**
 * What `--help` shows beneath the options: how a command is used, each line one that works, and how it can end. Manual and
 * completion are made from the same (test/man, completion.ts).
 */
import type { Command } from 'commander';

/** How every command ends; those that can end otherwise say so themselves. */
export const EXIT_STATUSES: readonly (readonly [number, string])[] = [
  [0, 'done'],
  [1, 'refused or failed; standard error says what and, after "hint:", what to do'],
  [2, 'wrong usage'],
  [70, 'daemon alone: a fault of this program; the host was made harmless'],
  [75, 'daemon alone: the next run can go on where this one could not'],
  [76, 'actuator alone: the daemon said what is no order; the host was made harmless'],
  [130, 'interrupted (Ctrl-C); no file is left half-written'],
];

const LINES = new WeakMap<Command, readonly string[]>();

/** Adds examples to a command's help; lines without the program's name. Returns the command. */
export function examples(command: Command, ...lines: readonly string[]): Command {
  LINES.set(command, lines);
  return command.addHelpText(
    'after',
    `\nExamples:\n${lines.map((line) => `  portcullis ${line}\n`).join('')}`,
  );
}

/** The lines that `examples` was given. */
export function examplesOf(command: Command): readonly string[] {
  return LINES.get(command) ?? [];
}

/** The commands of a tree that have others beneath them, with their words; the program itself is none. */
export function groups(
  program: Command,
  before: readonly string[] = [],
): { words: string[]; command: Command }[] {
  return program.commands.flatMap((command) => {
    if (command.commands.length === 0) return [];
    const words = [...before, command.name()];
    return [{ words, command }, ...groups(command, words)];
  });
}

/** Beneath the help of the program and of every command in it. */
export function endings(program: Command): Command {
  const rows = EXIT_STATUSES.map(([status, words]) => `  ${String(status).padStart(3)}  ${words}\n`).join('');
  return program
    .addHelpText('after', `\nExit status:\n${rows}`)
    .addHelpText('after', '\nManual: portcullis(1), portcullis.toml(5), portcullis-protocol(7)');
}

/**
 * `help [COMMAND...]`, also behind a group's name: shows the help of the command that the words name, however deep (commander's own
 * goes by the first word alone). Returns false for a command line that asks for none; otherwise throws CommanderError, which also
 * ends help that was shown. Options, and what follows them, are no part of a command's name.
 */
export function showHelp(program: Command, args: readonly string[]): boolean {
  const asked = args.findIndex((word, i) => word === 'help' && isGroup(program, args.slice(0, i)));
  if (asked < 0) return false;
  const behind = args.slice(asked + 1);
  const option = behind.findIndex((word) => word.startsWith('-'));
  const words = [...args.slice(0, asked), ...(option < 0 ? behind : behind.slice(0, option))];
  const { command, rest } = find(program, words);
  if (rest.length === 0) command.help();
  // Of a group commander itself says what is unknown, and which name is like it; a command would be carried out.
  if (command.commands.length > 0)
    program.parse(words.slice(0, words.length - rest.length + 1), { from: 'user' });
  return command.error(`error: unknown command '${words.join(' ')}'`);
}

/** A command's own argument may be the word help. */
function isGroup(program: Command, words: readonly string[]): boolean {
  const { command, rest } = find(program, words);
  return rest.length === 0 && command.commands.length > 0;
}

/** How far these words go down the tree, and those that name nothing there. */
function find(program: Command, words: readonly string[]): { command: Command; rest: readonly string[] } {
  const [word, ...others] = words;
  const child = program.commands.find(
    (it) => word !== undefined && [it.name(), ...it.aliases()].includes(word),
  );
  return child === undefined ? { command: program, rest: words } : find(child, others);
}

/** The commands of a tree that do something themselves, with their words; in the order of the help. */
export function leaves(
  program: Command,
  before: readonly string[] = [],
): { words: string[]; command: Command }[] {
  return program.commands.flatMap((command) => {
    const words = [...before, command.name()];
    return command.commands.length > 0 ? leaves(command, words) : [{ words, command }];
  });
}
