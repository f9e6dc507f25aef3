/** A roster of three hosts with a recovery key, and versions that follow it, for the tests of its rules. */
import assert from 'node:assert/strict';
import { appendVersion, type Roster, signRosterBody } from '../../src/trust/roster.ts';
import type { RosterBody } from '../../src/trust/roster-body.ts';
import * as edit from '../../src/trust/roster-edit.ts';
import { adminProofBytes } from '../../src/trust/roster-rules.ts';
import { admin, appended, firstBody, memberBody, testIdentity } from './wire-fixture.ts';

export const recovery = testIdentity('recovery');
export const admin2 = testIdentity('admin 2');
export const member = (name: string, place: number) => memberBody(name, place);

/** fw1, fw2 and w, with a recovery key: version 4. */
function base(): Roster {
  let roster = appended(null, firstBody('dmz', recovery.publicKey));
  for (const [name, place] of [
    ['fw1', 1],
    ['fw2', 2],
    ['w', 3],
  ] as const)
    roster = appended(roster, edit.addMember(roster, member(name, place), roster.version + 1));
  return roster;
}
export const roster = base();

/** With that version at its end, which must be right. */
export function next(current: Roster, body: RosterBody, signer = admin): Roster {
  const result = appendVersion(current, signRosterBody(body, signer));
  return result.ok ? result.roster : assert.fail(result.reason);
}
/** Why that version is refused; `ok` when it is not. */
export function refusal(current: Roster, body: RosterBody, signer = admin): string {
  const result = appendVersion(current, signRosterBody(body, signer));
  return result.ok ? 'ok' : result.reason;
}

/** As the second admin would sign it, whatever it says. */
export const proven = (current: Roster, body: RosterBody): RosterBody => ({
  ...body,
  adminProof: admin2.sign(adminProofBytes(current.clusterId, body)),
});

/** All its versions, one after the other. */
export const fileOf = (r: Roster) => Uint8Array.from(Buffer.concat(r.versions));
