/**
 * Several services on one host, which share its cards: what becomes of one of them is not felt by the other's clients, also
 * while the configuration changes.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import test from 'node:test';
import type { ActuatorConfig, GatewayService } from '../../src/linux/config.ts';
import { Fixture } from './linux-fixture.ts';
import { comesToRest, needsRoot, until } from './netns.ts';

const skip = needsRoot();
const LEASE_MS = 120_000;
const CLIENTS = { firewall: '10.77.1.100', second: '10.77.1.101' } as const;
const RULES = `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s ${CLIENTS.firewall} -o up0 -j SNAT --to-source 10.77.2.1
-A POSTROUTING -s ${CLIENTS.second} -o up0 -j SNAT --to-source 10.77.2.2
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
COMMIT
`;

/** The fixture's service, and a second one with addresses and a client of its own on the same cards. */
class Two extends Fixture {
  readonly both: ActuatorConfig;
  constructor() {
    super();
    writeFileSync(`${this.directory}/rules.v4`, RULES);
    this.net.ip(this.client, 'addr', 'add', `${CLIENTS.second}/24`, 'dev', 'eth0');
    this.net.ip(this.client, 'rule', 'add', 'from', CLIENTS.second, 'lookup', '100');
    this.net.ip(this.client, 'route', 'add', 'default', 'via', '10.77.1.2', 'dev', 'eth0', 'table', '100');
    // So long that no gate is renewed within a test: a renewal by a process that is kept waiting costs packets (R6).
    this.both = this.config({ leaseMs: LEASE_MS });
    const [first = assert.fail('no service')] = this.both.services;
    const at = (address: string) => [{ family: 4 as const, address, prefixLength: 24 }];
    const second: GatewayService = {
      ...first,
      name: 'second',
      downlink: { ...first.downlink, addresses: at('10.77.1.2') },
      uplink: { ...first.uplink, addresses: at('10.77.2.2') },
    };
    this.both = { ...this.both, services: [first, second] };
  }

  async on(service: string): Promise<void> {
    for (const run of ['activateUplink', 'activateService']) {
      const ended = await this.order({ run, service });
      assert.equal(ended.verdict, 'confirmed', `${run} ${service}: ${ended.detail}`);
    }
    assert.equal((await this.order({ gateMs: LEASE_MS - 1000, service })).open, true);
  }

  async off(service: string): Promise<void> {
    await this.order({ gateMs: null, service });
    for (const run of ['deactivateService', 'deactivateUplink']) {
      const ended = await this.order({ run, service });
      assert.equal(ended.verdict, 'confirmed', `${run} ${service}: ${ended.detail}`);
    }
  }

  /** An echo each 10 ms through the gateway of that service, until it is stopped. */
  async flow(service: keyof typeof CLIENTS): Promise<Flow> {
    const args = ['-n', '-i', '0.01', '-I', CLIENTS[service], '10.77.2.254'];
    const flow = new Flow(this.net.spawn(this.client, '/usr/bin/ping', ...args));
    assert.ok(await until(() => flow.answered.length > 5, 5000), `no answers through ${service}`);
    return flow;
  }

  uplinkIsUp(): boolean {
    return /[<,]UP[,>]/.test(this.net.ip(this.gw, 'link', 'show', 'up0'));
  }
}

class Flow {
  readonly answered: number[] = [];
  readonly #child: ChildProcess;
  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on('data', (chunk: Buffer) => {
      for (const [, seq] of chunk.toString().matchAll(/icmp_seq=(\d+)/g)) this.answered.push(Number(seq));
    });
  }

  /** How many were sent between the first answer and the last, and not answered. */
  async stop(): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, 200));
    this.#child.kill('SIGINT');
    const seqs = new Set(this.answered);
    return Math.max(...seqs) - Math.min(...seqs) + 1 - seqs.size;
  }
}

