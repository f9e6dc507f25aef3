/** `portcullis check`: everything that would make a takeover fail, found before it is needed. Changes nothing. */
import type { Command } from 'commander';
import { printable } from '../audit/words.ts';
import { actuatorConfig } from '../daemon/config/actuator-config.ts';
import { type BoundRow, boundRows } from '../daemon/config/bounds.ts';
import { remarks } from '../daemon/config/config.ts';
import { preparesEarly } from '../daemon/config/groups.ts';
import { ConfigError, describeProblem } from '../daemon/config/problems.ts';
import { loadNamed } from '../daemon/config/read.ts';
import { readSettings } from '../daemon/config/read-settings.ts';
import { MAX_FILE_BYTES, type Settings } from '../daemon/config/settings.ts';
import { unpunctual } from '../daemon/jitter.ts';
import { readWhole } from '../daemon/safe-files.ts';
import { findUser } from '../daemon/user.ts';
import { inspect } from '../linux/inspect.ts';
import { OperatorError } from '../trust/errors.ts';
import { inspectFiles } from './check-files.ts';
import { FILL_IN } from './config-draft.ts';
import { conntrackdFinding } from './conntrackd.ts';
import { examples } from './help.ts';
import type { CommandIo } from './io.ts';
import { jsonLine } from './json-line.ts';
import { withProgress } from './progress.ts';
import { CONFIG_OPTION, type ConfigOption } from './settings.ts';

/** One thing found. `error` makes `check` end with 1. */
export interface CheckFinding {
  readonly level: 'error' | 'warning';
  readonly message: string;
  readonly hint: string;
}

/** All findings for that file, errors first. `inspectHost`: looks at this host; tests hand in their own. */
export async function findings(file: string, inspectHost: typeof inspect = inspect): Promise<CheckFinding[]> {
  const found: CheckFinding[] = [...inspectRuntime()];
  let settings: Settings;
  try {
    settings = readSettings(file);
  } catch (error) {
    return sorted([...found, ...findingsOf(error), ...leftOpen(file)]);
  }
  const { user } = settings;
  if (user !== null && findUser(user) === null) {
    const hint = `make that user, as in: useradd --system --shell /usr/sbin/nologin ${user}`;
    found.push({ level: 'error', message: `${file}: user names nobody: "${user}"`, hint });
  }
  found.push(...inspectFiles(settings));
  // A host that has no key or roster yet is told all the rest in the same run.
  let actuator = actuatorConfig(settings, []);
  try {
    const { config, notes } = loadNamed(settings);
    ({ actuator } = config);
    found.push(...notes.map((message) => ({ level: 'warning' as const, message, hint: '' })));
    for (const { fails, text, hint } of remarks(config))
      found.push({ level: fails ? 'error' : 'warning', message: `${file}: ${text}`, hint });
    const unsynced = conntrackdFinding(config);
    if (unsynced !== null) found.push({ level: 'error', ...unsynced });
  } catch (error) {
    found.push(...findingsOf(error));
    if (settings.services.some(({ isBare }) => isBare)) actuator = { ...actuator, services: [] };
  }
  for (const { level, message, hint } of await inspectHost(actuator)) found.push({ level, message, hint });
  const late = await unpunctual(settings.timing);
  if (late !== null) found.push({ level: 'warning', ...late });
  return sorted(found);
}

function sorted(found: readonly CheckFinding[]): CheckFinding[] {
  return [...found].sort((a, b) => a.level.localeCompare(b.level));
}

/** A file that a first set-up has not come to yet. */
const BRINGS: { readonly [key: string]: string } = {
  key: 'made by: portcullis key generate --out FILE',
  admin: 'brought by the bundle: portcullis host join BUNDLE',
  roster: 'brought by the bundle: portcullis host join BUNDLE',
};

function findingsOf(error: unknown): CheckFinding[] {
  if (error instanceof ConfigError)
    return error.problems.map((problem) => ({
      level: 'error',
      message: describeProblem(problem),
      hint: problem.what.includes('no such file') ? (BRINGS[problem.key] ?? problem.remedy) : problem.remedy,
    }));
  if (error instanceof OperatorError)
    return [{ level: 'error', message: error.message, hint: error.hint ?? '' }];
  throw error;
}

/** The lines of a written configuration that an operator has not filled in yet. */
function leftOpen(file: string): CheckFinding[] {
  let lines: string[];
  try {
    lines = readWhole(file, MAX_FILE_BYTES).toString('utf8').split('\n');
  } catch {
    return [];
  }
  return lines.flatMap((line, i) => {
    const why = line.startsWith('#') ? line.split(`${FILL_IN}:`)[1]?.trim() : undefined;
    const key = /^#\s*([a-z0-9_]+)\s*=/.exec(line)?.[1];
    if (why === undefined || key === undefined) return [];
    const hint = `write it without the # before it: ${why}`;
    return [{ level: 'error' as const, message: `${file}:${i + 1}: ${key} is still to be filled in`, hint }];
  });
}

/** The Node that the package asks for. */
const NODE_MIN = [20, 19] as const;

/** Node older than the package asks for, as an error; `version` as `process.versions.node` has it. */
export function inspectRuntime(version = process.versions.node): CheckFinding[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return [];
  return [
    {
      level: 'error',
      message: `Node ${version} is too old: ${NODE_MIN.join('.')} or newer is needed`,
      hint: 'install a newer nodejs (Debian trixie has one)',
    },
  ];
}

/** Adds `check` to the program. Throws OperatorError where an error is among the findings. */
export function registerCheck(program: Command, io: CommandIo): void {
  examples(program.command('check'), 'check')
    .description('check configuration, keys, roster and this host; change nothing')
    .option(...CONFIG_OPTION)
    .option('--json', 'print the findings as JSON')
    .action(async (options: ConfigOption & { json?: true }) => {
      const found = await withProgress('looking at this host', () => findings(options.config));
      const errors = found.filter((finding) => finding.level === 'error').length;
      const bounds = errors === 0 ? outages(options.config) : [];
      if (options.json) {
        io.out(jsonLine({ ok: errors === 0, findings: found, bounds }));
      } else {
        for (const finding of found) tell(io, finding);
        for (const { service, rows } of bounds) io.out(boundsText(service, rows));
      }
      if (errors > 0)
        throw new OperatorError(
          `${options.config}: ${errors} thing(s) to mend`,
          'each stands above, with its remedy',
        );
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
    rows: boundRows(settings.timing, {
      ...service,
      preparesEarly: preparesEarly(service, settings.services),
    }),
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

/** On standard error, as all words. */
export function tell(io: CommandIo, { level, message, hint }: CheckFinding): void {
  io.err(`portcullis: ${level}: ${printable(message)}\n`);
  if (hint !== '') io.err(`portcullis: hint: ${printable(hint)}\n`);
}
