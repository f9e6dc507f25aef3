/**
 * `npm run -s vm -- readme`: the README's lines typed on two emulated machines that have nothing but a bare Debian, and on a desk
 * without network, until the cluster serves a client and has outlived a loss of power. Counts lines and waiting.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { atDesk } from '../lab/admin-desk.ts';
import { portcullis } from '../lab/gateway.ts';
import { Household, must, run, until } from '../lab/process.ts';
import { planHosts, SERVER, Topology, WAN } from '../lab/topology.ts';
import { sharedPackage } from '../package/builder.ts';
import { type Block, boxesOf, wordsOf } from '../pages.ts';
import { PROJECT } from '../programs.ts';
import { Guest } from './guest.ts';
import { GUEST_INTERVAL_MS, GUEST_TIMING } from './guest-cluster.ts';
import { AGENT_NODE, getBareImage } from './image.ts';
import { getKernel } from './kernel.ts';
import { SLOW } from './system.ts';

const CONFIG = '/etc/portcullis/portcullis.toml';
const SLOW_MS = 900_000;
const SERVE_MS = 300_000;

interface Typed {
  readonly where: string;
  readonly line: string;
  readonly seconds: number;
}

export class ReadmeTrial {
  readonly #household = new Household();
  readonly #hosts = planHosts(2, false).map((host) => ({ ...host, guest: true }));
  readonly #topology = new Topology(this.#hosts);
  readonly #directory = mkdtempSync(join(tmpdir(), 'portcullis-vm-'));
  readonly #guests = new Map<string, Guest>();
  readonly #tell: (line: string) => void;
  readonly typed: Typed[] = [];

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  /** Two machines as the installer left them, and the stick with the package. */
  async open(): Promise<void> {
    for (const name of ['stick', 'admin']) mkdirSync(join(this.#directory, name));
    const deb = await sharedPackage();
    copyFileSync(deb, join(this.#directory, 'stick', basename(deb)));
    await this.#topology.open(true);
    // The README's rules translate nothing: whoever is outside knows the way back.
    await must(this.#topology.inside('server', ['ip', 'route', 'add', '10.77.1.0/24', 'via', WAN.roving]));
    const kernel = await getKernel();
    const image = await getBareImage();
    await Promise.all(
      this.#hosts.map(async ({ name, address }, i) => {
        const home = join(this.#directory, name);
        mkdirSync(home);
        copyFileSync(join(PROJECT, 'dist/test/vm/agent.js'), join(home, 'agent.mjs'));
        const disk = join(this.#directory, `${name}.img`);
        await must(['cp', '--sparse=always', image, disk], '', 120_000);
        const macs = { lan: `02:77:00:00:01:0${i + 1}`, wan: `02:77:00:00:02:0${i + 1}` };
        const plan = {
          name,
          home,
          disk,
          macs,
          node: AGENT_NODE,
          downlink: 'virtio',
          uplink: 'e1000e',
        } as const;
        const guest = new Guest(plan, this.#topology, this.#household, kernel);
        this.#guests.set(name, guest);
        await guest.powerOn();
        const channel = await guest.waitForAgent();
        await channel.must(['udevadm', 'settle', '--timeout=120'], '', SLOW_MS);
        await channel.write('/etc/hostname', `${name}\n`);
        await channel.write('/etc/network/interfaces', interfaces(address));
        await channel.must(['hostname', name], '', SLOW_MS);
        await channel.must(['ifup', '-a'], '', SLOW_MS);
        await channel.must(['ln', '-sfn', '/pc/stick', '/media/stick'], '', SLOW_MS);
        for (const unit of ['portcullis', 'portcullis-actuator']) {
          const directory = `/etc/systemd/system/${unit}.service.d`;
          await channel.must(['mkdir', '-p', directory], '', SLOW_MS);
          await channel.write(`${directory}/slow.conf`, SLOW);
        }
      }),
    );
  }

  async close(): Promise<void> {
    for (const guest of this.#guests.values()) await guest.powerOff();
    await this.#household.endAll();
    await this.#topology.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** All of it. Throws at the first line that does not do what the README says. */
  async perform(): Promise<void> {
    const blocks = boxesOf(import.meta.filename, 'README.md');
    for (const block of blocks) {
      if (block === blocks.at(-1))
        await this.#timed('-', '(until fw1 serves a client)', () => this.#served('fw1'));
      await this.#follow(block);
    }
    await this.#timed('-', '(until fw2 serves a client)', () => this.#served('fw2'));
    await this.#guest('fw2').powerOff();
    await this.#timed('-', '(fw2 has lost its power: until fw1 serves a client)', () => this.#served('fw1'));
  }

  #guest(name: string): Guest {
    const guest = this.#guests.get(name);
    if (guest === undefined) throw new Error(`there is no machine ${name}`);
    return guest;
  }

  async #follow({ where, lines }: Block): Promise<void> {
    if (where.startsWith('file=')) {
      writeFileSync(join(this.#directory, 'admin', where.slice(5)), `${lines.join('\n')}\n`);
      return;
    }
    // The stick goes there, and comes back.
    const stick = join(this.#directory, 'stick');
    const there = join(this.#directory, where, 'stick');
    if (where !== 'admin') await must(['cp', '-rT', stick, there]);
    for (const line of lines) await this.#timed(where, line, () => this.#line(where, line));
    if (where !== 'admin') await must(['cp', '-rT', there, stick]);
  }

  async #timed(where: string, line: string, work: () => Promise<void>): Promise<void> {
    const startMs = performance.now();
    await work();
    const seconds = (performance.now() - startMs) / 1_000;
    this.typed.push({ where, line, seconds });
    this.#tell(`${where.padEnd(6)} ${seconds.toFixed(1).padStart(6)} s  ${line}`);
  }

  async #line(where: string, line: string): Promise<void> {
    const words = wordsOf(line);
    if (where === 'admin') await this.#atDesk(line, words);
    else await this.#onHost(where, line, words);
  }

  async #atDesk(line: string, words: readonly string[]): Promise<void> {
    const here = words.map((word) =>
      word
        .replace(/^\/media\/stick/, join(this.#directory, 'stick'))
        .replace(/^([a-z.]+\.(key|v4))$/, (name) => join(this.#directory, 'admin', name)),
    );
    if (here[0] === 'portcullis') await atDesk(line, here.slice(1));
    else await must(here);
  }

  async #onHost(host: string, line: string, words: readonly string[]): Promise<void> {
    const { channel } = this.#guest(host);
    const paper = words.includes('SHA256:PAPER') ? await this.#paper() : '';
    const typed = words.map((word) => word.replace('SHA256:PAPER', paper));
    // What apt asks, at most.
    const { code, stdout, stderr } = await channel.run(typed, words[0] === 'apt' ? 'y\n' : '', SLOW_MS);
    this.#tell(`${stdout}${stderr}`.trimEnd().replaceAll('\r', '').replaceAll(/^/gm, `${host}   | `));
    if (code !== 0) throw new Error(`${host}: ${line}: ended with ${code}: ${stderr}`);
    if (words[1] === 'init') await channel.write(CONFIG, patient((await channel.read(CONFIG)) ?? ''));
  }

  async #paper(): Promise<string> {
    const { stdout } = await portcullis(
      'key',
      'show',
      join(this.#directory, 'admin/admin.key.pub'),
      '--json',
    );
    return (JSON.parse(stdout) as { fingerprint: string }).fingerprint;
  }

  async #served(host: string): Promise<void> {
    const isMaster = async (): Promise<boolean> => {
      const text = await this.#guest(host).channel.get('/run/portcullis/control.sock', '/v1/status', 5_000);
      const status = text === null ? null : (JSON.parse(text) as { services: { state: string }[] });
      return status?.services[0]?.state.toLowerCase() === 'service';
    };
    const ping = this.#topology.inside('client', ['ping', '-c', '1', '-W', '1', SERVER.address]);
    const isServed = async (): Promise<boolean> => (await isMaster()) && (await run(ping)).code === 0;
    if (await until(isServed, SERVE_MS, 500)) return;
    const words = await this.#guest(host).channel.run(
      ['journalctl', '-b', '-n', '80', '--no-pager'],
      '',
      SLOW_MS,
    );
    throw new Error(`${host} serves no client: ${words.stdout}`);
  }
}

/** As Debian's installer writes it; the second card was left out. */
function interfaces(address: string): string {
  return `auto lo\niface lo inet loopback\n\nauto enp0s4\niface enp0s4 inet static\n  address ${address}/24\n`;
}

/** Times that an emulated processor can keep, in the place of the defaults; nothing else of what `init` wrote is changed. */
function patient(text: string): string {
  const timing = [`interval = "${GUEST_INTERVAL_MS}ms"`, ...GUEST_TIMING].join('\n');
  const places: readonly (readonly [RegExp, string])[] = [
    [/^# \[timing\]$/m, `[timing]\n${timing}`],
    [/^activation *= .*$/m, '$&\nlimit = "20s"'],
    [/^# \[service\.limits\]$/m, '[service.limits]\ntest = "15s"\nswitch = "50s"'],
  ];
  return places.reduce((slow, [place, lines]) => {
    if (!place.test(slow)) throw new Error(`init wrote no ${place}`);
    return slow.replace(place, lines);
  }, text);
}

/** The exit status. */
export async function tryReadme(json: boolean): Promise<number> {
  const trial = new ReadmeTrial((line) => process.stderr.write(`${line}\n`));
  for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }))
    process.once(signal, () => void trial.close().finally(() => process.exit(128 + number)));
  try {
    await trial.open();
    await trial.perform();
  } finally {
    await trial.close();
  }
  const { typed } = trial;
  const commands = typed.filter(({ where }) => where !== '-').length;
  const minutes = typed.reduce((sum, { seconds }) => sum + seconds, 0) / 60;
  if (json) process.stdout.write(`${JSON.stringify({ commands, minutes, typed })}\n`);
  else process.stdout.write(`${commands} commands, ${minutes.toFixed(1)} minutes of waiting\n`);
  return 0;
}
