/**
 * One emulated machine: QEMU without any help of the processor, Debian's kernel, two network cards. It runs inside the host's
 * namespace of the lab; its cards' other ends are moved to the lab's switches and named as the host, so that
 * captures, faults and judges meet them there. A guest ends when its QEMU is killed: that is its power loss.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../lab/gateway.ts';
import { type Household, must, run, until } from '../lab/process.ts';
import type { SwitchName, Topology } from '../lab/topology.ts';
import { Channel } from './channel.ts';
import type { Kernel } from './kernel.ts';

export type CardModel = 'e1000e' | 'virtio';

export interface GuestPlan {
  readonly name: string;
  /** The only directory of the host that the guest may write. */
  readonly home: string;
  readonly downlink: CardModel;
  readonly uplink: CardModel;
  readonly macs: { readonly [side in SwitchName]: string };
  /** A disk image with a system of its own, in place of the host's root; it says itself what it runs. */
  readonly disk?: string;
  /** Where the agent's Node lies there. Default: the system's own. */
  readonly node?: string;
}

const QEMU = 'qemu-system-x86_64';
const CARDS: { readonly [model in CardModel]: string } = { e1000e: 'e1000e', virtio: 'virtio-net-pci' };
/** Places on the PCI bus. The kernel counts virtio devices in their order. */
const SLOTS = { host: '0x1', home: '0x2', lan: '0x4', wan: '0x5', disk: '0x6', agent: '0x7' } as const;
/** Emulation is slow, and another's work may be on the machine: generous. */
const BOOT_LIMIT_MS = 120_000;
const MEMORY_MIB = 640;

/** The uplink's card as the kernel names it, for `card` in the configuration: its PCI place, or its place among the virtio devices. */
export function uplinkCard(plan: Pick<GuestPlan, 'downlink' | 'uplink'>): string {
  if (plan.uplink === 'e1000e') return 'pci/0000:00:05.0';
  // Before it come the two shares, and the other card when it is one too.
  return `virtio/virtio${plan.downlink === 'virtio' ? 3 : 2}`;
}

export class Guest {
  readonly plan: GuestPlan;
  readonly #topology: Topology;
  readonly #household: Household;
  readonly #kernel: Kernel;
  #qemu: ChildProcess | null = null;
  #channel: Channel | null = null;

  constructor(plan: GuestPlan, topology: Topology, household: Household, kernel: Kernel) {
    this.plan = plan;
    this.#topology = topology;
    this.#household = household;
    this.#kernel = kernel;
  }

