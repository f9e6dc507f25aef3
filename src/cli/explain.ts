/** `portcullis explain`: why this host is not master, and what would happen if something failed now. */
import { type Command, Option } from 'commander';
import { type Forecast, forecast, isOfThisCore, type Present, present } from '../ahead/explain.ts';
import { PARTS, parseWhatIf } from '../ahead/what-if.ts';
import type { Hindrance } from '../core/index.ts';
import type { StateReport } from '../daemon/state-report.ts';
import { OperatorError } from '../trust/errors.ts';
import { columns } from './columns.ts';
import { getState } from './control-client.ts';
import { examples } from './help.ts';
import type { CommandIo } from './io.ts';
import { CONFIG_OPTION, type ConfigOption, settingsOf } from './settings.ts';

interface ExplainOptions extends ConfigOption {
  readonly service?: string;
  readonly if?: readonly string[];
  readonly json?: true;
}

/** What `--json` prints. */
export interface Explanation {
  readonly schema: 1;
  readonly services: readonly (Present & {
    readonly together: readonly string[];
    readonly forecasts: readonly Forecast[];
  })[];
}

const EXIT_USAGE = 2;
/** What goes round and round is told once or twice; all of it is in the document. */
const LINES_MAX = 30;

/** Adds `explain` to the program. Throws OperatorError: no daemon, one of another version, an `--if` that names nobody. */
export function registerExplain(program: Command, io: CommandIo): void {
  const command = program
    .command('explain')
    .description('say why this host is not master, and what would happen if something failed now')
    .option(...CONFIG_OPTION)
    .option('--service <name>', 'only this service; otherwise all')
    .addOption(
      new Option(
        '--if <what...>',
        `run the state machine ahead from now: HOST or HOST.PART fails (${PARTS.join(', ')}; this: this host), or witness, next-hop, or the order handover or stop; a PART alone is the master’s`,
      ),
    )
    .option('--json', 'print it as one JSON document (spec/control.md)')
    .action(async (options: ExplainOptions) => {
      const { control, statusSocket } = settingsOf(options);
      const explanation = explained(await getState(statusSocket ?? control), options);
      if (options.json) io.out(`${JSON.stringify(explanation)}\n`);
      else io.out(explanation.services.map(renderService).join('\n'));
    });
  examples(
    command,
    'explain',
    'explain --if fw1',
    'explain --service firewall --if uplink fw2.daemon witness --json',
  );
}

/** Throws OperatorError: no such service, nothing that can be asked, or a daemon of another version. */
export function explained(report: StateReport, options: Pick<ExplainOptions, 'service' | 'if'>): Explanation {
  const { state, nowMs, groups, names } = report;
  if (report.schema !== 1 || !isOfThisCore(state))
    throw new OperatorError(
      'the daemon’s state is not of this version',
      'restart the daemon: it still runs other software',
    );
  if (options.service !== undefined && !names.includes(options.service))
    throw new OperatorError(
      `no service called ${options.service}`,
      `there are ${names.join(', ')}`,
      EXIT_USAGE,
    );
  const wanted = groups.filter((group) => options.service === undefined || group.includes(options.service));
  return {
    schema: 1,
    services: wanted.map((group) => ({
      ...present(state, group[0], nowMs),
      together: group.length > 1 ? group : [],
      forecasts: (options.if ?? []).map((text) => {
        const what = parseWhatIf(text, state, group[0]);
        if (typeof what === 'string')
          throw new OperatorError(what, 'see portcullis explain --help', EXIT_USAGE);
        return forecast(state, group[0], what, nowMs);
      }),
    })),
  };
}

function renderService(service: Explanation['services'][number]): string {
  const { together, host, place, inPlaceMs, master, term, reasons, forecasts } = service;
  const name = together.length > 0 ? together.join(', ') : service.service;
  const served = master === null ? 'nobody serves, as far as it knows' : `${master} serves`;
  const inTerm = term === null ? '' : ` (term ${term.n} of ${term.host})`;
  const lines = [
    `service ${name}: ${served}${inTerm}; ${host} is in ${place}, since ${seconds(inPlaceMs)}`,
    ...(reasons.length === 0
      ? [`  ${host} is master`]
      : [`  ${host} is not master:`, ...reasons.map(reasonLine)]),
    `  ${service.order === 'order: ' ? 'order: nobody else is fit' : service.order}`,
  ];
  for (const one of forecasts) lines.push('', ...renderForecast(one));
  return `${lines.join('\n')}\n`;
}

function reasonLine({ rule, text, untilMs }: Hindrance): string {
  return `    ${rule.padEnd(4)} ${text}${untilMs === null ? '' : ` (${seconds(untilMs)} more)`}`;
}

function renderForecast(one: Forecast): string[] {
  const lines = [`  if ${one.whatIf} now:`];
  const rows = one.timeline.map((line) => {
    const waited = line.waitedMs === null ? '' : `after ${ms(line.waitedMs)}`;
    const what = line.kind === 'alarm' ? `alarm ${line.what}` : `${line.from} -> ${line.to}`;
    const detail =
      line.kind === 'alarm' ? line.detail : `${line.what}${line.detail === '' ? '' : `: ${line.detail}`}`;
    return [`+${ms(line.atMs)}`, line.host, line.row ?? '', what, waited, detail];
  });
  const shown = rows.length === 0 ? ['nothing changes its place'] : columns(rows.slice(0, LINES_MAX));
  const more = rows.length - LINES_MAX;
  if (more > 0)
    shown.push(`and ${more} more, to +${ms(one.timeline.at(-1)?.atMs ?? 0)}; --json has them all`);
  lines.push(...shown.map((line) => `    ${line}`));
  lines.push(`  so ${outcome(one)}`);
  if (one.bound !== null)
    lines.push(
      `    bound for ${one.bound.fault}: at most ${ms(one.bound.worstMs)}, in the middle ${ms(one.bound.medianMs)} (spec/timing.md)`,
    );
  for (const { host, place, reasons } of one.others) {
    if (reasons.length === 0) continue;
    lines.push(`  why not ${host}${place === null ? '' : `, then in ${place}`}:`, ...reasons.map(reasonLine));
  }
  lines.push(`  known of ${one.basis.map(({ host, text }) => `${host}: ${text}`).join('; ')}`);
  return lines;
}

function outcome({ before, after, holder, outageMs, openEnded, ended, simulatedMs }: Forecast): string {
  const cut = ended === 'over' ? '' : ` (looked ${seconds(simulatedMs)} ahead)`;
  if (openEnded && holder !== null) return `${holder} keeps the service, and no client gets through${cut}`;
  if (openEnded) return `nobody serves${before === null ? '' : `, after ${before} did`}${cut}`;
  const gap = outageMs < 0.5 ? 'without a gap' : `after ${ms(outageMs)} without service`;
  if (after === before) return `${after} goes on serving, ${gap}${cut}`;
  return `${after} serves${before === null ? '' : ` in place of ${before}`}, ${gap}${cut}`;
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}

function seconds(value: number): string {
  return value < 1000 ? ms(value) : `${Math.round(value / 100) / 10} s`;
}
