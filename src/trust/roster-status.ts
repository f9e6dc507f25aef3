/**
 * What the admin's side knows of how far its roster has come: kept beside the roster file as `ROSTER.status.json`.
 * Nothing of it is signed, so it is bound to the versions that it means by their hashes, and what rests on it is said
 * to the admin, whose signature makes it the hosts' truth. A roster that was never given out is a draft: its versions
 * are settled at once. Pure.
 */
import { sameBytes } from '../wire/bytes.ts';
import { OperatorError } from './errors.ts';
import { type Roster, voterSets } from './roster.ts';

/** A version, and which of that number: its SHA-256, hex. */
export interface VersionMark {
  readonly version: number;
  readonly hash: string;
}

export interface RosterStatus {
  /** The highest version that was given to a host (pushed, or in a bundle); null: a draft. */
  readonly pushed: VersionMark | null;
  /** The highest version that is known settled; null: none since the first was given out. */
  readonly settled: VersionMark | null;
}

export const DRAFT: RosterStatus = { pushed: null, settled: null };

/** Where the status of a roster file is kept. */
export function statusPath(rosterPath: string): string {
  return `${rosterPath}.status.json`;
}

export function formatRosterStatus(status: RosterStatus): string {
  return `${JSON.stringify(status)}\n`;
}

/** null when the text is not exactly a status. */
export function parseRosterStatus(text: string): RosterStatus | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!hasKeys(value, 'pushed,settled')) return null;
  const { pushed, settled } = value;
  return isMark(pushed) && isMark(settled) ? { pushed, settled } : null;
}

function isMark(value: unknown): value is VersionMark | null {
  if (value === null) return true;
  if (!hasKeys(value, 'hash,version')) return false;
  const { version, hash } = value;
  const isVersion = typeof version === 'number' && Number.isInteger(version) && version >= 1;
  return isVersion && typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash);
}

function hasKeys(value: unknown, keys: string): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.keys(value).sort().join() === keys;
}

/** The mark of that version of a roster; null when it has none. */
export function markOf(roster: Roster, version: number): VersionMark | null {
  const record = roster.history[version - 1];
  return record === undefined ? null : { version, hash: Buffer.from(record.hash).toString('hex') };
}

/** The version that a mark means; null: of none that is in this roster. */
function believed(roster: Roster, mark: VersionMark | null): number | null {
  const own = mark === null ? undefined : roster.history[mark.version - 1];
  if (mark === null || own === undefined) return null;
  return sameBytes(own.hash, Buffer.from(mark.hash, 'hex')) ? mark.version : null;
}

/**
 * Refuses a status that knows of a higher version than the roster has: the roster is an old copy, and a version signed
 * on it would be one of two of its number. `file`: the status. Throws OperatorError.
 */
export function refuseHigher(file: string, roster: Roster, status: RosterStatus): void {
  const highest = Math.max(status.pushed?.version ?? 0, status.settled?.version ?? 0);
  if (highest <= roster.version) return;
  throw new OperatorError(
    `${file}: knows of version ${highest}, and the roster ends with ${roster.version}`,
    'take the newest roster (every host has it as roster.cose under its state); if this one is meant to replace it, remove the status file',
  );
}

/**
 * The status after the newest version was given to a host. `settled`: the version of this roster that the host says is
 * settled; null: it says nothing of this one. Never goes back, unless to leave a branch that is not this roster's.
 */
export function given(status: RosterStatus, roster: Roster, settled: number | null): RosterStatus {
  const known = Math.max(settled ?? 0, believed(roster, status.settled) ?? 0);
  return { pushed: markOf(roster, roster.version), settled: markOf(roster, known) };
}

/** What the next version may name as settled, and on whose word it then does. */
export interface SettledForEdit {
  readonly settled: number;
  /** `roster`: signed before. `status`: the file says so. `draft`: the file says that nobody has it. `force`: the admin. */
  readonly word: 'roster' | 'status' | 'draft' | 'force';
}

/**
 * What the next version may name as settled. `status` null: there is no file, so the roster may be in use.
 * `changesVoters`: the edit adds, removes or revokes a member. Throws OperatorError when the last such change is
 * not known to be settled; `force` then is the admin's word that the hosts which lack it stay away.
 */
export function settledForEdit(
  roster: Roster,
  status: RosterStatus | null,
  changesVoters: boolean,
  force = false,
): SettledForEdit {
  const next = roster.version + 1;
  if (status !== null && status.pushed === null && mayBeDraft(roster))
    return { settled: next, word: 'draft' };
  const told = believed(roster, status?.settled ?? null) ?? 0;
  const settled = Math.max(told, roster.body.settled);
  if (!changesVoters || voterSets(roster, settled).length <= 1)
    return { settled, word: settled > roster.body.settled ? 'status' : 'roster' };
  if (force) return { settled: next, word: 'force' };
  const given = status?.pushed?.version ?? roster.version;
  const slip =
    given < roster.version
      ? `; was it a slip, and no host has it, then take version ${given} back: roster.cose of any host`
      : '';
  throw new OperatorError(
    `version ${roster.version} changes who votes, and is not known to be settled`,
    `push it and wait for its confirmation (portcullis cluster push); --force if the hosts that lack it are gone for good${slip}`,
  );
}

/** In a draft every version that changes who votes says itself settled at once. */
function mayBeDraft({ history }: Roster): boolean {
  return history.every(({ voters, settled }, i) => {
    const before = history[i - 1]?.voters ?? [];
    return settled === i + 1 || before.toSorted().join() === voters.toSorted().join();
  });
}
