/** `portcullis daemon`: runs in the foreground until stopped. */
import { type Command, Option } from 'commander';
import { LOG_LEVELS, startDaemon } from './daemon-start.ts';
import { examples } from './help.ts';
import { CONFIG_OPTION, type ConfigOption } from './settings.ts';

/** Adds `daemon` to the program; it runs until it is stopped. Throws OperatorError for what the configuration does not allow. */
export function registerDaemon(program: Command): void {
  examples(program.command('daemon'), 'daemon', 'daemon --log-level debug')
    .description('run this host’s part of the cluster; SIGTERM hands over and ends, SIGHUP reloads')
    .option(...CONFIG_OPTION)
    .addOption(new Option('--log-level <level>', 'what is worth a line').choices(LOG_LEVELS).default('info'))
    .action(async (options: ConfigOption & { logLevel: string }) => {
      await startDaemon(options.config, options.logLevel);
    });
}
