/**
 * One guest with a whole system: systemd as its init, udev, Debian's own Node. The project's Debian package is installed there, with
 * what an operator would bring along, and is started, hung, upgraded, removed, booted and purged.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Cluster, PROJECT } from '../lab/gateway.ts';
import { Household, must, until } from '../lab/process.ts';
import { type HostPlan, LAN, Topology } from '../lab/topology.ts';
import { sharedPackage, withVersion } from '../package/builder.ts';
import { atPackagePlaces } from '../package/places.ts';
import { typedOf, wordsOf } from '../pages.ts';
import type { Channel } from './channel.ts';
import { Guest } from './guest.ts';
import { GUEST_INTERVAL_MS, GUEST_LIMITS, GUEST_TIMING } from './guest-cluster.ts';
import { getSystemImage } from './image.ts';
import { getKernel } from './kernel.ts';

/** What udev calls the cards, by their places on the bus. */
const DOWNLINK = 'enp0s4';
const UPLINK = 'enp0s5';
const CARD = '/sys/bus/pci/devices/0000:00:05.0';
const CONFIG = '/etc/portcullis/portcullis.toml';
/** Nothing of the guest's is kept anyway, and each file that is synced, or read by nobody, takes it long. */
const DPKG = ['dpkg', '--force-unsafe-io', '--path-exclude=/usr/share/*'];
export const LATER_VERSION = '99.0';
const UNITS = ['portcullis.service', 'portcullis-actuator.service', 'portcullis-actuator.socket'];
const SLOW_MS = 240_000;

/** An emulated machine starts Node in seconds: the same units, with more patience. */
export const SLOW = `[Service]
WatchdogSec=12
TimeoutStartSec=180
TimeoutStopSec=120
`;
export class SystemGuest {
  readonly #household = new Household();
  readonly #topology: Topology;
  readonly #host: HostPlan = { name: 'fw1', role: 'gateway', address: '10.77.1.11', guest: true };
  readonly #directory = mkdtempSync(join(tmpdir(), 'portcullis-vm-'));
  #guest: Guest | null = null;
  #packed: Promise<void> = Promise.resolve();

  private constructor() {
    this.#topology = new Topology([this.#host]);
  }

