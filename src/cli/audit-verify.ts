/** `audit verify`: the logs of some or all hosts against the roster and each other; and `audit checkpoint`. */
import { readBlock } from '../audit/block.ts';
import { formatCheckpoint, isCheckpoint } from '../audit/checkpoint.ts';
import type { Members } from '../audit/members.ts';
import { walk } from '../audit/segment.ts';
import { type Verdict, verifyLogs } from '../audit/verify.ts';
import { findingLine, firstAdminOf, judgedByText } from '../audit/words.ts';
import { OperatorError } from '../trust/errors.ts';
import { hex } from '../wire/hex.ts';
import { checkpointsFrom, logAt, membersFrom, segmentBytes } from './audit-files.ts';
import { summarizeAll } from './audit-pool.ts';
import { verdictText } from './audit-text.ts';
import type { CommandIo } from './io.ts';
import { jsonLine } from './json-line.ts';

export interface VerifyOptions {
  readonly roster: string;
  readonly adminKey?: string;
  readonly checkpoint?: readonly string[];
  readonly complete?: true;
  readonly json?: true;
}

/** The verdict over these logs. Throws OperatorError when something cannot be read. */
export async function verdictOf(
  paths: readonly string[],
  options: VerifyOptions,
  members = membersFrom(options.roster, options.adminKey),
): Promise<Verdict> {
  const checkpoints = checkpointsFrom(options.checkpoint ?? [], members);
  const files = await summarizeAll(paths.map(logAt), members);
  return verifyLogs(files, members, checkpoints, options.complete === true);
}

/** Prints the verdict. Throws OperatorError when not all holds. */
export async function verify(paths: readonly string[], options: VerifyOptions, io: CommandIo): Promise<void> {
  const members = membersFrom(options.roster, options.adminKey);
  const verdict = await verdictOf(paths, options, members);
  const { ok, logs, findings, withheld } = verdict;
  const judgedBy = { ...rosterJson(members), adminGiven: options.adminKey !== undefined };
  io.out(
    options.json
      ? jsonLine({ ok, roster: judgedBy, logs, findings, withheld })
      : verdictText(verdict, judgedByText(members, options.adminKey !== undefined)),
  );
  if (!ok) throw new OperatorError('the logs are not verified', whyNot(verdict));
}

function rosterJson({ roster }: Members): { cluster: string; version: number; hash: string; admin: string } {
  const { clusterName, version, hash } = roster;
  return { cluster: clusterName, version, hash: hex(hash), admin: firstAdminOf(roster) };
}

/** In the hint of a failure. */
function whyNot({ logs, findings }: Verdict): string {
  if (logs.every(({ host }) => host === ''))
    return 'no entry is by a host of this roster: is it the roster of the cluster that wrote these logs?';
  const [first] = findings;
  return first === undefined ? 'nothing was given' : `the first finding: ${findingLine(first)}`;
}

/** Prints the newest checkpoint of a log, its signature judged. */
export function printCheckpoint(path: string, options: VerifyOptions, io: CommandIo): void {
  const members = membersFrom(options.roster, options.adminKey);
  const { segments } = logAt(path);
  for (const segment of segments.toReversed()) {
    const bytes = segmentBytes(segment);
    let newest: Uint8Array | null = null;
    for (const { block, start, end } of walk(bytes, null))
      if (isCheckpoint(block)) newest = bytes.subarray(start, end);
    const block = newest === null ? null : readBlock(newest, 0);
    if (newest === null || block === null) continue;
    const host = members.hostOf(hex(block.sign1.kid));
    if (host === null)
      throw new OperatorError(
        `${segment}: the checkpoint is signed by a key that no host of the roster has had`,
        'is it the roster of the cluster that wrote this log, with all its versions?',
      );
    io.out(formatCheckpoint(members.roster.clusterName, host, block, newest));
    return;
  }
  throw new OperatorError(
    `${path}: has no checkpoint yet`,
    'a daemon makes the first within 10 minutes of its start, and then one every log.checkpoint',
  );
}
