/**
 * A private key under a pass phrase: EncryptedPrivateKeyInfo (RFC 5958) with PBES2 (RFC 8018), scrypt (RFC 7914)
 * and AES-256-CBC, as `openssl pkcs8 -topk8 -scrypt` writes it. Node's own export derives with 2,048 rounds of
 * PBKDF2, which a thief with one graphics card tries by the million a second.
 */
import { createCipheriv, scryptSync } from 'node:crypto';
import { DER, der, derInteger, derNumber, readDerSequence } from './der.ts';

/**
 * 16 MiB of memory, eight times over: some tenths of a second. More memory openssl does not grant when it reads such
 * a file (its limit is 32 MiB, which N = 2^15 exceeds by a little), so the rest of the cost is in p.
 */
export const SCRYPT_COST = { N: 2 ** 14, r: 8, p: 8 } as const;
export const SALT_BYTES = 16;
export const IV_BYTES = 16;
/** Implementation: what opening a file may cost; a forged one would keep openssl busy for hours. */
const SCRYPT_WORK_MAX = 2 ** 26; // N r p: 64 times ours
const PBKDF2_ROUNDS_MAX = 10_000_000;

const OID = {
  pbes2: [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d], // 1.2.840.113549.1.5.13
  pbkdf2: [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c], // 1.2.840.113549.1.5.12
  scrypt: [0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x04, 0x0b], // 1.3.6.1.4.1.11591.4.11
  aes256cbc: [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a], // 2.16.840.1.101.3.4.1.42
} as const;

/** EncryptedPrivateKeyInfo of a PrivateKeyInfo, both DER. `salt` and `iv`: fresh random bytes, 16 each. */
export function encryptPrivateKeyInfo(
  info: Uint8Array,
  passphrase: Uint8Array,
  salt: Uint8Array,
  iv: Uint8Array,
): Uint8Array {
  const { N, r, p } = SCRYPT_COST;
  const key = scryptSync(passphrase, salt, 32, { N, r, p });
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const encrypted = Buffer.concat([cipher.update(info), cipher.final()]);
  key.fill(0);
  const kdf = der(
    DER.sequence,
    oid('scrypt'),
    der(DER.sequence, der(DER.octets, salt), derInteger(N), derInteger(r), derInteger(p)),
  );
  const scheme = der(DER.sequence, oid('aes256cbc'), der(DER.octets, iv));
  const algorithm = der(DER.sequence, oid('pbes2'), der(DER.sequence, kdf, scheme));
  return der(DER.sequence, algorithm, der(DER.octets, encrypted));
}

/** Why openssl should not even try to open it: `form`: not PBES2 with PBKDF2 or scrypt; `cost`: beyond our bounds. */
export function wrappingFault(encryptedInfo: Uint8Array): 'form' | 'cost' | null {
  const [algorithm, data] = readDerSequence(encryptedInfo) ?? [];
  if (algorithm?.tag !== DER.sequence || data?.tag !== DER.octets) return 'form';
  const pbes2 = parameters(der(DER.sequence, algorithm.content), 'pbes2');
  const [kdf] = pbes2 === null ? [] : (readDerSequence(pbes2) ?? []);
  if (kdf?.tag !== DER.sequence) return 'form';
  const kdfBytes = der(DER.sequence, kdf.content);
  const pbkdf2 = parameters(kdfBytes, 'pbkdf2');
  if (pbkdf2 !== null) {
    const rounds = derNumber((readDerSequence(pbkdf2) ?? [])[1]);
    return rounds === null ? 'form' : rounds > PBKDF2_ROUNDS_MAX ? 'cost' : null;
  }
  const scrypt = parameters(kdfBytes, 'scrypt');
  if (scrypt === null) return 'form';
  const [, N, r, p] = (readDerSequence(scrypt) ?? []).map(derNumber);
  if (typeof N !== 'number' || typeof r !== 'number' || typeof p !== 'number') return 'form';
  return N * r * p > SCRYPT_WORK_MAX ? 'cost' : null;
}

/** The parameters of an AlgorithmIdentifier, when it names that algorithm. */
function parameters(algorithm: Uint8Array, name: keyof typeof OID): Uint8Array | null {
  const [id, given] = readDerSequence(algorithm) ?? [];
  if (id?.tag !== DER.oid || given?.tag !== DER.sequence) return null;
  return Buffer.compare(id.content, Uint8Array.from(OID[name])) === 0
    ? der(DER.sequence, given.content)
    : null;
}

function oid(name: keyof typeof OID): Uint8Array {
  return der(DER.oid, Uint8Array.from(OID[name]));
}
