/**
 * Roster files as the commands handle them: read and verified as a host would, and a new version written only after
 * it was judged the same way, as a whole or not at all. Beside each lies what is known of how far it has come.
 */
import { existsSync, rmSync } from 'node:fs';
import { replaceFile } from '../daemon/files.ts';
import { readRosterBytes } from '../daemon/key-files.ts';
import { createFile, readWhole, replaceExisting } from '../daemon/safe-files.ts';
import { OperatorError } from '../trust/errors.ts';
import { fingerprint } from '../trust/fingerprint.ts';
import { appendVersion, firstAdmin, type Roster, signRosterBody, verifyRosterFile } from '../trust/roster.ts';
import type { RosterBody } from '../trust/roster-body.ts';
import {
  DRAFT,
  formatRosterStatus,
  given,
  parseRosterStatus,
  type RosterStatus,
  refuseHigher,
  statusPath,
} from '../trust/roster-status.ts';
import { sameBytes } from '../wire/bytes.ts';
import type { Signer } from './external-signer.ts';

export const ROSTER_MODE = 0o644;
const STATUS_MAX_BYTES = 4096;
const TAKE_A_COPY =
  'if it was whole once, take a copy: from where it was given out, or roster.cose of any host; cluster init begins another cluster';

/** The newest version of a file, verified from that admin key on. Throws OperatorError. */
export function verifiedRoster(path: string, bytes: Uint8Array, admin: Uint8Array): Roster {
  const result = verifyRosterFile(bytes, admin);
  if (result.ok) return result.roster;
  const first = firstAdmin(bytes);
  // A sound roster of somebody else's has no better copy.
  const isOthers = result.version === 1 && first !== null && !sameBytes(first, admin);
  throw new OperatorError(
    `${path}: ${result.version === null ? '' : `version ${result.version}: `}${result.reason}`,
    isOthers
      ? `it names ${fingerprint(first)} as its admin key; the given one is ${fingerprint(admin)}: another cluster’s?`
      : TAKE_A_COPY,
  );
}

/** The newest version of a file, verified from the key on that it names itself: sound, and anybody's. */
export function claimedRoster(path: string): Roster {
  const bytes = readRosterBytes(path);
  const admin = firstAdmin(bytes);
  if (admin === null) throw new OperatorError(`${path}: not a roster`, TAKE_A_COPY);
  return verifiedRoster(path, bytes, admin);
}

/** The newest version of a file in which `signer` may sign the next one. Throws OperatorError. */
export function rosterFor(path: string, signer: Signer): Roster {
  const roster = claimedRoster(path);
  if (roster.admins.some((key) => sameBytes(key, signer.publicKey))) return roster;
  throw new OperatorError(
    `${path}: not signed by the admin key that was given`,
    `its admin key is ${roster.admins.map(fingerprint).join(', ')}; the given one is ${fingerprint(signer.publicKey)}`,
  );
}

/** The roster with one more version, as hosts would take it. Throws OperatorError when they would not. */
export function withVersion(path: string, current: Roster | null, body: RosterBody, signer: Signer): Roster {
  const result = appendVersion(current, signRosterBody(body, signer), [signer.publicKey]);
  if (!result.ok)
    throw new OperatorError(
      `${path}: the new version ${result.reason}`,
      `nothing was written; what is there already: portcullis cluster show ${path}`,
    );
  return result.roster;
}

/** Writes a new file, a draft. Throws OperatorError when there is one. */
export function createRoster(path: string, roster: Roster): void {
  createFile(path, fileOf(roster), ROSTER_MODE);
  try {
    writeStatus(path, DRAFT);
  } catch (error) {
    rmSync(path, { force: true }); // ours, made a moment ago; without a status it would count as given out
    throw error;
  }
}

/** Replaces the file by one with more versions. */
export function replaceRoster(path: string, roster: Roster): void {
  replaceExisting(path, fileOf(roster), ROSTER_MODE);
}

/**
 * How far a roster has come; null when nothing is known. Throws OperatorError when what is there is no status, or one
 * that knows more versions than the roster has.
 */
export function statusOf(path: string, roster: Roster): RosterStatus | null {
  const file = statusPath(path);
  if (!existsSync(file)) return null;
  const status = parseRosterStatus(readWhole(file, STATUS_MAX_BYTES).toString('utf8'));
  if (status === null)
    throw new OperatorError(
      `${file}: not the status of a roster`,
      'remove it: the roster then counts as given out and not settled, until it is pushed again',
    );
  refuseHigher(file, roster, status);
  return status;
}

/** Throws OperatorError. */
export function writeStatus(path: string, status: RosterStatus): void {
  const file = statusPath(path);
  try {
    replaceFile(file, Buffer.from(formatRosterStatus(status)), ROSTER_MODE);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (typeof code !== 'string') throw error;
    throw new OperatorError(
      `${file}: cannot be written (${code})`,
      'how far a roster has come is kept beside it: its directory must be yours to write',
    );
  }
}

/** Notes that the newest version leaves this machine. Throws OperatorError: then it must not. */
export function noteGiven(path: string, roster: Roster): void {
  writeStatus(path, given(statusOf(path, roster) ?? DRAFT, roster, null));
}

/** The roster as its file has it: all versions as they were signed, the oldest first (spec/protocol.md). */
export function fileOf(roster: Roster): Uint8Array {
  return Buffer.concat(roster.versions);
}
