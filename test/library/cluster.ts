/** A cluster's keys and roster, made with the library alone, as files for programs. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  addMember,
  appendVersion,
  encodePrivateKey,
  firstBody,
  formatPublicKey,
  identityFromSeed,
  parseSocketAddress,
  type Roster,
  type RosterBody,
  signRosterBody,
} from 'portcullis/trust';

export interface MadeCluster {
  readonly roster: Roster;
  readonly admin: string;
  readonly rosterFile: string;
  readonly keyOf: (host: string) => string;
}

const seed = (): Uint8Array => Uint8Array.from(randomBytes(32));

/** `hosts`: name to `IP:PORT`; the first is preferred. Files in that directory, private keys 0600. */
export function madeCluster(dir: string, hosts: { readonly [host: string]: string }): MadeCluster {
  const admin = identityFromSeed(seed());
  const appended = (current: Roster | null, body: RosterBody): Roster => {
    const result = appendVersion(current, signRosterBody(body, admin), [admin.publicKey]);
    if (!result.ok) throw new Error(result.reason);
    return result.roster;
  };
  const keyOf = (host: string): string => join(dir, `${host}.key`);
  let roster = appended(null, firstBody('web', admin.publicKey, Uint8Array.from(randomBytes(16))));
  for (const [i, [name, text]] of Object.entries(hosts).entries()) {
    const address = parseSocketAddress(text);
    if (address === null) throw new Error(text);
    const hostSeed = seed();
    writeFileSync(keyOf(name), encodePrivateKey(hostSeed, null), { mode: 0o600 });
    const { publicKey } = identityFromSeed(hostSeed);
    const member = { name, role: 'gateway', priority: 100 - i, publicKey, addresses: [address] } as const;
    roster = appended(roster, addMember(roster, member, roster.version + 1));
  }
  const files = { admin: join(dir, 'admin.pub'), rosterFile: join(dir, 'roster.cose') };
  writeFileSync(files.admin, formatPublicKey(admin.publicKey, 'admin'));
  writeFileSync(files.rosterFile, Buffer.concat(roster.versions));
  return { roster, ...files, keyOf };
}
