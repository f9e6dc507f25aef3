/**
 * The small network of the Linux tests: a client and a gateway on a switch, a server behind the gateway's uplink,
 * and an actuator inside the gateway.
 *
 *     client .100 --[ lan 10.77.1.0/24 ]-- gw eth0 (.11; roving .1)   gw up0 (roving .1) -- server .254 (10.77.2.0/24)
 */
import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { ActuatorConfig, GatewayService } from '../../src/linux/config.ts';
import { Namespaces } from './netns.ts';

const DRIVER = 'test/netns/linux-driver.ts';

export interface Said {
  readonly type: string;
  readonly id?: number;
  readonly verdict?: string;
  readonly detail?: string;
  readonly answered?: boolean;
  readonly open?: boolean;
  readonly error?: string | null;
  readonly alarm?: string | null;
  readonly note?: string | null;
  readonly side?: string;
  readonly load?: number;
  readonly counts?: { readonly [why: string]: number };
  readonly tookMs: number | null;
}

export const RULES = [
  '*filter',
  ':INPUT DROP [0:0]',
  ':FORWARD DROP [0:0]',
  ':OUTPUT ACCEPT [0:0]',
  '-A INPUT -p icmp -j ACCEPT',
  '-A FORWARD -j ACCEPT',
  'COMMIT',
  '',
].join('\n');

export class Fixture {
  readonly net = new Namespaces();
  readonly lan = this.net.addSwitch('lan');
  readonly client = this.net.add('client');
  readonly gw = this.net.add('gw');
  readonly server = this.net.add('server');
  readonly directory = mkdtempSync('/tmp/pc-linux-');
  private child: ChildProcess | null = null;
  private readonly said: Said[] = [];
  private waiting: (() => void)[] = [];
  private nextId = 1;

  constructor() {
    const { net, lan, client, gw, server } = this;
    net.plug(client, 'eth0', lan, 'p-client');
    net.plug(gw, 'eth0', lan, 'p-gw');
    net.join(gw, 'up0', server, 'eth0');
    net.ip(gw, 'link', 'set', 'up0', 'down');
    net.ip(client, 'addr', 'add', '10.77.1.100/24', 'dev', 'eth0');
    net.ip(client, 'addr', 'add', 'fd00:77:1::100/64', 'dev', 'eth0', 'nodad');
    net.ip(client, 'route', 'add', 'default', 'via', '10.77.1.1');
    net.ip(client, '-6', 'route', 'add', 'default', 'via', 'fd00:77:1::1');
    net.ip(gw, 'addr', 'add', '10.77.1.11/24', 'dev', 'eth0');
    net.ip(server, 'addr', 'add', '10.77.2.254/24', 'dev', 'eth0');
    net.ip(server, 'addr', 'add', 'fd00:77:2::254/64', 'dev', 'eth0', 'nodad');
    net.ip(server, 'route', 'add', '10.77.1.0/24', 'via', '10.77.2.1');
    net.ip(server, '-6', 'route', 'add', 'fd00:77:1::/64', 'via', 'fd00:77:2::1');
    // Programs of tests run as another user, who must reach them.
    chmodSync(this.directory, 0o755);
    writeFileSync(`${this.directory}/rules.v4`, RULES);
  }

  config(change: Partial<ActuatorConfig> = {}, service: Partial<GatewayService> = {}): ActuatorConfig {
    return {
      cluster: 'test',
      host: 'fw1',
      clusterLinks: [{ device: 'eth0', address: '10.77.1.11', port: 7946 }],
      memberAddresses: ['10.77.1.12'],
      leaseMs: 1500,
      probes: 3,
      probeTimeoutMs: 100,
      stateDir: this.directory,
      services: [
        {
          name: 'firewall',
          downlink: {
            device: 'eth0',
            addresses: [
              { family: 4, address: '10.77.1.1', prefixLength: 24 },
              { family: 6, address: 'fd00:77:1::1', prefixLength: 64 },
            ],
            checks: [{ kind: 'auto' }],
          },
          uplink: {
            device: 'up0',
            activation: 'admin',
            addresses: [
              { family: 4, address: '10.77.2.1', prefixLength: 24 },
              { family: 6, address: 'fd00:77:2::1', prefixLength: 64 },
            ],
            nextHops: ['10.77.2.254', 'fd00:77:2::254'],
            ownAddress: null,
          },
          firewall: {
            rules: `${this.directory}/rules.v4`,
            rules6: null,
            standbyRules: null,
            standbyRules6: null,
          },
          procedures: {},
          limits: { testMs: 1000, switchMs: 5000 },
          ...service,
        },
      ],
      ...change,
    };
  }

  /** Starts an actuator in the gateway (or elsewhere) and waits until it is ready. */
  async start(config = this.config(), where = this.gw): Promise<ChildProcess> {
    const child = this.net.start(where, DRIVER, JSON.stringify(config));
    this.child = child;
    if (child.stdout === null) throw new Error('no output');
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.said.push(JSON.parse(line) as Said);
      for (const wake of this.waiting.splice(0)) wake();
    });
    child.once('exit', () => {
      for (const wake of this.waiting.splice(0)) wake();
    });
    await this.heard((s) => s.type === 'ready', 20_000);
    return child;
  }

  /** Gives an order and waits for the event with its id. */
  async order(what: { readonly [key: string]: unknown }, limitMs = 10_000): Promise<Said> {
    const id = this.nextId++;
    this.child?.stdin?.write(`${JSON.stringify({ ...what, id })}\n`);
    return this.heard((s) => s.id === id, limitMs);
  }

  run(procedure: string): Promise<Said> {
    return this.order({ run: procedure });
  }

  /** Brings the gateway into service, its gate open and refreshed until told otherwise. */
  async serve(gate: { readonly gateMs: number | null; readonly everyMs?: number }): Promise<void> {
    for (const procedure of ['deactivateService', 'deactivateUplink', 'activateUplink', 'activateService']) {
      const ended = await this.run(procedure);
      if (ended.verdict !== 'confirmed') throw new Error(`${procedure}: ${ended.verdict}: ${ended.detail}`);
    }
    await this.order(gate);
  }

  /** The first event that fits, from among those already said too; takes it out. Throws when none comes. */
  async heard(fits: (said: Said) => boolean, limitMs = 10_000): Promise<Said> {
    const end = performance.now() + limitMs;
    for (;;) {
      const at = this.said.findIndex(fits);
      const found = at < 0 ? undefined : this.said.splice(at, 1)[0];
      if (found !== undefined) return found;
      const restMs = end - performance.now();
      if (restMs <= 0 || this.child?.exitCode !== null)
        throw new Error(`not heard; heard: ${JSON.stringify(this.said)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, restMs);
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Forgets the events heard so far. */
  forget(): void {
    this.said.length = 0;
  }

  /** Signals the actuator's own process. `ip netns exec` becomes it, so that its id is the child's. */
  signal(name: NodeJS.Signals): void {
    this.child?.kill(name);
  }

  /** The actuator's process. */
  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Whether one echo request from a namespace is answered within a second. */
  pings(from: string, target: string): boolean {
    return this.net.succeeds(from, '/usr/bin/ping', '-n', '-c', '1', '-W', '1', target);
  }

  close(): void {
    this.net.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
