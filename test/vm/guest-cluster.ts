/**
 * The cluster of the lab, its daemons in guests: the same keys, roster, rules and configuration, but for the uplink's strategy
 * and for the times that an emulated machine needs.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventLines } from '../audit/read.ts';
import { Cluster, type ClusterOptions, PORTCULLIS, type Status } from '../lab/gateway.ts';
import { type Household, sleep } from '../lab/process.ts';
import type { HostPlan, Topology } from '../lab/topology.ts';
import { NETWORK_USER } from '../lab/units.ts';
import type { Guest } from './guest.ts';

/** The kernel names cards as their drivers find them; the downlink's driver is loaded first. */
export const DOWNLINK = 'eth0';
export const UPLINK = 'eth1';
/** In the guest's own memory: files of another user than root do not keep their owner on the share. */
export const STATE = '/var/lib/portcullis';
/** A share has no sockets. */
const SOCKETS = '/run/portcullis';
const CONTROL = `${SOCKETS}/control.sock`;

/** An emulated processor is slow, and starting a program stops all else on it: the stall that is allowed for, and an interval of which a
 * quarter is longer than the pauses in which a claimant's window would begin anew (R9). */
export const GUEST_INTERVAL_MS = 2_000;
/** To start a program takes a good part of a second there; procedures start several. */
export const GUEST_LIMITS = '[service.limits]\ntest = "15s"\nswitch = "50s"\n';
export const GUEST_TIMING = [
  'probe_timeout = "150ms"',
  'slot = "100ms"',
  'stall = "3s"',
  'handover_limit = "60s"',
];
/** Same formula as the configuration's default. */
export function guestLeaseMs(intervalMs: number): number {
  return Math.max(Math.round(1.5 * intervalMs), intervalMs + 3 * 150 + 3_000);
}

export class GuestCluster extends Cluster {
  readonly #hosts: readonly HostPlan[];
  readonly #daemons = new Map<string, number>();
  readonly guests = new Map<string, Guest>();

  constructor(topology: Topology, household: Household, directory: string) {
    super(topology, household, directory);
    this.#hosts = topology.hosts;
  }

  /** `uplink`: lines of TOML for the `[service.uplink]` section of each host, in place of the lab's `activation`. */
  async prepareGuests(options: ClusterOptions, uplink: (host: string) => readonly string[]): Promise<void> {
    await this.prepare({ ...options, timing: [...GUEST_TIMING, ...options.timing] });
    for (const { name } of this.#hosts) {
      await rewrite(this.config(name), (text) =>
        text
          .replaceAll('up0', UPLINK)
          .replace(/^control = .*$/m, `control = "${CONTROL}"`)
          .replace(/^state .*$/m, `state = "${STATE}"`)
          .replace(/^actuator = .*$/m, `actuator = "${SOCKETS}/actuator.sock"`)
          .replace('activation = "admin"', [...uplink(name), 'limit = "20s"'].join('\n'))
          .concat(GUEST_LIMITS),
      );
      for (const rules of ['rules.v4', 'rules.v6'])
        await rewrite(join(this.directory, name, rules), (text) => text.replaceAll('up0', UPLINK));
    }
  }

  guest(host: string): Guest {
    const guest = this.guests.get(host);
    if (guest === undefined) throw new Error(`there is no guest ${host}`);
    return guest;
  }

  /** That guest's event log as lines of JSON. It lies in the guest's memory: copied out, and read here, where programs start at once. */
  async events(host: string): Promise<string> {
    const state = join(this.directory, host, 'events');
    await mkdir(state, { recursive: true });
    await this.guest(host).channel.must(['cp', '-rT', `${STATE}/log`, join(state, 'log')]);
    return eventLines(state).join('\n');
  }

  /** Starts the daemon in its guest; `settle` waits for it. */
  async startDaemon(host: string): Promise<void> {
    const { channel } = this.guest(host);
    await channel.must(['install', '-d', '-o', NETWORK_USER, SOCKETS, STATE]);
    // What the units ask of a service manager: who ends without being told to is fenced and started again.
    const portcullis = `${process.execPath} ${PORTCULLIS}`;
    const config = `--config ${this.config(host)}`;
    const loop = `until ${portcullis} daemon ${config}; do ${portcullis} fence ${config}; sleep 0.1; done`;
    const log = join(this.directory, host, 'daemon.log');
    const pid = await channel.start(['sh', '-c', loop], log);
    this.#daemons.set(host, pid);
  }

  /** The daemon and its children get a signal, all at once. */
  async signalDaemon(host: string, signal: NodeJS.Signals): Promise<void> {
    const pid = this.#daemons.get(host);
    if (pid === undefined) throw new Error(`no daemon was started on ${host}`);
    await this.guest(host).channel.signal(pid, signal);
  }

  /** As `settle`, and throws at once when a daemon ends of itself. */
  async settleGuests(hosts: readonly string[], limitMs: number): Promise<string> {
    const endMs = performance.now() + limitMs;
    for (;;) {
      const words = [...(await this.states(hosts))];
      const [master, ...others] = words.filter(([, state]) => state === 'service').map(([host]) => host);
      const backups = words.filter(([, state]) => state === 'backup').length;
      if (master !== undefined && others.length === 0 && backups === hosts.length - 1) return master;
      const seen = words.map(([host, state]) => `${host} ${state}`).join(', ');
      for (const host of hosts)
        if (!(await this.#isRunning(host)) || performance.now() > endMs)
          throw new Error(
            `the cluster did not settle: ${seen}; the log of ${host}: ${await this.#log(host)}`,
          );
      // To answer costs an emulated machine more than the waiting.
      await sleep(2_000);
    }
  }

  async #isRunning(host: string): Promise<boolean> {
    const pid = this.#daemons.get(host);
    return pid !== undefined && this.guest(host).channel.isAlive(pid);
  }

  /** The last lines of a daemon's log, for an error message. */
  async #log(host: string): Promise<string> {
    const text = await readFile(join(this.directory, host, 'daemon.log'), 'utf8').catch(() => '');
    return text.split('\n').slice(-8).join('\n');
  }

  /** One of the project's own commands, in the guest. Throws with its words when it fails. */
  async command(host: string, ...args: string[]): Promise<string> {
    return this.guest(host).channel.must([process.execPath, PORTCULLIS, ...args], '', 180_000);
  }

  override async status(host: string, limitMs = 5_000): Promise<Status | null> {
    const guest = this.guests.get(host);
    if (guest === undefined || !guest.isOn) return null;
    const text = await guest.channel.get(CONTROL, '/v1/status', limitMs);
    try {
      return text === null ? null : (JSON.parse(text) as Status);
    } catch {
      return null;
    }
  }
}

async function rewrite(path: string, change: (text: string) => string): Promise<void> {
  await writeFile(path, change(await readFile(path, 'utf8')));
}
