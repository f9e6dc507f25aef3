/**
 * A real conntrackd on each gateway, as its unit runs it: a process of its own in the host's namespace, with nothing but
 * CAP_NET_ADMIN, configured by the project's own command. And what makes it needed: kernels that take up no connection
 * in mid-flow, so that one without its translation is lost.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Household, must, until } from './process.ts';
import type { HostPlan, Topology } from './topology.ts';

export interface StatefulOptions {
  /** With conntrackd on each gateway. */
  readonly conntrackd?: boolean;
  /** No gateway's kernel takes up a TCP connection in mid-flow. */
  readonly strict?: boolean;
}

/** The lines of `portcullis.toml`. */
export function conntrackdSection(home: string): string {
  return `[conntrackd]\nconfig = "${home}/conntrackd.conf"\ndirectory = "${home}/conntrackd"\n`;
}

export class Conntrackds {
  readonly #topology: Topology;
  readonly #household: Household;
  readonly #directory: string;
  readonly #running = new Map<string, ChildProcess>();

  constructor(topology: Topology, household: Household, directory: string) {
    this.#topology = topology;
    this.#household = household;
    this.#directory = directory;
  }

  /** What a gateway's kernel is like before our daemon starts, and what runs there. `portcullis`: the command that makes the file, once. */
  async boot(
    { name, role }: HostPlan,
    { conntrackd = false, strict = false }: StatefulOptions,
    portcullis: readonly string[] | null,
  ): Promise<void> {
    if (role === 'witness') return;
    if (strict) await this.#topology.sysctl(name, 'netfilter/nf_conntrack_tcp_loose', '0');
    if (!conntrackd) return;
    const home = join(this.#directory, name);
    if (portcullis !== null) {
      await mkdir(join(home, 'conntrackd'), { mode: 0o750 });
      const files = ['--config', join(home, 'portcullis.toml'), '--out', join(home, 'conntrackd.conf')];
      await must([...portcullis, 'conntrackd', ...files], '', 60_000);
    }
    await this.#start(name);
  }

  /** Starts it unless it runs; resolves when it listens. */
  async #start(host: string): Promise<void> {
    const child = this.#running.get(host);
    if (child !== undefined && child.exitCode === null && child.signalCode === null) return;
    const home = join(this.#directory, host);
    // What a predecessor without power left: as the unit does.
    for (const name of ['conntrackd.lock', 'conntrackd.sock'])
      await rm(join(home, 'conntrackd', name), { force: true });
    const log = openSync(join(home, 'conntrackd.log'), 'a', 0o600);
    const argv = [
      ...['setpriv', '--bounding-set=-all,+net_admin'],
      ...['conntrackd', '-C', join(home, 'conntrackd.conf')],
    ];
    this.#running.set(
      host,
      this.#household.start(this.#topology.inside(host, argv), { stdout: log, stderr: log }),
    );
    closeSync(log);
    const listens = await until(() => existsSync(join(home, 'conntrackd', 'conntrackd.sock')), 5_000, 20);
    if (!listens) throw new Error(`conntrackd of ${host} does not start; see ${home}/conntrackd.log`);
  }

  /** Its process there, which belongs to no unit of ours. */
  pid(host: string): number | undefined {
    return this.#running.get(host)?.pid;
  }
}
