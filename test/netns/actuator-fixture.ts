/**
 * The actuator process in a gateway's namespace, as its unit starts it, and a network process of the test's own that
 * speaks to it over its socket, honestly or not.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Side } from '../../src/core/events.ts';
import type { Procedure, Verdict } from '../../src/core/procedures.ts';
import { NodeClock } from '../../src/daemon/clock.ts';
import { settingsHash } from '../../src/daemon/config/actuator-config.ts';
import { readSettings } from '../../src/daemon/config/read-settings.ts';
import { RemoteActuator } from '../../src/daemon/remote-actuator.ts';
import { rawNowMs } from '../../src/linux/libc.ts';
import { programArgs } from '../programs.ts';
import { exampleText, temporaryDir } from '../unit/cluster-files.ts';
import { Namespaces, until } from './netns.ts';

export const MAIN = programArgs('src/daemon/actuator-main.ts');
const RULES = [
  '*filter',
  ':INPUT ACCEPT [0:0]',
  ':FORWARD ACCEPT [0:0]',
  ':OUTPUT ACCEPT [0:0]',
  'COMMIT',
  '',
];
/** Nobody's. */
export const OWN_ID = 65_532;

export interface Ended {
  readonly verdict: Verdict;
  readonly detail: string;
}

export class Host {
  readonly net = new Namespaces();
  readonly gw: string;
  readonly dir: string;
  readonly config: string;
  readonly socket: string;
  output = '';
  /** Their timers would keep a test that failed from ending. */
  readonly networks: Network[] = [];

  constructor(t: TestContext, change: (text: string) => string = (text) => text) {
    t.after(() => {
      for (const network of this.networks) network.close();
      this.net.close();
    });
    this.dir = temporaryDir(t);
    this.socket = join(this.dir, 'own', 'actuator.sock');
    const { net } = this;
    const lan = net.addSwitch('lan');
    const client = net.add('client');
    const router = net.add('router');
    this.gw = net.add('gw');
    net.plug(client, 'eth0', lan, 'p-client');
    net.plug(this.gw, 'eth0', lan, 'p-gw');
    net.join(this.gw, 'up0', router, 'eth0');
    net.ip(this.gw, 'link', 'set', 'up0', 'down');
    net.ip(this.gw, 'addr', 'add', '10.77.1.11/24', 'dev', 'eth0');
    net.ip(client, 'addr', 'add', '10.77.1.100/24', 'dev', 'eth0');
    net.ip(router, 'addr', 'add', '10.77.2.254/24', 'dev', 'eth0');
    chmodSync(this.dir, 0o755);
    mkdirSync(join(this.dir, 'own'), { mode: 0o777 });
    chmodSync(join(this.dir, 'own'), 0o777);
    writeFileSync(join(this.dir, 'rules.v4'), RULES.join('\n'));
    this.config = join(this.dir, 'portcullis.toml');
    const text = exampleText(this.dir).replace(/^user .*$/m, `actuator = "${this.socket}"`);
    writeFileSync(this.config, change(text.replace('"200ms"', '"1s"')));
  }

  /** `own`: as a user of its own with two capabilities, as in the unit; else as root. */
  async start(own = false, capabilities = '+net_admin,+net_raw'): Promise<ChildProcess> {
    const as = own
      ? [
          ...[
            '/usr/bin/setpriv',
            `--reuid=${OWN_ID}`,
            `--regid=${OWN_ID}`,
            '--clear-groups',
            '--no-new-privs',
          ],
          ...[`--inh-caps=-all,${capabilities}`, `--ambient-caps=${capabilities}`],
          `--bounding-set=-all,${capabilities}`,
        ]
      : [];
    const [command = '', ...args] = [...as, process.execPath, ...MAIN, '--config', this.config];
    const child = this.net.spawn(this.gw, command, ...args);
    child.stdout?.on('data', (chunk: Buffer) => {
      this.output += chunk.toString();
    });
    const isUp = await until(
      () => this.output.includes('actuator started') || child.exitCode !== null,
      60_000,
    );
    assert.ok(isUp, this.output);
    return child;
  }

