/**
 * What a service manager does for a host: starts its processes, as one unit or as two (`apart`), and when one of them ends
 * by itself, ends what is left of the unit, fences the host and starts it again, as the units in systemd/ have it done.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Household, run, sleep, until } from './process.ts';
import type { Topology } from './topology.ts';

const compiled = import.meta.url.endsWith('.js');
const PROJECT = fileURLToPath(new URL(compiled ? '../../../' : '../../', import.meta.url));
const ACTUATOR = join(PROJECT, 'dist/src/daemon/actuator-main.js');
/** RestartSec of the units. */
const RESTART_MS = 100;
const SOCKET_LIMIT_MS = 30_000;
/** The unprivileged user of the network processes; there is one on every system. */
export const NETWORK_USER = 'nobody';
/** What the actuator needs, and what lets it give its socket and its test programs away. */
const CAPABILITIES = ['net_admin', 'net_raw', 'chown', 'setuid', 'setgid', 'kill'];

export type Part = 'network' | 'actuator';

export interface UnitsOptions {
  readonly topology: Topology;
  readonly household: Household;
  /** Where the hosts' files are. */
  readonly directory: string;
  /** A process of the host that is in no unit of ours. */
  readonly spared?: (host: string) => number | undefined;
}

export class Units {
  readonly #options: UnitsOptions;
  readonly #mains = new Map<string, ChildProcess>();
  /** Hosts whose end was wanted: nothing is started again there. */
  readonly #down = new Set<string>();
  /** How often each host was started: what ended before the newest start is not started again beside it. */
  readonly #starts = new Map<string, number>();
  #isClosed = false;

  constructor(options: UnitsOptions) {
    this.#options = options;
  }

  /** `program`: the daemon's main file. */
  start(host: string, program: string, isApart: boolean): void {
    this.#down.delete(host);
    this.#starts.set(host, (this.#starts.get(host) ?? 0) + 1);
    if (!isApart) this.#startOne(host, program);
    else {
      this.#startActuator(host);
      void this.#startNetwork(host, program);
    }
  }

  /** SIGTERM to the network process alone, as the manager does first; waits for its end. */
  async stop(host: string, limitMs: number): Promise<void> {
    this.#down.add(host);
    for (const part of [host, `${host} actuator`]) {
      const child = this.#mains.get(part);
      if (child !== undefined) await this.#options.household.end(child, 'SIGTERM', limitMs);
    }
  }

  /** From now on nothing that ends there is started again. */
  leave(host: string): void {
    this.#down.add(host);
  }

  close(): void {
    this.#isClosed = true;
  }

  #startOne(host: string, program: string): void {
    const argv = [process.execPath, program, 'daemon', '--config', this.#config(host)];
    this.#launch(host, host, argv, async () => {
      await this.#clean(host);
      this.#startOne(host, program);
    });
  }

  #startActuator(host: string): void {
    const capabilities = ['-all', ...CAPABILITIES.map((name) => `+${name}`)].join(',');
    const argv = [
      ...['setpriv', `--bounding-set=${capabilities}`],
      ...[process.execPath, ACTUATOR, '--config', this.#config(host)],
    ];
    this.#launch(host, `${host} actuator`, argv, async () => {
      await this.#fence(host);
      this.#startActuator(host);
    });
  }

  /** As the unit that has nothing but its user and a copy of the key. */
  async #startNetwork(host: string, program: string): Promise<void> {
    const socket = join(this.#options.directory, host, 'actuator', 'actuator.sock');
    await until(() => existsSync(socket) || this.#isOff(host), SOCKET_LIMIT_MS, 20);
    if (this.#isOff(host)) return;
    const argv = [
      ...['env', `CREDENTIALS_DIRECTORY=${join(this.#options.directory, host, 'credentials')}`],
      ...['setpriv', `--reuid=${NETWORK_USER}`, '--regid=nogroup', '--clear-groups'],
      ...['--inh-caps=-all', '--bounding-set=-all', '--no-new-privs'],
      ...[process.execPath, program, 'daemon', '--config', this.#config(host)],
    ];
    this.#launch(host, host, argv, () => this.#startNetwork(host, program));
  }

  #launch(host: string, part: string, argv: readonly string[], again: () => Promise<void>): void {
    if (this.#isOff(host)) return;
    const log = openSync(join(this.#options.directory, host, 'daemon.log'), 'a', 0o600);
    const { topology, household } = this.#options;
    const child = household.start(topology.inside(host, argv), { stdout: log, stderr: log });
    closeSync(log);
    this.#mains.set(part, child);
    const start = this.#starts.get(host);
    const isOver = (): boolean => this.#isOff(host) || this.#starts.get(host) !== start;
    child.on('exit', (code) => {
      if (code === 0 || isOver()) return;
      sleep(RESTART_MS)
        .then(() => (isOver() ? undefined : again()))
        .catch(() => undefined); // the host lost its power meanwhile
    });
  }

  #isOff(host: string): boolean {
    return this.#isClosed || this.#options.household.closed || this.#down.has(host);
  }

  /** What is left of a unit whose main process has ended: killed, then ExecStopPost. */
  async #clean(host: string): Promise<void> {
    const spared = this.#options.spared?.(host);
    for (const pid of await this.#options.topology.pids(host)) {
      if (pid === spared) continue;
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // it ended by itself since the list was read
      }
    }
    await this.#fence(host);
  }

  async #fence(host: string): Promise<void> {
    const main = join(PROJECT, 'dist/src/cli/main.js');
    await run(
      this.#options.topology.inside(host, [process.execPath, main, 'fence', '--config', this.#config(host)]),
      '',
      60_000,
    );
  }

  #config(host: string): string {
    return join(this.#options.directory, host, 'portcullis.toml');
  }
}
