/** `portcullis status`: who serves, who stands by, what is wrong. */
import type { Command } from 'commander';
import { getStatus } from './control-client.ts';
import { examples } from './help.ts';
import { type CommandIo, outputGone } from './io.ts';
import { CONFIG_OPTION, type ConfigOption, settingsOf } from './settings.ts';
import { renderStatus } from './status-text.ts';
import { WATCH_MS, watch } from './watch.ts';

/** Adds `status` to the program. Throws OperatorError: a configuration that cannot be read, no daemon. */
export function registerStatus(program: Command, io: CommandIo): void {
  const command = program
    .command('status')
    .description('show what this host knows of the cluster')
    .option(...CONFIG_OPTION)
    .option('--watch', 'live, until q; where the output is no terminal: again and again, until interrupted')
    .option('--json', 'print the status document (spec/status.schema.json), one line each time')
    .action(async (options: ConfigOption & { watch?: true; json?: true }) => {
      const { control, statusSocket } = settingsOf(options);
      const socket = statusSocket ?? control;
      if (options.watch && !options.json && io.screen !== undefined) return watch(socket, io.screen.style);
      do {
        const status = await getStatus(socket);
        if (options.json) io.out(`${JSON.stringify(status)}\n`);
        else io.out(`${renderStatus(status, io.screen?.style)}${options.watch ? '\n' : ''}`);
        if (options.watch) await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
      } while (options.watch && !outputGone());
    });
  examples(command, 'status', 'status --watch', 'status --json --config /etc/portcullis/portcullis.toml');
}
