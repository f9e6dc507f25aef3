/**
 * Key files' contents: the private key as PKCS#8 PEM (RFC 5958, RFC 7468), as openssl reads and writes it, and the
 * public key as one line `portcullis-ed25519 BASE64 NAME`. Pure: reading and writing files is done elsewhere. No
 * error carries a byte of a secret.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type KeyFault, keyFault, privateKeyObject } from '../wire/ed25519.ts';

const PUBLIC_KEY_TYPE = 'portcullis-ed25519';
/** Implementation: no key file is longer. */
export const KEY_FILE_MAX_BYTES = 16 * 1024;

/** PKCS#8 PEM of a seed; with a pass phrase encrypted (PBES2, AES-256-CBC). */
export function encodePrivateKey(seed: Uint8Array, passphrase: Uint8Array | null): string {
  const key = privateKeyObject(seed);
  const pem = { type: 'pkcs8', format: 'pem' } as const;
  const text =
    passphrase === null
      ? key.export(pem)
      : key.export({ ...pem, cipher: 'aes-256-cbc', passphrase: Buffer.from(passphrase) });
  return text.toString();
}

export function isEncryptedPem(pem: Uint8Array): boolean {
  return Buffer.from(pem.buffer, pem.byteOffset, pem.length).includes(
    '-----BEGIN ENCRYPTED PRIVATE KEY-----',
  );
}

export type PrivateKeyResult =
  | { readonly ok: true; readonly seed: Uint8Array }
  | {
      readonly ok: false;
      readonly fault: 'passphrase-needed' | 'passphrase-wrong' | 'not-a-key' | 'not-ed25519';
    };

/** The 32-byte seed of a PKCS#8 PEM. */
export function decodePrivateKey(pem: Uint8Array, passphrase: Uint8Array | null): PrivateKeyResult {
  const encrypted = isEncryptedPem(pem);
  if (encrypted && passphrase === null) return { ok: false, fault: 'passphrase-needed' };
  let key: KeyObject;
  try {
    const secret = passphrase === null ? {} : { passphrase: Buffer.from(passphrase) };
    key = createPrivateKey({ key: Buffer.from(pem), format: 'pem', ...secret });
  } catch {
    return { ok: false, fault: encrypted ? 'passphrase-wrong' : 'not-a-key' }; // OpenSSL's words would tell no more
  }
  if (key.asymmetricKeyType !== 'ed25519') return { ok: false, fault: 'not-ed25519' };
  return { ok: true, seed: Uint8Array.from(Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url')) };
}

/** The line of a public key file, with its line end. `name` is a remark: nothing is decided by it. */
export function formatPublicKey(publicKey: Uint8Array, name: string): string {
  return `${PUBLIC_KEY_TYPE} ${Buffer.from(publicKey).toString('base64')} ${name}\n`;
}

export type PublicKeyResult =
  | { readonly ok: true; readonly publicKey: Uint8Array; readonly name: string }
  | { readonly ok: false; readonly fault: 'form' | KeyFault };

/** Reads the one line of a public key file, and admits the key. */
export function parsePublicKey(text: string): PublicKeyResult {
  const parts = /^portcullis-ed25519 ([A-Za-z0-9+/]{43}=)(?: ([\x21-\x7e]{1,64}))?\n?$/.exec(text);
  const base64 = parts?.[1];
  if (base64 === undefined) return { ok: false, fault: 'form' };
  const publicKey = Uint8Array.from(Buffer.from(base64, 'base64'));
  // Of the spellings that decode to the same bytes only one is accepted.
  if (Buffer.from(publicKey).toString('base64') !== base64) return { ok: false, fault: 'form' };
  const fault = keyFault(publicKey);
  return fault === null ? { ok: true, publicKey, name: parts?.[2] ?? '' } : { ok: false, fault };
}
