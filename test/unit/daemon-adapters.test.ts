/** UDP links, clock and lock, on loopback: what they promise to the driver. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket, Socket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { NodeClock } from '../../src/daemon/clock.ts';
import { noLookup, sendNow } from '../../src/daemon/datagram.ts';
import { isLocked, lockState } from '../../src/daemon/lock.ts';
import { type UdpOptions, UdpTransport } from '../../src/daemon/udp.ts';
import type { SocketAddress } from '../../src/trust/address.ts';
import { temporaryDir } from './cluster-files.ts';

const LOG = pino({ level: 'silent' });

function at(ip: string, port: number): SocketAddress {
  return { family: ip.includes(':') ? 6 : 4, ip, port };
}

/** A port of loopback that is free now. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

async function opened(t: TestContext, options: Partial<UdpOptions>): Promise<UdpTransport> {
  const quiet = { onDatagram: () => undefined, onLinksChanged: () => undefined, log: LOG };
  const transport = new UdpTransport({
    links: [],
    peers: new Map(),
    uplinks: new Map(),
    ...quiet,
    ...options,
  });
  t.after(() => transport.close());
  await transport.start();
  return transport;
}

async function until(test: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !test(); i++) await sleep(10);
  assert.ok(test());
}

test('P1: what is sent has a TTL or hop limit of 255, in both families', async (t) => {
  const { setTTL } = Socket.prototype;
  const set: number[] = [];
  t.mock.method(Socket.prototype, 'setTTL', function (this: Socket, ttl: number) {
    set.push(setTTL.call(this, ttl));
    return ttl;
  });
  const port = await freePort();
  const links = [at('127.0.0.2', port), at('::1', port)].map((listen, i) => ({ index: i + 1, listen }));
  const transport = await opened(t, { links });
  assert.deepEqual(transport.links(), [1, 2]);
  // Node gives back the value that the kernel took.
  assert.deepEqual(set, [255, 255]);
});

test('a datagram goes from link n to link n, in both families, and is told with its link', async (t) => {
  const port = await freePort();
  const heard: string[] = [];
  const places = [at('127.0.0.2', port), at('::1', port)];
  const links = places.map((listen, i) => ({ index: i + 1, listen }));
  await opened(t, { links, onDatagram: (link, bytes) => heard.push(`${link} ${Buffer.from(bytes)}`) });
  const peers = new Map([['fw1', places]]);
  const own = await freePort();
  const sender = await opened(t, {
    links: [
      { index: 1, listen: at('127.0.0.3', own) },
      { index: 2, listen: at('::1', own) },
    ],
    peers,
  });
  assert.deepEqual(sender.links(), [1, 2]);
  sender.send('fw1', 1, Buffer.from('a'));
  sender.send('fw1', 2, Buffer.from('b'));
  await until(() => heard.length === 2);
  assert.deepEqual(heard.sort(), ['1 a', '2 b']);
});

test('sending to nobody, over an absent link, or with a closed socket is a counted loss, never an error', async (t) => {
  const transport = await opened(t, { links: [{ index: 1, listen: at('127.0.0.1', await freePort()) }] });
  transport.send('stranger', 1, Buffer.from('a'));
  transport.send('stranger', 7, Buffer.from('a'));
  transport.send('stranger', 0, Buffer.from('a'));
  transport.close();
  transport.send('stranger', 1, Buffer.from('a'));
  assert.equal(transport.counters.sent, 0);
  assert.ok(transport.counters.notSent >= 3);
  assert.deepEqual(transport.links(), []);
});

test('a datagram longer than the protocol allows is dropped and counted', async (t) => {
  const port = await freePort();
  const heard: number[] = [];
  const transport = await opened(t, {
    links: [{ index: 1, listen: at('127.0.0.1', port) }],
    onDatagram: (_link, bytes) => heard.push(bytes.length),
  });
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  socket.send(Buffer.alloc(1233), port, '127.0.0.1');
  socket.send(Buffer.alloc(1232), port, '127.0.0.1');
  await until(() => transport.counters.received === 2);
  assert.deepEqual(heard, [1232]);
  assert.equal(transport.counters.oversized, 1);
});

test('an address that is not on this host yet makes the link absent; one that is taken stops the start', async (t) => {
  // 192.0.2.0/24 is for documentation (RFC 5737): no host has it.
  const absent = await opened(t, { links: [{ index: 1, listen: at('192.0.2.1', 7946) }] });
  assert.deepEqual(absent.links(), []);
  const port = await freePort();
  const links = [{ index: 1, listen: at('127.0.0.1', port) }];
  await opened(t, { links });
  await assert.rejects(opened(t, { links }), /EADDRINUSE/);
});

test('an uplink that cannot be used stays absent until it is closed', async (t) => {
  const uplinks = new Map([['firewall', { device: 'pc-no-device', ownAddress: null, port: 7946 }]]);
  const transport = await opened(t, { uplinks });
  transport.uplinkTalk('firewall', true);
  transport.uplinkTalk('other', true);
  await sleep(30);
  assert.deepEqual(transport.links(), []);
  transport.uplinkTalk('firewall', false);
  transport.uplinkTalk('firewall', false);
});

test('the clock wakes at the time or after it, never before; a new time replaces the old one', async () => {
  const now = (): number => Number(process.hrtime.bigint()) / 1e6;
  const woken: number[] = [];
  const clock = new NodeClock(now, () => woken.push(now()));
  const start = now();
  clock.wakeAt(start + 500_000);
  clock.wakeAt(start + 10.4);
  await until(() => woken.length === 1);
  assert.ok((woken[0] ?? 0) >= start + 10.4);
  clock.wakeAt(now() - 5);
  await until(() => woken.length === 2);
  clock.wakeAt(now() + 5);
  clock.wakeAt(null);
  clock.wakeAt(Number.POSITIVE_INFINITY);
  await sleep(30);
  assert.equal(woken.length, 2);
});

test('what is put off at each wake-up sets no timer of its own, and is done at its time when nobody puts it off any more', async (t) => {
  const now = (): number => performance.now();
  const waits: number[] = [];
  const set = globalThis.setTimeout;
  t.mock.method(globalThis, 'setTimeout', (run: () => void, ms: number) => {
    waits.push(ms);
    return set(run, ms);
  });
  let turns = 0;
  let byMs = 0;
  const done: number[] = [];
  const clock: NodeClock = new NodeClock(now, () => {
    if (++turns > 5) return;
    byMs = now() + 5_000;
    beside.by(byMs);
    clock.wakeAt(now() + 20);
  });
  const beside = clock.beside(() => done.push(now()));
  clock.wakeAt(now());
  while (turns <= 5) await new Promise((resolve) => set(resolve, 5));
  // The sixth turn set no time: from here on the clock waits for the other alone, a quarter of a second at a time.
  assert.ok(waits.length >= 6);
  assert.ok(
    waits.slice(0, -1).every((ms) => ms <= 20),
    waits.join(),
  );
  assert.equal(waits.at(-1), 250);
  byMs = now() + 30;
  beside.by(byMs);
  while (done.length === 0) await new Promise((resolve) => set(resolve, 5));
  assert.ok((done[0] ?? 0) >= byMs);
  beside.by(now() + 10);
  beside.stop();
  await new Promise((resolve) => set(resolve, 40));
  assert.equal(done.length, 1);
});

test('a time that the clock reaches later than Node’s timers do is waited for', async () => {
  // A clock at half speed: every wake-up of Node is early.
  const begin = Number(process.hrtime.bigint()) / 1e6;
  const slow = (): number => (Number(process.hrtime.bigint()) / 1e6 - begin) / 2;
  const woken: number[] = [];
  new NodeClock(slow, () => woken.push(slow())).wakeAt(20);
  await until(() => woken.length === 1);
  assert.ok((woken[0] ?? 0) >= 20);
});

test('R9: more datagrams than one turn of the loop reads are all taken in before a deadline is served; a flood holds none up', async (t) => {
  const listen = at('127.0.0.1', await freePort());
  let read = 0;
  let isFlooded = false;
  const sender = createSocket({ type: 'udp4', lookup: noLookup });
  t.after(() => sender.close());
  // It listens at once: no name is looked up.
  sender.bind(0, '127.0.0.1');
  const say = (): boolean => sendNow(sender, Buffer.from('a word'), listen.port, listen.ip);
  const transport = await opened(t, {
    links: [{ index: 1, listen }],
    onDatagram: () => {
      read++;
      if (isFlooded) say();
    },
  });
  const now = (): number => Number(process.hrtime.bigint()) / 1e6;
  const woken: number[] = [];
  const clock = new NodeClock(
    now,
    () => woken.push(read),
    () => transport.holdMore(),
  );
  clock.wakeAt(now() + 5);
  for (let i = 0; i < 100; i++) say();
  const untilMs = now() + 20;
  while (now() < untilMs);
  await until(() => woken.length === 1);
  assert.equal(woken[0], 100);
  isFlooded = true;
  for (let i = 0; i < 100; i++) say();
  clock.wakeAt(now() + 5);
  await until(() => woken.length === 2);
  isFlooded = false;
});

test('one daemon a state directory: the lock is another’s until its holder lets go or dies', async (t) => {
  const dir = temporaryDir(t);
  const unlock = lockState(dir);
  assert.throws(() => lockState(dir), /another daemon uses this state directory/);
  assert.equal(isLocked(dir), true);
  unlock();
  assert.equal(isLocked(dir), false);
  const holder = spawn('/usr/bin/flock', ['-n', join(dir, 'daemon.lock'), '/usr/bin/sleep', '600']);
  await until(() => isLocked(dir));
  assert.throws(() => lockState(dir));
  // flock's own child holds the file too; ending both is the end of the lock.
  const { readFileSync } = await import('node:fs');
  const child = Number(readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8').trim());
  holder.kill('SIGKILL');
  process.kill(child, 'SIGKILL');
  await until(() => !isLocked(dir));
});
