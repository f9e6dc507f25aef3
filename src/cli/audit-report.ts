/** `audit merge`, `audit report` and `audit export`: several hosts' logs as one story. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Digest } from '../audit/digest.ts';
import { journalEntry } from '../audit/export.ts';
import type { Members } from '../audit/members.ts';
import { claimsOf, type Merged, merge } from '../audit/merge.ts';
import { relationsOf } from '../audit/relation.ts';
import { reportOf } from '../audit/report.ts';
import { tenuresOf } from '../audit/tenure.ts';
import { fullest, verifyLogs } from '../audit/verify.ts';
import { judgedByText } from '../audit/words.ts';
import { createFile } from '../daemon/safe-files.ts';
import { OperatorError } from '../trust/errors.ts';
import { checkpointsFrom, logAt, membersFrom } from './audit-files.ts';
import { summarizeAll } from './audit-pool.ts';
import { entriesOf, LogReader, type Shown } from './audit-reader.ts';
import {
  asJson,
  asLine,
  type Filter,
  isWanted,
  LOOK_EVERY,
  type Printer,
  refuseFaults,
  tellUnfinished,
} from './audit-show.ts';
import type { VerifyOptions } from './audit-verify.ts';
import { type CommandIo, outputGone } from './io.ts';

const REPORT_MODE = 0o644;

/** The entries of all logs in causal order. Throws OperatorError when two logs are one host's. */
function* merged(readers: readonly LogReader[], members: Members): Generator<Merged<Shown>> {
  const hosts = new Map<string, LogReader>();
  for (const reader of readers) {
    const first = entriesOf(reader.path, members).next().value as Shown | undefined;
    if (first === undefined) {
      reader.more().next(); // looks at it, for the reason
      refuseFaults(reader);
      continue;
    }
    if (hosts.has(first.host))
      throw new OperatorError(
        `${reader.path}: another log of ${first.host} was given, too`,
        'give one log of each host, the fuller one; `portcullis audit verify` holds both against each other',
      );
    hosts.set(first.host, reader);
  }
  const claims = new Map<string, { host: string; n: number }>();
  for (const { path } of hosts.values()) claimsOf(entriesOf(path, members), claims);
  yield* merge(new Map([...hosts].map(([host, reader]) => [host, reader.more()] as const)), claims);
}

/** Prints all logs as one. Throws OperatorError as `print` does. */
export async function printMerged(
  paths: readonly string[],
  members: Members,
  filter: Filter,
  json: boolean,
  io: CommandIo,
): Promise<void> {
  const printer: Printer = json ? asJson : asLine;
  const readers = paths.map((path) => new LogReader(path, members));
  let count = 0;
  for (const { told, contradiction } of merged(readers, members)) {
    if (++count % LOOK_EVERY === 0) await nextTurn();
    if (outputGone()) return;
    if (!isWanted(told, filter)) continue;
    if (contradiction)
      io.err(`portcullis: the next entry contradicts the order of others: ${told.host}#${told.entry.n}\n`);
    io.out(printer(told));
  }
  for (const reader of readers) tellUnfinished(reader, io);
  for (const reader of readers) refuseFaults(reader);
}

/**
 * Writes the report; never over a file that is there. Returns the answer as one line. Throws OperatorError when it cannot be
 * written, and, once it is, when the logs are not verified.
 */
export async function writeReport(
  paths: readonly string[],
  options: VerifyOptions & { readonly out: string },
): Promise<string> {
  const members = membersFrom(options.roster, options.adminKey);
  const checkpoints = checkpointsFrom(options.checkpoint ?? [], members);
  const files = await summarizeAll(paths.map(logAt), members);
  const verdict = verifyLogs(files, members, checkpoints, options.complete === true);
  const chains = fullest(verdict.chains);
  const tenures = tenuresOf(chains);
  const relations = relationsOf(tenures, chains, members);
  const digest = new Digest();
  const readers = chains.map(({ path }) => new LogReader(path, members));
  for (const { told, contradiction } of merged(readers, members)) digest.add(told, contradiction);
  const judgedBy = judgedByText(members, options.adminKey !== undefined);
  const input = { verdict, members, judgedBy, tenures, relations, digest };
  createFile(options.out, Buffer.from(reportOf({ ...input, madeMs: Date.now() })), REPORT_MODE);
  const told = `${digest.entries} entries, ${tenures.length} mastership${tenures.length === 1 ? '' : 's'}`;
  if (verdict.ok) return `${options.out}: verified, ${told}`;
  throw new OperatorError(
    'the logs are not verified',
    `the report was written nevertheless, and says why: ${options.out}`,
  );
}

export const asJournal: Printer = (shown) => journalEntry(shown);
