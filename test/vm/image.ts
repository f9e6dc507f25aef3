/**
 * A whole system: Debian's next release with systemd, udev and all that the package depends on, as a directory for tests that need
 * its programs alone, and as an ext4 image for a guest. Made by debootstrap and mke2fs, without mounting anything; kept in the cache,
 * since it takes a minute.
 */
import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from '../lab/process.ts';
import { cached } from './cache.ts';

/** The first release whose own Node is recent enough. */
const RELEASE = 'trixie';
const PACKAGES = [
  ...['systemd', 'systemd-sysv', 'udev', 'nodejs'],
  ...['iproute2', 'iptables', 'nftables', 'iputils-ping', 'iputils-arping', 'kmod'],
];
const SIZE = '900M';

/** Directory and image; nobody may write to either. Throws when they cannot be made. */
async function getSystem(): Promise<string> {
  const mark = createHash('sha256').update(PACKAGES.join()).digest('hex').slice(0, 8);
  return cached(`system-root-${RELEASE}-${mark}`, async (making) => {
    const root = join(making, 'root');
    const include = `--include=${PACKAGES.join(',')}`;
    await must(['debootstrap', '--variant=minbase', include, RELEASE, root], '', 1_800_000);
    for (const waste of ['var/cache/apt/archives', 'var/lib/apt/lists'])
      for (const name of await readdir(join(root, waste)))
        await rm(join(root, waste, name), { recursive: true, force: true });
    await must(['mke2fs', '-q', '-t', 'ext4', '-d', root, join(making, 'disk.img'), SIZE], '', 300_000);
  });
}

export async function getSystemImage(): Promise<string> {
  return join(await getSystem(), 'disk.img');
}

export async function getSystemRoot(): Promise<string> {
  return join(await getSystem(), 'root');
}
