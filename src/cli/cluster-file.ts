/**
 * Roster files as the commands handle them: read and verified as a host would, and a new version written only after
 * it was judged the same way, as a whole or not at all.
 */
import { readRosterBytes } from '../daemon/key-files.ts';
import { createFile, replaceExisting } from '../daemon/safe-files.ts';
import { OperatorError } from '../trust/errors.ts';
import { appendVersion, firstAdmin, type Roster, signRosterBody, verifyRosterFile } from '../trust/roster.ts';
import type { RosterBody } from '../trust/roster-body.ts';
import type { Signer } from './external-signer.ts';

const ROSTER_MODE = 0o644;

/** The newest version of a file, verified from that admin key on. Throws OperatorError. */
export function verifiedRoster(path: string, bytes: Uint8Array, admin: Uint8Array): Roster {
  const result = verifyRosterFile(bytes, admin);
  if (result.ok) return result.roster;
  throw new OperatorError(
    `${path}: ${result.version === null ? '' : `version ${result.version}: `}${result.reason}`,
  );
}

/** The admin key that the roster itself names first: good for showing, worth nothing as a proof. */
export function claimedAdmin(path: string, bytes: Uint8Array): Uint8Array {
  const admin = firstAdmin(bytes);
  if (admin === null)
    throw new OperatorError(`${path}: not a roster`, 'make one with: portcullis cluster init');
  return admin;
}

/** The roster with one more version, as hosts would take it. Throws OperatorError when they would not. */
export function withVersion(path: string, current: Roster | null, body: RosterBody, signer: Signer): Roster {
  const result = appendVersion(
    current,
    signRosterBody(body, { ...signer, agree: () => new Uint8Array() }),
    current?.admins ?? [signer.publicKey],
  );
  if (!result.ok) throw new OperatorError(`${path}: the new version ${result.reason}`);
  return result.roster;
}

/** Writes a new file. Throws OperatorError when there is one. */
export function createRoster(path: string, roster: Roster): void {
  createFile(path, fileOf(roster), ROSTER_MODE);
}

/** Replaces the file by one with more versions. */
export function replaceRoster(path: string, roster: Roster): void {
  replaceExisting(path, fileOf(roster), ROSTER_MODE);
}

export function rosterFromFile(path: string, admin: Uint8Array): Roster {
  return verifiedRoster(path, readRosterBytes(path), admin);
}

function fileOf(roster: Roster): Uint8Array {
  return Buffer.concat(roster.versions);
}
