/** Files that must be whole or absent after a crash: written new, synced, renamed, the directory synced. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Replaces `path` by `bytes` atomically. Throws Node's error; then the old file is as it was. */
export function replaceFile(path: string, bytes: Uint8Array, mode = 0o640): void {
  const fresh = `${path}.new-${process.pid}`;
  try {
    withFile(openSync(fresh, 'wx', mode), (fd) => {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
      fsyncSync(fd);
    });
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
  withFile(openSync(dirname(path), 'r'), fsyncSync);
}

function withFile(fd: number, use: (fd: number) => void): void {
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
}
