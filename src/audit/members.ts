/** Whose key was whose, and when: the roster's whole chain as the auditor asks it. */

import { thumbprint } from '../trust/fingerprint.ts';
import { type Roster, rosterAt } from '../trust/roster.ts';
import { importVerifyKey, type VerifyKey } from '../wire/ed25519.ts';
import { hex } from '../wire/hex.ts';

export class Members {
  readonly roster: Roster;
  /** By key id in hex: every key that a member has had in any version. */
  readonly keys: ReadonlyMap<string, VerifyKey>;
  readonly #hosts = new Map<string, string>();
  /** For each version, from 1: the key ids in it. */
  readonly #versions: readonly ReadonlySet<string>[];
  /** The first version that revokes a key. */
  readonly #revoked = new Map<string, number>();

  constructor(roster: Roster) {
    this.roster = roster;
    const keys = new Map<string, VerifyKey>();
    this.#versions = roster.versions.map((_, i) => {
      const at = rosterAt(roster, i + 1);
      const present = new Set<string>();
      for (const member of at?.members ?? []) {
        for (const key of [member.publicKey, ...(member.oldKey === null ? [] : [member.oldKey])]) {
          const kid = hex(thumbprint(key));
          present.add(kid);
          this.#hosts.set(kid, member.name);
          if (!keys.has(kid)) keys.set(kid, importVerifyKey(key));
        }
      }
      for (const kid of at?.body.revoked ?? [])
        if (!this.#revoked.has(hex(kid))) this.#revoked.set(hex(kid), i + 1);
      return present;
    });
    this.keys = keys;
  }

  /** A key is one host's for ever: the roster's rules see to that. */
  hostOf(kid: string): string | null {
    return this.#hosts.get(kid) ?? null;
  }

  /** Whether that key was a member's in that version. */
  isIn(kid: string, version: number): boolean {
    return this.#versions[version - 1]?.has(kid) ?? false;
  }

  /** The version that revoked it; null: none did. */
  revokedIn(kid: string): number | null {
    return this.#revoked.get(kid) ?? null;
  }

  /** Whether the roster has that version, with that hash (hex). */
  hasVersion(version: number, hash: string): boolean {
    const record = this.roster.history[version - 1];
    return record !== undefined && hex(record.hash) === hash;
  }

  /** The names of all that were ever members. */
  get hosts(): readonly string[] {
    return [...new Set(this.#hosts.values())].sort();
  }
}
