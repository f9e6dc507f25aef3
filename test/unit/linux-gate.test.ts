/** The lease gate against a process that is paused around the kernel's call (spec R6). */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { ActuatorConfig } from '../../src/linux/config.ts';
import { Gate } from '../../src/linux/gate.ts';
import type { LeaseSocket } from '../../src/linux/lease.ts';

/** Nothing here replaces tables. */
const NO_NFT = { nft: () => Promise.reject(new Error('nft')) };
const CONFIG = { cluster: 'test', leaseMs: 300, services: [] } as unknown as ActuatorConfig;

/** A kernel whose element ends `timeoutMs` after the call; each call comes after the next of these pauses. */
function gate(
  pausesMs: number[],
  errnos: number[] = [],
  nft: ConstructorParameters<typeof Gate>[2] = NO_NFT,
) {
  const kernel = { nowMs: 1000, endsAtMs: 0, calls: 0 };
  const lease = {
    setLease(_set: string, timeoutMs: number): number {
      kernel.calls++;
      kernel.nowMs += pausesMs.shift() ?? 0;
      const errno = errnos.shift() ?? 0;
      if (errno === 0) kernel.endsAtMs = timeoutMs === 0 ? 0 : kernel.nowMs + timeoutMs;
      return errno;
    },
  };
  return { kernel, gate: new Gate(CONFIG, () => kernel.nowMs, nft, lease as unknown as LeaseSocket) };
}

test('a call in time opens until the end of the right', () => {
  const { kernel, gate: g } = gate([1]);
  assert.deepEqual(g.set('s', 1200), { openUntilMs: 1200, missing: false });
  assert.ok(kernel.endsAtMs <= 1202);
});

test('a late call does not leave the gate open beyond the right, though the right still runs', () => {
  const { kernel, gate: g } = gate([150]);
  assert.deepEqual(g.set('s', 1200), { openUntilMs: 1195, missing: false });
  assert.equal(kernel.endsAtMs, 1195);
  assert.equal(kernel.calls, 3);
});

test('a kernel that needs longer for every call keeps the gate open, until a little before the right ends', () => {
  const { kernel, gate: g } = gate([15, 15, 15, 15, 15, 15]);
  assert.deepEqual(g.set('s', 1200), { openUntilMs: 1180, missing: false });
  assert.ok(kernel.endsAtMs > 1180 && kernel.endsAtMs <= 1202, String(kernel.endsAtMs));
  assert.equal(g.openUntilMs('s'), 1180);
});

test('a process that is paused again and again ends with the gate shut', () => {
  const { kernel, gate: g } = gate([20, 0, 20, 0, 25, 0]);
  assert.deepEqual(g.set('s', 1200), { openUntilMs: null, missing: false });
  assert.equal(kernel.endsAtMs, 0);
  assert.equal(g.openUntilMs('s'), null);
});

test('late beyond the right: shut', () => {
  const { kernel, gate: g } = gate([250]);
  assert.deepEqual(g.set('s', 1200), { openUntilMs: null, missing: false });
  assert.equal(kernel.endsAtMs, 0);
});

test('no right is ordered for longer than a lease', () => {
  const { kernel, gate: g } = gate([]);
  assert.deepEqual(g.set('s', 9000), { openUntilMs: 1300, missing: false });
  assert.equal(kernel.endsAtMs, 1300);
});

test('a refused order leaves what was true before', () => {
  const { gate: g } = gate([], [0, 16]);
  g.set('s', 1200);
  assert.deepEqual(g.set('s', 1250), { openUntilMs: 1200, missing: false });
});

test('that the host forwards is acknowledged by the kernel, also where its tables had to be made anew', async () => {
  const nft = { nft: () => Promise.resolve({ status: 0, output: '' }) } as unknown as typeof NO_NFT;
  const ENOENT = 2;
  assert.equal(await gate([], [], nft).gate.forward(true), true);
  assert.equal(await gate([], [ENOENT], nft).gate.forward(true), true);
  // Made anew and said again, and still nobody has it.
  assert.equal(await gate([], [ENOENT, ENOENT, ENOENT], nft).gate.forward(true), false);
  assert.equal(await gate([], [16], nft).gate.forward(true), false);
});

test('the leave to talk on an uplink ends one lease after the process’s last word, and is renewed while it lives', async () => {
  const { kernel, gate: g } = gate([]);
  g.allowTalk('up0', 's');
  assert.equal(kernel.endsAtMs - kernel.nowMs, CONFIG.leaseMs);
  const calls = kernel.calls;
  while (kernel.calls < calls + 3) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(kernel.endsAtMs - kernel.nowMs, CONFIG.leaseMs);
  g.forbidTalk('up0', 's');
  assert.equal(kernel.endsAtMs, 0);
  const after = kernel.calls;
  await new Promise((resolve) => setTimeout(resolve, CONFIG.leaseMs));
  assert.equal(kernel.calls, after, 'and no more');
});

