/** Random faults, seed by seed: safety throughout, one master after the faults. A failure prints what to replay. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { chaos } from './chaos.ts';

for (const policy of ['quorum', 'available'] as const) {
  for (let seed = 1; seed <= 20; seed++) {
    test(`random faults, ${policy}, seed ${seed}`, () => {
      const o = chaos(seed, policy);
      const replay = `${o.places}\n${o.faults.join('\n')}`;
      assert.equal(o.masters.length, 1, `one master after the faults: ${replay}`);
      if (policy === 'quorum') assert.equal(o.overlapMs, 0, `two hosts served: ${replay}`);
    });
  }
}
