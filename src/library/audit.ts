/** `portcullis/audit`: what a host's event log says, and whether it holds against the roster and the others' logs. Pure. */
import { chained } from '../audit/block.ts';
import { decodeEntry, type Entry } from '../audit/entry.ts';
import { Members } from '../audit/members.ts';
import { walk } from '../audit/segment.ts';
import { summarize } from '../audit/summary.ts';
import { type Verdict, verifyLogs } from '../audit/verify.ts';
import type { Roster } from '../trust/roster.ts';
import { hex } from '../wire/hex.ts';

export type { Finding, Severity } from '../audit/chain.ts';
export type { Entry, Scalar } from '../audit/entry.ts';
export { KINDS, type Kind } from '../audit/kinds.ts';
export type { LogVerdict, Verdict } from '../audit/verify.ts';
export { entryLine, findingLine } from '../audit/words.ts';

/** One host's log: its segments' bytes, by their file names. `path` is only for findings. */
export interface LogBytes {
  readonly path: string;
  readonly segments: ReadonlyMap<string, Uint8Array>;
}

/** An entry, whose it is by the roster (or the beginning of its key's id), and its hash in the chain. */
export interface LoggedEntry {
  readonly entry: Entry;
  readonly host: string;
  readonly hash: Uint8Array;
}

/**
 * What is proven of these logs, by whom, and the first entry that is not. `complete`: the log of every host that has one
 * must be among them.
 */
export function verify(logs: readonly LogBytes[], roster: Roster, complete = false): Verdict {
  const members = new Members(roster);
  const files = logs.map(({ path, segments }) => ({
    path,
    segments: [...segments].map(([name, bytes]) => summarize(name, bytes, roster.clusterId, members.keys)),
  }));
  return verifyLogs(files, members, [], complete);
}

/** The entries of one segment, to the first that is not whole. Signatures are `verify`'s matter. */
export function* entriesOf(segment: Uint8Array, roster: Roster): Generator<LoggedEntry> {
  const members = new Members(roster);
  for (const { block } of walk(segment, null)) {
    const kid = hex(block.sign1.kid);
    const host = members.hostOf(kid) ?? kid.slice(0, 8);
    let hash = block.before;
    for (const item of block.entries) {
      hash = chained(hash, item);
      const entry = decodeEntry(item);
      if (entry === null) return;
      yield { entry, host, hash };
    }
  }
}
