/** `audit merge`, `audit report` and `audit export`: several hosts' logs as one story. */
import { Digest } from '../audit/digest.ts';
import { journalEntry } from '../audit/export.ts';
import type { Members } from '../audit/members.ts';
import { claimsOf, type Merged, merge } from '../audit/merge.ts';
import { reportOf } from '../audit/report.ts';
import { relationsOf, tenuresOf } from '../audit/tenure.ts';
import { verifyLogs } from '../audit/verify.ts';
import { createFile } from '../daemon/safe-files.ts';
import { OperatorError } from '../trust/errors.ts';
import { checkpointsFrom, type LogPath, logAt, membersFrom } from './audit-files.ts';
import { summarizeAll } from './audit-pool.ts';
import { asJson, asLine, entriesOf, type Filter, isWanted, type Printer, type Shown } from './audit-show.ts';
import type { VerifyOptions } from './audit-verify.ts';
import type { CommandIo } from './io.ts';

const REPORT_MODE = 0o644;

/** The entries of all logs in causal order. Throws OperatorError when two logs are one host's. */
function* merged(paths: readonly string[], members: Members): Generator<Merged<Shown>> {
  const logs = new Map<string, LogPath>();
  for (const path of paths) {
    const log = logAt(path);
    const first = entriesOf(log, members).next().value as Shown | undefined;
    if (first === undefined) continue;
    if (logs.has(first.host))
      throw new OperatorError(
        `${path}: another log of ${first.host} was given, too`,
        'give one log of each host',
      );
    logs.set(first.host, log);
  }
  const claims = new Map<string, { host: string; n: number }>();
  for (const log of logs.values()) claimsOf(entriesOf(log, members), claims);
  const streams = new Map([...logs].map(([host, log]) => [host, entriesOf(log, members)] as const));
  yield* merge(streams, claims);
}

/** Prints all logs as one. */
export function printMerged(
  paths: readonly string[],
  members: Members,
  filter: Filter,
  json: boolean,
  io: CommandIo,
): void {
  const printer: Printer = json ? asJson : asLine;
  for (const { told, contradiction } of merged(paths, members)) {
    if (!isWanted(told, filter)) continue;
    if (contradiction)
      io.err(`portcullis: the next entry contradicts the order of others: ${told.host}#${told.entry.n}\n`);
    io.out(printer(told));
  }
}

/** Writes the report; never over a file that is there. Returns the answer as one line. */
export async function writeReport(
  paths: readonly string[],
  options: VerifyOptions & { readonly out: string },
): Promise<string> {
  const members = membersFrom(options.roster, options.adminKey);
  const checkpoints = checkpointsFrom(options.checkpoint ?? [], members);
  const files = await summarizeAll(paths.map(logAt), members);
  const verdict = verifyLogs(files, members, checkpoints, options.complete === true);
  const tenures = tenuresOf(verdict.chains);
  const relations = relationsOf(tenures, verdict.chains);
  const digest = new Digest();
  for (const { told, contradiction } of merged(paths, members)) digest.add(told, contradiction);
  const page = reportOf({ verdict, members, tenures, relations, digest, madeMs: Date.now() });
  createFile(options.out, Buffer.from(page), REPORT_MODE);
  return `${options.out}: ${verdict.ok ? 'verified' : 'NOT verified'}, ${digest.entries} entries, ${tenures.length} masterships`;
}

export const asJournal: Printer = (shown) => journalEntry(shown);
