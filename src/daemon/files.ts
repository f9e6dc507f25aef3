/** Files that must be whole or absent after a crash: written new, synced, renamed, the directory synced. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { holdSignals } from './interrupt.ts';

/** Replaces `path` by `bytes` atomically. Throws Node's error; then the old file is as it was. */
export function replaceFile(path: string, bytes: Uint8Array, mode = 0o640): void {
  holdSignals();
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

/** The same without holding up the loop: a slow disk must not cost a lease. Rejects with Node's error. */
export async function replaceFileSoon(path: string, bytes: Uint8Array, mode = 0o640): Promise<void> {
  const fresh = `${path}.new-${process.pid}`;
  try {
    await rm(fresh, { force: true }); // left behind by a process of the same number
    const file = await open(fresh, 'wx', mode);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => undefined);
    throw error;
  }
  const directory = await open(dirname(path), 'r');
  await directory.sync().finally(() => directory.close());
}
