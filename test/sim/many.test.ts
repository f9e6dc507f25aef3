/** What several services have to do with one another: one step an interval for all, and where each goes. */
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
  // All that others serve comes to fw2, each service at a moment of its own.
  for (const service of w.services) {
    const [master = ''] = w.masters(service);
    if (master === 'fw2') continue;
    w.happened(master, { type: 'operator', order: { kind: 'handover', service, to: 'fw2', force: false } });
    w.pass(77);
  }
  w.pass(2000);
  assert.deepEqual(w.servedBy('fw2'), w.services);
  w.said = [];
  w.pass(10 * intervalMs);
  const of = (type: string) =>
    w.said
      .filter(({ from }) => from === 'fw2')
      .map(({ messages }) => messages.flatMap((m) => (m.type === type ? [m.service] : [])))
      .filter((services) => services.length > 0);
  assert.deepEqual(of('STATUS'), Array(10).fill(w.services));
  assert.deepEqual(of('REPORT'), Array(2).fill(w.services));
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

/** Who serves what, as one line. */
function map(w: Many): string {
  return w.services.map((service) => `${service}:${w.masters(service).join('+')}`).join(' ');
}

test('R25: services that nobody ever served spread over the hosts; one alone goes to the first', () => {
  const spread = settled({ hosts: 4, services: 8, policy: 'quorum' });
  assert.deepEqual(
    spread.names.map((name) => spread.servedBy(name).length),
    [2, 2, 2, 2],
  );
  assert.equal(map(settled({ hosts: 4, services: 1, policy: 'available' })), 's00:fw1');
});

for (const policy of ['quorum', 'available'] as const) {
  test(`R25: the services of a dead host, and only they, spread over the others by load, each claimed once (${policy})`, () => {
    const w = settled({ hosts: 4, services: 12, policy });
    const before = new Map(w.services.map((service) => [service, w.masters(service)[0]]));
    // fw3 has as much to do as two services more than fw4, and fw1 four.
    for (const [name, load] of [
      ['fw1', 400],
      ['fw3', 200],
      ['fw4', 0],
    ] as const)
      w.happened(name, { type: 'measured', load });
    w.pass(300);
    const claims = new Map<string, string[]>();
    w.said = [];
    w.powerOff('fw2');
    w.pass(1000);
    for (const { from, messages } of w.said)
      for (const m of messages)
        if (m.type === 'CLAIM') claims.set(m.service, [...new Set([...(claims.get(m.service) ?? []), from])]);
    const moved = w.services.filter((service) => before.get(service) === 'fw2');
    assert.equal(moved.length, 3);
    assert.deepEqual([...claims.keys()].sort(), moved);
    // Hosts that heard the same agree: nobody claims what another was to have.
    assert.ok(
      [...claims.values()].every((hosts) => hosts.length === 1),
      JSON.stringify([...claims]),
    );
    assert.deepEqual(
      moved.map((service) => w.masters(service)[0]),
      ['fw4', 'fw4', 'fw3'],
    );
    for (const service of w.services)
      if (!moved.includes(service)) assert.deepEqual(w.masters(service), [before.get(service)]);
    assert.equal(w.overlaps.size, 0);
  });
}

test('R25: two hosts lost at once: all is served again, evenly, and nobody waits for the dead', () => {
  const w = settled({ hosts: 4, services: 16, policy: 'available' });
  w.powerOff('fw1');
  w.powerOff('fw3');
  w.pass(2000);
  assert.deepEqual(
    ['fw2', 'fw4'].map((name) => w.servedBy(name).length),
    [8, 8],
    map(w),
  );
  w.pass(5000);
  // The table converges: both hold the newest one of each service, with themselves fit.
  for (const service of w.services) {
    const [a, b] = ['fw2', 'fw4'].map((name) => w.service(name, service).table);
    assert.deepEqual(a, b);
    assert.deepEqual(a?.rows.filter((row) => row.fit && /fw[24]/.test(row.host)).length, 2);
  }
});

test('R25: what should stay apart does while it can, whichever of the two says so', () => {
  const service = (i: number) => (i === 0 ? { apart: ['s02'] } : {});
  const w = settled({ hosts: 3, services: 3, policy: 'available', service });
  const order = (service: string, to: string) =>
    w.happened(w.masters(service)[0] ?? '', {
      type: 'operator',
      order: { kind: 'handover', service, to, force: false },
    });
  for (const [name, host] of [
    ['s00', 'fw1'],
    ['s01', 'fw2'],
    ['s02', 'fw2'],
  ] as const) {
    if (w.masters(name)[0] !== host) order(name, host);
    w.pass(1000);
  }
  assert.equal(map(w), 's00:fw1 s01:fw2 s02:fw2');
  // fw1 serves less than fw2 and would be first; s02 keeps away from s00, s01 does not.
  w.happened('fw3', { type: 'measured', load: 500 });
  w.pass(300);
  w.powerOff('fw2');
  w.pass(1000);
  assert.equal(map(w), 's00:fw1 s01:fw1 s02:fw3');
  w.powerOff('fw3');
  w.pass(1000);
  assert.equal(map(w), 's00:fw1 s01:fw1 s02:fw1', 'a wish does not leave it unserved');
});

test('R25, R12: a host that stops hands its services to several others', () => {
  const w = settled({ hosts: 3, services: 9, policy: 'quorum' });
  w.happened('fw1', { type: 'operator', order: { kind: 'standby' } });
  w.pass(2000);
  assert.deepEqual(
    w.names.map((name) => w.servedBy(name).length),
    [0, 5, 4],
    map(w),
  );
});

test('R25: beside hosts of protocol 1, who say no load, all is taken over, once and within their slots', () => {
  const w = settled({ hosts: 4, services: 8, policy: 'quorum', former: ['fw3'] });
  for (const name of w.names) w.happened(name, { type: 'measured', load: name === 'fw3' ? 900 : 300 });
  w.pass(300);
  assert.deepEqual(
    ['fw3', 'fw4'].map((name) => w.service('fw1', 's00').reports[name]?.load),
    [0, 300],
  );
  w.powerOff('fw1');
  w.pass(1000);
  for (const service of w.services) assert.equal(w.masters(service).length, 1, map(w));
  assert.equal(w.overlaps.size, 0);
});
