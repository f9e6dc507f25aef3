/**
 * The cluster under test: its keys, roster, configurations and rules are made with the project's own commands, and a
 * daemon is started in each host's namespace. The control sockets are asked only to find out whom to hurt;
 * no figure comes from them.
 */
import { chown, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Conntrackds, type StatefulOptions } from './conntrackd.ts';
import type { Faults } from './faults.ts';
import { configuration, listens } from './host-files.ts';
import { giveOrder } from './order.ts';
import { type Finished, type Household, must, run, until } from './process.ts';
import { ONE, rulesOf, type ServicePlan } from './services.ts';
import { CLUSTER_PORT, type HostPlan, type Topology } from './topology.ts';
import { Units } from './units.ts';

export type Policy = 'quorum' | 'available';
/** What makes the hosts a gateway: this project's daemons, or the peer that they are measured beside, whose adverts go to each other host or to all by multicast. */
export type GatewayKind = 'portcullis' | 'keepalived' | 'keepalived-multicast';

export interface ClusterOptions extends StatefulOptions {
  readonly policy: Policy;
  readonly intervalMs: number;
  /** Beside the lab's own; a line of TOML each, in the `[timing]` section. */
  readonly timing: readonly string[];
  /** Hosts that the roster does not have at first. */
  readonly outside?: readonly string[];
  /** Lines of TOML at the end of the file, where the last service's sections stand; `home` is the host's directory. */
  readonly more?: (home: string) => readonly string[];
  /** Lines of TOML in the service's own section. */
  readonly head?: readonly string[];
  /** Programs in that directory, by name. */
  readonly programs?: { readonly [name: string]: string };
  /** Default: the lab's usual one. */
  readonly services?: readonly ServicePlan[];
  /** The peer's adverts go by multicast. */
  readonly multicast?: boolean;
  /** The two processes of a host are two units; else the daemon starts its actuator itself. */
  readonly apart?: boolean;
}

/** The parts of `status --json` that the lab looks at. */
export interface Status {
  readonly host: string;
  readonly services: readonly {
    readonly name: string;
    readonly state: string;
    readonly together?: readonly string[];
    readonly inStateMs?: number;
    readonly master?: string | null;
    readonly term?: { readonly n: number; readonly host: string } | null;
    readonly gateOpen?: boolean;
    readonly table?: readonly {
      readonly host: string;
      readonly fit?: boolean;
      readonly burdened?: boolean;
    }[];
    readonly alarms?: readonly { readonly code: string }[];
  }[];
  readonly pid?: number;
  readonly load?: { readonly permille: number; readonly sources: string } | null;
  readonly alarms?: readonly { readonly code: string }[];
  readonly counters?: { readonly [name: string]: number };
  readonly peers?: readonly { readonly host: string; readonly lastHeardMs: number | null }[];
}

const compiled = import.meta.url.endsWith('.js');
/** The project's directory, seen from here or from `dist`. */
export const PROJECT = fileURLToPath(new URL(compiled ? '../../../' : '../../', import.meta.url));
export const PORTCULLIS = join(PROJECT, 'dist/src/cli/portcullis.js');

/** One of the project's own commands, as an operator would run it, outside any namespace. */
export function portcullis(...args: string[]): Promise<Finished> {
  return run([process.execPath, PORTCULLIS, ...args], '', 60_000);
}

export class Cluster {
  readonly directory: string;
  readonly #topology: Topology;
  readonly #units: Units;
  readonly #conntrackds: Conntrackds;
  #options: ClusterOptions = { policy: 'quorum', intervalMs: 200, timing: [] };
  /** The daemon's main file: this project's build, or a weakened copy of it. */
  program = PORTCULLIS;

  constructor(topology: Topology, household: Household, directory: string) {
    this.directory = directory;
    this.#topology = topology;
    this.#conntrackds = new Conntrackds(topology, household, directory);
    const spared = (host: string): number | undefined => this.#conntrackds.pid(host);
    this.#units = new Units({ topology, household, directory, spared });
  }

