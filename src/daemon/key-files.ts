/**
 * Keys and rosters on disk. A private key that others can read is refused, and no file is ever overwritten by a
 * new key. What is wrong is told in the operator's words, never with a byte of a secret.
 */
import { existsSync, rmSync } from 'node:fs';
import { OperatorError } from '../trust/errors.ts';
import {
  decodePrivateKey,
  encodePrivateKey,
  formatPublicKey,
  KEY_FILE_MAX_BYTES,
  type PrivateKeyFault,
  parsePublicKey,
} from '../trust/keys.ts';
import { type OpensshFault, parseOpensshPrivateKey } from '../trust/openssh.ts';
import { ROSTER_FILE_MAX_BYTES, type Roster, verifyRosterFile } from '../trust/roster.ts';
import { type Identity, identityFromSeed, publicKeyOf } from '../wire/ed25519.ts';
import { alreadyThere, createFile, readSecretFile, readWhole, refuseOpenDirectory } from './safe-files.ts';

/** Asks for the pass phrase of a file when it turns out to need one. */
export interface AskPassphrase {
  (path: string): Uint8Array | null;
  /** The command's option that gives it; absent: there is none, as for a host's own key. */
  readonly option?: string;
}

const MAKE_ONE = 'make one with: portcullis key generate --out FILE';

/** What to say of a private key file, and what to do: [`FILE: ...`, hint]. */
const PRIVATE_FAULTS: { readonly [fault in PrivateKeyFault]: readonly [string, string] } = {
  'passphrase-needed': [
    'is under a pass phrase',
    'the key of a host stands without one, since nobody is there to type it: portcullis key passphrase FILE --remove',
  ],
  'passphrase-wrong': ['does not open with that pass phrase', 'check the pass phrase'],
  'wrapping-unknown': [
    'is encrypted in a way that is not read here',
    'PBES2 with scrypt or PBKDF2 is, as openssl pkcs8 -topk8 -scrypt -in FILE -out NEW writes it',
  ],
  'wrapping-too-costly': ['asks for more work than any honest file to be opened', 'where does it come from?'],
  'not-a-key': ['is not a private key in PKCS#8 PEM', MAKE_ONE],
  'not-ed25519': ['is not an Ed25519 key', MAKE_ONE],
  openssh: ['is in the OpenSSH format', 'bring it in with: portcullis key import-ssh FILE --out NEW'],
  'pkcs8-v2': [
    'is PKCS#8 of version 2 (with the public key inside), which openssl does not read either',
    `have the tool that made it write version 1, or ${MAKE_ONE}`,
  ],
};

const OPENSSH_FAULTS: { readonly [fault in OpensshFault]: readonly [string, string] } = {
  form: ['is not a private key in the OpenSSH format', 'it begins with -----BEGIN OPENSSH PRIVATE KEY-----'],
  encrypted: [
    'is under a pass phrase, which OpenSSH keeps in a form of its own',
    "take it off a copy on a memory file system: ssh-keygen -p -N '' -f COPY; import the copy with a new one",
  ],
  'not-ed25519': ['is not one Ed25519 key', 'ssh-keygen -t ed25519 makes one'],
  'halves-differ': ['holds a public key that is not of its private key', 'the file is damaged or forged'],
};

/** All kinds that are read here, and others, say so in their first line. */
function holdsPrivateKey(bytes: Buffer): boolean {
  return bytes.includes('PRIVATE KEY');
}

const NOBODY_ASKED: AskPassphrase = () => null;

/** The seed of a private key file. Throws OperatorError. The caller wipes it when done. */
export function readSeedFile(path: string, askPassphrase: AskPassphrase = NOBODY_ASKED): Uint8Array {
  const pem = readSecretFile(path, 'private key', holdsPrivateKey);
  try {
    let result = decodePrivateKey(pem, null);
    if (!result.ok && result.fault === 'passphrase-needed') {
      const passphrase = askPassphrase(path);
      if (passphrase !== null) result = decodePrivateKey(pem, passphrase);
      passphrase?.fill(0);
    }
    if (result.ok) return result.seed;
    const [wrong, hint] = PRIVATE_FAULTS[result.fault];
    const { option } = askPassphrase;
    const isAsked = result.fault === 'passphrase-needed' && option !== undefined;
    throw new OperatorError(`${path}: ${wrong}`, isAsked ? `give it with ${option} FILE` : hint);
  } finally {
    pem.fill(0);
  }
}

