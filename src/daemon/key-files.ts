/**
 * Keys and rosters on disk. A private key that others can read is refused, and no file is ever overwritten by a
 * new key. What is wrong is told in the operator's words, never with a byte of a secret.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { OperatorError } from '../trust/errors.ts';
import {
  decodePrivateKey,
  encodePrivateKey,
  formatPublicKey,
  KEY_FILE_MAX_BYTES,
  parsePublicKey,
} from '../trust/keys.ts';
import { ROSTER_FILE_MAX_BYTES, type Roster, verifyRosterFile } from '../trust/roster.ts';
import { type Identity, identityFromSeed, publicKeyOf } from '../wire/ed25519.ts';

/** Asks for the pass phrase of a file when it turns out to need one. */
export type AskPassphrase = (path: string) => Uint8Array | null;

/** The seed of a private key file. Throws OperatorError. The caller wipes it when done. */
export function readSeedFile(path: string, askPassphrase: AskPassphrase = () => null): Uint8Array {
  const pem = readSecretFile(path, 'private key');
  try {
    let result = decodePrivateKey(pem, null);
    if (!result.ok && result.fault === 'passphrase-needed') {
      const passphrase = askPassphrase(path);
      if (passphrase !== null) result = decodePrivateKey(pem, passphrase);
      passphrase?.fill(0);
    }
    if (result.ok) return result.seed;
    const wrong = {
      'passphrase-needed': ['is under a pass phrase', 'give it with --passphrase-file FILE'],
      'passphrase-wrong': ['does not open with that pass phrase', 'check the pass phrase'],
      'not-a-key': [
        'is not a private key in PKCS#8 PEM',
        'make one with: portcullis key generate --out FILE',
      ],
      'not-ed25519': ['is not an Ed25519 key', 'make one with: portcullis key generate --out FILE'],
    }[result.fault];
    throw new OperatorError(`${path}: ${wrong[0]}`, wrong[1]);
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

/** A public key file's key, admitted, and the remark on its line. Throws OperatorError. */
export function readPublicKeyFile(path: string): { publicKey: Uint8Array; name: string } {
  const result = parsePublicKey(readWhole(path, KEY_FILE_MAX_BYTES).toString('latin1'));
  if (result.ok) return { publicKey: result.publicKey, name: result.name };
  if (result.fault === 'form') {
    throw new OperatorError(
      `${path}: not a public key of portcullis`,
      'it is one line: portcullis-ed25519 BASE64 NAME',
    );
  }
  throw new OperatorError(
    `${path}: the public key is not admitted (${result.fault})`,
    'such a key proves nothing: make a new one',
  );
}

/** Whether that file holds a public key's line, and not a private key. Throws OperatorError when it cannot be read. */
export function isPublicKeyFile(path: string): boolean {
  const bytes = readWhole(path, KEY_FILE_MAX_BYTES);
  const isPublic = bytes.subarray(0, 11).equals(Buffer.from('portcullis-'));
  bytes.fill(0);
  return isPublic;
}

/** Writes FILE (0600) and FILE.pub (0644), both new. Throws OperatorError when either is there. */
export function writeKeyPair(
  path: string,
  seed: Uint8Array,
  name: string,
  passphrase: Uint8Array | null,
): void {
  const publicPath = `${path}.pub`;
  // Looked at first, so that a private key is not left behind without its public half.
  if (existsSync(publicPath)) throw alreadyThere(publicPath);
  createFile(path, Buffer.from(encodePrivateKey(seed, passphrase)), 0o600);
  createFile(publicPath, Buffer.from(formatPublicKey(publicKeyOf(seed), name)), 0o644);
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

/** Creates a file that must not be there yet, and makes it durable. Throws OperatorError. */
export function createFile(path: string, bytes: Uint8Array, mode: number): void {
  orOperatorError(path, 'write', () => {
    withFd(openSync(path, 'wx', mode), (fd) => {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
      fsyncSync(fd);
    });
    withFd(openSync(dirname(path), 'r'), fsyncSync);
  });
}

/** A file that only its owner may read: a private key, a pass phrase. Throws OperatorError. */
export function readSecretFile(path: string, what: string): Buffer {
  return readWhole(path, KEY_FILE_MAX_BYTES, (mode) => {
    if ((mode & 0o077) === 0) return;
    const shown = (mode & 0o777).toString(8).padStart(4, '0');
    throw new OperatorError(`${path}: others can read this ${what} (mode ${shown})`, `chmod 600 ${path}`);
  });
}

/** Reads a regular file whole, after its mode was judged on the open file, not on its name. */
function readWhole(path: string, maxBytes: number, judge: (mode: number) => void = () => {}): Buffer {
  return orOperatorError(path, 'read', () =>
    // Not blocking: somebody's named pipe in place of the file must not hang the command.
    withFd(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), (fd) => {
      const stat = fstatSync(fd);
      if (!stat.isFile()) throw new OperatorError(`${path}: not a regular file`);
      judge(stat.mode);
      if (stat.size > maxBytes) throw new OperatorError(`${path}: longer than ${maxBytes} bytes`);
      const bytes = Buffer.alloc(stat.size);
      let length = 0;
      for (let got = 1; got > 0 && length < bytes.length; length += got) {
        got = readSync(fd, bytes, length, bytes.length - length, null);
      }
      return bytes.subarray(0, length);
    }),
  );
}

function withFd<T>(fd: number, use: (fd: number) => T): T {
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

function orOperatorError<T>(path: string, verb: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') {
      throw new OperatorError(
        `${path}: there is such a file already`,
        'nothing is overwritten: choose another name',
      );
    }
    if (code === 'ENOENT') throw new OperatorError(`${path}: no such file or directory`);
    if (typeof code === 'string') throw new OperatorError(`${path}: cannot ${verb} (${code})`);
    throw error;
  }
}

function alreadyThere(path: string): OperatorError {
  return new OperatorError(
    `${path}: there is such a file already`,
    'nothing is overwritten: choose another name',
  );
}
