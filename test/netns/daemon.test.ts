/**
 * The whole daemon on one gateway in namespaces: it becomes master alone, reloads, stops in good order, and leaves a
 * harmless host however it ends.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { verdictOf } from '../../src/cli/audit-verify.ts';
import { getStatus } from '../../src/cli/control-client.ts';
import type { Explanation } from '../../src/cli/explain.ts';
import type { Status } from '../../src/daemon/status.ts';
import { eventLines } from '../audit/read.ts';
import { misfits } from '../json-schema.ts';
import { programArgs } from '../programs.ts';
import { makeCluster, TWO_HOSTS, temporaryDir } from '../unit/cluster-files.ts';
import { readJson } from '../unit/vectors.ts';
import { statusOf } from './actuator-fixture.ts';
import { asNobody, Namespaces, needsRoot } from './netns.ts';

const PORTCULLIS = [process.execPath, ...programArgs('src/cli/main.ts')] as const;
const RULES = [
  '*filter',
  ':INPUT ACCEPT [0:0]',
  ':FORWARD ACCEPT [0:0]',
  ':OUTPUT ACCEPT [0:0]',
  'COMMIT',
  '',
].join('\n');
const skip = needsRoot();
const METRICS_PORT = 9469;

/** A gateway with a client on its downlink and a router beyond its uplink; its peer fw2 is not there. */
class Gateway {
  readonly net = new Namespaces();
  readonly gw: string;
  readonly client: string;
  readonly dir: string;
  readonly config: string;
  output = '';

  private constructor(dir: string, config: string) {
    this.dir = dir;
    this.config = config;
    const { net } = this;
    const lan = net.addSwitch('lan');
    const client = net.add('client');
    this.client = client;
    const router = net.add('router');
    this.gw = net.add('gw');
    net.plug(client, 'eth0', lan, 'p-client');
    net.plug(this.gw, 'eth0', lan, 'p-gw');
    net.join(this.gw, 'up0', router, 'eth0');
    net.ip(this.gw, 'link', 'set', 'up0', 'down');
    net.ip(this.gw, 'addr', 'add', '10.77.1.11/24', 'dev', 'eth0');
    net.ip(client, 'addr', 'add', '10.77.1.100/24', 'dev', 'eth0');
    net.ip(router, 'addr', 'add', '10.77.2.254/24', 'dev', 'eth0');
    // A neighbour that is heard now and then, as on any LAN: the downlink is confirmed by it.
    net.spawn(client, '/usr/bin/ping', '-i', '0.2', '10.77.1.77').stdout?.resume();
  }

  static async make(t: TestContext): Promise<Gateway> {
    const dir = temporaryDir(t);
    const { config } = await makeCluster(dir, TWO_HOSTS);
    const text = asNobody(readFileSync(config, 'utf8'), dir);
    writeFileSync(
      config,
      text.replace(/^\[timing\]$/m, `[metrics]\nlisten = "127.0.0.1:${METRICS_PORT}"\n$&`),
    );
    writeFileSync(join(dir, 'rules.v4'), RULES);
    const gateway = new Gateway(dir, config);
    t.after(() => gateway.net.close());
    return gateway;
  }

  start(): ChildProcess {
    const child = this.net.spawn(this.gw, ...PORTCULLIS, 'daemon', '--config', this.config);
    child.stdout?.on('data', (chunk: Buffer) => {
      this.output += chunk.toString();
    });
    return child;
  }

  cli(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    const argv = ['netns', 'exec', this.gw, ...PORTCULLIS, ...args, '--config', this.config];
    return spawnSync('/usr/sbin/ip', argv, { encoding: 'utf8', timeout: 60_000 });
  }

  /** The first status that passes; fails after a minute with the last one. */
  async status(wanted: (status: Status) => boolean): Promise<Status> {
    let last: Status | null = null;
    for (let i = 0; i < 600; i++) {
      last = await getStatus(join(this.dir, 'run', 'control.sock')).catch(() => null);
      if (last !== null && wanted(last)) return last;
      await sleep(100);
    }
    return assert.fail(`${JSON.stringify(last)}\n${this.output}`);
  }