  /** Keys, roster, rules and a configuration for every host. Keys and roster are kept from an earlier run of the same hosts. */
  async prepare(options: ClusterOptions): Promise<void> {
    this.#options = options;
    await makeKeys(this.directory, this.#topology.hosts, options.outside ?? []);
    for (const host of this.#topology.hosts) {
      const home = join(this.directory, host.name);
      await rm(home, { recursive: true, force: true });
      await mkdir(home, { mode: 0o711 });
      await mkdir(join(home, 'actuator'), { mode: 0o711 });
      for (const name of ['state', 'run', 'credentials']) await handOver(join(home, name));
      await copyFile(join(this.directory, `${host.name}.key`), join(home, 'credentials', 'portcullis.key'));
      await toNetworkUser(join(home, 'credentials', 'portcullis.key'));
      // A copy each, as on real machines: a newer roster is stored there while they run.
      await copyFile(join(this.directory, 'roster.cose'), join(home, 'roster.cose'));
      const [rules4, rules6] = rulesOf(options.services ?? [ONE]);
      await writeFile(join(home, 'rules.v4'), rules4);
      await writeFile(join(home, 'rules.v6'), rules6);
      for (const [name, text] of Object.entries(options.programs ?? {}))
        await writeFile(join(home, name), text, { mode: 0o755 });
      await writeFile(join(home, 'portcullis.toml'), configuration(this.directory, host, options));
      await this.#conntrackds.boot(host, options, [process.execPath, PORTCULLIS]);
    }
  }

  /** The operator changes who is a member, while all runs: a newer roster, signed and pushed to one host. */
  async changeMembers(verb: 'add' | 'remove' | 'revoke', host: string, pushTo: string): Promise<void> {
    const newer = join(this.directory, 'newer.cose');
    // An earlier run of the same hosts left the status of its own branch, which this one is refused for.
    await rm(`${newer}.status.json`, { force: true });
    await copyFile(join(this.directory, 'roster.cose'), newer);
    const plan = this.#topology.hosts.find(({ name }) => name === host);
    // The highest priority: who is added is the first in the table of successors.
    const details = verb === 'add' && plan !== undefined ? membership(this.directory, plan, 200) : [];
    const key = ['--admin-key', join(this.directory, 'admin.key')];
    for (const order of [
      ['cluster', verb, host, '--roster', newer, ...key, ...details],
      ['cluster', 'push', '--config', this.config(pushTo), newer],
    ]) {
      const done = await portcullis(...order);
      // Who is new does not run yet, and is named as the one that did not confirm: the only one.
      const isMissed = verb === 'add' && done.stderr.includes(`: not confirmed by ${host}\n`);
      if (done.code !== 0 && !isMissed)
        throw new Error(`portcullis ${order.join(' ')}: ${done.stderr.trim() || done.stdout.trim()}`);
    }
    // Who is new gets the roster on the stick that its key came on.
    if (verb === 'add') await copyFile(newer, join(this.directory, host, 'roster.cose'));
  }

  config(host: string): string {
    return join(this.directory, host, 'portcullis.toml');
  }

  start(host: string): void {
    this.#units.start(host, this.program, this.#options.apart ?? false);
  }

  /** From now on nothing that ends on that host is started again, until `start`. */
  leave(host: string): void {
    this.#units.leave(host);
  }

  /** Nothing that ends is started again. */
  close(): void {
    this.#units.close();
  }

  /** SIGTERM to the daemon alone, as a service manager would; waits for its end. */
  async stop(host: string, limitMs = 15_000): Promise<void> {
    await this.#units.stop(host, limitMs);
  }

  /** SIGKILL to every process of the host, until none is left. */
  async kill(host: string, faults: Faults): Promise<void> {
    this.#units.leave(host);
    // All at once: stopped, none can act on the death of another one.
    await faults.signal(host, 'SIGSTOP');
    const gone = await until(
      async () => {
        await faults.signal(host, 'SIGKILL');
        return (await this.#topology.pids(host)).length === 0;
      },
      5_000,
      10,
    );
    if (!gone) throw new Error(`processes of ${host} cannot be killed`);
  }

  /** The power goes: processes, kernel state, cards and all; only the disk is left. */
  async powerOff(host: string): Promise<void> {
    this.#units.leave(host);
    await this.#topology.unplug(host);
  }

  /** The power is back: the machine boots, and the daemon starts. */
  async powerOn(host: string): Promise<void> {
    await this.#topology.plug(host);
    const plan = this.#topology.hosts.find(({ name }) => name === host);
    if (plan !== undefined) await this.#conntrackds.boot(plan, this.#options, null);
    this.start(host);
  }

  /** What the host says on its control socket; null when it does not answer within the limit. */
  status(host: string, limitMs = 500): Promise<Status | null> {
    return new Promise((resolve) => {
      const socketPath = join(this.directory, host, 'run', 'control.sock');
      const ask = request({ socketPath, path: '/v1/status', timeout: limitMs }, (answer) => {
        let text = '';
        answer.on('data', (chunk) => {
          text += chunk;
        });
        answer.on('end', () => resolve(parseStatus(text)));
        // An answer that was begun and not ended: a late daemon's, or a dying one's.
        answer.on('close', () => resolve(null));
      });
      ask.on('timeout', () => ask.destroy());
      ask.on('error', () => resolve(null));
      ask.end();
    });
  }

  /** An operator's order, as the command would give it; throws when it is refused, or not answered. */
  order(host: string, what: string, body: object): Promise<void> {
    return giveOrder(join(this.directory, host, 'run', 'control.sock'), what, body);
  }

  /** Each host's main state, in small letters; `-` for one that does not answer. */
  async states(hosts: readonly string[]): Promise<Map<string, string>> {
    const all = await Promise.all(hosts.map((host) => this.status(host)));
    return new Map(hosts.map((host, i) => [host, all[i]?.services[0]?.state.toLowerCase() ?? '-']));
  }

  /** The host that says it is in Service, when exactly one does. */
  async master(hosts: readonly string[]): Promise<string | null> {
    const serving = [...(await this.states(hosts))].filter(([, state]) => state === 'service');
    return serving.length === 1 ? (serving[0]?.[0] ?? null) : null;
  }

  /** The operator has that host give the service away: the order itself, without a command's start beside it. */
  async handOver(host: string): Promise<void> {
    await this.order(host, 'handover', {});
  }

  /** That host may have the service again: nothing to do but for the peer. */
  async takeBack(_host: string): Promise<void> {}

  /** Somebody loads the host's rules anew: nothing to do but for the peer, for ours does it by itself. */
  async mendRules(_host: string): Promise<void> {}

  /** Waits until one of these gateways serves and all others are backups; the master's name. Throws at the limit. */
  async settle(hosts: readonly string[], limitMs: number): Promise<string> {
    let states = new Map<string, string>();
    const settled = await until(
      async () => {
        states = await this.states(hosts);
        const words = [...states.values()];
        const serving = words.filter((word) => word === 'service').length;
        return serving === 1 && words.filter((word) => word === 'backup').length === hosts.length - 1;
      },
      limitMs,
      50,
    );
    const master = [...states].find(([, state]) => state === 'service')?.[0];
    if (settled && master !== undefined) return master;
    const seen = [...states].map(([host, state]) => `${host} ${state}`).join(', ');
    throw new Error(
      `the cluster did not settle within ${limitMs} ms: ${seen}\n${await this.#lastWords(hosts)}`,
    );
  }

  /** The last lines of some daemons' logs, for an error message. */
  async #lastWords(hosts: readonly string[]): Promise<string> {
    const tails = hosts.slice(0, 4).map(async (host) => {
      const text = await readFile(join(this.directory, host, 'daemon.log'), 'utf8').catch(() => '');
      return `--- ${host}\n${text.split('\n').slice(-6).join('\n')}`;
    });
    return (await Promise.all(tails)).join('\n');
  }
}

function parseStatus(text: string): Status | null {
  try {
    return JSON.parse(text) as Status;
  } catch {
    return null;
  }
}

/** The unprivileged user's uid and gid, as every system has them. */
const NOBODY = 65_534;

/** A directory of the network process's own. */
async function handOver(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o750 });
  await toNetworkUser(path);
}

