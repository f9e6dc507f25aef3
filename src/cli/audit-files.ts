/** Logs as the audit commands are given them: a directory of segments, one segment, or a host's state directory. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Checkpoint, parseCheckpoint } from '../audit/checkpoint.ts';
import { SEGMENT_MAX_BYTES } from '../audit/limits.ts';
import { Members } from '../audit/members.ts';
import { segmentFirst } from '../audit/segment.ts';
import { readPublicKeyFile } from '../daemon/key-files.ts';
import { readWhole } from '../daemon/safe-files.ts';
import { OperatorError } from '../trust/errors.ts';
import { claimedRoster, verifiedRoster } from './cluster-file.ts';

/** The segments of one log, sorted. */
export interface LogPath {
  readonly path: string;
  readonly segments: readonly string[];
}

const NOT_A_LOG = 'give a directory of segments (state/log of a host), or one segment';
const CHECKPOINT_MAX_BYTES = 16 * 1024;

/** What is no log, and why: for whoever has read it. */
export function noLog(what: string): OperatorError {
  return new OperatorError(what, NOT_A_LOG);
}

/** Throws OperatorError when there is no log. */
export function logAt(path: string): LogPath {
  const kind = statSync(path, { throwIfNoEntry: false });
  if (kind === undefined) throw new OperatorError(`${path}: no such file or directory`, NOT_A_LOG);
  if (kind.isFile()) {
    if (kind.size > SEGMENT_MAX_BYTES)
      throw new OperatorError(`${path}: longer than a segment can be`, NOT_A_LOG);
    return { path, segments: [path] };
  }
  if (!kind.isDirectory()) throw new OperatorError(`${path}: neither a directory nor a file`, NOT_A_LOG);
  const names = namesIn(path);
  const inner = join(path, 'log');
  if (names.length === 0 && existsSync(inner))
    return { path, segments: namesIn(inner).map((name) => join(inner, name)) };
  if (names.length === 0) throw new OperatorError(`${path}: holds no segment of a log`, NOT_A_LOG);
  return { path, segments: names.map((name) => join(path, name)) };
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => segmentFirst(name) !== null)
      .sort();
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new OperatorError(
      `${directory}: cannot be read (${code})`,
      'run this as root, or as the log’s owner',
    );
  }
}

/** The bytes of one segment, from byte `from` on. Throws OperatorError, also when it has become shorter than that. */
export function segmentBytes(path: string, from = 0): Uint8Array {
  const judge = ({ size }: { readonly size: number }): void => {
    if (size < from)
      throw new OperatorError(
        `${path}: is shorter than it was: entries that were shown are gone`,
        'keep what was shown, and hold this log against the other hosts’ with `portcullis audit verify`',
      );
  };
  return readWhole(path, SEGMENT_MAX_BYTES, judge, from);
}

/** How findings name a segment of a log: its file without the directory. */
export function segmentLabel(path: string): string {
  return basename(path);
}

/**
 * The roster, verified from the admin key that was given, or else from the one that it names itself: then somebody must
 * compare its fingerprint. Throws OperatorError.
 */
export function membersFrom(roster: string, adminKey: string | undefined): Members {
  if (adminKey === undefined) return new Members(claimedRoster(roster));
  const { publicKey } = readPublicKeyFile(adminKey);
  return new Members(verifiedRoster(roster, readWhole(roster, 4 * 1024 * 1024), publicKey));
}

/** Throws OperatorError when a file is no checkpoint of this cluster. */
export function checkpointsFrom(paths: readonly string[], members: Members): Checkpoint[] {
  return paths.map((path) => {
    const text = readWhole(path, CHECKPOINT_MAX_BYTES).toString('utf8');
    const checkpoint = parseCheckpoint(path, text, members.roster.clusterId, members.keys);
    if (typeof checkpoint !== 'string') return checkpoint;
    throw new OperatorError(
      `${path}: ${checkpoint}`,
      'give what `portcullis audit checkpoint` printed, whole',
    );
  });
}
