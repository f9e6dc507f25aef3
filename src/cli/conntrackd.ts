/** `portcullis conntrackd`: the configuration of the daemon that synchronises connections, made from ours and the roster. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Config } from '../daemon/config/config.ts';
import { conntrackdText } from '../daemon/config/conntrackd.ts';
import { loadConfig } from '../daemon/config/read.ts';
import { replaceFile } from '../daemon/files.ts';
import { OperatorError } from '../trust/errors.ts';
import { examples } from './help.ts';
import type { CommandIo } from './io.ts';
import { CONFIG_OPTION, type ConfigOption } from './settings.ts';

/** The kernel's own default, where it does not say its own (conntrack is not loaded). */
const CONNECTIONS_MAX = 262_144;
const FILE_MODE = 0o644;
const HINT =
  'see [conntrackd] in spec/configuration.md, and `portcullis cluster show` for the members’ addresses';

/** Adds `conntrackd` to the program. Throws OperatorError: not configured, no roster, a file that cannot be written. */
export function registerConntrackd(program: Command, io: CommandIo): void {
  examples(program.command('conntrackd'), 'conntrackd --out /etc/portcullis/conntrackd.conf')
    .description('print the configuration of conntrackd, which keeps connections over a takeover')
    .option(...CONFIG_OPTION)
    .option('--out <file>', 'write it there instead, whole or not at all; as conntrackd.config says')
    .action((options: ConfigOption & { out?: string }) => {
      const text = conntrackdFile(loadConfig(options.config).config);
      if (options.out === undefined) io.out(text);
      else write(options.out, text);
    });
}

/** For this host, by its kernel's limit. Throws OperatorError with why there can be none. */
export function conntrackdFile(config: Config): string {
  const made = conntrackdText(config, connectionsMax());
  if ('text' in made) return made.text;
  throw new OperatorError(`${config.settings.file}: conntrackd: ${made.problem}`, HINT);
}

/** Whether conntrackd reads what it should; null: it does. */
export function conntrackdFinding(config: Config): { message: string; hint: string } | null {
  const { conntrackd, file } = config.settings;
  if (conntrackd === null || !config.isGateway) return null;
  const hint = `portcullis conntrackd --config ${file} --out ${conntrackd.config}, then restart conntrackd`;
  let found: string;
  try {
    found = readFileSync(conntrackd.config, 'utf8');
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    return { message: `${conntrackd.config}: cannot be read (${code})`, hint };
  }
  const made = conntrackdText(config, connectionsMax());
  if ('problem' in made) return { message: `${file}: conntrackd: ${made.problem}`, hint: HINT };
  if (found === made.text) return null;
  return { message: `${conntrackd.config}: not what configuration and roster make of it`, hint };
}

function connectionsMax(): number {
  try {
    const max = Number(readFileSync('/proc/sys/net/netfilter/nf_conntrack_max', 'latin1'));
    return Number.isInteger(max) && max > 0 ? max : CONNECTIONS_MAX;
  } catch {
    return CONNECTIONS_MAX;
  }
}

function write(path: string, text: string): void {
  try {
    replaceFile(path, Buffer.from(text), FILE_MODE);
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new OperatorError(
      `${path}: cannot be written (${code})`,
      'name a file in a directory that is there',
    );
  }
}