  async logged(pattern: RegExp): Promise<void> {
    for (let i = 0; i < 600 && !pattern.test(this.output); i++) await sleep(50);
    assert.match(this.output, pattern);
  }

  assertHarmless(): void {
    const addresses = this.net.ip(this.gw, 'addr');
    assert.doesNotMatch(addresses, /10\.77\.1\.1\/24|10\.77\.2\.1\/24/);
    assert.match(this.net.ip(this.gw, 'link', 'show', 'up0'), /state DOWN/);
  }
}

/** The processes that this one has started (proc(5)). */
function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
  return text.split(' ').filter(Boolean).map(Number);
}

/** Three datagrams to the cluster's port from an address that is no member's. */
const STRANGER = `const socket = require('node:dgram').createSocket('udp4');
for (let i = 0; i < 3; i++) socket.send('hello', 7946, '10.77.1.11', () => i === 2 && socket.close());`;

const serving = (status: Status): boolean => status.services[0]?.substate === 'serving';

async function endOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

/** Every key of the schema that names its keys must be there, and none beside them. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, inner]) => [key, closed(inner)] as const);
  const isOpen = 'properties' in schema && !('additionalProperties' in schema);
  return Object.fromEntries(isOpen ? [...entries, ['additionalProperties', false] as const] : entries);
}

/** What the running daemon tells of itself fits what is written of it. */
function showsItself(gateway: Gateway, status: Status): void {
  assert.deepEqual(misfits(closed(readJson('spec/status.schema.json')), status), []);
  const fetched = `fetch('http://127.0.0.1:${METRICS_PORT}/metrics').then((r) => r.text()).then((t) => console.log(t))`;
  const page = gateway.net.exec(gateway.gw, process.execPath, '-e', fetched);
  assert.match(page, /^portcullis_service_serving\{service="firewall"\} 1$/m);
  assert.match(page, /^portcullis_transitions_total\{service="firewall",cause="gate-open"\} [1-9]/m);
  assert.match(page, /^process_resident_memory_bytes [1-9]\d+$/m);
  const explained = gateway.cli('explain', '--if', 'this', 'service', 'fw2', '--json');
  assert.equal(explained.status, 0, explained.stderr);
  const [service] = (JSON.parse(explained.stdout) as Explanation).services;
  assert.deepEqual([service?.master, service?.reasons], ['fw1', []]);
  // fw2 was never heard: nobody follows; alone it claims again after its own service failed.
  assert.deepEqual(
    service?.forecasts.map(({ before, after }) => [before, after]),
    [
      ['fw1', null],
      ['fw1', 'fw1'],
      ['fw1', 'fw1'],
    ],
  );
}

