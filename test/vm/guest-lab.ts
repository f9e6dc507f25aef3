/**
 * A laboratory whose firewalls are emulated machines; client, server, switches, captures and judges are the lab's own.
 * Invariant: whatever happens, nothing is left behind: no emulator, no namespace.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Capture } from '../lab/capture.ts';
import { Faults } from '../lab/faults.ts';
import { type Policy, portcullis } from '../lab/gateway.ts';
import { Household } from '../lab/process.ts';
import { type HostPlan, planHosts, Topology } from '../lab/topology.ts';
import { startAsking, Traffic } from '../lab/traffic.ts';
import type { Channel } from './channel.ts';
import { type CardModel, Guest } from './guest.ts';
import { DOWNLINK, GuestCluster } from './guest-cluster.ts';
import { getKernel } from './kernel.ts';
import { driverOf, type Strategy, uplinkOf } from './strategy.ts';

export interface GuestLabOptions {
  readonly intervalMs: number;
  readonly policy: Policy;
  readonly strategy: Strategy;
  readonly speculative: boolean;
  readonly downlink: CardModel;
  readonly uplink: CardModel;
}

/** An emulated machine takes long for each frame: fewer than in the lab, and still within what its judges join to one span. */
const TRAFFIC_PERIOD_MS = 10;
const ASK_PERIOD_MS = 60;
const open = new Set<GuestLab>();

export class GuestLab {
  readonly options: GuestLabOptions;
  readonly hosts: readonly HostPlan[];
  readonly topology: Topology;
  readonly faults: Faults;
  readonly cluster: GuestCluster;
  readonly directory: string;
  readonly capture: Capture;
  readonly #household = new Household();
  #traffic: Traffic | null = null;
  #closing: Promise<void> | null = null;

  private constructor(options: GuestLabOptions) {
    this.options = options;
    this.hosts = planHosts(2, false).map((host) => ({ ...host, guest: true }));
    this.directory = mkdtempSync(join(tmpdir(), 'portcullis-vm-'));
    this.topology = new Topology(this.hosts);
    this.faults = new Faults(this.topology);
    this.cluster = new GuestCluster(this.topology, this.#household, this.directory);
    this.capture = new Capture(this.topology, this.#household, this.directory);
  }

  /** The network, the ears and all files; the guests are up, with their own addresses, and no daemon runs yet. */
  static async open(options: GuestLabOptions): Promise<GuestLab> {
    const lab = new GuestLab(options);
    open.add(lab);
    try {
      const kernel = await getKernel();
      await lab.topology.open(true);
      const uplink = uplinkOf(options);
      await lab.cluster.prepareGuests({ ...options, timing: [] }, () => uplink.toml);
      if (!uplink.isLoadedAtBoot) await lab.provision();
      await lab.capture.start();
      startAsking(lab.topology, lab.#household, ASK_PERIOD_MS);
      await Promise.all(
        lab.hosts.map(async (host, i) => {
          const home = join(lab.directory, host.name);
          mkdirSync(home, { recursive: true });
          const macs = { lan: `02:77:00:00:01:0${i + 1}`, wan: `02:77:00:00:02:0${i + 1}` };
          for (const mac of Object.values(macs)) lab.topology.macs.set(mac, host.name);
          const plan = { name: host.name, home, downlink: options.downlink, uplink: options.uplink, macs };
          const guest = new Guest(plan, lab.topology, lab.#household, kernel);
          lab.cluster.guests.set(host.name, guest);
          await guest.powerOn();
          await lab.furnish(host, await guest.waitForAgent());
        }),
      );
      return lab;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  /** What keeps the uplink's driver out from boot on, written by the project's own command into a root of each guest. */
  async provision(): Promise<void> {
    for (const { name } of this.hosts) {
      const root = join(this.directory, name, 'root');
      mkdirSync(root, { recursive: true });
      const order = ['uplink', 'provision', '--config', this.cluster.config(name), '--root', root, '--yes'];
      const { code, stderr } = await portcullis(...order);
      if (code !== 0) throw new Error(`portcullis ${order.join(' ')}: ${stderr.trim()}`);
    }
  }

  /** As the operator of that machine set it up: the downlink's card with its address, the uplink's as its strategy wants it. */
  async furnish(host: HostPlan, channel: Channel): Promise<void> {
    const { options } = this;
    const home = join(this.directory, host.name);
    await channel.must(['modprobe', driverOf(options.downlink)]);
    await channel.must(
      ['ip', '-batch', '-'],
      `addr add ${host.address}/24 dev ${DOWNLINK}\nlink set ${DOWNLINK} up\n`,
    );
    if (uplinkOf(options).isLoadedAtBoot) await channel.must(['modprobe', driverOf(options.uplink)]);
    else await channel.must(['cp', '-r', `${home}/root/etc/.`, '/etc/']);
    // What the kernel tells of its cards, with the guest's own times; evidence for the table.
    await channel.start(['ip', '-ts', '-o', 'monitor', 'link'], join(this.directory, host.name, 'links.log'));
  }

  get gateways(): string[] {
    return this.hosts.map((host) => host.name);
  }
  get traffic(): Traffic {
    if (this.#traffic === null) throw new Error('the traffic has not been started');
    return this.#traffic;
  }
  async startTraffic(): Promise<void> {
    this.#traffic = await Traffic.start(this.topology, this.#household, TRAFFIC_PERIOD_MS);
  }

  /** The event logs lie in the guests' memory: copies of them, of those who still run. */
  async #keepEvents(): Promise<void> {
    for (const { name } of this.hosts) {
      const guest = this.cluster.guests.get(name);
      if (guest?.isOn !== true) continue;
      const events = await this.cluster.events(name).catch(() => null);
      if (events !== null) writeFileSync(join(this.directory, name, 'events.jsonl'), events);
    }
  }

  /** `keepFiles`: logs and captures stay where they are. Harmless when called twice. */
  close(keepFiles = false): Promise<void> {
    this.#closing ??= this.#close(keepFiles);
    return this.#closing;
  }

  async #close(keepFiles: boolean): Promise<void> {
    if (keepFiles) await this.#keepEvents();
    for (const guest of this.cluster.guests.values()) await guest.powerOff();
    for (const host of this.hosts) await this.faults.signal(host.name, 'SIGKILL').catch(() => undefined); // may not exist yet
    await this.#household.endAll();
    await this.topology.close();
    if (!keepFiles) rmSync(this.directory, { recursive: true, force: true });
    open.delete(this);
  }
}

/** On a signal: all is closed, then the process ends with 128 + the signal's number. */
export function closeOnSignals(): void {
  for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }))
    process.once(signal, () => void closeGuestLabs().finally(() => process.exit(128 + number)));
}

/** Closes all of this process; for signals and failures. */
export async function closeGuestLabs(): Promise<void> {
  await Promise.all([...open].map((lab) => lab.close()));
}
