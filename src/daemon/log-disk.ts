/**
 * The disk as the event log uses it: one directory of append-only files. A port, so that tests can cut the power between
 * any two of its calls. What a call has promised when it resolves is said with it; nothing else is relied on.
 */
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface LogFile {
  /** All bytes behind the end; not durable yet. */
  append(bytes: Uint8Array): Promise<void>;
  /** What was appended, and cut, is durable, and the file is still where it was. */
  sync(): Promise<void>;
  /** Cuts the file to that length. */
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

export interface LogDisk {
  /** The files, sorted by name. */
  list(): Promise<{ name: string; bytes: number; changedMs: number }[]>;
  /** At most `maxBytes` of the file, from its beginning. */
  read(name: string, maxBytes: number): Promise<Uint8Array>;
  /** A file that was not there; that it is there is durable when this resolves. */
  create(name: string): Promise<LogFile>;
  /** A file that is there, to be appended to. */
  open(name: string): Promise<LogFile>;
  remove(name: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
}

const FILE_MODE = 0o640;
const DIRECTORY_MODE = 0o750;

/** That directory, made when it is needed. Every call rejects with Node's error. */
export function nodeDisk(directory: string): LogDisk {
  const at = (name: string): string => join(directory, name);
  return {
    list: async () => {
      // Not recursive: that says ENOENT where the kernel says that the file system is read-only.
      await mkdir(directory, { mode: DIRECTORY_MODE }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
      const names = (await readdir(directory)).sort();
      const found = await Promise.all(names.map((name) => stat(at(name)).catch(() => null)));
      return names.flatMap((name, i) => {
        const file = found[i];
        return file?.isFile() === true ? [{ name, bytes: file.size, changedMs: file.mtimeMs }] : [];
      });
    },
    read: async (name, maxBytes) => {
      const handle = await open(at(name), 'r');
      try {
        const { size } = await handle.stat();
        const bytes = Buffer.alloc(Math.min(size, maxBytes));
        let length = 0;
        for (let got = 1; got > 0 && length < bytes.length; length += got)
          got = (await handle.read(bytes, length, bytes.length - length, length)).bytesRead;
        return bytes.subarray(0, length);
      } finally {
        await handle.close();
      }
    },
    create: async (name) => {
      const handle = await open(at(name), 'ax', FILE_MODE);
      await syncDirectory(directory);
      return fileOf(handle, at(name));
    },
    // Never made anew: cut to the length that it had, it would begin with zeros.
    open: async (name) => fileOf(await open(at(name), constants.O_WRONLY | constants.O_APPEND), at(name)),
    remove: async (name) => {
      await rm(at(name), { force: true });
      await syncDirectory(directory);
    },
    rename: async (from, to) => {
      await rename(at(from), at(to));
      await syncDirectory(directory);
    },
  };
}

async function fileOf(handle: Awaited<ReturnType<typeof open>>, path: string): Promise<LogFile> {
  const { dev, ino } = await handle.stat();
  return {
    append: (bytes) => handle.appendFile(bytes),
    sync: async () => {
      await handle.datasync().catch(ignoreUnsupported);
      // The kernel goes on writing into a file that has no name any more, and nobody would ever read it.
      const found = await stat(path).catch(() => null);
      if (found?.ino !== ino || found.dev !== dev)
        throw new Error(`${path} was removed or replaced while it was written`);
    },
    truncate: (length) => handle.truncate(length),
    close: () => handle.close(),
  };
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  await handle
    .sync()
    .catch(ignoreUnsupported)
    .finally(() => handle.close());
}

/** Some file systems cannot sync; that is no reason to lose entries. */
function ignoreUnsupported(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EINVAL' && error.code !== 'ENOTSUP') throw error;
}
