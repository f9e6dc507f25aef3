/**
 * A Debian system's files with nothing running in them, in which packages are installed and removed for real: the cached root below,
 * a layer in memory above, in a mount and a network namespace of their own. Gone with the process that holds them.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Finished, Household, run, until } from '../lab/process.ts';
import { getSystemRoot } from '../vm/image.ts';

const LIMIT_MS = 120_000;

export class DebianRoot {
  readonly #household = new Household();
  readonly #directory = mkdtempSync(join(tmpdir(), 'portcullis-root-'));
  readonly #incoming = join(this.#directory, 'incoming');
  #pid = 0;

  static async open(): Promise<DebianRoot> {
    const root = new DebianRoot();
    try {
      const lower = await getSystemRoot();
      mkdirSync(root.#incoming);
      const at = join(root.#directory, 'at');
      mkdirSync(at);
      const set = [
        `mount -t tmpfs none ${at}`,
        `mkdir ${at}/upper ${at}/work ${at}/root`,
        `mount -t overlay none -o lowerdir=${lower},upperdir=${at}/upper,workdir=${at}/work ${at}/root`,
        `mount -t proc proc ${at}/root/proc`,
        `mount --rbind /dev ${at}/root/dev`,
        `mount -t tmpfs run ${at}/root/run`,
        `mkdir ${at}/root/incoming`,
        `mount --bind ${root.#incoming} ${at}/root/incoming`,
        `touch ${root.#incoming}/ready`,
        'exec sleep 100000',
      ];
      const words = ['unshare', '-m', '-n', '--propagation', 'private', 'sh', '-ec', set.join('\n')];
      const holder = root.#household.start(words, { stdout: 'ignore', stderr: 'ignore' });
      root.#pid = holder.pid ?? 0;
      const isReady = async (): Promise<boolean> =>
        (await run(['test', '-e', `${root.#incoming}/ready`])).code === 0;
      if (!(await until(isReady, 30_000, 20))) throw new Error('the root did not come about');
      return root;
    } catch (error) {
      await root.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#household.endAll();
    rmSync(this.#directory, { recursive: true, force: true });
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
    return run(['nsenter', '-t', pid, '-m', '-n', 'chroot', place, ...env, ...words], '', LIMIT_MS);
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
