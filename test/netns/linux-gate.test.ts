/**
 * The lease gate in the kernel (spec R6): open only while it is refreshed, shut by itself when our processes are
 * frozen or dead, also for flows that are established, and no hindrance to the host's own words.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Fixture } from './linux-fixture.ts';
import { comesToRest, needsRoot, until } from './netns.ts';

const skip = needsRoot();

test('a service answers and forwards only while its gate is open', { skip }, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  await f.serve({ gateMs: null });
  assert.equal(f.pings(f.client, '10.77.1.1'), false, 'shut: the roving address must not answer');
  assert.equal(f.pings(f.client, 'fd00:77:1::1'), false);
  assert.equal(f.pings(f.client, '10.77.2.254'), false, 'shut: nothing is forwarded');
  assert.equal(f.pings(f.client, '10.77.1.11'), true, 'the host itself still talks');
  assert.equal((await f.run('checkServiceLocal')).verdict, 'confirmed');
  const opened = await f.order({ gateMs: 1400, everyMs: 300 });
  assert.equal(opened.open, true);
  for (const target of ['10.77.1.1', 'fd00:77:1::1', '10.77.2.254', 'fd00:77:2::254'])
    assert.equal(await until(() => f.pings(f.client, target), 5000), true, `open: ${target} must answer`);
  const shut = await f.order({ gateMs: null });
  assert.equal(shut.open, false);
  for (const target of ['10.77.1.1', 'fd00:77:1::1', '10.77.2.254', 'fd00:77:2::254'])
    assert.equal(
      f.pings(f.client, target),
      false,
      `shut again: ${target} must be silent, though it is cached`,
    );
});

test('what was forwarded to a neighbour that does not answer goes with the service, and does not leave later', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  await f.serve({ gateMs: 1400, everyMs: 300 });
  // Asked for over and over, and so waited for longer than the test takes.
  f.net.exec(f.gw, '/usr/sbin/sysctl', '-q', 'net.ipv4.neigh.eth0.mcast_solicit=1000');
  assert.equal(f.pings(f.server, '10.77.1.99'), false);
  const isWaiting = (): boolean =>
    f.net.ip(f.gw, 'neigh', 'show', 'nud', 'incomplete').includes('10.77.1.99');
  assert.equal(isWaiting(), true);
  await f.order({ gateMs: null });
  assert.equal(isWaiting(), true, 'the gate holds nothing back that has passed it');
  assert.equal((await f.run('deactivateService')).verdict, 'confirmed');
  assert.equal(isWaiting(), false);
});

test('a cable that is in again is used at once, whatever was asked into the void before', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  // A question that is not answered is asked again after so long.
  f.net.exec(f.gw, '/usr/sbin/sysctl', '-q', 'net.ipv4.neigh.eth0.retrans_time_ms=600000');
  f.net.ip(f.lan, 'link', 'set', 'p-gw', 'down');
  assert.equal(f.pings(f.gw, '10.77.1.100'), false);
  const isWaiting = (): boolean =>
    f.net.ip(f.gw, 'neigh', 'show', 'nud', 'incomplete').includes('10.77.1.100');
  assert.equal(isWaiting(), true);
  f.net.ip(f.lan, 'link', 'set', 'p-gw', 'up');
  assert.equal(await until(() => f.pings(f.gw, '10.77.1.100'), 10_000), true);
});

test('an order beyond a lease, or in the past, opens no longer than a lease or not at all', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start(f.config({ leaseMs: 1000 }));
  await f.serve({ gateMs: null });
  assert.equal((await f.order({ gateMs: -5 })).open, false, 'a time in the past');
  assert.equal((await f.order({ gateMs: 5 })).open, false, 'less than a jiffy would never end');
  assert.equal((await f.order({ gateMs: 3_600_000 })).open, true);
  assert.equal(
    await until(() => !leaseIsOpen(f), 10_000),
    true,
    'the kernel must have shut it after the lease, not after the hour that was asked for',
  );
});

const LEASE = 'lease_firewall';
const TALK = `talk_${Buffer.from('up0').toString('hex')}`;

/** Whether the kernel holds an element that has not expired in that set of either table. */
function isHeld(f: Fixture, set: string): boolean {
  return ['inet', 'arp'].some((family) =>
    f.net.exec(f.gw, '/usr/sbin/nft', 'list', 'set', family, 'portcullis_test', set).includes('expires'),
  );
}

function leaseIsOpen(f: Fixture): boolean {
  return isHeld(f, LEASE);
}

/** Frames that the gateway has sent into the uplink, counted at the other end. */
function uplinkFrames(f: Fixture): number {
  return Number(f.net.exec(f.server, '/bin/cat', '/sys/class/net/eth0/statistics/rx_packets'));
}

for (const [signal, word] of [
  ['SIGSTOP', 'frozen'],
  ['SIGKILL', 'dead'],
] as const)
  test(`with its process ${word} the host falls silent by itself, established flows too`, {
    skip,
  }, async (t) => {
    const f = new Fixture();
    t.after(() => f.close());
    await f.start();
    await f.serve({ gateMs: 1400, everyMs: 200 });
    assert.equal(await until(() => f.pings(f.client, '10.77.2.254'), 5000), true);
    // One flow that connection tracking knows as established, one echo each 50 ms, across the signal.
    const flow = f.net.spawn(f.client, '/usr/bin/ping', '-n', '-i', '0.05', '10.77.2.254');
    let answers = 0;
    flow.stdout?.on('data', (chunk: Buffer) => {
      answers += chunk.toString().split(' bytes from ').length - 1;
    });
    assert.equal(await until(() => answers > 5, 5000), true, 'the flow runs');
    f.signal(signal);
    assert.equal(await until(() => !leaseIsOpen(f), 10_000), true, 'the lease must run out');
    assert.ok(await comesToRest(() => answers, 1000), 'the established flow must have stopped');
    assert.equal(
      await until(() => !isHeld(f, TALK), 10_000),
      true,
      'nor may the kernel talk on the uplink for long',
    );
    const heard = uplinkFrames(f);
    assert.equal(f.pings(f.client, '10.77.1.1'), false, 'the roving address must not answer');
    assert.equal(f.pings(f.client, 'fd00:77:1::1'), false);
    assert.equal(f.pings(f.client, '10.77.1.11'), true, 'the host itself still talks');
    const gone = await until(() => !f.net.ip(f.gw, 'addr', 'show').includes('10.77.1.1/'), 15_000);
    assert.equal(gone, true, 'addresses must run out by their lifetime');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.equal(uplinkFrames(f), heard, 'not even multicast reports leave by the uplink');
  });

test('a gate whose tables an operator flushed is put back, and open again', { skip }, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  await f.serve({ gateMs: 1400, everyMs: 200 });
  f.net.exec(f.gw, '/usr/sbin/nft', 'delete', 'table', 'inet', 'portcullis_test');
  const back = await until(
    () => f.net.succeeds(f.gw, '/usr/sbin/nft', 'list', 'chain', 'inet', 'portcullis_test', 'forward'),
    5000,
  );
  assert.equal(back, true);
  assert.equal(await until(() => leaseIsOpen(f), 5000), true);
  await f.order({ gateMs: null });
  assert.equal(f.pings(f.client, '10.77.2.254'), false, 'the new table must drop');
});
