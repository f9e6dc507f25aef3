/** The network process's end of the conversation with the actuator: what leaves when. */
import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import test, { type TestContext } from 'node:test';
import { NodeClock } from '../../src/daemon/clock.ts';
import { OrderLink } from '../../src/daemon/order-link.ts';
import { RemoteActuator } from '../../src/daemon/remote-actuator.ts';
import { GRAMMAR } from '../../src/linux/orders/grammar.ts';

/** An actuator that writes down what it is told, and answers nothing. */
function deaf(written: string[]): Duplex {
  return new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      written.push(chunk.toString());
      done();
    },
    writev: (chunks, done) => {
      for (const { chunk } of chunks) written.push((chunk as Buffer).toString());
      done();
    },
  });
}

function besideClock(): NodeClock['beside'] {
  const clock = new NodeClock(
    () => performance.now(),
    () => undefined,
  );
  return (run) => clock.beside(run);
}

function linkTo(t: TestContext, written: string[]): OrderLink {
  const stream = deaf(written);
  const link = new OrderLink({
    stream,
    nowMs: () => performance.now(),
    leaseMs: 300,
    onNews: () => undefined,
    onLost: () => undefined,
    beside: besideClock(),
  });
  t.after(() => link.close());
  link.ready.catch(() => undefined);
  stream.push(`0 ready ${GRAMMAR} 00\n`);
  return link;
}

test('what lowers leaves after what the same step says to other hosts, and the orders keep their order', async (t) => {
  const written: string[] = [];
  const link = linkTo(t, written);
  link.send({ verb: 'shut', index: 0 });
  assert.deepEqual(written, ['1 shut 0 0\n'], 'a gate waits for nothing');
  link.yield();
  link.send({ verb: 'deactivateService', index: 0, deadlineMs: 5 });
  link.yield();
  link.send({ verb: 'shut', index: 1 });
  written.push('RELEASED');
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(written.slice(1), ['RELEASED', '2 deactivateService 0 5\n', '3 shut 1 0\n']);
  link.send({ verb: 'shut', index: 0 });
  assert.equal(written.at(-1), '4 shut 0 0\n', 'the next turn is as ever');
});

test('an uplink is raised after the claim of the same step has left; who prepares the service waits for nothing', async (t) => {
  const written: string[] = [];
  const unused = () => undefined;
  const actuator = new RemoteActuator({
    ...{ stream: deaf(written), nowMs: () => performance.now(), leaseMs: 300, onLost: unused, hash: '00' },
    ...{ isGateway: true, services: ['firewall'], memberAddresses: [], onTrouble: unused },
    ...{ onUplinkGuarded: unused, onSpent: unused, beside: besideClock() },
    events: {
      ...{ procedureEnded: unused, addressesProbed: unused, gateSet: unused, linkChanged: unused },
      ...{ foreignerHeard: unused, rivalHeard: unused, loadMeasured: unused },
    },
  });
  t.after(() => actuator.close());
  const verbs = () => written.splice(0).flatMap((line) => line.match(/[A-Za-z]+/) ?? []);
  actuator.run('firewall', 'activateService', 1);
  assert.ok(verbs().includes('activateService'), 'at once');
  actuator.run('firewall', 'activateUplink', 2);
  written.push('CLAIM');
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    verbs().filter((verb) => verb !== 'beat'),
    ['CLAIM', 'activateUplink'],
  );
  actuator.probeAddresses('firewall', 'uplink', 3, 8);
  written.push('PROBE');
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    verbs().filter((verb) => verb !== 'beat'),
    ['PROBE', 'probeUplink'],
  );
});

test('a probe for a service that the actuator does not know is no silence', async (t) => {
  const unused = () => undefined;
  const told: boolean[] = [];
  const actuator = new RemoteActuator({
    ...{ stream: deaf([]), nowMs: () => performance.now(), leaseMs: 300, onLost: unused, hash: '00' },
    ...{ isGateway: true, services: ['firewall'], memberAddresses: [], onTrouble: unused },
    ...{ onUplinkGuarded: unused, onSpent: unused, beside: besideClock() },
    events: {
      ...{ procedureEnded: unused, gateSet: unused, linkChanged: unused },
      ...{ foreignerHeard: unused, rivalHeard: unused, loadMeasured: unused },
      addressesProbed: (_service, _side, _id, answered) => told.push(answered),
    },
  });
  t.after(() => actuator.close());
  actuator.probeAddresses('web', 'downlink', 1, 8);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(told, [true]);
});

test('a beat goes with the orders when the last one was a while ago, and by itself only when there are none', async (t) => {
  const written: string[] = [];
  const link = linkTo(t, written);
  const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const words = (): (string | undefined)[] => written.splice(0).map((line) => line.split(' ')[1]);
  await after(0);
  link.beat();
  link.send({ verb: 'shut', index: 0 });
  assert.deepEqual(words(), ['beat', 'shut'], 'a quarter of a lease is not over');
  for (let i = 0; i < 5; i++) {
    await after(90); // a lease is 300 ms
    link.send({ verb: 'shut', index: 0 });
  }
  const told = words();
  assert.deepEqual(told.slice(-2), ['beat', 'shut']);
  assert.equal(told.filter((word) => word === 'shut').length, 5);
  assert.ok(told.length <= 10, `none by itself: ${told.join()}`);
  await after(400);
  const alone = words();
  assert.ok(alone.length >= 1 && alone.every((word) => word === 'beat'), alone.join());
});
