/** What is made once and used by many runs: the kernel, the initramfs, the image of a whole system. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `~/.cache/portcullis`, or where XDG says. */
export function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'portcullis');
}

/**
 * The directory of that name in the cache; made by `make` when it is not there. It gets an empty directory, which takes its
 * name only when all is in it, so that one that was given up half-way is never used.
 */
export async function cached(name: string, make: (directory: string) => Promise<void>): Promise<string> {
  const target = join(cacheDirectory(), name);
  if (existsSync(target)) return target;
  await mkdir(cacheDirectory(), { recursive: true, mode: 0o700 });
  const making = await mkdtemp(join(cacheDirectory(), 'making-'));
  try {
    await make(making);
    // Another run may have been quicker; then its result serves as well.
    if (!existsSync(target)) await rename(making, target);
    return target;
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}
