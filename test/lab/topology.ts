/**
 * The lab's network: namespaces for a client, a server, an asker, two switches and the hosts.
 *
 *     client .100   asker .101            asker .253   server .254
 *          \         /                         \         /
 *       [ switch lan 10.77.1.0/24 ]       [ switch wan 10.77.2.0/24 ]
 *          /    |    \        \              /    |    \
 *        fw1   fw2   fw3 ..   witness      fw1   fw2   fw3 ..
 *
 * Each switch is a bridge in a namespace of its own, so that a host's card and its switch port are the two ends of a
 * veth pair: what is done to a port, and what is counted there, is out of the host's reach. All names hold the pid.
 * Invariant: `close` leaves `ip netns list` as it was.
 */
import { spawnSync } from 'node:child_process';
import { must, run } from './process.ts';

export type SwitchName = 'lan' | 'wan';

export interface HostPlan {
  readonly name: string;
  readonly role: 'gateway' | 'witness';
  /** Own IPv4 address on the lan, without prefix length. */
  readonly address: string;
  /** A further one of the same card, for a second link of the cluster. */
  readonly second?: string;
  /** An emulated machine, which brings its own cards: its namespace is only where its emulator runs. */
  readonly guest?: boolean;
}

export const LAN = { net: '10.77.1.0/24', roving: '10.77.1.1', roving6: 'fd00:77:1::1' } as const;
export const WAN = { net: '10.77.2.0/24', roving: '10.77.2.1', roving6: 'fd00:77:2::1' } as const;
export const CLIENT = { address: '10.77.1.100', address6: 'fd00:77:1::100' } as const;
export const SERVER = { address: '10.77.2.254', address6: 'fd00:77:2::254' } as const;
/** A host of another cluster that runs on this LAN, and the address of its peer, which does not. */
export const TWIN = { name: 'twin', address: '10.77.1.81', peer: '10.77.1.82' } as const;
export const CLUSTER_PORT = 7946;

let counter = 0;

/** The hosts of a cluster of so many gateways, with a witness if wanted. */
export function planHosts(gateways: number, witness: boolean): HostPlan[] {
  const plan: HostPlan[] = [];
  for (let i = 1; i <= gateways; i += 1)
    plan.push({ name: `fw${i}`, role: 'gateway', address: `10.77.1.${10 + i}` });
  if (witness) plan.push({ name: 'wit', role: 'witness', address: '10.77.1.40' });
  return plan;
}

export class Topology {
  readonly hosts: readonly HostPlan[];
  readonly #prefix: string;
  readonly #made: string[] = [];
  /** For each switch: interface number of a port -> its name. */
  readonly ports: { readonly lan: Map<number, string>; readonly wan: Map<number, string> } = {
    lan: new Map(),
    wan: new Map(),
  };
  /** For each host: the hardware addresses of its two cards, lower case. */
  readonly macs = new Map<string, string>();

  constructor(hosts: readonly HostPlan[]) {
    this.hosts = hosts;
    counter += 1;
    this.#prefix = `pc${process.pid}${counter > 1 ? `n${counter}` : ''}`;
  }

  /** The full name of a namespace: `client`, `server`, `asker`, `lan`, `wan` or a host's name. */
  ns(name: string): string {
    return `${this.#prefix}-${name}`;
  }

