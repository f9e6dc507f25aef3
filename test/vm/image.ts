/**
 * A whole system: Debian's next release with systemd, udev and all that the package depends on, as a directory for tests that need
 * its programs alone, and as an ext4 image for a guest. Made by debootstrap and mke2fs, without mounting anything; kept in the cache,
 * since it takes a minute.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { must } from '../lab/process.ts';
import { PROJECT } from '../programs.ts';
import { cached } from './cache.ts';

/** The first release whose own Node is recent enough. */
const RELEASE = 'trixie';
const PACKAGES = [
  ...['systemd', 'systemd-sysv', 'udev', 'nodejs'],
  ...['iproute2', 'iptables', 'nftables', 'iputils-ping', 'iputils-arping', 'kmod'],
];
const SIZE = '900M';
const BARE_SIZE = '1600M';

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

/** Where a bare system has the Node of this machine, for the agent alone. */
export const AGENT_NODE = '/opt/agent/node';

/**
 * The path of an image of Debian as its installer leaves it, but for the kernel: nothing of what the package needs is installed that
 * is not there anyway; apt has the lists, and in its cache the files, of a mirror.
 */
export async function getBareImage(): Promise<string> {
  const control = readFileSync(join(PROJECT, 'systemd/debian/control'), 'utf8');
  const needs =
    /^Depends: (.*)$/m
      .exec(control)?.[1]
      ?.split(', ')
      .map((one) => one.replace(/ .*/, '')) ?? [];
  const mark = createHash('sha256').update(needs.join()).update(process.version).digest('hex').slice(0, 8);
  const directory = await cached(`bare-${RELEASE}-${mark}`, async (making) => {
    const root = join(making, 'root');
    await must(['debootstrap', '--include=initramfs-tools', RELEASE, root], '', 1_800_000);
    await must(['chroot', root, 'apt-get', 'update', '-q'], '', 600_000);
    await must(['chroot', root, 'apt-get', 'install', '-y', '--download-only', ...needs], '', 600_000);
    await mkdir(join(root, dirname(AGENT_NODE)), { recursive: true });
    await copyFile(process.execPath, join(root, AGENT_NODE));
    await must(['mke2fs', '-q', '-t', 'ext4', '-d', root, join(making, 'disk.img'), BARE_SIZE], '', 300_000);
    await rm(root, { recursive: true });
  });
  return join(directory, 'disk.img');
}

export async function getSystemImage(): Promise<string> {
  return join(await getSystem(), 'disk.img');
}

export async function getSystemRoot(): Promise<string> {
  return join(await getSystem(), 'root');
}
