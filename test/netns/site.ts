/** Several hosts with real daemons in namespaces, driven with the commands that an operator has. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getStatus } from '../../src/cli/control-client.ts';
import type { Status } from '../../src/daemon/status.ts';
import { programArgs } from '../programs.ts';
import { exampleText } from '../unit/cluster-files.ts';
import { asNobody, Namespaces } from './netns.ts';

const PORTCULLIS = [process.execPath, ...programArgs('src/cli/main.ts')] as const;
export const RULES = '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n';
export const HOSTS = ['fw1', 'fw2', 'fw3', 'w'] as const;
export type Name = (typeof HOSTS)[number];
export const addressOf = (name: Name): string => `10.77.1.${11 + HOSTS.indexOf(name)}`;

/** A LAN with the hosts on it, a neighbour that is heard now and then, and a next hop beyond each uplink. */
export class Site {
  readonly net = new Namespaces();
  readonly dir: string;
  readonly output = new Map<Name, string>();
  readonly #places = new Map<Name, string>();

  constructor(dir: string) {
    this.dir = dir;
    const { net } = this;
    const lan = net.addSwitch('lan');
    const wan = net.addSwitch('wan');
    const client = net.add('client');
    const router = net.add('router');
    net.plug(client, 'eth0', lan, 'p-client');
    net.plug(router, 'eth0', wan, 'q-router');
    net.ip(client, 'addr', 'add', '10.77.1.100/24', 'dev', 'eth0');
    net.ip(router, 'addr', 'add', '10.77.2.254/24', 'dev', 'eth0');
    for (const name of HOSTS) {
      const place = net.add(name);
      this.#places.set(name, place);
      net.plug(place, 'eth0', lan, `p-${name}`);
      net.plug(place, 'up0', wan, `q-${name}`);
      net.ip(place, 'link', 'set', 'up0', 'down');
      net.ip(place, 'addr', 'add', `${addressOf(name)}/24`, 'dev', 'eth0');
    }
    net.spawn(client, '/usr/bin/ping', '-i', '0.2', '10.77.1.77').stdout?.resume();
  }

  place(name: Name): string {
    return this.#places.get(name) ?? assert.fail(name);
  }
  config(name: Name): string {
    return join(this.dir, `${name}.toml`);
  }

  /** Writes a host's configuration; `roster`: the file that it begins with; `first`: keys before all others. */
  configure(name: Name, roster: string, first = ''): void {
    const text = asNobody(exampleText(this.dir), this.dir)
      .replace('"fw1"', `"${name}"`)
      .replace('fw1.key', `${name}.key`)
      .replace('/state"', `/state-${name}"`)
      .replace('control.sock', `${name}.sock`)
      .replace('roster.cose', roster)
      .replace('200ms', '1s')
      .replace('"available"', '"quorum"')
      .replace('10.77.1.11:', `${addressOf(name)}:`);
    writeFileSync(this.config(name), first + text);
  }

  /** Starts a daemon with its own files. */
  start(name: Name, roster: string, first = ''): ChildProcess {
    this.configure(name, roster, first);
    const child = this.net.spawn(this.place(name), ...PORTCULLIS, 'daemon', '--config', this.config(name));
    child.stdout?.on('data', (chunk: Buffer) => {
      this.output.set(name, (this.output.get(name) ?? '') + chunk.toString());
    });
    return child;
  }

  /** A command on that host. */
  cli(name: Name, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
    const argv = ['netns', 'exec', this.place(name), ...PORTCULLIS, ...args];
    return spawnSync('/usr/sbin/ip', argv, { encoding: 'utf8', timeout: 90_000 });
  }

  push(name: Name): { status: number | null; stdout: string; stderr: string } {
    const args = ['--config', this.config(name), '--wait', '40', join(this.dir, 'roster.cose')];
    return this.cli(name, 'cluster', 'push', ...args);
  }

  edit(...args: string[]): void {
    const admin = ['--roster', join(this.dir, 'roster.cose'), '--admin-key', join(this.dir, 'admin.key')];
    const done = this.cli('w', 'cluster', ...args, ...admin);
    assert.equal(done.status, 0, done.stderr);
  }

  /** The first status of that host that passes; fails after 90 s with the last one. */
  async status(name: Name, wanted: (status: Status) => boolean): Promise<Status> {
    let last: Status | null = null;
    for (let i = 0; i < 450; i++) {
      last = await getStatus(join(this.dir, `run/${name}.sock`)).catch(() => null);
      if (last !== null && wanted(last)) return last;
      await sleep(200);
    }
    return assert.fail(`${name}: ${JSON.stringify(last)}\n${this.output.get(name)}`);
  }
}

/** Whom a host takes for the master. */
export const masterOf = (status: Status): Name | undefined =>
  HOSTS.find((name) => name === status.services[0]?.master);
