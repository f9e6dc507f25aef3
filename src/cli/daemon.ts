/** `portcullis daemon`: runs in the foreground until stopped. */
import type { Command } from 'commander';
import { OperatorError } from '../trust/errors.ts';
import { LOG_LEVELS, startDaemon } from './daemon-start.ts';
import { CONFIG_OPTION, type ConfigOption } from './settings.ts';

export function registerDaemon(program: Command): void {
  program
    .command('daemon')
    .description('run this host’s part of the cluster; SIGTERM hands over and ends, SIGHUP reloads')
    .option(...CONFIG_OPTION)
    .option('--log-level <level>', LOG_LEVELS.join(', '), 'info')
    .action(async (options: ConfigOption & { logLevel: string }) => {
      if (!LOG_LEVELS.includes(options.logLevel)) {
        throw new OperatorError(
          `--log-level: unknown: ${options.logLevel}`,
          `one of ${LOG_LEVELS.join(', ')}`,
          2,
        );
      }
      await startDaemon(options.config, options.logLevel);
    });
}
