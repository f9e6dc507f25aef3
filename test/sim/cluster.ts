/** The simulated cluster's roster and keys, and its chance: all from fixed seeds. */
import type { Roster } from '../../src/trust/roster.ts';
import type { Identity } from '../../src/wire/endpoint.ts';
import { testRoster as rosterOf, testIdentity } from '../unit/wire-fixture.ts';

export function testRoster(
  hosts: number,
  witnesses: number,
): { roster: Roster; identities: Map<string, Identity> } {
  const gateways = Array.from({ length: hosts }, (_, i) => `fw${i + 1}`);
  const voters = Array.from({ length: witnesses }, (_, i) => `w${i + 1}`);
  const roster = rosterOf(gateways, voters);
  const identities = new Map([...gateways, ...voters].map((name) => [name, testIdentity(name)]));
  return { roster, identities };
}

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function seededRandom(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
