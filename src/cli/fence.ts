/** `portcullis fence`: makes this host harmless without any daemon; for the service manager after a crash. */
import type { Command } from 'commander';
import { actuatorConfig } from '../daemon/config/actuator-config.ts';
import { loadNamed } from '../daemon/config/read.ts';
import type { Settings } from '../daemon/config/settings.ts';
import { isLocked } from '../daemon/lock.ts';
import type { ActuatorConfig } from '../linux/config.ts';
import { fence } from '../linux/fence.ts';
import { OperatorError } from '../trust/errors.ts';
import { examples } from './help.ts';
import type { CommandIo } from './io.ts';
import { withProgress } from './progress.ts';
import { CONFIG_OPTION, type ConfigOption, settingsOf } from './settings.ts';

export function registerFence(program: Command, io: CommandIo): void {
  examples(program.command('fence'), 'fence')
    .description('make this host harmless at once: gate shut, addresses gone, uplink down')
    .option(...CONFIG_OPTION)
    .option('--json', 'print what was done as JSON')
    .action(async (options: ConfigOption & { json?: true }) => {
      const settings = settingsOf(options);
      if (isLocked(settings.state)) {
        io.err(
          'portcullis: hint: a daemon is running: it will find its service gone, and may serve again; stop it first\n',
        );
      }
      const report = await withProgress('making the host harmless', () => fence(withoutFail(settings)));
      if (options.json) io.out(`${JSON.stringify({ schema: 1, ...report })}\n`);
      else
        for (const { service, step, ok, detail } of report.steps)
          io.err(`${service ?? 'host'}: ${step}: ${ok ? 'done' : 'NOT CONFIRMED'} ${detail}\n`);
      if (!report.ok)
        throw new OperatorError(
          'not everything could be confirmed',
          'see the lines above; is it run as root?',
        );
    });
}

/** Fencing must not fail for a broken roster or key: then the file alone has to do. */
function withoutFail(settings: Settings): ActuatorConfig {
  try {
    return loadNamed(settings).config.actuator;
  } catch {
    return actuatorConfig(settings, []);
  }
}
