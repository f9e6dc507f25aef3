/**
 * The two short names of a public key: the key id that messages carry, and the fingerprint that people compare.
 * Both can be computed again from the key, so neither is ever taken on trust.
 */
import { createHash } from 'node:crypto';
import { encodeBlob } from './openssh.ts';

/** The deterministic COSE_Key {1: 1 (OKP), -1: 6 (Ed25519), -2: x} up to x. */
const COSE_KEY_HEAD = Uint8Array.from([0xa3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20]);

/** The kid: the SHA-256 COSE key thumbprint of RFC 9679 of a 32-byte Ed25519 key; 32 bytes. */
export function thumbprint(publicKey: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(COSE_KEY_HEAD).update(publicKey).digest());
}

/** The fingerprint as `ssh-keygen -l` prints it for the same key: SHA-256 of the SSH key blob (RFC 8709), base64 unpadded. */
export function fingerprint(publicKey: Uint8Array): string {
  const hash = createHash('sha256').update(encodeBlob(publicKey)).digest('base64');
  return `SHA256:${hash.replace(/=+$/, '')}`;
}

/** Whether `text` has the form of a fingerprint: 32 bytes in unpadded base64. */
export function isFingerprint(text: string): boolean {
  return /^SHA256:[A-Za-z0-9+/]{43}$/.test(text);
}