  async connect(): Promise<Socket> {
    const socket = connect(this.socket);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return socket;
  }

  isUp(device = 'up0'): boolean {
    return /[<,]UP[,>]/.test(this.net.ip(this.gw, 'link', 'show', device));
  }

  hasRoving(): boolean {
    return /10\.77\.(1\.1|2\.1)\/24/.test(this.net.ip(this.gw, 'addr'));
  }

  /** The elements of the gate's sets that the kernel still holds. */
  openings(): string[] {
    const text = this.net.exec(this.gw, '/usr/sbin/nft', 'list', 'table', 'inet', 'portcullis_dmz');
    return [...text.matchAll(/set (\w+) \{[^}]*?elements = \{/g)].map(([, name = '']) => name);
  }
}

/** An honest network process. */
export class Network {
  readonly remote: RemoteActuator;
  readonly stream: Socket;
  lost: string | null = null;
  spent = 0;
  private readonly waiting = new Map<number, (said: Ended) => void>();
  private readonly gates = new Map<number, (openUntilMs: number | null) => void>();
  private id = 0;
  private renewing: NodeJS.Timeout | null = null;

  private constructor(host: Host, stream: Socket) {
    this.stream = stream;
    const settings = readSettings(host.config);
    const clock = new NodeClock(rawNowMs, () => undefined);
    this.remote = new RemoteActuator({
      stream,
      nowMs: rawNowMs,
      beside: (run) => clock.beside(run),
      leaseMs: settings.timing.leaseMs,
      hash: settingsHash(settings),
      isGateway: true,
      services: ['firewall'],
      memberAddresses: ['10.77.1.12'],
      onLost: (why) => {
        this.lost = why;
      },
      onTrouble: () => undefined,
      onUplinkGuarded: () => undefined,
      onSpent: () => {
        this.spent++;
      },
      events: {
        procedureEnded: (_name, _procedure, id, verdict, detail) =>
          this.waiting.get(id)?.({ verdict, detail }),
        addressesProbed: (_name, _side: Side, id, answered, detail) =>
          this.waiting.get(id)?.({ verdict: answered ? 'refuted' : 'confirmed', detail }),
        gateSet: (_name, id, openUntilMs) => this.gates.get(id)?.(openUntilMs),
        linkChanged: () => undefined,
        foreignerHeard: () => undefined,
        rivalHeard: () => undefined,
      },
    });
  }

  static async join(host: Host): Promise<Network> {
    const network = new Network(host, await host.connect());
    host.networks.push(network);
    await network.remote.start();
    return network;
  }

  run(procedure: Procedure): Promise<Ended> {
    const id = ++this.id;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.remote.run('firewall', procedure, id);
    });
  }

  gate(untilMs: number | null): Promise<number | null> {
    const id = ++this.id;
    return new Promise((resolve) => {
      this.gates.set(id, resolve);
      this.remote.gate('firewall', untilMs, id);
    });
  }

  /** Into service, its gate renewed until `close`, or until this process says no more. */
  async serve(): Promise<void> {
    for (const procedure of [
      'deactivateService',
      'deactivateUplink',
      'activateUplink',
      'activateService',
    ] as const) {
      const { verdict, detail } = await this.run(procedure);
      assert.equal(verdict, 'confirmed', `${procedure}: ${detail}`);
    }
    assert.notEqual(await this.gate(rawNowMs() + 1000), null, 'the gate opened');
    this.renewing = setInterval(() => void this.gate(rawNowMs() + 1000), 500);
  }

  /** Nothing is renewed any more; beats go on. */
  tire(): void {
    if (this.renewing !== null) clearInterval(this.renewing);
  }

  close(): void {
    this.tire();
    this.remote.close();
  }
}

export function statusOf(pid: number): { [field: string]: string } {
  const lines = readFileSync(`/proc/${pid}/status`, 'latin1').split('\n');
  return Object.fromEntries(
    lines.map((line) => line.split(/:\s*/, 2)).map(([name = '', value = '']) => [name, value]),
  );
}
