/**
 * A whole system for a guest: Debian's next release with systemd, udev and Node, as an ext4 image. Made by debootstrap and
 * mke2fs, without mounting anything; kept in the cache, since it takes a minute.
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

/** The path of the image; nobody may write to it. Throws when it cannot be made. */
export async function getSystemImage(): Promise<string> {
  const mark = createHash('sha256').update(PACKAGES.join()).digest('hex').slice(0, 8);
  const directory = await cached(`system-${RELEASE}-${mark}`, async (making) => {
    const root = join(making, 'root');
    const include = `--include=${PACKAGES.join(',')}`;
    await must(['debootstrap', '--variant=minbase', include, RELEASE, root], '', 1_800_000);
    for (const waste of ['var/cache/apt/archives', 'var/lib/apt/lists'])
      for (const name of await readdir(join(root, waste)))
        await rm(join(root, waste, name), { recursive: true, force: true });
    await must(['mke2fs', '-q', '-t', 'ext4', '-d', root, join(making, 'disk.img'), SIZE], '', 300_000);
    await rm(root, { recursive: true });
  });
  return join(directory, 'disk.img');
}