  get consoleFile(): string {
    return join(this.plan.home, 'console.log');
  }
  get channel(): Channel {
    if (this.#channel === null) throw new Error(`${this.plan.name} is not up`);
    return this.#channel;
  }
  get isOn(): boolean {
    return this.#qemu !== null && this.#qemu.exitCode === null && this.#qemu.signalCode === null;
  }

  /** Power on; plugs the cards in. Does not wait for the system. */
  async powerOn(): Promise<void> {
    const log = openSync(join(this.plan.home, 'qemu.log'), 'a', 0o600);
    const qemu = this.#household.start(this.#topology.inside(this.plan.name, this.#argv()), {
      stdout: log,
      stderr: log,
    });
    closeSync(log);
    this.#qemu = qemu;
    for (const side of ['lan', 'wan'] as const) await this.#plug(side);
  }

  /** Waits until the agent in it answers. Throws with the console's last words. */
  async waitForAgent(): Promise<Channel> {
    const channel = new Channel(this.#portSocket());
    this.#channel = channel;
    let isReady = false;
    void channel.ready.then(() => {
      isReady = true;
    });
    const came = await until(() => isReady || !this.isOn, BOOT_LIMIT_MS, 50);
    if (came && isReady) return channel;
    throw new Error(`${this.plan.name} did not come up: ${this.lastWords()}`);
  }

  /** The power goes: nothing in the guest can do anything about it. */
  async powerOff(): Promise<void> {
    this.#channel?.close();
    this.#channel = null;
    const qemu = this.#qemu;
    this.#qemu = null;
    if (qemu !== null) await this.#household.end(qemu, 'SIGKILL', 5_000);
  }

  /** The end of what it wrote to its console, and of QEMU's own words. */
  lastWords(): string {
    const tail = (file: string): string => {
      try {
        return readFileSync(file, 'utf8').split('\n').slice(-15).join('\n');
      } catch {
        return '';
      }
    };
    return `${tail(join(this.plan.home, 'qemu.log'))}\n${tail(this.consoleFile)}`;
  }

  #portSocket(): string {
    return join(this.plan.home, 'agent.sock');
  }

  #argv(): string[] {
    const { home, downlink, uplink, macs, disk, node = '/usr/bin/node' } = this.plan;
    const card = (side: SwitchName, model: CardModel, slot: string): string[] => [
      ...['-netdev', `tap,id=${side},ifname=${side},script=no,downscript=no`],
      ...['-device', `${CARDS[model]},netdev=${side},mac=${macs[side]},romfile=,addr=${slot}`],
    ];
    const share = (tag: string, path: string, more: string, slot: string): string[] => [
      ...['-fsdev', `local,id=${tag},path=${path},security_model=none,multidevs=remap${more}`],
      ...['-device', `virtio-9p-pci,fsdev=${tag},mount_tag=${tag},addr=${slot}`],
    ];
    const system =
      disk === undefined
        ? [
            ...share('host', '/', ',readonly=on', SLOTS.host),
            ...['-initrd', this.#kernel.initramfs],
            ...['-append', `${CONSOLE} pc.node=${process.execPath} pc.agent=${AGENT} pc.home=${home}`],
          ]
        : [
            // Nothing waits for the host's disk: what a killed guest wrote is in the host's memory.
            ...['-drive', `file=${disk},if=none,id=disk,format=raw,cache=unsafe`],
            ...['-device', `virtio-blk-pci,drive=disk,addr=${SLOTS.disk}`],
            ...['-initrd', this.#kernel.initramfs],
            ...[
              '-append',
              `${CONSOLE} ${SPARED} pc.disk=/dev/vda pc.home=/pc pc.node=${node} pc.agent=/pc/agent.mjs`,
            ],
          ];
    return [
      // Before other work of this machine, which would look like the guest's own slowness.
      ...['nice', '-n', '-19', QEMU],
      ...['-accel', 'tcg', '-machine', 'q35', '-cpu', 'qemu64', '-m', String(MEMORY_MIB)],
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
      ...['-kernel', this.#kernel.image, ...system],
      ...['-serial', `file:${this.consoleFile}`],
      ...[
        '-device',
        `virtio-serial-pci,addr=${SLOTS.agent}`,
        '-device',
        'virtserialport,chardev=agent,name=agent',
      ],
      ...['-chardev', `socket,id=agent,path=${this.#portSocket()},server=on,wait=off`],
      ...share('home', home, '', SLOTS.home),
      ...card('lan', downlink, SLOTS.lan),
      ...card('wan', uplink, SLOTS.wan),
    ];
  }

  /** Moves the outer end of a card, which QEMU made in the host's namespace, to its switch. */
  async #plug(side: SwitchName): Promise<void> {
    const { name } = this.plan;
    const here = this.#topology.ns(name);
    const there = this.#topology.ns(side);
    const isThere = async (): Promise<boolean> =>
      (await run(['ip', '-n', here, 'link', 'show', side])).code === 0;
    if (!(await until(isThere, 30_000, 20)) || !this.isOn)
      throw new Error(`QEMU made no card for ${name}: ${this.lastWords()}`);
    await must(['ip', '-n', here, 'link', 'set', side, 'netns', there, 'name', name]);
    await must(['ip', '-n', there, 'link', 'set', name, 'master', side, 'addrgenmode', 'none', 'up']);
    await this.#topology.readPorts(side);
  }
}

const CONSOLE = 'console=ttyS0 quiet loglevel=4 panic=0 mitigations=off';
/** What a system does at its first boot, or for devices that this one has not: a third of the time that it takes to come up. */
const SPARED = [
  ...['ldconfig', 'systemd-journal-catalog-update', 'systemd-update-done'],
  ...[
    'modprobe@drm',
    'modprobe@efi_pstore',
    'modprobe@fuse',
    'modprobe@configfs',
    'modprobe@dm_mod',
    'modprobe@loop',
  ],
  ...['getty-static', 'serial-getty@ttyS0', 'systemd-pcrmachine', 'systemd-tpm2-setup-early'],
]
  .map((unit) => `systemd.mask=${unit}.service`)
  .join(' ');
/** Always the compiled one: a guest has no time for a compiler. */
const AGENT = join(PROJECT, 'dist/test/vm/agent.js');
