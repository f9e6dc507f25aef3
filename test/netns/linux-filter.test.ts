/** The filter in front of the cluster's port, in a real kernel: what it drops, what it must let pass, how it is kept. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { LOADER, moduleFile } from '../programs.ts';
import { Fixture } from './linux-fixture.ts';
import { needsRoot, until } from './netns.ts';

const skip = needsRoot();
const TABLE = 'portcullis_test_port';
const LISTEN = `
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (data, from) => console.log(from.address + ' ' + data.length));
  socket.bind(7946, '10.77.1.11', () => console.log('ready'));`;
const SEND = `
  const [from, ttl, bytes] = process.argv.slice(1);
  const socket = require('node:dgram').createSocket('udp4');
  socket.bind(7946, from, () => {
    socket.setTTL(Number(ttl));
    socket.send(Buffer.alloc(Number(bytes)), 7946, '10.77.1.11', () => socket.close());
  });`;

/** A gateway with a socket at the cluster's port, and a client that may speak from any of its addresses. */
class Port {
  readonly f = new Fixture();
  heard: string[] = [];

  async open(members: readonly string[]): Promise<void> {
    const { f } = this;
    for (const address of ['10.77.1.12/24', '10.77.1.66/24', '10.77.9.9/32'])
      f.net.ip(f.client, 'addr', 'add', address, 'dev', 'eth0');
    f.net.ip(f.gw, 'route', 'add', '10.77.9.9/32', 'via', '10.77.1.12');
    await f.start(f.config({ memberAddresses: [...members] }));
    const listener = f.net.spawn(f.gw, process.execPath, '-e', LISTEN);
    listener.stdout?.on('data', (chunk: Buffer) => this.heard.push(...chunk.toString().trim().split('\n')));
    assert.equal(await until(() => this.heard.includes('ready'), 10_000), true);
  }

  /** Whether a datagram from that address is heard; a word of a member after it shows that it would have been. */
  async passes(from: string, ttl: number, bytes = 100): Promise<boolean> {
    const { f } = this;
    this.heard = [];
    f.net.exec(f.client, process.execPath, '-e', SEND, from, String(ttl), String(bytes));
    // Said again: what a flood has left in the socket's buffer may leave no room at first.
    const isHeard = (): Promise<boolean> => {
      f.net.exec(f.client, process.execPath, '-e', SEND, '10.77.1.12', '255', '7');
      return until(() => this.heard.includes('10.77.1.12 7'), 2_000);
    };
    assert.equal(await until(isHeard, 20_000), true, 'the member is heard');
    return this.heard.includes(`${from} ${bytes}`);
  }

  async counted(why: string): Promise<number> {
    const { f } = this;
    return (await f.order({ filtered: true })).counts?.[why] ?? 0;
  }
}

test('P60, P62, P63: members from the link pass, untracked and in fragments; strangers and routed words do not', {
  skip,
}, async (t) => {
  const port = new Port();
  t.after(() => port.f.close());
  await port.open(['10.77.1.12', '10.77.9.9']);
  const { f } = port;
  const look = [
    ...['table inet look {', 'counter free {', '}', 'counter other {', '}'],
    ...['chain c {', 'type filter hook input priority 0'],
    ...['udp dport 7946 ct state untracked counter name free accept', 'udp dport 7946 counter name other'],
    ...['}', '}', ''],
  ].join('\n');
  f.net.feed(f.gw, look, '/usr/sbin/nft', '-f', '-');
  assert.equal(await port.passes('10.77.1.12', 255), true);
  assert.equal(await port.passes('10.77.1.12', 255, 4000), true, 'fragments');
  assert.equal(await port.passes('10.77.9.9', 64), true, 'a member behind a router cannot have 255');
  assert.equal(await port.passes('10.77.1.66', 255), false, 'a stranger');
  assert.equal(await port.passes('10.77.1.12', 254), false, 'a member’s address from beyond a router');
  assert.match(f.net.exec(f.gw, '/usr/sbin/nft', 'list', 'counter', 'inet', 'look', 'other'), /packets 0/);
  assert.doesNotMatch(
    f.net.exec(f.gw, '/usr/sbin/nft', 'list', 'counter', 'inet', 'look', 'free'),
    /packets 0/,
  );
  assert.equal(await until(async () => (await port.counted('stranger')) > 0, 20_000), true);
  assert.equal(await until(async () => (await port.counted('hops')) > 0, 20_000), true);
  f.net.exec(f.gw, '/usr/sbin/nft', 'delete', 'table', 'inet', TABLE);
  assert.match((await f.heard((s) => s.type === 'filter')).detail ?? '', /put back/);
  assert.equal(await port.passes('10.77.1.66', 255), false, 'P64: put back');
  assert.ok((await port.counted('stranger')) > 0, 'what was counted before is not forgotten');
});

test('P64: a new member is let in and a removed one is not, and the own address decides who is on the link', {
  skip,
}, async (t) => {
  const port = new Port();
  t.after(() => port.f.close());
  await port.open(['10.77.1.12']);
  const { f } = port;
  assert.equal(await port.passes('10.77.1.66', 255), false);
  await f.order({ reconfigure: f.config({ memberAddresses: ['10.77.1.12', '10.77.1.66'] }) });
  assert.equal(await port.passes('10.77.1.66', 255), true);
  await f.order({ reconfigure: f.config({ memberAddresses: ['10.77.1.12'] }) });
  assert.equal(await port.passes('10.77.1.66', 255), false);
});

