/** `portcullis audit`: what the event logs of hosts say, and whether it can be believed. Needs no running daemon. */
import type { Command } from 'commander';
import { OperatorError } from '../trust/errors.ts';
import { membersFrom } from './audit-files.ts';
import { asJournal, printMerged, writeReport } from './audit-report.ts';
import { asJson, asLine, type FilterOptions, filterOf, print } from './audit-show.ts';
import { printCheckpoint, type VerifyOptions, verify } from './audit-verify.ts';
import type { CommandIo } from './io.ts';

const ROSTER = ['--roster <file>', 'the roster, with all its versions'] as const;
const NAMES = [
  '--roster <file>',
  'the roster, for the hosts’ names; without it the beginning of a key’s id stands for its host',
] as const;
const ADMIN = [
  '--admin-key <file>',
  'the public admin key; otherwise the one that the roster names itself',
] as const;
const LOGS = ['<log...>', 'directories of segments (state/log of a host), or segments'] as const;

interface ShowOptions extends FilterOptions {
  readonly roster?: string;
  readonly json?: true;
  readonly follow?: true;
}

export function registerAudit(program: Command, io: CommandIo): void {
  const audit = program.command('audit').description('read and judge the event logs of hosts');
  audit
    .command('verify')
    .description(
      'chains, signatures, keys, and what the logs hold of each other; exit 1 when something fails',
    )
    .argument(...LOGS)
    .requiredOption(...ROSTER)
    .option(...ADMIN)
    .option('--checkpoint <file...>', 'checkpoints that were kept elsewhere')
    .option('--complete', 'the log of every host that has one must be given')
    .option('--json', 'the verdict as JSON')
    .action((logs: string[], options: VerifyOptions) => verify(logs, options, io));
  withFilters(audit.command('show'))
    .description('the entries of logs, as they stand there; `audit verify` says whether they hold')
    .argument(...LOGS)
    .option(...NAMES)
    .option('--json', 'one JSON object a line')
    .option('--follow', 'go on with what is written')
    .action(async (logs: string[], options: ShowOptions) => {
      const members = options.roster === undefined ? null : membersFrom(options.roster, undefined);
      const printer = options.json ? asJson : asLine;
      await print(logs, members, filterOf(options), printer, io, options.follow === true);
    });
  withFilters(audit.command('merge'))
    .description(
      'the entries of several hosts in one order, by what their logs hold of each other, not by clocks',
    )
    .argument(...LOGS)
    .requiredOption(...ROSTER)
    .option(...ADMIN)
    .option('--json', 'one JSON object a line')
    .action(async (logs: string[], options: ShowOptions & VerifyOptions) => {
      const members = membersFrom(options.roster, options.adminKey);
      await printMerged(logs, members, filterOf(options), options.json === true, io);
    });
  audit
    .command('report')
    .description(
      'one page of HTML: who was master when, takeovers, refusals, gaps, and the verdict; exit 1 as verify',
    )
    .argument(...LOGS)
    .requiredOption(...ROSTER)
    .requiredOption('--out <file>', 'the page; it must not be there yet')
    .option(...ADMIN)
    .option('--checkpoint <file...>', 'checkpoints that were kept elsewhere')
    .option('--complete', 'the log of every host that has one must be given')
    .action(async (logs: string[], options: VerifyOptions & { out: string }) => {
      io.err(`${await writeReport(logs, options)}\n`);
    });
  withFilters(audit.command('export'))
    .description('entries for log pipelines: JSON lines, or the journal’s export format')
    .argument(...LOGS)
    .option(...NAMES)
    .option('--format <format>', 'json or journal', 'json')
    .option('--follow', 'go on with what is written')
    .action(async (logs: string[], options: ShowOptions & { format: string }) => {
      if (options.format !== 'json' && options.format !== 'journal')
        throw new OperatorError(`--format: unknown: ${options.format}`, 'json or journal', 2);
      const members = options.roster === undefined ? null : membersFrom(options.roster, undefined);
      const printer = options.format === 'json' ? asJson : asJournal;
      await print(logs, members, filterOf(options), printer, io, options.follow === true);
    });
  audit
    .command('checkpoint')
    .description('the newest checkpoint of a log: short enough for paper, and worth keeping elsewhere')
    .argument('<log>', 'a directory of segments, or a segment')
    .requiredOption(...ROSTER)
    .option(...ADMIN)
    .action((log: string, options: VerifyOptions) => printCheckpoint(log, options, io));
}

function withFilters(command: Command): Command {
  return command
    .option('--kind <kinds>', 'only these kinds, with commas between')
    .option('--service <name>', 'only this service')
    .option('--from <n>', 'from this entry on')
    .option('--to <n>', 'up to this entry')
    .option('--since <time>', 'by the host’s own clock')
    .option('--until <time>', 'by the host’s own clock');
}
