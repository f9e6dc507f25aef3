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

/** Beneath the help of the program and of every command in it. */
export function endings(program: Command): Command {
  const rows = EXIT_STATUSES.map(([status, words]) => `  ${String(status).padStart(3)}  ${words}\n`).join('');
  return program
    .addHelpText('after', `\nExit status:\n${rows}`)
    .addHelpText('after', '\nManual: portcullis(1), portcullis.toml(5), portcullis-protocol(7)');
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
