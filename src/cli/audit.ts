/** `portcullis audit`: what the event logs of hosts say, and whether it can be believed. Needs no running daemon. */
import { type Command, Option } from 'commander';
import { membersFrom } from './audit-files.ts';
import { asJournal, printMerged, writeReport } from './audit-report.ts';
import { asJson, asLine, type FilterOptions, filterOf, print } from './audit-show.ts';
import { printCheckpoint, type VerifyOptions, verify } from './audit-verify.ts';
import { examples } from './help.ts';
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

/** Adds the command group to the program. Commands throw OperatorError, also where a log does not hold. */
export function registerAudit(program: Command, io: CommandIo): void {
  const audit = examples(
    program.command('audit'),
    'audit verify fw1/log fw2/log --roster roster.cose',
    'audit report fw1/log fw2/log --roster roster.cose --out report.html',
    'audit show /var/lib/portcullis/log --kind transition,alarm',
  ).description('read and judge the event logs of hosts');
  examples(
    audit.command('verify'),
    'audit verify fw1/log fw2/log --roster roster.cose --admin-key admin.key.pub',
    'audit verify fw1/log fw2/log --roster roster.cose --checkpoint fw1.checkpoint --complete',
  )
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
  withFilters(
    examples(
      audit.command('show'),
      'audit show /var/lib/portcullis/log --follow --kind transition,voted,alarm',
      'audit show fw1/log --roster roster.cose --since 2026-05-01T00:00:00Z',
    ),
  )
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
  withFilters(examples(audit.command('merge'), 'audit merge fw1/log fw2/log --roster roster.cose'))
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
  examples(audit.command('report'), 'audit report fw1/log fw2/log --roster roster.cose --out report.html')
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
  withFilters(
    examples(
      audit.command('export'),
      'audit export /var/lib/portcullis/log --follow',
      'audit export /var/lib/portcullis/log --format journal',
    ),
  )
    .description('entries for log pipelines: JSON lines, or the journal’s export format')
    .argument(...LOGS)
    .option(...NAMES)
    .addOption(new Option('--format <format>', 'of the entries').choices(['json', 'journal']).default('json'))
    .option('--follow', 'go on with what is written')
    .action(async (logs: string[], options: ShowOptions & { format: string }) => {
      const members = options.roster === undefined ? null : membersFrom(options.roster, undefined);
      const printer = options.format === 'json' ? asJson : asJournal;
      await print(logs, members, filterOf(options), printer, io, options.follow === true);
    });
  examples(audit.command('checkpoint'), 'audit checkpoint fw1/log --roster roster.cose')
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
