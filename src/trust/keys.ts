/**
 * Key files' contents: the private key as PKCS#8 PEM (RFC 5958, RFC 7468), as openssl reads and writes it, and the
 * public key as one line `portcullis-ed25519 BASE64 NAME` or as OpenSSH's. Reading and writing files is done
 * elsewhere. No error carries a byte of a secret.
 */
import { createPrivateKey, type KeyObject, randomBytes } from 'node:crypto';
import { type KeyFault, keyFault, privateKeyObject, SEED_BYTES } from '../wire/ed25519.ts';
import { derNumber, readDerSequence } from './der.ts';
import { isOpensshPrivateKey, parseOpensshPublicKey } from './openssh.ts';
import { encryptPrivateKeyInfo, IV_BYTES, SALT_BYTES, wrappingFault } from './pbes2.ts';
import { formatPem, pemBlock, strictBase64 } from './pem.ts';

const PUBLIC_KEY_TYPE = 'portcullis-ed25519';
const ENCRYPTED = 'ENCRYPTED PRIVATE KEY';
const PEM_WIDTH = 64;
/** Implementation: no key file is longer. */
export const KEY_FILE_MAX_BYTES = 16 * 1024;

/** PKCS#8 PEM of a seed; with a pass phrase encrypted (PBES2: scrypt, AES-256-CBC; some tenths of a second). */
export function encodePrivateKey(seed: Uint8Array, passphrase: Uint8Array | null): string {
  const key = privateKeyObject(seed);
  if (passphrase === null) return key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const info = key.export({ type: 'pkcs8', format: 'der' });
  const salt = Uint8Array.from(randomBytes(SALT_BYTES));
  const iv = Uint8Array.from(randomBytes(IV_BYTES));
  const encrypted = encryptPrivateKeyInfo(info, passphrase, salt, iv);
  info.fill(0);
  return formatPem(encrypted, ENCRYPTED, PEM_WIDTH);
}

export function isEncryptedPem(pem: Uint8Array): boolean {
  return viewOf(pem).includes(`-----BEGIN ${ENCRYPTED}-----`);
}

export type PrivateKeyFault =
  | 'passphrase-needed'
  | 'passphrase-wrong'
  | 'wrapping-unknown'
  | 'wrapping-too-costly'
  | 'not-a-key'
  | 'not-ed25519'
  | 'openssh'
  /** OneAsymmetricKey version 2 (RFC 8410, 10.3, second example), which openssl does not read either. */
  | 'pkcs8-v2';

export type PrivateKeyResult =
  | { readonly ok: true; readonly seed: Uint8Array }
  | { readonly ok: false; readonly fault: PrivateKeyFault };

/** The 32-byte seed of a PKCS#8 PEM. */
export function decodePrivateKey(pem: Uint8Array, passphrase: Uint8Array | null): PrivateKeyResult {
  const fault = (name: PrivateKeyFault): PrivateKeyResult => ({ ok: false, fault: name });
  const encrypted = isEncryptedPem(pem);
  if (encrypted) {
    const block = pemBlock(Buffer.from(pem).toString('latin1'), ENCRYPTED);
    const wrong = block === null ? 'form' : wrappingFault(block);
    if (wrong !== null) return fault(wrong === 'form' ? 'wrapping-unknown' : 'wrapping-too-costly');
    if (passphrase === null) return fault('passphrase-needed');
  }
  let key: KeyObject;
  try {
    const secret = passphrase === null ? {} : { passphrase: viewOf(passphrase) };
    key = createPrivateKey({ key: viewOf(pem), format: 'pem', ...secret });
  } catch {
    return fault(encrypted ? 'passphrase-wrong' : unreadable(pem)); // OpenSSL's words would tell no more
  }
  if (key.asymmetricKeyType !== 'ed25519') return fault('not-ed25519');
  // The last 32 bytes of PrivateKeyInfo. As JWK the seed would be a text, which nobody can wipe.
  const info = key.export({ type: 'pkcs8', format: 'der' });
  const seed = Uint8Array.from(info.subarray(-SEED_BYTES));
  info.fill(0);
  return { ok: true, seed };
}

/** The same memory as Buffer: no copy of a secret that somebody would have to wipe. */
function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** What openssl does not read, but other tools write. */
function unreadable(pem: Uint8Array): PrivateKeyFault {
  const text = Buffer.from(pem).toString('latin1');
  if (isOpensshPrivateKey(text)) return 'openssh';
  const block = pemBlock(text, 'PRIVATE KEY');
  const [version] = block === null ? [] : (readDerSequence(block) ?? []);
  const isV2 = derNumber(version) === 1;
  block?.fill(0);
  return isV2 ? 'pkcs8-v2' : 'not-a-key';
}

/** The line of a public key file, with its line end. `name` is a remark: nothing is decided by it. */
export function formatPublicKey(publicKey: Uint8Array, name: string): string {
  return `${PUBLIC_KEY_TYPE} ${Buffer.from(publicKey).toString('base64')} ${name}\n`;
}

/** A remark as the line of a public key file can carry it: 1 to 64 printable characters without blanks. */
export function remarkOf(text: string): string {
  const remark = text.replace(/[^\x21-\x7e]/g, '-').slice(0, 64);
  return remark === '' ? 'key' : remark;
}

export type PublicKeyResult =
  | { readonly ok: true; readonly publicKey: Uint8Array; readonly name: string }
  | { readonly ok: false; readonly fault: 'form' | KeyFault };

/** Reads the one line of a public key file, ours or OpenSSH's, and admits the key. */
export function parsePublicKey(text: string): PublicKeyResult {
  const line = parseOwnLine(text) ?? parseOpensshLine(text);
  if (line === null) return { ok: false, fault: 'form' };
  const fault = keyFault(line.publicKey);
  return fault === null ? { ok: true, ...line } : { ok: false, fault };
}

interface PublicLine {
  readonly publicKey: Uint8Array;
  readonly name: string;
}

function parseOwnLine(text: string): PublicLine | null {
  const parts = /^portcullis-ed25519 ([A-Za-z0-9+/]{43}=)(?: ([\x21-\x7e]{1,64}))?\n?$/.exec(text);
  // Of the spellings that decode to the same bytes only one is accepted.
  const publicKey = parts?.[1] === undefined ? null : strictBase64(parts[1]);
  return publicKey === null ? null : { publicKey, name: parts?.[2] ?? '' };
}

function parseOpensshLine(text: string): PublicLine | null {
  const parsed = parseOpensshPublicKey(text);
  return parsed === null ? null : { publicKey: parsed.publicKey, name: remarkOf(parsed.comment) };
}
