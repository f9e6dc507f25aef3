/** What `--help` shows beneath the options: how a command is used, each line one that works. */
import type { Command } from 'commander';

/** Adds examples to a command's help; lines without the program's name. Returns the command. */
export function examples(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText(
    'after',
    `\nExamples:\n${lines.map((line) => `  portcullis ${line}\n`).join('')}`,
  );
}
