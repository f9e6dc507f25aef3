/** `portcullis actuator`: the process with the capabilities, in a unit of its own. */
import type { Command } from 'commander';
import { examples } from './help.ts';
import { CONFIG_OPTION, type ConfigOption } from './settings.ts';

/** Adds `actuator` to the program; it runs until it is stopped. Throws OperatorError for what the configuration does not allow. */
export function registerActuator(program: Command): void {
  examples(program.command('actuator'), 'actuator')
    .description(
      'carry out the orders of the daemon that connects to its socket; SIGTERM makes the host harmless',
    )
    .option(...CONFIG_OPTION)
    .action(async ({ config }: ConfigOption) => {
      // Loaded here: no other command needs it. `portcullis` itself starts it without the other commands (portcullis.ts).
      const { runActuator } = await import('../daemon/actuator-process.ts');
      process.exitCode = await runActuator({ file: config, fd: null });
      process.exit();
    });
}
