/** `portcullis daemon`: runs in the foreground until stopped. */
import type { Command } from 'commander';
import { createLog } from '../daemon/log.ts';
import { runDaemon } from '../daemon/run.ts';
import { OperatorError } from '../trust/errors.ts';
import { CONFIG_OPTION, type ConfigOption, settingsOf } from './settings.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'];

export function registerDaemon(program: Command): void {
  program
    .command('daemon')
    .description('run this host’s part of the cluster; SIGTERM hands over and ends, SIGHUP reloads')
    .option(...CONFIG_OPTION)
    .option('--log-level <level>', LEVELS.join(', '), 'info')
    .action(async (options: ConfigOption & { logLevel: string }) => {
      if (!LEVELS.includes(options.logLevel)) {
        throw new OperatorError(
          `--log-level: unknown: ${options.logLevel}`,
          `one of ${LEVELS.join(', ')}`,
          2,
        );
      }
      const { log, flush } = createLog(settingsOf(options).host, options.logLevel);
      try {
        process.exitCode = await runDaemon(options.config, log);
      } finally {
        await flush();
      }
      // Whatever a library still holds open must not keep a stopped daemon alive.
      process.exit();
    });
}