test('a service that goes takes neither the uplink, nor the route, nor the addresses of another one that stays', {
  skip,
}, async (t) => {
  const f = new Two();
  t.after(() => f.close());
  await f.start(f.both);
  // The second first, so that its addresses are the first of their subnets on the uplink.
  await f.on('second');
  await f.on('firewall');
  const flow = await f.flow('firewall');
  for (let i = 0; i < 3; i++) {
    await f.off('second');
    assert.equal(f.uplinkIsUp(), true);
    assert.equal(
      (await f.order({ run: 'checkServiceLocal', service: 'firewall' })).verdict,
      'confirmed',
      'addresses, route and rules of the one that stays',
    );
    await f.on('second');
  }
  assert.equal(await flow.stop(), 0, 'its client lost nothing');
  await f.off('firewall');
  assert.equal(f.uplinkIsUp(), true);
  await f.off('second');
  assert.equal(f.uplinkIsUp(), false, 'after the last');
});

test('reload: services come and go, and another one goes on without a lost packet', { skip }, async (t) => {
  const f = new Two();
  t.after(() => f.close());
  const alone = { ...f.both, services: f.both.services.slice(0, 1) };
  await f.start(alone);
  await f.on('firewall');
  const flow = await f.flow('firewall');
  for (let i = 0; i < 3; i++) {
    assert.equal((await f.order({ reconfigure: f.both })).error, null);
    await f.on('second');
    const other = await f.flow('second');
    assert.equal(await other.stop(), 0);
    assert.equal((await f.order({ reconfigure: alone })).error, null);
    const gone = f.net.ip(f.gw, 'addr', 'show');
    assert.doesNotMatch(gone, /10\.77\.[12]\.2\//);
    assert.match(gone, /10\.77\.2\.1\//);
  }
  // The watch looks at the tables twice a second: what we changed ourselves must not be taken for another's doing.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(await flow.stop(), 0, 'its client lost nothing');
  const sets = f.net.exec(f.gw, '/usr/sbin/nft', 'list', 'table', 'inet', 'portcullis_test');
  assert.doesNotMatch(sets, /second/, 'nothing is left of it');
});

test('of services that share both cards, a translated flow is stopped with its own gate alone', {
  skip,
}, async (t) => {
  const f = new Two();
  t.after(() => f.close());
  await f.start(f.both);
  await f.on('firewall');
  await f.on('second');
  const stays = await f.flow('firewall');
  const goes = await f.flow('second');
  await f.order({ gateMs: null, service: 'second' });
  assert.ok(await comesToRest(() => goes.answered.length, 500), 'not forwarded by the leave of the other');
  const count = goes.answered.length;
  await f.order({ gateMs: LEASE_MS - 1000, service: 'second' });
  assert.ok(await until(() => goes.answered.length > count, 5000), 'and goes on with it');
  await goes.stop();
  assert.equal(await stays.stop(), 0);
});

/** Talks each 10 ms to the address given, or to whoever spoke first, and prints a dot for each datagram that comes. */
const TALKER = `
const [own, port, to] = process.argv.slice(1);
const socket = require('node:dgram').createSocket('udp4');
const talk = (toPort, address) => setInterval(() => socket.send('x', toPort, address, () => undefined), 10);
let isTalking = to !== undefined;
socket.on('error', () => undefined);
socket.on('message', (_, from) => {
  process.stdout.write('.');
  if (!isTalking) talk(from.port, from.address);
  isTalking = true;
});
socket.bind(Number(port), own, () => { if (isTalking) talk(7000, to); });
`;

test('what neighbours that do not know better still send here for a shut service is not translated back and let in', {
  skip,
}, async (t) => {
  const f = new Two();
  t.after(() => f.close());
  await f.start(f.both);
  await f.on('firewall');
  await f.on('second');
  const talk = (where: string, ...args: string[]) =>
    f.net.spawn(where, process.execPath, '-e', TALKER, ...args);
  // To the roving address: the server knows the client by no other.
  talk(f.server, '10.77.2.254', '7000');
  const client = talk(f.client, CLIENTS.second, '5555', '10.77.2.254');
  let heard = 0;
  client.stdout?.on('data', (chunk: Buffer) => {
    heard += chunk.length;
  });
  assert.ok(await until(() => heard > 20, 10_000), 'both ways');
  await f.order({ gateMs: null, service: 'second' });
  assert.ok(await comesToRest(() => heard, 500), 'nothing comes in by the leave of the other');
  const before = heard;
  await f.order({ gateMs: LEASE_MS - 1000, service: 'second' });
  assert.ok(await until(() => heard > before + 5, 5000), 'the translation was there all the time');
});
