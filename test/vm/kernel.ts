/**
 * The guests' kernel: Debian's, from the package that `linux-image-amd64` names, unpacked and never installed; and an initramfs
 * with a static busybox, the modules that the guests need and `guest-init.sh`.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PROJECT } from '../lab/gateway.ts';
import { must, run } from '../lab/process.ts';
import { cached } from './cache.ts';
import { cpio, directory, program, tree } from './cpio.ts';

export interface Kernel {
  readonly version: string;
  readonly image: string;
  readonly initramfs: string;
  /** All modules of the package, for a guest with a disk of its own: the `lib/modules/VERSION` of a root. */
  readonly modules: string;
}

const META = 'linux-image-amd64';
/** By name; what they need comes with them. */
const MODULES = [
  ...['virtio_pci', 'virtio_blk', 'virtio_console', 'virtio_net', 'e1000e', '9p', '9pnet_virtio'],
  // What libcrc32c asks for at run time, and no dependency tells.
  ...['crc32c_generic'],
  ...['overlay', 'ext4', 'sch_netem', '8021q', 'bonding', 'dummy', 'veth'],
];
/** Whole directories: a rule set loads what it names. */
const DIRECTORIES = ['kernel/net/netfilter/', 'kernel/net/ipv4/netfilter/', 'kernel/net/ipv6/netfilter/'];
const DOWNLOAD_MS = 180_000;

/** Finds, fetches and unpacks what is not yet in the cache. Throws when the package cannot be had. */
export async function getKernel(): Promise<Kernel> {
  const name = await packageName();
  const version = name.replace('linux-image-', '');
  const unpacked = await cached(name, (making) => unpack(name, version, making));
  const modules = join(unpacked, 'lib/modules', version);
  const init = await import('node:fs/promises').then(({ readFile }) =>
    readFile(join(PROJECT, 'test/vm/guest-init.sh'), 'utf8'),
  );
  const busybox = readFileSync(busyboxPath());
  const mark = createHash('sha256')
    .update(init)
    .update(busybox)
    .update(MODULES.join())
    .digest('hex')
    .slice(0, 16);
  const made = await cached(`initramfs-${version}-${mark}`, async (making) => {
    await subset(unpacked, version, join(making, 'root'));
    const archive = cpio([
      ...['bin', 'dev', 'proc', 'sys', 'lower', 'upper', 'root', 'lib', 'lib/modules'].map(directory),
      program('bin/busybox', busybox),
      program('init', init),
      ...tree(join(making, 'root/lib/modules', version), `lib/modules/${version}`),
    ]);
    await rm(join(making, 'root'), { recursive: true });
    await writeFile(join(making, 'initramfs.cpio'), archive);
  });
  return {
    ...{ version, modules, image: join(unpacked, 'vmlinuz') },
    initramfs: join(made, 'initramfs.cpio'),
  };
}

function busyboxPath(): string {
  const found = ['/usr/bin/busybox', '/bin/busybox'].find((path) => existsSync(path));
  if (found === undefined) throw new Error('busybox is missing: as root: apt-get install busybox-static');
  return found;
}

/** The package that the distribution's kernel is in now. A machine that never asked asks for the lists first. */
async function packageName(): Promise<string> {
  for (const isLast of [false, true]) {
    const { stdout } = await run(['apt-cache', 'depends', META]);
    const name = /Depends: (linux-image-[\w.+-]+)/.exec(stdout)?.[1];
    if (name !== undefined) return name;
    if (!isLast) await must(['apt-get', 'update', '-q'], '', DOWNLOAD_MS);
  }
  throw new Error(`no package ${META} in the lists of apt`);
}

async function unpack(name: string, version: string, making: string): Promise<void> {
  const download = ['apt-get', 'download', '-q', '-o', 'APT::Sandbox::User=root', name];
  const first = await run(['env', '-C', making, ...download], '', DOWNLOAD_MS);
  if (first.code !== 0) {
    // Old lists name a version that is gone.
    await must(['apt-get', 'update', '-q'], '', DOWNLOAD_MS);
    await must(['env', '-C', making, ...download], '', DOWNLOAD_MS);
  }
  const deb = (await readdir(making)).find((file) => file.endsWith('.deb'));
  if (deb === undefined) throw new Error(`apt-get download ${name} left no package`);
  await must(['dpkg', '-x', join(making, deb), join(making, 'all')], '', 120_000);
  await rm(join(making, deb));
  await rename(join(making, 'all/boot', `vmlinuz-${version}`), join(making, 'vmlinuz'));
  await mkdir(join(making, 'lib'));
  await rename(join(making, 'all/lib/modules'), join(making, 'lib/modules'));
  await rm(join(making, 'all'), { recursive: true });
  await must(['depmod', '-b', making, version], '', 60_000);
}

/** Copies the modules above, and what they depend on, to a root of their own. */
async function subset(unpacked: string, version: string, root: string): Promise<void> {
  const from = join(unpacked, 'lib/modules', version);
  const to = join(root, 'lib/modules', version);
  const needs = new Map<string, string[]>();
  for (const line of readFileSync(join(from, 'modules.dep'), 'utf8').split('\n')) {
    const [path = '', rest = ''] = line.split(':');
    if (path !== '') needs.set(path, rest.split(' ').filter(Boolean));
  }
  const wanted = new Set<string>();
  for (const [path, others] of needs) {
    const name = path.replace(/^.*\//, '').replace(/\.ko.*$/, '');
    if (MODULES.includes(name) || DIRECTORIES.some((part) => path.startsWith(part)))
      for (const one of [path, ...others]) wanted.add(one);
  }
  for (const path of wanted) {
    mkdirSync(dirname(join(to, path)), { recursive: true });
    cpSync(join(from, path), join(to, path));
  }
  for (const file of readdirSync(from))
    if (/^modules\.(builtin|order)/.test(file) && !file.endsWith('.bin'))
      cpSync(join(from, file), join(to, file));
  await must(['depmod', '-b', root, version], '', 60_000);
}
