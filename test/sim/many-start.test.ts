/** Many services that start all at once on hosts with little processor: they settle, and what they say stays within what is bearable. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Busy } from './busy.ts';

test('R7, R9: 64 services on two slow hosts and a witness, I = 200 ms: a common start settles, and stays settled', (t) => {
  const w = new Busy({
    ...{ gateways: 2, services: 64, intervalMs: 200, switchMs: 10 },
    costs: { step: 0.1, sign: 0.6, verify: 0.6 },
  });
  w.startAll();
  const settledMs = w.settledMs(15_000, 2_000);
  const said = w.machines.map(({ name, signed, verified, longestTurnMs }) => {
    return `${name} signed ${signed}, verified ${verified}, longest turn ${Math.round(longestTurnMs)} ms`;
  });
  t.diagnostic(`all served after ${Math.round(settledMs)} ms; ${said.join('; ')}`);
  assert.ok(settledMs < 6_000, `${settledMs} ms`);
});
