/**
 * What the admin's side knows of how far its roster has come: kept beside the roster file as `ROSTER.status.json`,
 * since nothing of it is signed or secret. A roster that was never given out is a draft: its versions are settled
 * at once. Pure.
 */
import { OperatorError } from './errors.ts';
import { type Roster, voterSets } from './roster.ts';

export interface RosterStatus {
  /** The highest version that was given to a host (pushed, or in a bundle); null: a draft. */
  readonly pushed: number | null;
  /** The highest version that is known settled; null: none since the first was given out. */
  readonly settled: number | null;
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
  if (typeof value !== 'object' || value === null || Object.keys(value).sort().join() !== 'pushed,settled')
    return null;
  const { pushed, settled } = value as { pushed: unknown; settled: unknown };
  return isVersion(pushed) && isVersion(settled) ? { pushed, settled } : null;
}

function isVersion(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && Number.isInteger(value) && value >= 1);
}

/** The status after that version was given to a host; `settled`: what the host says. Never goes back. */
export function given(status: RosterStatus, version: number, settled: number | null): RosterStatus {
  const most = (a: number | null, b: number | null) => (a === null ? b : b === null ? a : Math.max(a, b));
  return { pushed: most(status.pushed, version), settled: most(status.settled, settled) };
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
): number {
  const next = roster.version + 1;
  if (status !== null && status.pushed === null) return next;
  const settled = Math.max(status?.settled ?? 0, roster.body.settled);
  if (!changesVoters || voterSets(roster, settled).length <= 1) return Math.min(settled, roster.version);
  if (force) return next;
  throw new OperatorError(
    `version ${roster.version} changes who votes, and is not known to be settled`,
    'push it and wait for its confirmation (portcullis cluster push); --force if the hosts that lack it are gone for good',
  );
}
