/** Many services over several hosts, end to end: what must hold of each of them, and of those whose host lives on. */
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { needsRoot } from '../netns/netns.ts';
import { cleanUpOnSignals, removeWorkDirectory } from './lab.ts';
import { runSpread } from './spread.ts';

cleanUpOnSignals();
after(() => removeWorkDirectory());

test('4 hosts, 8 services: only a dead host’s services move, and two hosts may die at once', {
  skip: needsRoot(),
}, async () => {
  const result = await runSpread({ hosts: 4, services: 8, intervalMs: 1_000, periodMs: 20 });
  const told = JSON.stringify(result);
  assert.deepEqual(result.problems, [], told);
  assert.deepEqual(result.before, { fw1: 2, fw2: 2, fw3: 2, fw4: 2 }, told);
  assert.deepEqual(
    result.deaths.map(({ moved }) => moved.length > 0),
    [true, true],
    told,
  );
});