test('a lease is leave enough: the kernel is told nothing more meanwhile, and again as soon as it is shut', async () => {
  const kernel = { nowMs: 1000, calls: [] as string[] };
  const lease = {
    setLease: (set: string, timeoutMs: number) => {
      kernel.calls.push(`${set} ${timeoutMs}`);
      return 0;
    },
    close: () => undefined,
  } as unknown as LeaseSocket;
  const services = ['s', 'z'].map((name) => ({ name, uplink: { device: 'up0', addresses: [] } }));
  const config = { ...CONFIG, services } as unknown as ActuatorConfig;
  const g = new Gate(config, () => kernel.nowMs, NO_NFT, lease);
  const talk = `talk_${Buffer.from('up0').toString('hex')}`;
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const sleptThrough = () => {
    g.set('s', kernel.nowMs + 250);
    kernel.nowMs += 1000;
    g.set('s', null);
    kernel.calls.splice(0);
  };
  g.allowTalk('up0', 's');
  assert.deepEqual(kernel.calls.splice(0), [`${talk} 300`]);
  g.set('s', 1250);
  g.set('z', 1200);
  assert.deepEqual(kernel.calls.splice(0), ['lease_s 250', 'lease_z 200']);
  await new Promise((resolve) => setTimeout(resolve, CONFIG.leaseMs));
  assert.deepEqual(kernel.calls, []);
  g.set('s', null);
  await turn();
  assert.deepEqual(kernel.calls.splice(0), ['lease_s 0'], 'the other service’s still runs');
  g.set('z', null);
  assert.equal(g.mayTalk('up0'), true, 'at once');
  assert.deepEqual(kernel.calls.splice(0), ['lease_z 0'], 'the answer comes first');
  await turn();
  assert.deepEqual(kernel.calls.splice(0), [`${talk} 300`]);
  g.set('s', 1250);
  kernel.nowMs = 1300; // lapsed, and whoever gives the orders says so
  g.set('s', null);
  await turn();
  assert.deepEqual(kernel.calls.splice(0), ['lease_s 250', 'lease_s 0', `${talk} 300`]);
  g.set('s', 1550);
  kernel.nowMs = 9000; // slept through
  g.set('s', null);
  await turn();
  assert.deepEqual(kernel.calls.splice(0), ['lease_s 250', 'lease_s 0'], 'not with its first words');
  assert.equal(g.mayTalk('up0'), false, 'nor with a frame of its own');
  await new Promise((resolve) => setTimeout(resolve, CONFIG.leaseMs));
  kernel.nowMs = 9900;
  await new Promise((resolve) => setTimeout(resolve, CONFIG.leaseMs));
  assert.deepEqual(kernel.calls, [], 'nor ever later');
  g.set('s', null);
  await turn();
  assert.deepEqual(kernel.calls.splice(0), ['lease_s 0'], 'nor when it is told once more');
  assert.equal(g.mayTalk('up0'), false);
  g.nobodyAnswered('z');
  assert.deepEqual(kernel.calls, [], 'another service’s silence is not its own');
  g.nobodyAnswered('s');
  assert.deepEqual(kernel.calls.splice(0), [`${talk} 300`], 'until nobody has its addresses');
  assert.equal(g.mayTalk('up0'), true);
  sleptThrough();
  g.allowTalk('up0', 's');
  await turn();
  assert.deepEqual(kernel.calls.splice(0), [`${talk} 300`], 'or it is activated anew');
  sleptThrough();
  await turn();
  assert.deepEqual(kernel.calls, []);
  g.set('s', kernel.nowMs + 250);
  g.set('s', null);
  await turn();
  assert.deepEqual(kernel.calls.splice(0), ['lease_s 250', 'lease_s 0', `${talk} 300`], 'or opened anew');
  g.set('s', null);
  g.close();
  const after = kernel.calls.length;
  await new Promise((resolve) => setTimeout(resolve, CONFIG.leaseMs));
  assert.equal(kernel.calls.length, after, 'nothing after the end');
});

test('who slept through its leave to talk may not talk when it wakes, until whoever orders it is known to live', async () => {
  const kernel = { nowMs: 1000, aliveUntilMs: 1600 };
  const lease = { setLease: () => 0, close: () => undefined } as unknown as LeaseSocket;
  const services = [{ name: 's', uplink: { device: 'up0', addresses: [] } }];
  const config = { ...CONFIG, services } as unknown as ActuatorConfig;
  const g = new Gate(
    config,
    () => kernel.nowMs,
    NO_NFT,
    lease,
    () => kernel.aliveUntilMs,
  );
  assert.equal(g.mayTalk('up0'), false, 'nobody holds it');
  g.allowTalk('up0', 's');
  assert.equal(g.mayTalk('up0'), true);
  assert.equal(g.mayTalk('up1'), false);
  kernel.nowMs = 3000; // frozen meanwhile, and whoever gives the orders with it
  assert.equal(g.mayTalk('up0'), false);
  await new Promise((resolve) => setTimeout(resolve, CONFIG.leaseMs));
  assert.equal(g.mayTalk('up0'), false, 'its own timer renews nothing');
  kernel.aliveUntilMs = 3600;
  g.allowTalk('up0', 's');
  assert.equal(g.mayTalk('up0'), true);
  g.forbidTalk('up0', 's');
  assert.equal(g.mayTalk('up0'), false);
  g.set('s', 3200);
  assert.equal(g.mayTalk('up0'), true, 'a lease is leave enough');
  g.close();
});
