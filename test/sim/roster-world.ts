/** Simulated clusters whose roster changes while they run: every change goes in at one host, as an operator's push does. */
import assert from 'node:assert/strict';
import { appendVersion, type Roster, signRosterBody } from '../../src/trust/roster.ts';
import type { RosterBody } from '../../src/trust/roster-body.ts';
import { admin } from '../unit/wire-fixture.ts';
import { type Host, World, type WorldOptions } from './world.ts';

export const INTERVAL_MS = 200;

export function next(roster: Roster, body: RosterBody, signer = admin): Roster {
  const result = appendVersion(roster, signRosterBody(body, signer));
  return result.ok ? result.roster : assert.fail(result.reason);
}
export const fileOf = (roster: Roster) => Uint8Array.from(Buffer.concat(roster.versions));

export function running(options: Partial<WorldOptions> = {}): World {
  const w = new World({ hosts: 2, witnesses: 1, policy: 'quorum', intervalMs: INTERVAL_MS, ...options });
  w.startAll();
  w.pass(4000);
  assert.equal(w.masters().length, 1);
  w.resetFigures();
  return w;
}
export const masterOf = (w: World): Host => w.host(w.masters()[0] ?? assert.fail('nobody serves'));
export const othersOf = (w: World, host: Host): Host[] => w.hosts.filter((h) => h !== host);
export const versionOf = (host: Host): number | undefined => host.driver?.rosters.roster.version;
export const settledOf = (host: Host): number | undefined => host.driver?.rosters.settled;
export const setsOf = (host: Host) =>
  host.driver?.state.config.membership.voterSets.map((set) => set.toSorted());

export function push(w: World, host: Host, roster: Roster): void {
  const merge = host.driver?.offerRoster(fileOf(roster));
  assert.equal(merge?.kind, 'taken');
  w.pass(0);
}
export function unharmed(w: World, outageMs = 0): void {
  assert.equal(w.overlapMs, 0, 'two served');
  assert.ok(w.outageMs <= outageMs, `nobody served for ${w.outageMs} ms`);
  assert.deepEqual(w.violations, []);
}
