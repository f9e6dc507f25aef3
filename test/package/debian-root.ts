/**
 * A Debian system's files, in which packages are installed and removed for real: the cached root below, a layer in memory above, in
 * namespaces of their own. Nothing runs in it, or systemd as its first process, with everything that a container gives it. Gone with the
 * process that holds it.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Finished, Household, run, until } from '../lab/process.ts';
import { getSystemRoot } from '../vm/image.ts';
import { inGroup, makeGroup, removeGroup } from './control-group.ts';

const LIMIT_MS = 120_000;
/** What a first process has of its own: processes, control groups, name, message queues. */
const INIT_SPACES = ['-p', '-C', '-u', '-i'];

const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];
/** What would change the machine itself: its settings, modules, devices. */
const MASKED = [
  ...[
    'systemd-sysctl.service',
    'systemd-modules-load.service',
    'systemd-binfmt.service',
    'systemd-timesyncd.service',
  ],
  ...[
    'systemd-udevd.service',
    'systemd-udevd-kernel.socket',
    'systemd-udevd-control.socket',
    'systemd-udev-trigger.service',
  ],
  ...[
    'proc-sys-fs-binfmt_misc.automount',
    'console-getty.service',
    'dev-hugepages.mount',
    'dev-mqueue.mount',
  ],
];

/** What systemd wants to find as it starts; the devices of this machine are out of its reach. */
function firstProcess(root: string): string[] {
  return [
    `mount -t proc proc ${root}/proc`,
    `mount -t sysfs -o ro sysfs ${root}/sys`,
    `mount -t cgroup2 cgroup2 ${root}/sys/fs/cgroup`,
    `mount -t tmpfs dev ${root}/dev`,
    ...DEVICES.map((name) => `touch ${root}/dev/${name}; mount --bind /dev/${name} ${root}/dev/${name}`),
    `cd ${root}/dev; mkdir shm pts mqueue hugepages; ln -s /proc/self/fd fd; ln -s pts/ptmx ptmx; cd /`,
    `mount -t devpts -o newinstance,ptmxmode=0666 pts ${root}/dev/pts`,
    `touch ${root}/dev/console`,
    `mount -t tmpfs tmp ${root}/tmp`,
    ...MASKED.map((unit) => `ln -s /dev/null ${root}/etc/systemd/system/${unit}`),
  ];
}

/** Not by chroot, in which nobody may make user namespaces, as units want to. */
function enter(root: string): string {
  const first = 'umount -l /mnt; exec env -i container=lxc /lib/systemd/systemd';
  return `cd ${root}; pivot_root . mnt; exec chroot . sh -c ${JSON.stringify(first)}`;
}

export class DebianRoot {
  readonly #household = new Household();
  readonly #directory = mkdtempSync(join(tmpdir(), 'portcullis-root-'));
  readonly #incoming = join(this.#directory, 'incoming');
  /** The process that holds the namespaces. */
  #pid = 0;
  readonly #init: boolean;
  #group: string | null = null;

  private constructor(init: boolean) {
    this.#init = init;
  }

  /** `network`: a named network namespace in place of one of its own. `init`: systemd runs there. */
  static async open({
    network,
    init = false,
  }: {
    network?: string;
    init?: boolean;
  } = {}): Promise<DebianRoot> {
    const root = new DebianRoot(init);
    try {
      const lower = await getSystemRoot();
      mkdirSync(root.#incoming);
      const at = join(root.#directory, 'at');
      mkdirSync(at);
      const set = [
        `mount -t tmpfs none ${at}`,
        `mkdir ${at}/upper ${at}/work ${at}/root`,
        `mount -t overlay none -o lowerdir=${lower},upperdir=${at}/upper,workdir=${at}/work ${at}/root`,
        ...(init
          ? firstProcess(`${at}/root`)
          : [`mount -t proc proc ${at}/root/proc`, `mount --rbind /dev ${at}/root/dev`]),
        `mount -t tmpfs run ${at}/root/run`,
        `mkdir ${at}/root/incoming`,
        `mount --bind ${root.#incoming} ${at}/root/incoming`,
        `touch ${root.#incoming}/ready`,
        init ? enter(`${at}/root`) : 'exec sleep 100000',
      ];
      const within = network === undefined ? [] : ['ip', 'netns', 'exec', network];
      // The first process of a space of processes is a child; it dies with its parent, which heeds SIGKILL alone.
      const spaces = [
        ...(network === undefined ? ['-n'] : []),
        ...(init ? [...INIT_SPACES, '--fork', '--kill-child'] : []),
      ];
      if (init) root.#group = makeGroup();
      const words = [
        ...(root.#group === null ? [] : inGroup(root.#group)),
        ...within,
        'unshare',
        '-m',
        ...spaces,
        '--propagation',
        'private',
        'sh',
        '-ec',
        set.join('\n'),
      ];
      const holder = root.#household.start(words, { stdout: 'ignore', stderr: 'ignore' });
      const isReady = async (): Promise<boolean> =>
        (await run(['test', '-e', `${root.#incoming}/ready`])).code === 0;
      if (!(await until(isReady, LIMIT_MS, 20))) throw new Error('the root did not come about');
      root.#pid = init
        ? Number(readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8'))
        : (holder.pid ?? 0);
      if (init && !(await until(() => root.#isUp(), LIMIT_MS, 200)))
        throw new Error('systemd did not come up');
      return root;
    } catch (error) {
      await root.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#household.endAll();
    if (this.#group !== null) await removeGroup(this.#group);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #isUp(): Promise<boolean> {
    const { stdout } = await this.run('systemctl', 'is-system-running');
    return ['running', 'degraded'].includes(stdout.trim());
  }

  /** A path in it, as this process reaches it. */
  path(inside: string): string {
    return `/proc/${this.#pid}/root${this.#init ? '' : `${this.#directory}/at/root`}${inside}`;
  }

  /** Runs a program in it. */
  async run(...words: readonly string[]): Promise<Finished> {
    const pid = String(this.#pid);
    const env = [
      'env',
      '-i',
      'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
      'DEBIAN_FRONTEND=noninteractive',
      'LC_ALL=C',
    ];
    const place = `${join(this.#directory, 'at')}/root`;
    // The chroot stands in the first process's root already.
    const where = this.#init ? ['-p', '-C', '-u', '-i', '-r'] : [];
    const at = this.#init ? [] : ['chroot', place];
    return run(['nsenter', '-t', pid, '-m', '-n', ...where, ...at, ...env, ...words], '', LIMIT_MS);
  }

  /** The same for one that must succeed; its output, and its words. */
  async must(...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...words);
    if (code !== 0) throw new Error(`${words.join(' ')}: exit ${code}: ${stderr}${stdout}`);
    return stdout + stderr;
  }

  /** Installs a package of this machine, as `dpkg -i` does. */
  async install(deb: string): Promise<string> {
    copyFileSync(deb, join(this.#incoming, basename(deb)));
    return this.must('dpkg', '--force-unsafe-io', '-i', `/incoming/${basename(deb)}`);
  }
}
