/** What the neighbours hear and say, in a namespace: silence on standby, conflict detection, announcements, a rival, the remote check. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Fixture } from './linux-fixture.ts';
import { needsRoot, until } from './netns.ts';

const skip = needsRoot();

function lladdr(f: Fixture, name: string, device: string): string {
  return /link\/ether ([0-9a-f:]+)/.exec(f.net.ip(name, 'link', 'show', device))?.[1] ?? '';
}

test('a standby says nothing on its uplink, and a master no longer after its release', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  const heard = (): number =>
    Number(f.net.exec(f.server, '/bin/cat', '/sys/class/net/eth0/statistics/rx_packets'));
  // Up and down once while the test made it: counted from here.
  const before = heard();
  await f.start();
  for (const procedure of [
    'deactivateService',
    'deactivateUplink',
    'checkDownlink',
    'checkUplink',
    'checkServiceRemote',
  ])
    await f.run(procedure);
  await f.order({ probe: 'uplink' });
  assert.equal(heard(), before);
  await f.serve({ gateMs: 1400, everyMs: 200 });
  await f.run('announceTakeoverUplink');
  assert.ok(heard() > before, 'the counter counts');
  await f.order({ gateMs: null });
  for (const procedure of ['announceReleaseUplink', 'deactivateService', 'deactivateUplink'])
    await f.run(procedure);
  const after = heard();
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.equal(heard(), after);
});

test('conflict detection: a silent link, an owner, another claimant', { skip }, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  assert.equal((await f.order({ probe: 'downlink' })).answered, false);
  f.net.ip(f.client, 'addr', 'add', '10.77.1.1/32', 'dev', 'eth0');
  const owner = await f.order({ probe: 'downlink' });
  assert.equal(owner.answered, true);
  assert.match(owner.detail ?? '', /uses 10\.77\.1\.1$/);
  f.net.ip(f.client, 'addr', 'del', '10.77.1.1/32', 'dev', 'eth0');
  f.net.ip(f.client, 'addr', 'add', 'fd00:77:1::1/128', 'dev', 'eth0', 'nodad');
  assert.match((await f.order({ probe: 'downlink' })).detail ?? '', /uses fd00:77:1::1$/);
  f.net.ip(f.client, 'addr', 'del', 'fd00:77:1::1/128', 'dev', 'eth0');
  const rival = await until(async () => {
    const probe = f.order({ probe: 'downlink' });
    const argv = ['-q', '-D', '-c', '2', '-w', '2', '-I', 'eth0', '10.77.1.1'];
    f.net.spawn(f.client, '/usr/bin/arping', ...argv).stdout?.resume();
    return /probes for 10\.77\.1\.1$/.test((await probe).detail ?? '');
  }, 8000);
  assert.equal(rival, true);
});

test('conflict detection: what could not be asked is no silence', { skip }, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  const unknown = await f.order({ probe: 'downlink', service: 'nobody' });
  assert.deepEqual([unknown.answered, unknown.detail], [true, 'no such service']);
  // Behind more than may wait: it ends by an exception.
  const refused = await f.order({ probe: 'downlink', behind: 300 });
  assert.deepEqual([refused.answered, refused.detail], [true, 'too many orders wait']);
});

test('conflict detection: an answer is heard among thousands of broadcasts, late as this process may be', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  f.net.ip(f.client, 'addr', 'add', '10.77.1.1/32', 'dev', 'eth0');
  // More between two beats than the kernel keeps for a socket: the ear's queue is full when it asks.
  const noise = f.net.start(f.client, 'test/netns/noise.ts', '5000');
  await new Promise((resolve) => noise.stdout?.once('data', resolve));
  for (let i = 0; i < 6; i++) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    const { answered, detail } = await f.order({ probe: 'downlink', heldUpMs: 500 });
    assert.equal(answered, true);
    assert.match(detail ?? '', /uses 10\.77\.1\.1$/);
  }
});

test('conflict detection beside preparing: own addresses are no answer and give none; whoever else has one is heard, late as this process may be', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  for (const procedure of ['deactivateService', 'deactivateUplink', 'activateUplink']) await f.run(procedure);
  const silent = async (side: string): Promise<void> => {
    const said = await f.order({ probe: side });
    assert.equal(said.answered, false, `${side}: ${said.detail}`);
  };
  // While they come up, and when they are there.
  const up = f.run('activateService');
  await Promise.all([silent('downlink'), silent('uplink')]);
  assert.equal((await up).verdict, 'confirmed');
  await Promise.all([silent('downlink'), silent('uplink')]);
  assert.equal((await f.run('checkServiceLocal')).verdict, 'confirmed');
  const asks = (name: string, address: string): boolean =>
    f.net.succeeds(name, '/usr/bin/arping', '-q', '-D', '-c', '1', '-w', '1', '-I', 'eth0', address);
  assert.equal(asks(f.client, '10.77.1.1'), true, 'a claimant on the downlink hears nobody');
  assert.equal(asks(f.server, '10.77.2.1'), true, 'nor does one on the uplink');
  f.net.ip(f.client, 'addr', 'add', '10.77.1.1/32', 'dev', 'eth0');
  const owner = await f.order({ probe: 'downlink' });
  assert.match(owner.detail ?? '', /uses 10\.77\.1\.1$/);
  // The answer comes while this process does something else until after the round's end.
  const late = await f.order({ probe: 'downlink', heldUpMs: 500 });
  assert.match(late.detail ?? '', /uses 10\.77\.1\.1$/);
});

test('announcements move the neighbours over, and only while the gate is open', { skip }, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  await f.serve({ gateMs: null });
  const mac = lladdr(f, f.gw, 'eth0');
  const elsewhere = '02:00:00:00:00:77';
  for (const address of ['10.77.1.1', 'fd00:77:1::1'])
    f.net.ip(f.client, 'neigh', 'replace', address, 'lladdr', elsewhere, 'dev', 'eth0', 'nud', 'stale');
  const entry = (address: string): string => f.net.ip(f.client, 'neigh', 'show', address, 'dev', 'eth0');
  assert.equal((await f.run('announceTakeoverDownlink')).verdict, 'unknown', 'the gate is shut');
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.match(entry('10.77.1.1'), new RegExp(elsewhere), 'a shut gate announces nothing');
  await f.run('announceReleaseDownlink');
  await f.order({ gateMs: 1400, everyMs: 200 });
  // With the opening itself: nobody has ordered it yet.
  assert.equal(await until(() => entry('10.77.1.1').includes(mac), 5000), true);
  assert.equal(await until(() => entry('fd00:77:1::1').includes(mac), 5000), true);
  assert.equal((await f.run('announceTakeoverDownlink')).verdict, 'confirmed');
});

test('events: a cut cable at once, a rival while the gate is open', { skip }, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  await f.serve({ gateMs: 1400, everyMs: 200 });
  f.forget();
  f.net.ip(f.client, 'addr', 'add', '10.77.1.1/32', 'dev', 'eth0');
  // Three times: a gate that was renewed late is shut for a moment, and no rival matters then.
  f.net.succeeds(f.client, '/usr/bin/arping', '-q', '-A', '-c', '3', '-w', '4', '-I', 'eth0', '10.77.1.1');
  const rival = await f.heard((s) => s.type === 'rival');
  assert.equal(rival.side, 'downlink');
  assert.match(rival.detail ?? '', /uses 10\.77\.1\.1$/);
  f.net.ip(f.server, 'link', 'set', 'eth0', 'down');
  assert.equal((await f.heard((s) => s.type === 'link')).side, 'uplink');
  assert.equal((await f.run('checkUplink')).verdict, 'refuted');
});

test('the remote check asks as a client does', { skip }, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  assert.equal((await f.run('checkServiceRemote')).verdict, 'unknown', 'nobody serves');
  // The client's namespace plays the master.
  f.net.ip(f.client, 'addr', 'add', '10.77.1.1/24', 'dev', 'eth0');
  f.net.ip(f.client, 'addr', 'add', 'fd00:77:1::1/64', 'dev', 'eth0', 'nodad');
  assert.equal((await f.run('checkServiceRemote')).verdict, 'confirmed');
  f.net.exec(f.client, '/usr/sbin/iptables', '-A', 'INPUT', '-p', 'icmp', '-j', 'DROP');
  assert.equal(
    (await f.run('checkServiceRemote')).verdict,
    'unknown',
    'it echoed before, and no longer does',
  );
});