/** Without root there is one user only. */
async function toNetworkUser(path: string): Promise<void> {
  if (process.geteuid?.() === 0) await chown(path, NOBODY, NOBODY);
}

async function makeKeys(
  directory: string,
  hosts: readonly HostPlan[],
  outside: readonly string[],
): Promise<void> {
  const marker = join(directory, 'hosts.json');
  const wanted = JSON.stringify({ hosts, outside });
  if ((await readFile(marker, 'utf8').catch(() => '')) === wanted) return;
  const command = async (...args: string[]): Promise<void> => {
    await must([process.execPath, PORTCULLIS, ...args], '', 60_000);
  };
  const at = (name: string): string => join(directory, name);
  await Promise.all(
    ['admin', ...hosts.map((host) => host.name)].map((name) =>
      command('key', 'generate', '--out', at(`${name}.key`)),
    ),
  );
  await command('cluster', 'init', 'lab', '--admin-key', at('admin.key'), '--out', at('roster.cose'));
  for (const [i, host] of hosts.entries())
    if (!outside.includes(host.name))
      await command(
        ...['cluster', 'add', host.name, '--roster', at('roster.cose'), '--admin-key', at('admin.key')],
        ...membership(directory, host, host.role === 'witness' ? 1 : 100 - i),
      );
  await writeFile(marker, wanted);
}

/** What `cluster add` is told of a host. */
function membership(directory: string, host: HostPlan, priority: number): string[] {
  const addresses = listens(host).map((address) => `${address}:${CLUSTER_PORT}`);
  return [
    ...['--key', join(directory, `${host.name}.key.pub`), '--address', addresses.join(',')],
    ...['--role', host.role, '--priority', String(priority)],
  ];
}
