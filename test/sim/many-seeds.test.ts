/** Several services under random faults: never two masters by quorum, and when the faults end each service has one. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Order } from '../../src/core/index.ts';
import { Many } from './many.ts';
import { Chance } from './random.ts';

const SEEDS = Number(process.env.MANY_SEEDS ?? 8);

/** One seed: a cluster with wishes, loads and preemption, struck for half a minute and then left alone. */
function play(seed: number): Many {
  const chance = new Chance(seed);
  const policy = chance.is(0.6) ? 'quorum' : 'available';
  const hosts = 2 + chance.below(3);
  const services = 2 + chance.below(6);
  const preemptDelayMs = chance.is(0.5) ? 3000 : null;
  const w = new Many({
    ...{ hosts, services, policy, seed },
    witnesses: hosts === 2 ? 1 : 0,
    service: (i) => ({
      preemptDelayMs,
      apart: chance.is(0.3) ? [`s0${(i + 1) % services}`] : [],
      feedback: chance.is(0.5) ? { high: 700, low: 400, afterMs: 1000 } : null,
    }),
  });
  w.startAll();
  w.loss = chance.is(0.5) ? 0.05 : 0;
  const gateways = w.names.filter((name) => name.startsWith('fw'));
  for (let atMs = 4000 * chance.next(); atMs < 30_000; ) {
    const name = chance.pick(w.names);
    const machine = w.machine(name);
    const down = w.machines.filter(({ state }) => state === null).length;
    const order = (what: Order): void => w.happened(name, { type: 'operator', order: what });
    const what = chance.weighted([
      ['power', 2],
      ['load', 4],
      ['duty', 2],
      ['move', 2],
    ] as const);
    if (machine.state === null) w.start(name);
    else if (what === 'power' && down < w.names.length - 1) w.powerOff(name);
    else if (what === 'load') w.happened(name, { type: 'measured', load: chance.below(1001) });
    else if (what === 'duty') order({ kind: chance.pick(['standby', 'resume']) });
    else if (what === 'move') {
      const to = chance.pick([...gateways, null]);
      order({ kind: 'handover', service: chance.pick([...w.services, null]), to, force: false });
    }
    const pauseMs = chance.logBetween(10, 4000);
    w.pass(pauseMs);
    atMs += pauseMs;
  }
  w.loss = 0;
  for (const { name, state } of w.machines) {
    if (state === null) w.start(name);
    w.happened(name, { type: 'operator', order: { kind: 'resume' } });
    w.happened(name, { type: 'measured', load: 0 });
  }
  w.pass(30_000);
  return w;
}

test(`R1, R25, R26: ${SEEDS} clusters of several services under random faults`, () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const w = play(seed);
    for (const service of w.services)
      assert.equal(w.masters(service).length, 1, `seed ${seed}: ${service} at its end\n${w.describe()}`);
    if (w.policy === 'quorum') assert.deepEqual([...w.overlaps], [], `seed ${seed}`);
  }
});