/** The identity of a private key file. Throws OperatorError. */
export function readIdentityFile(path: string, askPassphrase?: AskPassphrase): Identity {
  const seed = readSeedFile(path, askPassphrase);
  try {
    return identityFromSeed(seed);
  } finally {
    seed.fill(0);
  }
}

/** The seed and remark of an OpenSSH private key file. Throws OperatorError. The caller wipes the seed. */
export function readOpensshFile(path: string): { seed: Uint8Array; comment: string } {
  const bytes = readSecretFile(path, 'private key', holdsPrivateKey);
  try {
    const result = parseOpensshPrivateKey(bytes.toString('latin1'));
    if (result.ok) return result;
    const [wrong, hint] = OPENSSH_FAULTS[result.fault];
    throw new OperatorError(`${path}: ${wrong}`, hint);
  } finally {
    bytes.fill(0);
  }
}

/** A public key file's key, admitted, and the remark on its line. Throws OperatorError. */
export function readPublicKeyFile(path: string): { publicKey: Uint8Array; name: string } {
  return publicKeyOfLine(path, readWhole(path, KEY_FILE_MAX_BYTES).toString('latin1'));
}

/** The key on a public key's line, admitted. `source` names it in errors. Throws OperatorError. */
export function publicKeyOfLine(source: string, line: string): { publicKey: Uint8Array; name: string } {
  const result = parsePublicKey(line);
  if (result.ok) return { publicKey: result.publicKey, name: result.name };
  if (result.fault === 'form') {
    throw new OperatorError(
      `${source}: not a public key of portcullis`,
      'it is one line: portcullis-ed25519 BASE64 NAME, or ssh-ed25519 BASE64 REMARK',
    );
  }
  throw new OperatorError(
    `${source}: the public key is not admitted (${result.fault})`,
    'such a key proves nothing: make a new one',
  );
}

/** Whether that file holds a public key's line, and not a private key. Throws OperatorError when it cannot be read. */
export function isPublicKeyFile(path: string): boolean {
  const bytes = readWhole(path, KEY_FILE_MAX_BYTES);
  const isPublic = /^(portcullis-|ssh-|ecdsa-|sk-)/.test(bytes.subarray(0, 16).toString('latin1'));
  bytes.fill(0);
  return isPublic;
}

/** Writes FILE (0600) and FILE.pub (0644), both new, both or none. Throws OperatorError when either is there. */
export function writeKeyPair(
  path: string,
  seed: Uint8Array,
  name: string,
  passphrase: Uint8Array | null,
): void {
  const secret = Buffer.from(encodePrivateKey(seed, passphrase));
  try {
    writePair(path, secret, formatPublicKey(publicKeyOf(seed), name));
  } finally {
    secret.fill(0);
  }
}

/** Two halves of a key, both new, both or none: FILE (0600) and FILE.pub (0644). Throws OperatorError. */
export function writePair(path: string, secret: Uint8Array, publicLine: string): void {
  const publicPath = `${path}.pub`;
  // Looked at first, so that a private key is not left behind without its public half.
  if (existsSync(publicPath)) throw alreadyThere(publicPath);
  refuseOpenDirectory(path);
  createFile(path, secret, 0o600);
  try {
    createFile(publicPath, Buffer.from(publicLine), 0o644);
  } catch (error) {
    rmSync(path, { force: true }); // ours, made a moment ago, and known to nobody
    throw error;
  }
}

/** The bytes of a roster file. Throws OperatorError. */
export function readRosterBytes(path: string): Uint8Array {
  return Uint8Array.from(readWhole(path, ROSTER_FILE_MAX_BYTES));
}

/** The newest roster of a file, verified from that admin key on. Throws OperatorError. */
export function readRosterFile(path: string, adminKey: Uint8Array): Roster {
  const result = verifyRosterFile(readRosterBytes(path), adminKey);
  if (result.ok) return result.roster;
  const where = result.version === null ? path : `${path}: version ${result.version}`;
  throw new OperatorError(
    `${where}: ${result.reason}`,
    'the roster must be signed by the configured admin key, from its first version on',
  );
}
