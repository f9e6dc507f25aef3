/** What several services have to do with one another: one step an interval for all. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Many } from './many.ts';

function settled(options: ConstructorParameters<typeof Many>[0]): Many {
  const w = new Many(options);
  w.startAll();
  w.pass(5000);
  for (const service of w.services) assert.equal(w.masters(service).length, 1, w.describe());
  return w;
}

test('R7: what a host says of all its services in one interval leaves in one step, however they came to it', () => {
  const w = settled({ hosts: 3, services: 8, policy: 'quorum' });
  const { intervalMs } = w.timing;
  // Half of them move, each at a moment of its own.
  for (const service of w.services.slice(0, 4)) {
    w.happened('fw1', {
      type: 'operator',
      order: { kind: 'handover', service, to: 'fw2', force: false },
    });
    w.pass(77);
  }
  w.pass(2000);
  assert.deepEqual(w.servedBy('fw2'), w.services.slice(0, 4));
  w.said = [];
  w.pass(10 * intervalMs);
  for (const name of ['fw1', 'fw2']) {
    const adverts = w.said.filter(
      ({ from, messages }) => from === name && messages.some((m) => m.type === 'STATUS'),
    );
    assert.equal(adverts.length, 10);
    for (const { messages } of adverts) {
      assert.deepEqual(
        messages.filter((m) => m.type === 'STATUS').map((m) => m.service),
        w.servedBy(name),
      );
    }
    const reports = w.said.filter(
      ({ from, messages }) => from === name && messages.some((m) => m.type === 'REPORT'),
    );
    assert.equal(reports.length, 2);
    for (const { messages } of reports)
      assert.equal(messages.filter((m) => m.type === 'REPORT').length, w.services.length);
  }
});

test('R7: a new master’s second STATUS is never later than an interval after its first', () => {
  const w = settled({ hosts: 2, services: 2, policy: 'available' });
  w.said = [];
  w.powerOff('fw1');
  w.pass(3000);
  for (const service of w.services) {
    const times = w.said
      .filter(({ messages }) =>
        messages.some((m) => m.type === 'STATUS' && m.service === service && m.phase === 'serving'),
      )
      .map(({ atMs }) => atMs);
    assert.ok(times.length > 5);
    times.slice(1).forEach((atMs, i) => {
      assert.ok(atMs - (times[i] ?? 0) <= w.timing.intervalMs + 0.001, times.join(' '));
    });
  }
});
