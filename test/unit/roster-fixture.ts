/** A roster of three, what follows it, and a keeper that has one of them. */
import assert from 'node:assert/strict';
import { type Outcome, RosterKeeper } from '../../src/driver/rosters.ts';
import { appendVersion, type Roster, signRosterBody } from '../../src/trust/roster.ts';
import type { RosterBody } from '../../src/trust/roster-body.ts';
import * as edit from '../../src/trust/roster-edit.ts';
import { bodyAfter } from '../../src/trust/roster-rules.ts';
import { admin, memberBody, testRoster } from './wire-fixture.ts';

export const P = 400;
export const base = testRoster(['fw1', 'fw2'], ['w']);
export function next(roster: Roster, body: RosterBody): Roster {
  const result = appendVersion(roster, signRosterBody(body, admin));
  return result.ok ? result.roster : assert.fail(result.reason);
}
export const five = next(base, edit.addMember(base, memberBody('fw3', 4), 4));
export const six = next(five, edit.addMember(five, memberBody('fw4', 5), 4));
export const shown = (roster: Roster) => ({ version: roster.version, hash: roster.hash.slice(0, 8) });
export const settledIn = (outcome: Outcome) =>
  outcome.news.flatMap(({ what }) => (what.kind === 'settled' ? [what.version] : []));
export function running(roster: Roster): RosterKeeper {
  return new RosterKeeper(roster, 'fw1', P);
}

/** The next version, of about ten chunks: as many revoked keys as there may be. */
export function fatRoster(former: Roster): Roster {
  const revoked = Array.from({ length: 256 }, (_, i) =>
    Uint8Array.from({ length: 32 }, (_v, at) => (at === 0 ? i : 3)),
  );
  return next(former, { ...bodyAfter(former), revoked });
}