test('alone it becomes master, shows so, and a stop in good order leaves a harmless host', {
  skip,
}, async (t) => {
  const gateway = await Gateway.make(t);
  const checked = gateway.cli('check');
  assert.equal(checked.status, 0, checked.stderr);
  const daemon = gateway.start();
  const status = await gateway.status(serving);
  assert.equal(status.services[0]?.master, 'fw1');
  assert.ok((status.services[0]?.leaseMs ?? 0) > 0);
  gateway.net.exec(gateway.client, process.execPath, '-e', STRANGER);
  assert.match(gateway.net.ip(gateway.gw, 'addr'), /10\.77\.1\.1\/24/);

  const network = statusOf(status.pid);
  for (const set of ['CapEff', 'CapPrm', 'CapInh', 'CapAmb'])
    assert.equal(network[set], '0000000000000000', `${set} of the process that reads the network`);
  assert.equal(network.Uid, '65534\t65534\t65534\t65534');
  assert.match(network.Groups ?? '', /^(65534 ?)?$/, 'no group of root’s');
  const [actuator] = childrenOf(status.pid);
  assert.ok(actuator !== undefined, 'the daemon started an actuator');
  assert.match(statusOf(actuator).Uid ?? '', /^0\t/, 'the one with the rights is another');
  // Whoever has taken the network process over can neither stop nor end the other.
  const shot = spawnSync('/usr/bin/setpriv', [
    ...['--reuid=65534', '--regid=65534', '--clear-groups', '/bin/kill', '-0', String(actuator)],
  ]);
  assert.equal(shot.status, 1, 'no permission');
  // Nor does a process of its own user get a debugger into it (H4); port 9229, as /proc/net/tcp has it.
  process.kill(status.pid, 'SIGUSR1');
  await sleep(500);
  assert.doesNotMatch(gateway.net.exec(gateway.gw, '/bin/cat', '/proc/net/tcp'), /:240D /);

  const second = gateway.cli('daemon');
  assert.equal(second.status, 1);
  assert.match(second.stderr, /another daemon uses this state directory/);

  showsItself(gateway, status);
  const handover = gateway.cli('handover', '--to', 'fw2');
  assert.equal(handover.status, 1, 'nobody is there to take over');
  const counted = await gateway.status(({ counters }) => (counters['filtered:stranger'] ?? 0) >= 3);
  assert.equal(counted.services[0]?.master, 'fw1', 'and the service stays');

  daemon.kill('SIGTERM');
  assert.equal(await endOf(daemon), 0, gateway.output);
  gateway.assertHarmless();
  const log = eventLines(join(gateway.dir, 'state'));
  const verdict = await verdictOf([join(gateway.dir, 'state')], { roster: join(gateway.dir, 'roster.cose') });
  assert.deepEqual(verdict.findings, []);
  assert.ok(verdict.ok);
  const numbers = log.map((line) => (JSON.parse(line) as { n: number }).n);
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => i + 1),
  );
  const filtered = log
    .map((line) => (JSON.parse(line) as { data?: { [key: string]: unknown } }).data?.['filtered:stranger'])
    .filter((count) => count !== undefined);
  // In one entry or two: the counter may be read between two of them.
  const sum = filtered.reduce<number>((all, count) => all + Number(count), 0);
  assert.equal(sum, 3, `what the kernel dropped is in the log: ${filtered.join()}`);
});

