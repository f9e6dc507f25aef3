/**
 * The uplink guard (M4): whoever raises an uplink that no service holds, it is down again at once, and its peer has
 * heard nothing of it.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Fixture, type Said } from './linux-fixture.ts';
import { needsRoot, until } from './netns.ts';

const skip = needsRoot();
const TIMES = 50;

function isUp(f: Fixture): boolean {
  return /[<,]UP[,>]/.test(f.net.ip(f.gw, 'link', 'show', 'up0'));
}

/** Frames that came out of the uplink, as its peer's card counts them. */
function framesHeard(f: Fixture): number {
  const text = f.net.exec(f.server, '/usr/bin/cat', '/sys/class/net/eth0/statistics/rx_packets');
  return Number(text);
}

/**
 * How long up0 was up, each time, as the kernel's own events tell: `ip -ts monitor link` puts the time before each. Resolves
 * when the monitor listens; the returned function tells what it has heard so far.
 */
async function watchUps(f: Fixture): Promise<() => number[]> {
  const monitor = f.net.spawn(f.gw, '/usr/sbin/ip', '-ts', 'monitor', 'link');
  let said = '';
  monitor.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  let round = 0;
  const listens = (): boolean => {
    f.net.ip(f.gw, 'link', 'set', 'lo', 'mtu', String(60_000 + round++));
    return said.includes(': lo');
  };
  assert.ok(await until(listens, 10_000), 'the monitor listens');
  return () => {
    const times: number[] = [];
    let upMs: number | null = null;
    for (const [, at = '', flags = ''] of said.matchAll(/^\[([^\]]+)\] ?\d+: up0[^<]*<([^>]*)>/gm)) {
      const isUpNow = flags.split(',').includes('UP');
      const atMs = Date.parse(`${at.slice(0, 23)}Z`);
      if (isUpNow) upMs ??= atMs;
      else if (upMs !== null) {
        times.push(atMs - upMs);
        upMs = null;
      }
    }
    return times;
  };
}

test('guard: an uplink raised 50 times by others is down again at once, and not a frame leaves it', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  const before = framesHeard(f);
  const ups = await watchUps(f);
  let first: Said | null = null;
  for (let i = 0; i < TIMES; i++) {
    f.net.ip(f.gw, 'link', 'set', 'up0', 'up');
    assert.equal(await until(() => !isUp(f), 10_000), true, `round ${i}`);
    // The guard looks again at what it did. The first time it may, before the next raising comes between.
    if (i === 0) first = await f.heard((s) => s.type === 'guard');
  }
  await until(() => ups().length >= TIMES, 10_000);
  const times = ups().sort((a, b) => a - b);
  assert.equal(times.length, TIMES, 'as many times up as it was raised');
  const [median = Number.NaN, slowest = Number.NaN] = [times[TIMES / 2], times.at(-1)];
  t.diagnostic(`up for: median ${median.toFixed(1)} ms, slowest ${slowest.toFixed(1)} ms`);
  assert.ok(median < 100, `median ${median} ms`);
  assert.ok(slowest < 3000, `slowest ${slowest} ms`);
  assert.match(first?.note ?? '', /^up0 was up though no service holds it: up0 is down \d+ ms later$/);
  const contended = await f.heard((s) => s.type === 'guard' && /another manager/.test(s.alarm ?? ''));
  assert.match(contended.alarm ?? '', /^up0 was raised again and again/);
  // What the host itself would have said: reports of its groups, a router solicitation, address resolution.
  assert.equal(framesHeard(f) - before, 0);
});

test('guard: what is sent on the raised uplink in the meantime is dropped, whoever sends it', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  const before = framesHeard(f);
  // Frozen, the guard can do nothing: what is silent now is so by the kernel alone.
  f.signal('SIGSTOP');
  f.net.ip(f.gw, 'link', 'set', 'up0', 'up');
  f.net.ip(f.gw, 'addr', 'add', '10.77.2.11/24', 'dev', 'up0');
  f.net.ip(f.gw, '-6', 'addr', 'add', 'fd00:77:2::11/64', 'dev', 'up0', 'nodad');
  f.net.exec(f.gw, '/usr/sbin/sysctl', '-q', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
  assert.equal(f.pings(f.gw, '10.77.2.254'), false);
  assert.equal(f.pings(f.gw, 'fd00:77:2::254'), false);
  f.net.ip(f.client, 'route', 'replace', 'default', 'via', '10.77.1.11');
  assert.equal(f.pings(f.client, '10.77.2.254'), false);
  assert.equal(framesHeard(f) - before, 0);
  f.signal('SIGCONT');
  assert.equal(await until(() => !isUp(f), 10_000), true);
});

test('guard: an uplink that disappears and is made anew is guarded; one that is held is left alone', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  f.net.ip(f.gw, 'link', 'del', 'up0');
  f.net.join(f.gw, 'up0', f.server, 'eth0');
  assert.equal(await until(() => !isUp(f), 5000), true);
  f.net.ip(f.server, 'addr', 'add', '10.77.2.254/24', 'dev', 'eth0');
  assert.equal((await f.run('activateUplink')).verdict, 'confirmed');
  f.net.ip(f.gw, 'link', 'set', 'up0', 'down');
  f.net.ip(f.gw, 'link', 'set', 'up0', 'up');
  assert.equal((await f.run('checkUplink')).verdict, 'confirmed');
  assert.notEqual(framesHeard(f), 0);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(isUp(f), true);
  assert.equal((await f.run('deactivateUplink')).verdict, 'confirmed');
  f.net.ip(f.gw, 'link', 'set', 'up0', 'up');
  assert.equal(await until(() => !isUp(f), 5000), true);
});

test('guard: programs in place of the switches say what the uplink is meant to be as well', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  const [service] = f.config().services;
  assert.ok(service);
  await f.start(
    f.config(
      {},
      {
        uplink: { ...service.uplink, activation: 'command' },
        procedures: { activateUplink: '/usr/bin/true', deactivateUplink: '/usr/bin/true' },
      },
    ),
  );
  assert.equal((await f.run('activateUplink')).verdict, 'confirmed');
  f.net.ip(f.gw, 'link', 'set', 'up0', 'up');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(isUp(f), true);
  assert.equal((await f.run('deactivateUplink')).verdict, 'confirmed');
  assert.equal(await until(() => !isUp(f), 5000), true);
});
