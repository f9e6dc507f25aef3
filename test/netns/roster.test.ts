/**
 * Real daemons in namespaces while their roster changes: a host is added and joins, the master is revoked and lets go.
 * Everything is done with the commands that an operator has.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { getStatus } from '../../src/cli/control-client.ts';
import type { Status } from '../../src/daemon/status.ts';
import { exampleText, makeCluster, temporaryDir } from '../unit/cluster-files.ts';
import { asNobody, Namespaces, needsRoot } from './netns.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const RULES = '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n';
const HOSTS = ['fw1', 'fw2', 'fw3', 'w'] as const;
type Name = (typeof HOSTS)[number];
const addressOf = (name: Name): string => `10.77.1.${11 + HOSTS.indexOf(name)}`;

/** A LAN with the hosts on it, a neighbour that is heard now and then, and a next hop beyond each uplink. */
class Site {
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

  /** Starts a daemon with its own files; `roster`: the file that it begins with. */
  start(name: Name, roster: string): void {
    const text = asNobody(exampleText(this.dir), this.dir)
      .replace('"fw1"', `"${name}"`)
      .replace('fw1.key', `${name}.key`)
      .replace('/state"', `/state-${name}"`)
      .replace('control.sock', `${name}.sock`)
      .replace('roster.cose', roster)
      .replace('200ms', '1s')
      .replace('"available"', '"quorum"')
      .replace('10.77.1.11:', `${addressOf(name)}:`);
    writeFileSync(this.config(name), text);
    const argv = ['--import', 'tsx', MAIN, 'daemon', '--config', this.config(name)];
    const child = this.net.spawn(this.place(name), process.execPath, ...argv);
    child.stdout?.on('data', (chunk: Buffer) => {
      this.output.set(name, (this.output.get(name) ?? '') + chunk.toString());
    });
  }

  /** A command on that host. */
  cli(name: Name, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
    const argv = ['netns', 'exec', this.place(name), process.execPath, '--import', 'tsx', MAIN, ...args];
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

const masterOf = (status: Status): Name | undefined =>
  HOSTS.find((name) => name === status.services[0]?.master);

test('P56: a host is added, and the master revoked, while real daemons run', {
  skip: needsRoot(),
}, async (t: TestContext) => {
  const dir = temporaryDir(t);
  const place = (name: Name, role: string) => ({ name, role, addresses: `${addressOf(name)}:7946` });
  await makeCluster(dir, [place('fw1', 'gateway'), place('fw2', 'gateway'), place('w', 'witness')]);
  writeFileSync(join(dir, 'rules.v4'), RULES);
  const site = new Site(dir);
  t.after(() => site.net.close());
  writeFileSync(join(dir, 'first.cose'), readFileSync(join(dir, 'roster.cose')));
  for (const name of ['fw1', 'fw2', 'w'] as const) site.start(name, 'first.cose');
  const before = await site.status('w', (status) => masterOf(status) !== undefined);
  const master = masterOf(before) ?? assert.fail();

  const known = site.push('w');
  assert.equal(known.status, 0, known.stderr);
  assert.match(known.stdout, /confirmed by fw1, fw2, w/);

  const generated = site.cli('fw3', 'key', 'generate', '--out', join(dir, 'fw3.key'));
  assert.equal(generated.status, 0, generated.stderr);
  const key = ['--key', join(dir, 'fw3.key.pub'), '--address', `${addressOf('fw3')}:7946`];
  site.edit('add', 'fw3', ...key);
  writeFileSync(join(dir, 'second.cose'), readFileSync(join(dir, 'roster.cose')));
  site.start('fw3', 'second.cose');
  const added = site.push('w');
  assert.equal(added.status, 0, added.stderr);
  assert.match(added.stdout, /confirmed by fw1, fw2, w, fw3\nsettled/);
  const joined = await site.status('fw3', (status) => status.services[0]?.substate === 'watching');
  assert.equal(joined.services[0]?.master, master, 'the master stayed');
  assert.deepEqual(joined.services[0]?.term, before.services[0]?.term, 'in its term');
  const noted = JSON.parse(readFileSync(join(dir, 'roster.cose.status.json'), 'utf8'));
  assert.equal(noted.pushed.version, joined.roster.version);
  assert.deepEqual(noted.settled, noted.pushed);

  site.edit('revoke', master);
  const revoked = site.push('w');
  assert.equal(revoked.status, 0, revoked.stderr);
  const out = await site.status(
    master,
    (status) => status.services[0]?.substate === 'watching' || status.services[0]?.substate === 'suspecting',
  );
  assert.ok(
    out.alarms.some((alarm) => alarm.code === 'expelled'),
    `${JSON.stringify(out)}\n${site.output.get(master)}`,
  );
  assert.match(site.net.ip(site.place(master), 'link', 'show', 'up0'), /state DOWN/);
  assert.doesNotMatch(site.net.ip(site.place(master), 'addr'), /10\.77\.1\.1\/24/);
  const after = await site.status('w', (status) => ![undefined, master].includes(masterOf(status)));
  assert.equal(after.roster.version, out.roster.version);
  assert.deepEqual(
    readFileSync(join(dir, `state-${master}`, 'roster.cose')),
    readFileSync(join(dir, 'roster.cose')),
    'stored as it was pushed',
  );
});
