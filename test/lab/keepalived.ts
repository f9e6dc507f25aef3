/**
 * The peer that ours is measured beside: keepalived as packaged, VRRPv3, unicast or multicast, in the same namespaces and cables, for the
 * same client and judges. Each host has its own configuration, pid files and log; nothing of it runs outside the lab. As
 * its users do it, both hosts have the rules loaded, forwarding on and the uplink up with an address of its own.
 * Preempting, priorities from 110 down, one instance with the addresses of both sides; what is not said here is its default.
 */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Cluster, type ClusterOptions, type Status } from './gateway.ts';
import { type Household, must, run, until } from './process.ts';
import { RULES4, RULES6 } from './rules.ts';
import { type HostPlan, LAN, SERVER, type Topology, WAN } from './topology.ts';

/** Why the peer cannot be run here, with the remedy; null: it can. */
export function whyNoPeer(): string | null {
  const { error } = spawnSync('keepalived', ['--version'], { stdio: 'ignore' });
  return error === undefined ? null : 'keepalived is not installed; as root: apt-get install keepalived';
}

/** VRRP's number among the protocols over IP (RFC 9568). */
export const VRRP = 112;
const FIRST_PRIORITY = 110;
const STEP = 50;

export class Keepalived extends Cluster {
  readonly #topology: Topology;
  readonly #household: Household;
  readonly #running = new Map<string, ChildProcess>();

  constructor(topology: Topology, household: Household, directory: string) {
    super(topology, household, directory);
    this.#topology = topology;
    this.#household = household;
  }

  override async prepare(options: ClusterOptions): Promise<void> {
    const { hosts } = this.#topology;
    for (const [i, host] of hosts.entries()) {
      const home = join(this.directory, host.name);
      await rm(home, { recursive: true, force: true });
      await mkdir(home, { recursive: true, mode: 0o750 });
      const priority = Math.max(FIRST_PRIORITY - STEP * i, 1);
      const peers = hosts.filter((other) => other !== host);
      await writeFile(this.config(host.name), configuration(host, peers, priority, options, home));
      await writeFile(this.#drain(host.name), '0\n');
      await this.#prepareKernel(host, i);
    }
  }

  /** What this peer expects of a host: rules, forwarding, and an uplink that is up. */
  async #prepareKernel({ name }: HostPlan, i: number): Promise<void> {
    const inside = (argv: string[], input = ''): Promise<string> =>
      must(this.#topology.inside(name, argv), input);
    await inside(['ip', '-batch', '-'], `link set up0 up\naddr add 10.77.2.${11 + i}/24 dev up0\n`);
    await inside(['ip', 'route', 'add', 'default', 'via', SERVER.address]);
    await this.#topology.sysctl(name, 'ipv4/ip_forward', '1');
    await this.#topology.sysctl(name, 'ipv6/conf/all/forwarding', '1');
    await this.mendRules(name);
  }

  override async mendRules(host: string): Promise<void> {
    await must(this.#topology.inside(host, ['iptables-restore']), RULES4);
    await must(this.#topology.inside(host, ['ip6tables-restore']), RULES6);
  }

  override config(host: string): string {
    return join(this.directory, host, 'keepalived.conf');
  }

  /** A file whose number is added to the host's priority: the way to move the service without a restart. */
  #drain(host: string): string {
    return join(this.directory, host, 'drain');
  }

  override start(host: string): void {
    const home = join(this.directory, host);
    const log = openSync(join(home, 'daemon.log'), 'a', 0o600);
    const argv = [
      ...['keepalived', '--dont-fork', '--vrrp', '--no-syslog', '--log-console', '--log-detail'],
      ...['--use-file', this.config(host), '--pid', join(home, 'pid'), '--vrrp_pid', join(home, 'vrrp.pid')],
    ];
    const child = this.#household.start(this.#topology.inside(host, argv), { stdout: log, stderr: log });
    closeSync(log);
    this.#running.set(host, child);
  }

  override async stop(host: string, limitMs = 15_000): Promise<void> {
    const child = this.#running.get(host);
    if (child !== undefined) await this.#household.end(child, 'SIGTERM', limitMs);
  }

  override async handOver(host: string): Promise<void> {
    await writeFile(this.#drain(host), `-${FIRST_PRIORITY - 1}\n`);
  }

  override async takeBack(host: string): Promise<void> {
    await writeFile(this.#drain(host), '0\n');
  }

  /** The one with the highest priority takes the service back by itself: before that nothing is calm. */
  override async settle(hosts: readonly string[], limitMs: number): Promise<string> {
    const endMs = performance.now() + limitMs;
    const master = await super.settle(hosts, limitMs);
    const [first = master] = hosts;
    if (master === first) return master;
    if (!(await until(async () => (await this.master(hosts)) === first, endMs - performance.now())))
      throw new Error(`${first} did not take the service back within ${limitMs} ms`);
    return first;
  }

  /** It has no socket to ask: who has the roving address says it. Asked only to find out whom to hurt. */
  override async status(host: string): Promise<Status | null> {
    const child = this.#running.get(host);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null;
    const ended = await run(['ip', '-n', this.#topology.ns(host), '-4', '-o', 'addr', 'show', 'dev', 'eth0']);
    if (ended.code !== 0) return null;
    const state = ended.stdout.includes(` ${LAN.roving}/`) ? 'Service' : 'Backup';
    return { host, services: [{ name: 'firewall', state }] };
  }
}

function configuration(
  { name, address }: HostPlan,
  peers: readonly HostPlan[],
  priority: number,
  { intervalMs, multicast = false }: ClusterOptions,
  home: string,
): string {
  const unicast = `
    unicast_src_ip ${address}
    unicast_peer {
        ${peers.map((peer) => peer.address).join('\n        ')}
    }`;
  return `global_defs {
    router_id ${name}
    vrrp_version 3
}
track_file drain {
    file "${join(home, 'drain')}"
}
vrrp_instance gateway {
    state BACKUP
    interface eth0
    virtual_router_id 77
    priority ${priority}
    advert_int ${intervalMs / 1_000}${multicast ? '' : unicast}
    virtual_ipaddress {
        ${LAN.roving}/24 dev eth0
    }
    virtual_ipaddress_excluded {
        ${LAN.roving6}/64 dev eth0
        ${WAN.roving}/24 dev up0
        ${WAN.roving6}/64 dev up0
    }
    track_file {
        drain weight 1
    }
}
`;
}
