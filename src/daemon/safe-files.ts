/**
 * Files that operators hand in and get: read whole and bounded, judged on the open file and not on its name; written
 * whole or not at all, and never over a file that is there unless that is the order. Every fault is an OperatorError.
 */
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { OperatorError } from '../trust/errors.ts';
import { KEY_FILE_MAX_BYTES } from '../trust/keys.ts';
import { holdSignals } from './interrupt.ts';

const OTHERS = 0o077;
const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;
const NAME_A_FILE = 'a directory, pipe or device is not taken: name a file';

/**
 * A regular file of at most `maxBytes`, whole or from byte `from` on. Symbolic links are followed; a pipe or device is
 * refused, not waited for.
 */
export function readWhole(
  path: string,
  maxBytes: number,
  judge: (stat: Stats) => void = () => {},
  from = 0,
): Buffer {
  return orOperatorError(path, 'read', () =>
    // Not blocking: somebody's named pipe in place of the file must not hang the command.
    withFd(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), (fd) => {
      const stat = fstatSync(fd);
      if (!stat.isFile()) throw new OperatorError(`${path}: not a regular file`, NAME_A_FILE);
      judge(stat);
      if (stat.size > maxBytes)
        throw new OperatorError(
          `${path}: longer than ${maxBytes} bytes`,
          'it is no such file: is the path right?',
        );
      const bytes = Buffer.alloc(Math.max(0, stat.size - from));
      let length = 0;
      for (let got = 1; got > 0 && length < bytes.length; length += got) {
        got = readSync(fd, bytes, length, bytes.length - length, from + length);
      }
      return bytes.subarray(0, length);
    }),
  );
}

/**
 * A file that only its owner may read: a private key, a pass phrase. The caller wipes it when done. Also refused
 * when somebody else owns it (unless root asks, who owns nothing of the service's), and in a directory where anybody
 * may put another file in its place. What `isSecret` says is none (a public file, given by mistake) is read as it is, and the
 * caller says what it is not.
 */
export function readSecretFile(
  path: string,
  what: string,
  isSecret: (bytes: Buffer) => boolean = () => true,
): Buffer {
  let stat: Stats | undefined;
  const bytes = readWhole(path, KEY_FILE_MAX_BYTES, (found) => {
    stat = found;
  });
  try {
    if (stat !== undefined && isSecret(bytes)) refuseUnguarded(path, what, stat);
    return bytes;
  } catch (error) {
    bytes.fill(0);
    throw error;
  }
}

function refuseUnguarded(path: string, what: string, stat: Stats): void {
  if ((stat.mode & OTHERS) !== 0) {
    const shown = (stat.mode & 0o777).toString(8).padStart(4, '0');
    throw new OperatorError(`${path}: others can read this ${what} (mode ${shown})`, `chmod 600 ${path}`);
  }
  const self = process.geteuid?.() ?? 0;
  if (self !== 0 && stat.uid !== self && stat.uid !== 0)
    throw new OperatorError(
      `${path}: this ${what} belongs to user ${stat.uid}`,
      'read only what is your own',
    );
  refuseOpenDirectory(path);
}

/** Creates a file that must not be there yet, and makes it durable. It never exists half-written. */
export function createFile(path: string, bytes: Uint8Array, mode: number): void {
  orOperatorError(path, 'write', () => {
    const fresh = writeFresh(path, bytes, mode);
    try {
      linkNew(fresh, path, mode);
    } finally {
      rmSync(fresh, { force: true });
    }
    syncDirectory(path);
  });
}

/** Replaces a file that is there, atomically; where the path is a link, the file that it leads to. */
export function replaceExisting(path: string, bytes: Uint8Array, mode: number): void {
  orOperatorError(path, 'write', () => {
    const target = realpathSync(path);
    const old = statSync(target);
    if (!old.isFile()) throw new OperatorError(`${path}: not a regular file`, NAME_A_FILE);
    const fresh = writeFresh(target, bytes, mode);
    try {
      if (process.geteuid?.() === 0) chownSync(fresh, old.uid, old.gid); // root changes it for its owner
      renameSync(fresh, target);
    } finally {
      rmSync(fresh, { force: true });
    }
    syncDirectory(target);
  });
}

/** Refuses a place where anybody could exchange a secret. */
export function refuseOpenDirectory(path: string): void {
  orOperatorError(path, 'write', () => {
    const directories = new Set([dirname(path)]);
    // Of a link also the directory that it leads to; a file that is not there yet leads nowhere.
    if (existsSync(path)) directories.add(dirname(realpathSync(path)));
    for (const directory of directories) {
      const { mode } = statSync(directory);
      if ((mode & OTHERS_WRITE) === 0 || (mode & STICKY) !== 0) continue;
      throw new OperatorError(
        `${path}: anybody may put another file in its place (the directory is world-writable)`,
        `chmod o-w ${directory}`,
      );
    }
  });
}

export function alreadyThere(path: string): OperatorError {
  return new OperatorError(
    `${path}: there is such a file already`,
    'nothing is overwritten: choose another name',
  );
}

/** The bytes under a new name beside `path`, durable; the caller gives them their name or removes them. */
function writeFresh(path: string, bytes: Uint8Array, mode: number): string {
  holdSignals();
  const fresh = `${path}.new-${randomBytes(6).toString('hex')}`;
  try {
    withFd(openSync(fresh, 'wx', mode), (fd) => {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
      fsyncSync(fd);
    });
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
  return fresh;
}

/** A hard link takes a name only when it is free. A stick's FAT has none: there the name is taken first, empty. */
function linkNew(fresh: string, path: string, mode: number): void {
  try {
    linkSync(fresh, path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code)) throw error;
    closeSync(openSync(path, 'wx', mode));
    renameSync(fresh, path);
  }
}

function syncDirectory(path: string): void {
  withFd(openSync(dirname(path), 'r'), fsyncSync);
}

function withFd<T>(fd: number, use: (fd: number) => T): T {
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

const CODE_HINTS: { readonly [code: string]: string } = {
  EACCES: 'run this as root, or as the owner of the file and its directory',
  EPERM: 'run this as root, or as the owner of the file and its directory',
  EISDIR: NAME_A_FILE,
  ENOTDIR: 'a part of the path is a file, not a directory',
  EROFS: 'the file system is mounted read-only: name another place',
  ENOSPC: 'the file system is full: make room, or name another place',
};

/** Said of a file, or of a directory for one, that is not there. */
export function notThere(path: string): OperatorError {
  const directory = dirname(path);
  const hint = existsSync(directory)
    ? 'is the path right?'
    : `the directory ${directory} is not there; if the path is right: install -d -m 0750 ${directory}`;
  return new OperatorError(`${path || '""'}: no such file or directory`, hint);
}

function orOperatorError<T>(path: string, verb: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw alreadyThere(path);
    if (code === 'ENOENT') throw notThere(path);
    if (code === 'ELOOP')
      throw new OperatorError(
        `${path}: a symbolic link that leads nowhere`,
        'remove the link, or name the file itself',
      );
    if (typeof code === 'string')
      throw new OperatorError(`${path}: cannot ${verb} (${code})`, CODE_HINTS[code]);
    throw error;
  }
}
