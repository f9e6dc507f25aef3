/** `portcullis audit`: what the event logs of hosts say, and whether it can be believed. Needs no running daemon. */
import type { Command } from 'commander';
import { membersFrom } from './audit-files.ts';
import { asJson, asLine, type FilterOptions, filterOf, print } from './audit-show.ts';
import { printCheckpoint, type VerifyOptions, verify } from './audit-verify.ts';
import type { CommandIo } from './io.ts';

const ROSTER = ['--roster <file>', 'the roster, with all its versions'] as const;
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
  audit
    .command('show')
    .description('the entries of logs, as they stand there; `audit verify` says whether they hold')
    .argument(...LOGS)
    .option(...ROSTER)
    .option('--kind <kinds>', 'only these kinds, with commas between')
    .option('--service <name>', 'only this service')
    .option('--from <n>', 'from this entry on')
    .option('--to <n>', 'up to this entry')
    .option('--since <time>', 'by the host’s own clock')
    .option('--until <time>', 'by the host’s own clock')
    .option('--json', 'one JSON object a line')
    .option('--follow', 'go on with what is written')
    .action(async (logs: string[], options: ShowOptions) => {
      const members = options.roster === undefined ? null : membersFrom(options.roster, undefined);
      const printer = options.json ? asJson : asLine;
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
