/** What the key commands print of a key: its public half and its names, never more. */
import { basename } from 'node:path';
import { fingerprint, thumbprint } from '../trust/fingerprint.ts';
import { formatPublicKey, remarkOf } from '../trust/keys.ts';
import { jsonLine } from './json-line.ts';
import type { KeyIo } from './key-io.ts';

export interface KeyDescription {
  readonly type: 'ed25519';
  readonly half: 'private' | 'public';
  readonly encrypted: boolean;
  readonly name: string;
  readonly fingerprint: string;
  /** Hex: the kid that the host's messages carry. */
  readonly kid: string;
  /** The line of the public key file. */
  readonly publicKey: string;
}

/** What is shown of a key: `publicKey` has 32 bytes, `name` is the remark on it; nothing secret. */
export function describeKey(
  publicKey: Uint8Array,
  name: string,
  half: 'private' | 'public',
  encrypted: boolean,
): KeyDescription {
  return {
    type: 'ed25519',
    half,
    encrypted,
    name,
    fingerprint: fingerprint(publicKey),
    kid: Buffer.from(thumbprint(publicKey)).toString('hex'),
    publicKey: formatPublicKey(publicKey, name).trimEnd(),
  };
}

/** The same for people, three lines, or as one line of JSON. */
export function printKey(io: KeyIo, key: KeyDescription, json: boolean): void {
  if (json) {
    io.out(jsonLine(key));
    return;
  }
  const half = `${key.half}${key.encrypted ? ', under a pass phrase' : ''}`;
  io.out(`${key.fingerprint} ${key.name} (${key.type}, ${half})\nkid ${key.kid}\n${key.publicKey}\n`);
}

/** The remark on a public key: the file's name without its ending. */
export function remarkOfFile(file: string): string {
  return remarkOf(basename(file).replace(/\.(key|pem)$/, ''));
}
