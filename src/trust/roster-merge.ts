/**
 * What a host makes of versions that it is shown (spec/protocol.md, forks). The first of two versions of one number
 * stays, but a higher branch that the current admin key signed on is taken, or one slip of the admin would divide the
 * cluster for good; and a rotation by the recovery key outranks every branch without one, or
 * a stolen admin key could not be answered.
 */
import { sameBytes } from '../wire/bytes.ts';
import { readSign1 } from '../wire/cose.ts';
import { ROSTER_LEAP_MAX } from '../wire/limits.ts';
import { appendVersion, type Roster, rosterAt, splitVersions } from './roster.ts';
import { decodeRosterBody } from './roster-body.ts';

/** Two versions of one number, both signed: the proof of a slip or of a stolen admin key. */
export interface Fork {
  readonly version: number;
  readonly ours: Uint8Array;
  readonly theirs: Uint8Array;
}

export type Merge =
  /** Nothing that is not held already: the newest version itself, or only older ones. */
  | { readonly kind: 'same' }
  | { readonly kind: 'older' }
  /** `fork`: the former branch was left for this one. */
  | { readonly kind: 'taken'; readonly roster: Roster; readonly fork: Fork | null }
  /** A valid branch that is not taken. */
  | { readonly kind: 'forked'; readonly fork: Fork }
  | { readonly kind: 'refused'; readonly version: number | null; readonly reason: string };

/**
 * `bytes`: a sequence of versions without a gap, from the first on (a roster file) or following one that `current`
 * holds. Changes nothing; one wrong version refuses all.
 */
export function mergeRoster(current: Roster, bytes: Uint8Array): Merge {
  const refuse = (reason: string, version: number | null = null): Merge => ({
    kind: 'refused',
    version,
    reason,
  });
  const versions: Uint8Array[] = [];
  for (const version of splitVersions(bytes)) {
    if (version === null) return refuse('not a whole signed version');
    versions.push(version);
  }
  const start = startOf(current, versions[0]);
  if (typeof start === 'string') return refuse(start);
  if (start + versions.length - 1 > current.version + ROSTER_LEAP_MAX)
    return refuse(`more than ${ROSTER_LEAP_MAX} versions ahead of version ${current.version}`);
  const differs = versions.findIndex((version, i) => {
    const ours = current.versions[start - 1 + i];
    return ours === undefined || !sameBytes(ours, version);
  });
  if (differs < 0) {
    return { kind: start + versions.length - 1 === current.version ? 'same' : 'older' };
  }
  const from = start + differs;
  if (from === 1) return refuse('of another cluster', 1);
  const base = from > current.version ? current : rosterAt(current, from - 1);
  if (base === null) return refuse('does not follow a version that is known here', from);
  let branch: Roster = base;
  for (const version of versions.slice(differs)) {
    const next = appendVersion(branch, version);
    if (!next.ok) return refuse(next.reason, next.version);
    branch = next.roster;
  }
  return decide(current, base, branch);
}

/** What a version says of its place in a chain, unproven; null when the bytes are no version. */
export function placeOf(bytes: Uint8Array): { version: number; previousHash: Uint8Array | null } | null {
  const decoded = decodeRosterBody(readSign1(bytes)?.payload ?? new Uint8Array());
  return decoded.ok ? { version: decoded.body.version, previousHash: decoded.body.previousHash } : null;
}

/** The number of the first version shown, if it stands in or right after our chain; else why not. */
function startOf(current: Roster, first: Uint8Array | undefined): number | string {
  if (first === undefined) return 'empty';
  const decoded = decodeRosterBody(readSign1(first)?.payload ?? new Uint8Array());
  if (!decoded.ok) return decoded.reason;
  const { version, previousHash } = decoded.body;
  if (previousHash === null) return version === 1 ? 1 : 'is no first version';
  const before = current.history[version - 2];
  return before !== undefined && sameBytes(before.hash, previousHash)
    ? version
    : 'does not follow a version that is known here';
}

/** Both branches are valid from `base` on. */
function decide(current: Roster, base: Roster, branch: Roster): Merge {
  const at = base.version;
  const ours = current.versions[at];
  const theirs = branch.versions[at];
  if (ours === undefined || theirs === undefined) return { kind: 'taken', roster: branch, fork: null };
  const fork = { version: at + 1, ours, theirs };
  const { recovery } = base.body;
  const recovered = (roster: Roster): boolean =>
    recovery !== null && roster.history.slice(at).some(({ signer }) => sameBytes(signer, recovery));
  if (recovered(branch) !== recovered(current)) {
    return recovered(branch) ? { kind: 'taken', roster: branch, fork } : { kind: 'forked', fork };
  }
  // Anywhere in the branch's own part: where the admin key was changed there, its newest signer is unknown here.
  const byCurrentAdmin = branch.history
    .slice(at)
    .some(({ signer }) => current.admins.some((key) => sameBytes(key, signer)));
  return branch.version > current.version && byCurrentAdmin
    ? { kind: 'taken', roster: branch, fork }
    : { kind: 'forked', fork };
}

/** What another host's roster is to ours. */
export type Standing =
  | 'same'
  /** Higher than ours; whether it is on our branch only its bytes can show. */
  | 'newer'
  /** One that we had. */
  | 'older'
  /** Of a number that we hold, and another one. */
  | 'forked';

/** `hash`: the first bytes of the hash, as a message header shows them. */
export function standingOf(current: Roster, version: number, hash: Uint8Array): Standing {
  if (version > current.version) return 'newer';
  const ours = current.history[version - 1]?.hash;
  if (ours === undefined || !sameBytes(ours.subarray(0, hash.length), hash)) return 'forked';
  return version === current.version ? 'same' : 'older';
}
