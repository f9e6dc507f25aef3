/** A forecast may be asked for at any moment: in simulated clusters under faults, of every host, for everything that can happen. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { forecast, isOfThisCore, present } from '../../src/ahead/explain.ts';
import { STEPS_MAX } from '../../src/ahead/run.ts';
import { PARTS, type WhatIf } from '../../src/ahead/what-if.ts';
import type { HostState } from '../../src/core/index.ts';
import { drawPlan } from '../sim/plan.ts';
import { run } from '../sim/run.ts';
import { SERVICE } from '../sim/world.ts';

/** One of so many steps is a moment to ask. */
const EVERY = 151;

test('whatever a host is doing, and whatever happens then, the core takes no impossible way and comes to an end', () => {
  const places = new Set<string>();
  let asked = 0;
  let served = 0;
  for (const seed of [31, 32, 33, 34]) {
    let steps = 0;
    run(drawPlan(seed), {
      sabotage: (w) => {
        w.observe = (_host, nowMs, _event, state) => {
          if (steps++ % EVERY !== 0) return;
          const { members } = state.config.membership;
          const host = members[steps % members.length]?.name ?? assert.fail();
          const all: WhatIf[] = [
            ...PARTS.map((kind) => ({ kind, host })),
            { kind: 'next-hop' },
            { kind: 'handover', host },
            { kind: 'stop', host },
          ];
          const what = all[asked++ % all.length] ?? assert.fail();
          const copy = JSON.parse(JSON.stringify(state)) as HostState;
          assert.ok(isOfThisCore(copy));
          assert.equal(present(copy, SERVICE, nowMs).service, SERVICE);
          const made = forecast(copy, SERVICE, what, nowMs);
          assert.ok(made.steps < STEPS_MAX && made.ended !== 'steps');
          assert.equal(made.openEnded, made.after === null);
          assert.ok(made.outageMs >= 0 && made.outageMs <= made.simulatedMs);
          places.add(copy.services[SERVICE]?.place ?? '');
          if (made.after !== null) served++;
        };
      },
    });
  }
  assert.ok(asked > 50 && served > 30, `${asked} asked, ${served} served at the end`);
  assert.ok(places.size >= 6, [...places].join());
});