  /** The network and a disk of its own; the machine is off. */
  static async open(): Promise<SystemGuest> {
    const system = new SystemGuest();
    try {
      await system.#topology.open(true);
      const disk = join(system.#directory, 'disk.img');
      await must(['cp', '--sparse=always', await getSystemImage(), disk], '', 120_000);
      const home = join(system.#directory, 'share');
      mkdirSync(home);
      copyFileSync(join(PROJECT, 'dist/test/vm/agent.js'), join(home, 'agent.mjs'));
      const macs = { lan: '02:77:00:00:01:01', wan: '02:77:00:00:02:01' };
      const plan = { name: 'fw1', home, disk, macs, downlink: 'virtio', uplink: 'e1000e' } as const;
      system.#guest = new Guest(plan, system.#topology, system.#household, await getKernel());
      // Beside the first boot, which takes longer.
      system.#packed = system.#pack(home);
      system.#packed.catch(() => undefined); // told by `install`
      return system;
    } catch (error) {
      await system.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#packed.catch(() => undefined);
    await this.#guest?.powerOff();
    await this.#household.endAll();
    await this.#topology.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get channel(): Channel {
    if (this.#guest === null) throw new Error('there is no machine');
    return this.#guest.channel;
  }

  /** Power on, until systemd has reached its basic target and udev has looked at every device. */
  async boot(): Promise<void> {
    if (this.#guest === null) throw new Error('there is no machine');
    await this.#guest.powerOn();
    await this.#guest.waitForAgent();
    await this.channel.must(['udevadm', 'settle', '--timeout=120'], '', SLOW_MS);
  }

  /** What is on the disk is kept; nothing else is. */
  async powerOff(): Promise<void> {
    await this.channel.must(['sync'], '', SLOW_MS);
    await this.#guest?.powerOff();
  }

  /** The package, then configuration and keys, as an operator brings them. Nothing is started. */
  async install(): Promise<void> {
    const { channel } = this;
    await this.#packed;
    const orders = [
      [...DPKG, '-i', '/pc/portcullis.deb'],
      ['tar', '-xf', '/pc/payload.tar', '-C', '/'],
      ['chown', '-R', 'root:portcullis', '/etc/portcullis'],
      ['systemctl', 'daemon-reload'],
    ];
    for (const argv of orders) await channel.must(argv, '', SLOW_MS);
  }

  /** What keeps the uplink's driver out from the next boot on, and lets the actuator load it. */
  async provision(): Promise<void> {
    await this.channel.must(['portcullis', 'uplink', 'provision', '--config', CONFIG, '--yes'], '', SLOW_MS);
    await this.channel.must(['systemctl', 'daemon-reload'], '', SLOW_MS);
  }

  /** Sets the downlink up, which is the operator's matter, starts the units, and waits until the host serves. */
  async start(): Promise<void> {
    const address = `${this.#host.address}/24`;
    await this.channel.must(['ip', 'addr', 'replace', address, 'dev', DOWNLINK], '', SLOW_MS);
    await this.channel.must(['ip', 'link', 'set', DOWNLINK, 'up'], '', SLOW_MS);
    const units = ['portcullis-actuator.socket', 'portcullis.service'];
    const { code } = await this.channel.run(['systemctl', 'start', ...units], '', SLOW_MS);
    if (code !== 0) throw new Error(`the units do not start: ${await this.journal()}`);
    await this.waitForService();
  }

  /** A later version of the package, while the host serves. */
  async upgrade(): Promise<string> {
    return this.channel.must([...DPKG, '-i', '/pc/later.deb'], '', SLOW_MS);
  }

  /** The package, while the host serves: its units are stopped first. What it says. */
  async remove(): Promise<string> {
    return this.channel.must([...DPKG, '-r', 'portcullis'], '', SLOW_MS);
  }

  /** All that the package may take along; what it says. */
  async purge(): Promise<string> {
    return this.channel.must([...DPKG, '-P', 'portcullis'], '', SLOW_MS);
  }

  async waitForService(): Promise<void> {
    const serves = (): Promise<boolean> => this.isServing();
    if (!(await until(serves, SLOW_MS, 500))) throw new Error(`it does not serve: ${await this.journal()}`);
  }

  async isServing(): Promise<boolean> {
    const text = await this.channel.get('/run/portcullis/control.sock', '/v1/status', 5_000);
    if (text === null) return false;
    const status = JSON.parse(text) as { services: readonly { state: string; gateOpen?: boolean }[] };
    return status.services[0]?.state.toLowerCase() === 'service';
  }

  /** SIGSTOP to the network process: it hangs, and only the watchdog can know. */
  async freeze(): Promise<void> {
    await this.channel.must(
      ['systemctl', 'kill', '--kill-whom=main', '--signal=STOP', 'portcullis.service'],
      '',
      SLOW_MS,
    );
  }

  /** When the units last became active, in microseconds of the guest's monotonic clock. */
  async starts(): Promise<{ network: number; actuator: number; socket: number }> {
    const at = async (unit: string): Promise<number> =>
      Number(await this.property(unit, 'ActiveEnterTimestampMonotonic'));
    const [network = Number.NaN, actuator = Number.NaN, socket = Number.NaN] = await Promise.all(
      UNITS.map(at),
    );
    return { network, actuator, socket };
  }

  /** Of the package that is installed. */
  async version(): Promise<string> {
    return this.channel.must(['dpkg-query', '-W', '-f', '$' + '{Version}', 'portcullis'], '', SLOW_MS);
  }

  /** Tables, sockets, units and running processes that are ours, and of `paths` those that are there. */
  async leftovers(paths: readonly string[]): Promise<string> {
    const looks = [
      ['nft', 'list', 'tables'],
      ['find', '/run/portcullis', '-not', '-type', 'd'],
      // What slows the units down was brought along by this test.
      ['find', '/usr/lib/systemd', '/etc/systemd/system', '-name', 'portcullis*', '-not', '-name', '*.d'],
      ['systemctl', 'list-units', '--plain', '--no-legend', '--state=active,activating', 'portcullis*'],
      ['find', ...paths, '-maxdepth', '0'],
    ];
    let all = '';
    for (const words of looks) all += (await this.channel.run(words, '', SLOW_MS)).stdout;
    return all
      .split('\n')
      .filter((line) => line.includes('portcullis'))
      .join('\n');
  }

  /** A property of a unit, as `systemctl show` has it. */
  async property(unit: string, name: string): Promise<string> {
    return (await this.channel.must(['systemctl', 'show', '-P', name, unit], '', SLOW_MS)).trim();
  }

  /** The uplink's card has a driver, and so a device. */
  async hasUplink(): Promise<boolean> {
    // Read, since to start a program there takes long.
    const card = await this.channel.read(`${CARD}/uevent`);
    if (card === null) throw new Error('the uplink’s card is gone');
    return /^DRIVER=/m.test(card) || (await this.channel.read(`/sys/class/net/${UPLINK}/ifindex`)) !== null;
  }

  async addresses(): Promise<string> {
    return this.channel.must(['ip', '-o', 'addr'], '', SLOW_MS);
  }

  /** Types a line of a page; what it prints. */
  async type(line: string): Promise<string> {
    return this.channel.must(wordsOf(typedOf(line)), '', SLOW_MS);
  }

  async journal(): Promise<string> {
    const { stdout } = await this.channel.run(
      ['journalctl', '-b', '-n', '60', '--no-pager', '-o', 'cat'],
      '',
      SLOW_MS,
    );
    return stdout;
  }

  /** How many frames came from the uplink's card into the switch since the machine was switched on. */
  async uplinkFrames(): Promise<number> {
    const text = await must(['ip', '-n', this.#topology.ns('wan'), '-s', '-j', 'link', 'show', 'fw1']);
    const links = JSON.parse(text) as { stats64: { rx: { packets: number } } }[];
    return links[0]?.stats64.rx.packets ?? Number.NaN;
  }

  /** The packages, and one archive of all that is to be installed besides. */
  async #pack(home: string): Promise<void> {
    const deb = await sharedPackage();
    copyFileSync(deb, join(home, 'portcullis.deb'));
    await rename(await withVersion(deb, LATER_VERSION, this.#directory), join(home, 'later.deb'));
    const cluster = new Cluster(this.#topology, this.#household, this.#directory);
    await cluster.prepare({ policy: 'available', intervalMs: GUEST_INTERVAL_MS, timing: GUEST_TIMING });
    const root = join(this.#directory, 'root');
    const put = (from: string, to: string): void => {
      mkdirSync(dirname(join(root, to)), { recursive: true });
      copyFileSync(from, join(root, to));
    };
    const text = (to: string, content: string): void => {
      mkdirSync(dirname(join(root, to)), { recursive: true });
      writeFileSync(join(root, to), content);
    };
    for (const unit of UNITS.slice(0, 2)) text(`/etc/systemd/system/${unit}.d/slow.conf`, SLOW);
    put(join(this.#directory, 'fw1.key'), '/etc/portcullis/host.key');
    put(join(this.#directory, 'admin.key.pub'), '/etc/portcullis/admin.pub');
    put(join(this.#directory, 'roster.cose'), '/etc/portcullis/roster.cose');
    for (const rules of ['rules.v4', 'rules.v6'])
      text(`/etc/portcullis/${rules}`, named(await readFile(join(this.#directory, 'fw1', rules), 'utf8')));
    text(CONFIG, configuration(await readFile(cluster.config('fw1'), 'utf8')));
    await must(
      ['tar', '-C', root, '--owner=0', '--group=0', '-cf', join(home, 'payload.tar'), '.'],
      '',
      60_000,
    );
  }
}

/** Whether the roving address of the downlink is in what `ip addr` printed. */
export function hasRoving(addresses: string): boolean {
  return addresses.includes(` ${LAN.roving}/`);
}

function named(text: string): string {
  return text.replaceAll('eth0', DOWNLINK).replaceAll('up0', UPLINK);
}

/** The lab's configuration of that host, as it is on the guest. */
function configuration(text: string): string {
  return named(atPackagePlaces(text))
    .replace(
      'activation = "admin"',
      'activation = "module"\ncard = "pci/0000:00:05.0"\nmodule = "e1000e"\nlimit = "20s"',
    )
    .concat(GUEST_LIMITS);
}
