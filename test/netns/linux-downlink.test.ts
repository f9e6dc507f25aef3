/**
 * checkDownlink: confirmed only by an answer of a host outside the cluster to something that was asked now.
 * Carrier, own frames, cached entries and members' frames and answers never suffice.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Fixture } from './linux-fixture.ts';
import { needsRoot, until } from './netns.ts';

const skip = needsRoot();

/** The verdict, asked again until it is the wanted one or the time is over. */
async function becomes(f: Fixture, wanted: string): Promise<string> {
  let verdict = '';
  await until(async () => {
    verdict = (await f.run('checkDownlink')).verdict ?? '';
    return verdict === wanted;
  }, 15_000);
  return verdict;
}

/** Adds a second member of the cluster to the switch; it answers ARP and pings. */
function addMember(f: Fixture): string {
  const member = f.net.add('member');
  f.net.plug(member, 'eth0', f.lan, 'p-member');
  f.net.ip(member, 'addr', 'add', '10.77.1.12/24', 'dev', 'eth0');
  return member;
}

test('auto: true with a foreign answer, false without, whatever else remains', { skip }, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  const member = addMember(f);
  await f.start();
  assert.equal(await becomes(f, 'confirmed'), 'confirmed', 'the client answers');
  // The client stays as a neighbour in the kernel's table, but its answers are gone.
  f.pings(f.gw, '10.77.1.100');
  assert.match(f.net.ip(f.gw, 'neigh', 'show', 'dev', 'eth0'), /10\.77\.1\.100 lladdr/);
  f.net.ip(f.lan, 'link', 'set', 'p-client', 'down');
  // Members' frames of every kind, and our own, while the checks run.
  const busy = f.net.spawn(member, '/usr/bin/ping', '-n', '-i', '0.05', '10.77.1.11');
  const loud = f.net.spawn(member, '/usr/bin/arping', '-q', '-b', '-I', 'eth0', '10.77.1.99');
  assert.match(f.net.ip(f.gw, 'link', 'show', 'eth0'), /LOWER_UP/, 'the carrier remains');
  for (let i = 0; i < 6; i++) {
    const said = await f.run('checkDownlink');
    assert.notEqual(said.verdict, 'confirmed', `check ${i}: ${said.detail}`);
    assert.notEqual(said.verdict, 'refuted', 'silence refutes nothing');
  }
  busy.kill();
  loud.kill();
  f.forget();
  f.net.ip(f.lan, 'link', 'set', 'p-client', 'up');
  assert.equal(await becomes(f, 'confirmed'), 'confirmed', 'the client is back');
});

test('auto: a member is never taken for a foreigner, not even before it was ever heard', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  f.net.ip(f.lan, 'link', 'set', 'p-client', 'down');
  const member = addMember(f);
  await f.start();
  // Its IPv6 link-local address is in no roster: only its hardware address tells who it is.
  for (let i = 0; i < 8; i++) {
    const said = await f.run('checkDownlink');
    assert.notEqual(said.verdict, 'confirmed', `check ${i}: ${said.detail}`);
    f.net.succeeds(member, '/usr/bin/ping', '-n', '-c', '1', '-W', '1', '-I', 'eth0', 'ff02::1');
  }
});

test('auto: lost when who lately answered no longer does, refuted without a carrier', { skip }, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  assert.equal(await becomes(f, 'confirmed'), 'confirmed');
  // The client vanishes behind the switch: the gateway's carrier stays.
  f.net.ip(f.lan, 'link', 'set', 'p-client', 'down');
  assert.equal((await f.run('checkDownlink')).verdict, 'lost');
  f.net.ip(f.lan, 'link', 'set', 'p-gw', 'down');
  await f.heard((s) => s.type === 'link' && s.side === 'downlink');
  assert.equal((await f.run('checkDownlink')).verdict, 'refuted');
});

test('a lost carrier that a check finds before the kernel tells of it is told of all the same', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  assert.equal(await becomes(f, 'confirmed'), 'confirmed');
  f.forget();
  const checked = f.order({ run: 'checkDownlink', whenDark: 'eth0' });
  await f.heard((s) => s.type === 'still');
  f.net.ip(f.lan, 'link', 'set', 'p-gw', 'down');
  assert.equal((await checked).verdict, 'refuted');
  await f.heard((s) => s.type === 'link' && s.side === 'downlink');
});

test('lonely: the first foreign frame is reported, and the check then turns true', { skip }, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  f.net.ip(f.lan, 'link', 'set', 'p-client', 'down');
  await f.start();
  assert.equal((await f.run('checkDownlink')).verdict, 'unknown');
  f.forget();
  f.net.ip(f.lan, 'link', 'set', 'p-client', 'up');
  f.net.succeeds(f.client, '/usr/bin/arping', '-q', '-c', '1', '-w', '1', '-I', 'eth0', '10.77.1.50');
  await f.heard((s) => s.type === 'foreigner');
  assert.equal(await becomes(f, 'confirmed'), 'confirmed');
});

for (const check of [
  { kind: 'arp', address: '10.77.1.100' },
  { kind: 'ping', address: '10.77.1.100' },
  { kind: 'broadcast-ping' },
] as const)
  test(`${check.kind}: true while the client answers, false when it does not`, { skip }, async (t) => {
    const f = new Fixture();
    t.after(() => f.close());
    f.net.exec(f.client, '/usr/sbin/sysctl', '-q', 'net.ipv4.icmp_echo_ignore_broadcasts=0');
    const config = f.config();
    const [service] = config.services;
    assert.ok(service);
    const downlink = { ...service.downlink, checks: [check] };
    await f.start(f.config({}, { downlink }));
    assert.equal(await becomes(f, 'confirmed'), 'confirmed');
    f.net.ip(f.lan, 'link', 'set', 'p-client', 'down');
    assert.notEqual((await f.run('checkDownlink')).verdict, 'confirmed');
  });
