/** Faults that a review of the core found: each once more, from outside. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { brokenInvariants, initialState, refusal, step } from '../../src/core/index.ts';
import { SERVICE, World } from './world.ts';

function serving(hosts: number, policy: 'quorum' | 'available', witnesses = 0) {
  const w = new World({ hosts, policy, witnesses });
  w.startAll();
  w.pass(4010);
  const master = w.host(w.masters()[0] ?? '');
  assert.ok(master.driver);
  return { w, master, driver: master.driver };
}

test('a roster that takes the majority away shuts the gate, and breaks no invariant', () => {
  const { w, master, driver } = serving(3, 'quorum');
  const { config } = driver.state;
  const voterSets = [[...(config.membership.voterSets[0] ?? []), 'fw8', 'fw9', 'fw10', 'fw11']];
  driver.configure({ ...config, membership: { ...config.membership, version: 99, voterSets } });
  assert.deepEqual(brokenInvariants(driver.state), []);
  w.pass(1000);
  assert.deepEqual(w.masters(), []);
  assert.equal(w.place(master), 'service.suspended');
});

test('a table with an absurd number is refused', () => {
  const { w, driver } = serving(2, 'available');
  const from = w.hosts.find((h) => !w.masters().includes(h.name))?.name ?? '';
  const table = { term: { n: 1, host: from }, seq: 2 ** 48 - 1, rows: [] };
  const message = { type: 'GRANT', service: SERVICE, id: 1, term: { n: 1, host: from }, table } as const;
  const { state } = step(driver.state, { type: 'message', from, link: 1, message }, w.nowMs);
  assert.ok((state.services[SERVICE]?.table?.seq ?? 0) < 2 ** 32);
});

test('a term with an absurd number is refused, and told', () => {
  const { w, driver } = serving(3, 'quorum');
  const from = w.hosts.find((h) => !w.masters().includes(h.name))?.name ?? '';
  const before = driver.state.services[SERVICE];
  for (const n of [2 ** 30, 2 ** 53 - 1]) {
    const message = { type: 'CLAIM', service: SERVICE, id: 1, term: { n, host: from } } as const;
    const { state, effects } = step(driver.state, { type: 'message', from, link: 1, message }, w.nowMs);
    assert.equal(state.services[SERVICE]?.highestN, before?.highestN);
    assert.ok(
      effects.some((e) => e.type === 'alarm' && e.code === 'term-absurd' && e.on),
      'an alarm tells it',
    );
    assert.ok(!effects.some((e) => e.type === 'send'), 'and is not answered');
  }
});

test('a witness is not told to serve', () => {
  const { w } = serving(2, 'quorum', 1);
  const witness = w.host('w1').driver;
  assert.ok(witness);
  assert.match(
    String(refusal(witness.state, { kind: 'handover', service: null, to: null, force: true }, w.nowMs)),
    /witness/,
  );
});

test('a host that knows nothing takes a cluster’s high term as it is', () => {
  const w = new World({ hosts: 2, policy: 'available' });
  const state = initialState(w.config('fw1'), 0);
  const term = { n: 2 ** 30, host: 'fw2' };
  const message = {
    type: 'STATUS',
    service: SERVICE,
    id: 1,
    term,
    phase: 'serving',
    digest: 'd'.repeat(64),
    tableSeq: 1,
  } as const;
  const heard = step(state, { type: 'message', from: 'fw2', link: 1, message }, 1).state;
  assert.deepEqual(heard.services[SERVICE]?.known?.term, term);
});

test('P9, R1: but none near the end of numbers, in no kind of word; one below half of them leaves room', () => {
  const w = new World({ hosts: 2, policy: 'available' });
  const state = initialState(w.config('fw1'), 0);
  const digest = 'd'.repeat(64);
  const knows = (n: number) => {
    const term = { n, host: 'fw2' };
    const words = [
      { type: 'STATUS', service: SERVICE, id: 1, term, phase: 'serving', digest, tableSeq: 1 },
      { type: 'CLAIM', service: SERVICE, id: 2, term },
      {
        type: 'GRANT',
        service: SERVICE,
        id: 3,
        term: { n: 1, host: 'fw2' },
        table: { term, seq: 1, rows: [] },
      },
    ] as const;
    return words.map((message) => {
      const after = step(state, { type: 'message', from: 'fw2', link: 1, message }, 1);
      const s = after.state.services[SERVICE];
      const alarms = after.effects.flatMap((e) => (e.type === 'alarm' && e.on ? [e.code] : []));
      return { n: (s?.known ?? s?.rival ?? s?.table)?.term.n, alarms };
    });
  };
  assert.deepEqual(
    knows(2 ** 52).map(({ n }) => n),
    [2 ** 52, 2 ** 52, 2 ** 52],
  );
  assert.deepEqual(
    knows(2 ** 52 + 1).map(({ n }) => n),
    [undefined, undefined, undefined],
  );
  assert.deepEqual(knows(2 ** 53 - 1)[0]?.alarms, ['term-absurd']);
});

test('a gate that cannot be opened is tried again after a pause, not at once', () => {
  const { w, master } = serving(2, 'available');
  const backup = w.host(w.hosts.find((h) => h !== master)?.name ?? '');
  let orders = 0;
  w.observe = (host, _now, event, state, effects) => {
    if (host !== backup.name) return;
    if (event.type === 'gate-set' && state.services[SERVICE]?.place === 'handover.opening') {
      orders += effects.filter((e) => e.type === 'gate' && e.untilMs !== null).length;
    }
  };
  backup.gateBroken = true;
  w.powerOff(master);
  w.pass(1500);
  assert.equal(orders, 0, 'no order in the very step that reports the failure');
  backup.gateBroken = false;
  w.pass(4000);
  assert.deepEqual(w.masters(), [backup.name]);
});

test('a master whose own vote went to a claim that came to nothing goes on in the next number', () => {
  const { w, master, driver } = serving(2, 'quorum', 1);
  const { state } = driver;
  const s = state.services[SERVICE];
  const other = w.hosts.find((h) => h !== master)?.name ?? '';
  assert.ok(s !== undefined && s.term !== null);
  // It was frozen for a promise's time, promised the other's claim when it woke, and the other died.
  const voter = { term: { n: s.term.n + 1, host: other }, holder: other, untilMs: w.nowMs };
  const advert = { ...s.timers, advert: w.nowMs, lapse: w.nowMs + 1000 };
  const services = { ...state.services, [SERVICE]: { ...s, voter, timers: advert } };
  const after = step({ ...state, services }, { type: 'timer' }, w.nowMs);
  const now = after.state.services[SERVICE];
  assert.equal(now?.term?.n, s.term.n + 2);
  assert.equal(now?.voter.holder, master.name);
  assert.equal(now?.place, 'service.serving');
  assert.deepEqual(brokenInvariants(after.state), []);
});

test('a successor that the master asks for tries no number twice', () => {
  const { w, master } = serving(2, 'quorum', 1);
  const backup = w.host(w.hosts.find((h) => h !== master)?.name ?? '');
  const s = backup.driver?.state.services[SERVICE];
  assert.ok(backup.driver && s !== undefined && s.known !== null);
  const tried = s.known.term.n + 1;
  const services = { ...backup.driver.state.services, [SERVICE]: { ...s, highestN: tried } };
  const message = { type: 'HANDOVER', service: SERVICE, id: 7, term: s.known.term } as const;
  const event = { type: 'message', from: master.name, link: 1, message } as const;
  const after = step({ ...backup.driver.state, services }, event, w.nowMs).state.services[SERVICE];
  assert.equal(after?.place, 'handover.raising');
  assert.equal(after?.term?.n, tried + 1);
});

test('R13: whoever asks for self-checks as often as he likes gets one an interval, and one answer', () => {
  const { w, master, driver } = serving(2, 'available');
  const from = w.hosts.find((h) => h !== master)?.name ?? '';
  const { intervalMs } = driver.state.config.timing;
  let { state } = driver;
  const nowMs = w.nowMs + 10 * intervalMs;
  let runs: number[] = [];
  const ask = (id: number, atMs: number): void => {
    const message = { type: 'CHECK', service: SERVICE, id, insist: false } as const;
    const after = step(state, { type: 'message', from, link: 1, message }, atMs);
    state = after.state;
    const isCheck = (e: (typeof after.effects)[number]) =>
      e.type === 'run' && e.procedure === 'checkServiceLocal';
    runs = [...runs, ...after.effects.filter(isCheck).flatMap((e) => (e.type === 'run' ? [e.id] : []))];
  };
  const end = (atMs: number): unknown[] => {
    const id = state.services[SERVICE]?.checks.checkServiceLocal.runningId ?? 0;
    const event = { type: 'procedure-ended', service: SERVICE, procedure: 'checkServiceLocal', id } as const;
    const after = step(state, { ...event, verdict: 'confirmed' }, atMs);
    state = after.state;
    return after.effects.flatMap((e) =>
      e.type === 'send' && e.message.type === 'CHECKED' ? [e.message.id] : [],
    );
  };
  // What was due meanwhile is served first, the periodic check too; it ends, and its time is over.
  state = step(state, { type: 'timer' }, nowMs).state;
  end(nowMs);
  const later = nowMs + intervalMs;
  for (let i = 0; i < 50; i++) ask(100 + i, later);
  assert.equal(runs.length, 1);
  assert.deepEqual(end(later + 1), [149], 'the newest question is answered');
  for (let i = 0; i < 50; i++) ask(200 + i, later + 2);
  assert.equal(runs.length, 1, 'not again within the interval');
  ask(300, later + intervalMs);
  assert.equal(runs.length, 2);
});