const FLOOD = `
  import { AF_INET, openSocket, send } from '${moduleFile('src/linux/libc.ts')}';
  const address = Buffer.alloc(16);
  address.writeUInt16LE(AF_INET, 0);
  address.writeUInt16BE(7946, 2);
  Buffer.from([10, 77, 1, 11]).copy(address, 4);
  const fd = openSocket(AF_INET, 2, 0);
  const ttl = Buffer.alloc(4);
  ttl.writeInt32LE(255);
  const { setOption } = await import('${moduleFile('src/linux/libc.ts')}');
  setOption(fd, 0, 2, ttl);
  for (let i = 0; i < 300_000; i++) send(fd, Buffer.alloc(60), address);`;

test('P61: a source that sends more than the gate can bear is cut', { skip }, async (t) => {
  const port = new Port();
  t.after(() => port.f.close());
  await port.open(['10.77.1.12', '10.77.1.100']);
  const { f } = port;
  f.net.exec(f.client, process.execPath, ...LOADER, '--input-type=module', '-e', FLOOD);
  const cut = (): boolean => {
    const counter = f.net.exec(f.gw, '/usr/sbin/nft', 'list', 'counter', 'inet', TABLE, 'rate');
    return !/packets 0 /.test(counter);
  };
  assert.equal(cut(), true, 'the flood was faster than the rate');
  assert.equal(await port.passes('10.77.1.12', 255), true, 'the other members are not touched');
});

const LISTEN_AT = `
  const [address, port] = process.argv.slice(1);
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (data, from) => console.log(from.address));
  socket.bind(Number(port), address, () => console.log('ready'));`;
const SEND_TO = `
  const [from, ...targets] = process.argv.slice(1);
  const socket = require('node:dgram').createSocket('udp4');
  socket.bind(0, from, async () => {
    socket.setBroadcast(true);
    for (const target of targets) await new Promise((done) => socket.send('x', 3780, target, done));
    socket.close();
  });`;

test('conntrackd’s port: what is forwarded passes, tracked as ever; a stranger’s words to this host do not', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  f.net.ip(f.client, 'addr', 'add', '10.77.1.12/24', 'dev', 'eth0');
  const conntrackd = { config: `${f.directory}/none.conf`, limitMs: 100, device: 'eth0', port: 3780 };
  await f.start(f.config({ conntrackd }));
  await f.serve({ gateMs: 1400, everyMs: 200 });
  const counters = ['forwarded', 'untracked', 'here', 'strange'];
  const look = [
    ...['table inet look {', ...counters.map((name) => `counter ${name} {\n}`)],
    ...['chain f {', 'type filter hook forward priority 0'],
    ...[
      'udp dport 3780 ct state new counter name forwarded',
      'udp dport 3780 ct state untracked counter name untracked',
    ],
    ...['}', 'chain i {', 'type filter hook input priority 0'],
    ...[
      'udp dport 3780 ct state untracked counter name here',
      'ip saddr 10.77.1.100 udp dport 3780 counter name strange',
    ],
    ...['}', '}', ''],
  ].join('\n');
  f.net.feed(f.gw, look, '/usr/sbin/nft', '-f', '-');
  const heard = new Map<string, string[]>();
  for (const [where, address] of [
    [f.gw, '0.0.0.0'],
    [f.server, '10.77.2.254'],
  ] as const) {
    const lines: string[] = [];
    heard.set(where, lines);
    const listener = f.net.spawn(where, process.execPath, '-e', LISTEN_AT, address, '3780');
    listener.stdout?.on('data', (chunk: Buffer) => lines.push(...chunk.toString().trim().split('\n')));
    assert.ok(await until(() => lines.includes('ready'), 10_000));
  }
  const at = (where: string): string[] => (heard.get(where) ?? []).slice(1);
  const send = (...args: string[]): string => f.net.exec(f.client, process.execPath, '-e', SEND_TO, ...args);
  const counted = (name: string): boolean =>
    !/packets 0 /.test(f.net.exec(f.gw, '/usr/sbin/nft', 'list', 'counter', 'inet', 'look', name));
  send('10.77.1.100', '10.77.1.11', '10.77.1.1', '10.77.1.255', '10.77.2.254');
  assert.ok(await until(() => at(f.server).includes('10.77.1.100'), 10_000), 'forwarded');
  send('10.77.1.12', '10.77.1.11');
  assert.ok(await until(() => at(f.gw).includes('10.77.1.12'), 10_000), 'a member');
  assert.deepEqual(at(f.gw), ['10.77.1.12'], 'nobody else');
  assert.deepEqual(counters.map(counted), [true, false, true, false]);
  const dropped = async (): Promise<number> => (await f.order({ filtered: true })).counts?.stranger ?? 0;
  assert.ok(await until(async () => (await dropped()) === 3, 20_000), `${await dropped()} dropped`);
});
