/**
 * `portcullis completion bash|zsh`: prints what completes this program's commands in a shell, made from the very tree of commands
 * that carries them out. Nothing is run while completing.
 */
import { Argument, type Command } from 'commander';
import { bashCompletion } from './completion-bash.ts';
import { zshCompletion } from './completion-zsh.ts';
import { examples } from './help.ts';
import type { CommandIo } from './io.ts';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion } as const;

/** Adds `completion` to the program, of whose commands it tells the shell. */
export function registerCompletion(program: Command, io: CommandIo): void {
  examples(
    program.command('completion'),
    'completion bash > /etc/bash_completion.d/portcullis',
    'completion zsh > /usr/local/share/zsh/site-functions/_portcullis',
  )
    .description('print what completes these commands in a shell; the Debian package has it in place')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SHELLS)))
    .action((shell: keyof typeof SHELLS) => io.out(SHELLS[shell](program)));
}
