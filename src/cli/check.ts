/** `portcullis check`: everything that would make a takeover fail, found before it is needed. Changes nothing. */
import type { Command } from 'commander';
import { type BoundRow, boundRows } from '../daemon/config/bounds.ts';
import { remarks } from '../daemon/config/config.ts';
import { ConfigError, describeProblem } from '../daemon/config/problems.ts';
import { type Loaded, loadConfig } from '../daemon/config/read.ts';
import { readSettings } from '../daemon/config/read-settings.ts';
import { findUser } from '../daemon/user.ts';
import { inspect } from '../linux/inspect.ts';
import { OperatorError } from '../trust/errors.ts';
import { conntrackdFinding } from './conntrackd.ts';
import type { CommandIo } from './io.ts';
import { CONFIG_OPTION, type ConfigOption } from './settings.ts';

/** One thing found. `error` makes `check` end with 1. */
export interface CheckFinding {
  readonly level: 'error' | 'warning';
  readonly message: string;
  readonly hint: string;
}

/** All findings for that file, errors first. `inspectHost`: looks at this host; tests hand in their own. */
export async function findings(file: string, inspectHost: typeof inspect = inspect): Promise<CheckFinding[]> {
  let loaded: Loaded;
  try {
    loaded = loadConfig(file);
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.problems.map((problem) => ({
        level: 'error',
        message: describeProblem(problem),
        hint: problem.remedy,
      }));
    }
    if (error instanceof OperatorError)
      return [{ level: 'error', message: error.message, hint: error.hint ?? '' }];
    throw error;
  }
  const found: CheckFinding[] = loaded.notes.map((message) => ({ level: 'warning', message, hint: '' }));
  for (const { fails, text, hint } of remarks(loaded.config)) {
    found.push({ level: fails ? 'error' : 'warning', message: `${file}: ${text}`, hint });
  }
  const { user } = loaded.config.settings;
  if (user !== null && findUser(user) === null) {
    const hint = `make that user, as in: useradd --system --shell /usr/sbin/nologin ${user}`;
    found.push({ level: 'error', message: `${file}: user names nobody: "${user}"`, hint });
  }
  const unsynced = conntrackdFinding(loaded.config);
  if (unsynced !== null) found.push({ level: 'error', ...unsynced });
  for (const { level, message, hint } of await inspectHost(loaded.config.actuator))
    found.push({ level, message, hint });
  return found.sort((a, b) => a.level.localeCompare(b.level));
}

export function registerCheck(program: Command, io: CommandIo): void {
  program
    .command('check')
    .description('check configuration, keys, roster and this host; change nothing')
    .option(...CONFIG_OPTION)
    .option('--json', 'print the findings as JSON')
    .action(async (options: ConfigOption & { json?: true }) => {
      const found = await findings(options.config);
      const errors = found.filter((finding) => finding.level === 'error').length;
      const bounds = errors === 0 ? outages(options.config) : [];
      if (options.json) {
        io.out(`${JSON.stringify({ schema: 1, ok: errors === 0, findings: found, bounds })}\n`);
      } else {
        for (const finding of found) tell(io, finding);
        for (const { service, rows } of bounds) io.out(boundsText(service, rows));
      }
      if (errors > 0) throw new OperatorError(`${options.config}: ${errors} thing(s) to mend`);
      io.err(`${options.config}: sound\n`);
    });
}

interface ServiceBounds {
  readonly service: string;
  readonly rows: readonly BoundRow[];
}

/** How long nobody serves after each kind of fault, by spec/timing.md. */
function outages(file: string): ServiceBounds[] {
  const settings = readSettings(file);
  return settings.services.map((service) => ({
    service: `${service.gateway.name} (${service.policy})`,
    rows: boundRows(settings.timing, service),
  }));
}

function boundsText(service: string, rows: readonly BoundRow[]): string {
  const heads = ['at most', 'median', 'any clock'];
  const line = (name: string, cells: readonly string[]): string =>
    `  ${name.padEnd(18)}${cells.map((cell) => cell.padStart(10)).join('')}\n`;
  const body = rows.map(({ fault, worstMs, medianMs, anyClockMs }) =>
    line(fault, [worstMs, medianMs, anyClockMs].map(String)),
  );
  return `service ${service}: milliseconds without service (spec/timing.md)\n${line('', heads)}${body.join('')}`;
}

function tell(io: CommandIo, { level, message, hint }: CheckFinding): void {
  io.err(`portcullis: ${level}: ${message}\n`);
  if (hint !== '') io.err(`portcullis: hint: ${hint}\n`);
}
