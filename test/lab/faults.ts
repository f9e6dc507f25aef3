/**
 * What goes wrong in the lab, done at the switch ports (never inside a host) or to a host's processes.
 * A port that is down takes the carrier from the host; a mute port keeps the carrier and loses the frames.
 */
import { readFileSync } from 'node:fs';
import { must } from './process.ts';
import { CLUSTER_PORT, type SwitchName, type Topology } from './topology.ts';
import type { Part } from './units.ts';

export class Faults {
  readonly #topology: Topology;
  constructor(topology: Topology) {
    this.#topology = topology;
  }

  /** Cable out (or in again): the host loses its carrier. */
  async port(side: SwitchName, port: string, state: 'up' | 'down'): Promise<void> {
    await must(['ip', '-n', this.#topology.ns(side), 'link', 'set', port, state]);
  }

  /**
   * Both cables of a host, as when its power goes. They are in two namespaces, so one is some milliseconds before the other: the
   * downlink is, for over it a host that sees its uplink go would say farewell, which no host without power does.
   */
  async power(host: string, state: 'up' | 'down'): Promise<void> {
    await this.port('lan', host, state);
    await this.port('wan', host, state);
  }

  /** Frames of that port vanish: both ways, or only those `from` or `to` the station. The carrier stays. */
  async mute(side: SwitchName, port: string, direction: 'both' | 'from' | 'to' = 'both'): Promise<void> {
    await this.#nft(side, `add element bridge lab ${setOf(direction)} { "${port}" }`);
  }
  async unmute(side: SwitchName, port: string, direction: 'both' | 'from' | 'to' = 'both'): Promise<void> {
    await this.#nft(side, `delete element bridge lab ${setOf(direction)} { "${port}" }`);
  }

  /** The cluster's own frames from and to that host vanish on that switch; all other traffic passes. */
  async cutCluster(side: SwitchName, port: string): Promise<void> {
    const cut = (way: string): string =>
      `add rule bridge lab faults ${way} "${port}" udp dport ${CLUSTER_PORT} drop`;
    await this.#nft(side, `${cut('iifname')}; ${cut('oifname')}`);
  }
  /** The cluster's own frames that this host sends vanish there; it still hears all. */
  async cutClusterFrom(side: SwitchName, port: string): Promise<void> {
    await this.#nft(side, `add rule bridge lab faults iifname "${port}" udp dport ${CLUSTER_PORT} drop`);
  }
  /** The cluster's own frames from one station to another vanish there, one way; third stations on a hub still hear them. */
  async cutClusterBetween(side: SwitchName, from: string, to: string): Promise<void> {
    const rule = `iifname "${from}" oifname "${to}" udp dport ${CLUSTER_PORT} drop`;
    await this.#nft(side, `add rule bridge lab faults ${rule}`);
  }
  /** The same by address: what that station's cable brings for one of a host's addresses. */
  async cutClusterTo(side: SwitchName, from: string, address: string): Promise<void> {
    const rule = `iifname "${from}" ip daddr ${address} udp dport ${CLUSTER_PORT} drop`;
    await this.#nft(side, `add rule bridge lab faults ${rule}`);
  }
  /** What that station sends to that address vanishes there. */
  async cutTo(side: SwitchName, from: string, address: string): Promise<void> {
    await this.#nft(side, `add rule bridge lab faults iifname "${from}" ip daddr ${address} drop`);
  }
  /** Somebody's rule on that host forwards nothing more; those that it is tested for are all there. */
  async forwardNothing(host: string): Promise<void> {
    await must(this.#topology.inside(host, ['iptables', '-I', 'FORWARD', '-j', 'DROP']));
  }
  /** Each of the cluster's own frames is lost with that probability, independently, between every two hosts. */
  async loseCluster(side: SwitchName, percent: number): Promise<void> {
    await this.#nft(
      side,
      `add rule bridge lab faults udp dport ${CLUSTER_PORT} numgen random mod 1000 < ${Math.round(percent * 10)} drop`,
    );
  }
  /** Ends all of `cutCluster`, `cutClusterFrom`, `loseCluster` on that switch. */
  async heal(side: SwitchName): Promise<void> {
    await this.#nft(side, 'flush chain bridge lab faults');
  }

  /** A signal to every process of that host, by process id. */
  async signal(host: string, signal: NodeJS.Signals): Promise<void> {
    for (const pid of await this.#topology.pids(host)) {
      try {
        process.kill(pid, signal);
      } catch {
        // it ended by itself since the list was read
      }
    }
  }

  /** A signal to one of a host's two processes: the one that reads the network, or the one that acts, with its tools. */
  async signalPart(host: string, part: Part, signal: NodeJS.Signals): Promise<void> {
    let isHit = false;
    for (const pid of await this.#topology.pids(host)) {
      const words = readCommand(pid);
      const isNetwork = words.includes('daemon');
      if (words.length === 0 || isNetwork !== (part === 'network')) continue;
      try {
        process.kill(pid, signal);
        isHit ||= isNetwork || words.some((word) => word.endsWith('actuator-main.js'));
      } catch {
        // it ended by itself since the list was read
      }
    }
    if (!isHit) throw new Error(`${host} has no ${part} process`);
  }

  /** Somebody flushes the host's packet filter and address translation behind the daemon's back. */
  async flushRules(host: string): Promise<void> {
    for (const argv of [
      ['iptables', '-t', 'nat', '-F'],
      ['iptables', '-F', 'FORWARD'],
    ])
      await must(this.#topology.inside(host, argv));
  }

  async #nft(side: SwitchName, command: string): Promise<void> {
    await must(this.#topology.inside(side, ['nft', command]));
  }
}

/** The words of a process's command line; none when it has ended. */
function readCommand(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
  } catch {
    return [];
  }
}

function setOf(direction: 'both' | 'from' | 'to'): string {
  return direction === 'both' ? 'mute' : `mute_${direction}`;
}
