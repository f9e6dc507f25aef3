/** `portcullis fence`: makes this host harmless without any daemon and, if it must be, without a configuration; for the service manager after a crash. */
import type { Command } from 'commander';
import { actuatorConfig } from '../daemon/config/actuator-config.ts';
import { loadNamed } from '../daemon/config/read.ts';
import type { Settings } from '../daemon/config/settings.ts';
import { isLocked } from '../daemon/lock.ts';
import type { ActuatorConfig } from '../linux/config.ts';
import { fence } from '../linux/fence.ts';
import { fenceByKernel } from '../linux/fence-kernel.ts';
import { OperatorError } from '../trust/errors.ts';
import { complain } from './complaint.ts';
import { examples } from './help.ts';
import type { CommandIo } from './io.ts';
import { jsonLine } from './json-line.ts';
import { withProgress } from './progress.ts';
import { CONFIG_OPTION, type ConfigOption, settingsOf } from './settings.ts';

/** Adds `fence` to the program. Throws OperatorError, also where something could not be made harmless. */
export function registerFence(program: Command, io: CommandIo): void {
  examples(program.command('fence'), 'fence')
    .description(
      'make this host harmless at once: gate shut, addresses gone, uplink down; with a broken configuration, by what the kernel holds',
    )
    .option(...CONFIG_OPTION)
    .option('--json', 'print what was done as JSON')
    .action(async (options: ConfigOption & { json?: true }) => {
      const settings = usable(options, io);
      if (settings !== null && isLocked(settings.state)) {
        io.err(
          'portcullis: hint: a daemon is running: it will find its service gone, and may serve again; stop it first\n',
        );
      }
      const report = await withProgress('making the host harmless', () =>
        settings === null ? fenceByKernel() : fence(withoutFail(settings)),
      );
      if (options.json) io.out(jsonLine({ by: settings === null ? 'kernel' : 'configuration', ...report }));
      else
        for (const { service, step, ok, detail } of report.steps)
          io.err(`${service ?? 'host'}: ${step}: ${ok ? 'done' : 'NOT CONFIRMED'} ${detail}\n`);
      if (!report.ok)
        throw new OperatorError(
          'not everything could be confirmed',
          settings === null
            ? 'as root: ip addr del each roving address, ip link set each uplink down; or mend the configuration and fence again'
            : 'see the lines above; is it run as root?',
        );
    });
}

/** The configuration; null, and said why, where it cannot be used: who fences in need cannot mend it first. */
function usable(options: ConfigOption, io: CommandIo): Settings | null {
  try {
    return settingsOf(options);
  } catch (error) {
    complain(error, io.err);
    io.err(
      'portcullis: hint: without it, the gate’s own tables in the kernel tell what to take away; if a daemon still runs, stop it first;\n' +
        'portcullis: hint: rules, the uplink’s driver and programs in place of procedures stay as they are, until it is mended and fenced again\n',
    );
    return null;
  }
}

/** Fencing must not fail for a broken roster or key: then the file alone has to do. */
function withoutFail(settings: Settings): ActuatorConfig {
  try {
    return loadNamed(settings).config.actuator;
  } catch {
    return actuatorConfig(settings, []);
  }
}
