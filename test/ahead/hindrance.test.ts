/** The guards in words (core/hindrance.ts) say the same as the guards: asked after every step of simulated clusters. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Ctx } from '../../src/core/context.ts';
import { ENTRIES } from '../../src/core/dispatch.ts';
import { fit } from '../../src/core/fitness.ts';
import { againstClaim, unfitness } from '../../src/core/hindrance.ts';
import { mayClaim } from '../../src/core/suspicion.ts';
import { drawPlan } from '../sim/plan.ts';
import { run } from '../sim/run.ts';

test('fit and mayClaim agree with what is told of them, in every place and under every fault', () => {
  let looked = 0;
  let allowed = 0;
  const rules = new Set<string>();
  for (const seed of [11, 12, 13, 14, 15, 16]) {
    run(drawPlan(seed), {
      sabotage: (w) => {
        w.observe = (_host, nowMs, _event, state) => {
          for (const s of Object.values(state.services)) {
            const cfg = state.config.services.find(({ name }) => name === s.service) ?? assert.fail();
            const c = new Ctx(state, s, cfg, nowMs, false, ENTRIES);
            const unfit = unfitness(c);
            assert.equal(unfit.length === 0, fit(c), JSON.stringify(unfit));
            if (s.suspicion === null || !c.at('backup.suspecting', 'decide.electing')) continue;
            const against = againstClaim(c, s.suspicion);
            for (const { rule } of against) rules.add(rule);
            const may = mayClaim(c, s.suspicion);
            assert.equal(against.length === 0, may, JSON.stringify(against));
            looked++;
            if (may) allowed++;
          }
        };
      },
    });
  }
  assert.ok(looked > 500 && allowed > 20, `${looked} looks, ${allowed} allowed`);
  for (const rule of ['R2', 'R10', 'R25']) assert.ok(rules.has(rule), `${rule} was never in the way`);
});