  /** The argument vector that runs a program inside a namespace. */
  inside(name: string, argv: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.ns(name), ...argv];
  }

  /** `evil`: more stations on the lan, which is a hub then: everybody there hears everything. */
  async open(answerBroadcasts: boolean, evil: readonly string[] = []): Promise<void> {
    process.once('exit', this.#onExit);
    const stations = ['lan', 'wan', 'client', 'server', 'asker', ...evil];
    for (const name of [...stations, ...this.hosts.map((host) => host.name)]) {
      this.#made.push(name);
      await must(['ip', 'netns', 'add', this.ns(name)]);
    }
    const wired = this.hosts.filter((host) => host.guest !== true);
    await this.#switch('lan', ['client', 'asker', ...evil, ...wired.map((host) => host.name)]);
    await this.#switch('wan', [
      'server',
      'asker',
      ...wired.filter((host) => host.role === 'gateway').map((host) => host.name),
    ]);
    await this.#stations();
    if (evil.length > 0) await this.#ip('lan', ['link set lan type bridge ageing_time 0']);
    for (const name of evil) await this.#ip(name, ['link set eth0 addrgenmode none', 'link set eth0 up']);
    if (evil.includes('twin'))
      await this.#ip('twin', [
        `addr add ${TWIN.address}/24 dev eth0`,
        // Nobody has it: the frames go out all the same, and the attacker hears them.
        `neigh add ${TWIN.peer} lladdr 02:77:77:77:77:77 dev eth0 nud permanent`,
      ]);
    await Promise.all(
      ['client', 'asker'].map((name) =>
        this.sysctl(name, 'ipv4/icmp_echo_ignore_broadcasts', answerBroadcasts ? '0' : '1'),
      ),
    );
    for (const host of wired) await this.#configure(host);
    for (const side of ['lan', 'wan'] as const) await this.readPorts(side);
  }

  /** Removes every namespace that `open` made; harmless when called twice. */
  async close(): Promise<void> {
    process.off('exit', this.#onExit);
    for (const name of this.#made.splice(0)) await run(['ip', 'netns', 'del', this.ns(name)]);
  }

  /** The last resort, when the process ends without `close`: all inside is killed, all namespaces are removed. */
  readonly #onExit = (): void => {
    for (const name of this.#made.splice(0)) {
      const pids = spawnSync('ip', ['netns', 'pids', this.ns(name)], { encoding: 'utf8' }).stdout;
      for (const pid of pids.split('\n').filter(Boolean).map(Number)) kill(pid);
      spawnSync('ip', ['netns', 'del', this.ns(name)]);
    }
  };

  /** A host loses its power: its processes die, then its kernel state and its cards are gone. */
  async unplug(name: string): Promise<void> {
    // The cables first: a machine without power is dark at once. Of them the one that a farewell would go over.
    for (const side of ['lan', 'wan'] as const) await run(['ip', '-n', this.ns(side), 'link', 'del', name]);
    for (const pid of await this.pids(name)) kill(pid);
    await must(['ip', 'netns', 'del', this.ns(name)]);
  }

  /** A host that was unplugged is there again, as after its boot: no addresses but its own, the uplink down. */
  async plug(name: string): Promise<void> {
    const host = this.hosts.find((candidate) => candidate.name === name);
    if (host === undefined) throw new Error(`there is no host ${name}`);
    await must(['ip', 'netns', 'add', this.ns(name)]);
    await this.#ip('lan', this.#cable('lan', name));
    if (host.role === 'gateway') await this.#ip('wan', this.#cable('wan', name));
    await this.#configure(host);
    for (const side of ['lan', 'wan'] as const) await this.readPorts(side);
  }

  async sysctl(name: string, path: string, value: string): Promise<void> {
    await must(this.inside(name, ['tee', `/proc/sys/net/${path}`]), value);
  }

  /** All process ids inside a namespace: only what the lab started, and its children, can be there. */
  async pids(name: string): Promise<number[]> {
    const text = await must(['ip', 'netns', 'pids', this.ns(name)]);
    return text.split('\n').filter(Boolean).map(Number);
  }

  async #ip(name: string, lines: readonly string[]): Promise<void> {
    await must(['ip', '-n', this.ns(name), '-batch', '-'], `${lines.join('\n')}\n`);
  }

  async #switch(side: SwitchName, stations: readonly string[]): Promise<void> {
    const lines = [
      `link add name ${side} type bridge mcast_snooping 0`,
      `link set ${side} addrgenmode none`,
      `link set ${side} up`,
    ];
    for (const station of stations) lines.push(...this.#cable(side, station));
    await this.#ip(side, lines);
    await must(
      this.inside(side, ['nft', '-f', '-']),
      `table bridge lab {
        set mute { type ifname; }
        set mute_from { type ifname; }
        set mute_to { type ifname; }
        chain in { type filter hook prerouting priority 0; iifname @mute drop; iifname @mute_from drop; }
        chain out { type filter hook postrouting priority 0; oifname @mute drop; oifname @mute_to drop; }
        chain faults { type filter hook forward priority 0; }
      }\n`,
    );
  }

  /** The orders that join a station to a switch; the station's end of its cable is a card that is down. */
  #cable(side: SwitchName, station: string): string[] {
    const wanCard = station === 'asker' ? 'eth1' : station === 'server' ? 'eth0' : 'up0';
    return [
      `link add name ${station} type veth peer name ${side === 'lan' ? 'eth0' : wanCard} netns ${this.ns(station)}`,
      `link set ${station} master ${side} addrgenmode none`,
      `link set ${station} up`,
    ];
  }

  /** A host's own address, as its operator set it up; remembers its cards. */
  async #configure(host: HostPlan): Promise<void> {
    const addresses = host.second === undefined ? [host.address] : [host.address, host.second];
    await this.#ip(host.name, [
      'link set lo up',
      ...addresses.map((address) => `addr add ${address}/24 dev eth0`),
      'link set eth0 up',
    ]);
    const links = JSON.parse(await must(['ip', '-n', this.ns(host.name), '-j', 'link'])) as {
      ifname: string;
      address: string;
    }[];
    for (const link of links) if (link.ifname !== 'lo') this.macs.set(link.address.toLowerCase(), host.name);
  }

  async #stations(): Promise<void> {
    await this.#ip('client', [
      'link set lo up',
      'link set eth0 addrgenmode none',
      `addr add ${CLIENT.address}/24 dev eth0`,
      `addr add ${CLIENT.address6}/64 dev eth0 nodad`,
      'link set eth0 up',
      `route add default via ${LAN.roving}`,
      `route add default via ${LAN.roving6}`,
    ]);
    await this.#ip('server', [
      'link set lo up',
      'link set eth0 addrgenmode none',
      `addr add ${SERVER.address}/24 dev eth0`,
      `addr add ${SERVER.address6}/64 dev eth0 nodad`,
      'link set eth0 up',
      `route add fd00:77:1::/64 via ${WAN.roving6}`,
    ]);
    await this.#ip('asker', [
      'link set lo up',
      'link set eth0 addrgenmode none',
      'link set eth1 addrgenmode none',
      'addr add 10.77.1.101/24 dev eth0',
      'addr add fd00:77:1::101/64 dev eth0 nodad',
      'addr add 10.77.2.253/24 dev eth1',
      'addr add fd00:77:2::253/64 dev eth1 nodad',
      'link set eth0 up',
      'link set eth1 up',
    ]);
  }

  /** Learns the names of a switch's ports; what was learned before stays. */
  async readPorts(side: SwitchName): Promise<void> {
    const links = JSON.parse(await must(['ip', '-n', this.ns(side), '-j', 'link'])) as {
      ifindex: number;
      ifname: string;
    }[];
    for (const link of links)
      if (link.ifname !== 'lo' && link.ifname !== side) this.ports[side].set(link.ifindex, link.ifname);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended by itself since the list was read
  }
}