test('a reload changes what changed and nothing else; a bad file changes nothing', { skip }, async (t) => {
  const gateway = await Gateway.make(t);
  const daemon = gateway.start();
  const before = (await gateway.status(serving)).services[0]?.term;
  const original = readFileSync(gateway.config, 'utf8');
  const reload = (text: string): void => {
    writeFileSync(gateway.config, text);
    daemon.kill('SIGHUP');
  };
  reload(original.replace('"200ms"', '"nonsense"'));
  await gateway.logged(/timing\.interval is no duration.*reload refused/);
  reload(original.replace('policy = "available"', 'policy = "quorum"'));
  await gateway.logged(/policy cannot change while running.*reload refused/);
  reload(original.replace('"10.77.1.1/24"', '"10.77.1.1/24", "10.77.1.2/24"'));
  await gateway.logged(/reload: done/);
  await gateway.logged(/"change":"service firewall: downlink.addresses:/);
  for (let i = 0; i < 100 && !gateway.net.ip(gateway.gw, 'addr').includes('10.77.1.2/24'); i++)
    await sleep(50);
  assert.match(gateway.net.ip(gateway.gw, 'addr'), /10\.77\.1\.2\/24/);
  // Each time the first address of both subnets goes, and with it, in the kernel, every other.
  reload(original.replace('"10.77.1.1/24"', '"10.77.1.3/24"').replace('"10.77.2.1/24"', '"10.77.2.3/24"'));
  await gateway.logged(/"change":"service firewall: uplink.addresses:/);
  for (let i = 0; i < 100 && gateway.net.ip(gateway.gw, 'addr').includes('10.77.1.2/24'); i++)
    await sleep(50);
  const addresses = gateway.net.ip(gateway.gw, 'addr');
  assert.match(addresses, /10\.77\.1\.3\/24/);
  assert.match(addresses, /10\.77\.2\.3\/24/);
  assert.doesNotMatch(addresses, /10\.77\.(1\.1|1\.2|2\.1)\/24/);
  // Several tests of what is in place later it serves still, and never stopped.
  await sleep(2000);
  const after = (await gateway.status(serving)).services[0];
  assert.deepEqual(after?.term, before, 'the master stayed master through it');
  const log = eventLines(join(gateway.dir, 'state')).join('\n');
  assert.doesNotMatch(log, /refuted/);
  daemon.kill('SIGTERM');
  assert.equal(await endOf(daemon), 0, gateway.output);
});

test('a second signal fences and ends with 1; the host is harmless', { skip }, async (t) => {
  const gateway = await Gateway.make(t);
  const daemon = gateway.start();
  await gateway.status(serving);
  daemon.kill('SIGTERM');
  daemon.kill('SIGINT');
  const status = await endOf(daemon);
  assert.ok(status === 1, `${status} ${gateway.output}`);
  gateway.assertHarmless();
});

test('after SIGKILL `fence` makes the host harmless, and the next start takes over from there', {
  skip,
}, async (t) => {
  const gateway = await Gateway.make(t);
  const first = gateway.start();
  await gateway.status(serving);
  first.kill('SIGKILL');
  await endOf(first);
  const fenced = gateway.cli('fence');
  assert.equal(fenced.status, 0, fenced.stderr);
  gateway.assertHarmless();
  const second = gateway.start();
  await gateway.status(serving);
  second.kill('SIGTERM');
  assert.equal(await endOf(second), 0, gateway.output);
});

test('the actuator dies: the daemon says so and ends with 75, and `fence` finds a host that the next run can take', {
  skip,
}, async (t) => {
  const gateway = await Gateway.make(t);
  const daemon = gateway.start();
  const status = await gateway.status(serving);
  const [actuator] = childrenOf(status.pid);
  assert.ok(actuator !== undefined, 'the daemon started an actuator');
  process.kill(actuator, 'SIGKILL');
  assert.equal(await endOf(daemon), 75, gateway.output);
  await gateway.logged(/"alarm":"actuator".*the actuator is gone/);
  const log = eventLines(join(gateway.dir, 'state')).join('\n');
  assert.match(log, /"kind":"alarm".*actuator raised: the actuator is gone.*"code":"actuator","on":true/);
  const fenced = gateway.cli('fence');
  assert.equal(fenced.status, 0, fenced.stderr);
  gateway.assertHarmless();
});

test('a host that was on standby when it lost its power starts on standby; it serves after resume; alone it cannot be drained', {
  skip,
}, async (t) => {
  const gateway = await Gateway.make(t);
  const record = join(gateway.dir, 'state', 'standby.json');
  mkdirSync(join(gateway.dir, 'state'));
  writeFileSync(record, '{"standby":true,"since":"2026-01-02T03:04:05.678Z"}\n');
  const daemon = gateway.start();
  // Where it would claim if it were not on standby.
  const before = await gateway.status((status) => (status.services[0]?.inStateMs ?? 0) > 3000);
  assert.deepEqual(
    [before.standby, before.standbySince, before.services[0]?.substate],
    [true, '2026-01-02T03:04:05.678Z', 'electing'],
  );
  gateway.assertHarmless();
  assert.equal(gateway.cli('resume').status, 0);
  assert.ok(!existsSync(record));
  await gateway.status(serving);
  const drained = gateway.cli('drain');
  assert.equal(drained.status, 1);
  assert.match(drained.stderr, /service firewall stays here: nobody took over \(standby\); asked: nobody/);
  assert.match(readFileSync(record, 'utf8'), /"standby":true/);
  daemon.kill('SIGTERM');
  assert.equal(await endOf(daemon), 0);
});
