/** When a process stands still between an advert and its answers, and what has left before it does. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Effect, Policy } from '../../src/core/index.ts';
import { NodeClock } from '../../src/daemon/clock.ts';
import { restMs } from '../../src/driver/rest.ts';
import { World } from '../sim/world.ts';

/** What each host would do after each of its deadlines, while a cluster is at rest for a second, and then hands over. */
function rests(
  policy: Policy,
  intervalMs: number,
): { atRest: number[]; moving: number[]; backups: number[] } {
  const w = new World({ hosts: 3, policy, intervalMs });
  w.startAll();
  w.pass(10_000);
  const master = w.hosts.find((host) => host.place === 'service.serving') ?? assert.fail('nobody serves');
  const found = { atRest: [] as number[], moving: [] as number[], backups: [] as number[] };
  let of = found.atRest;
  w.observe = (host, _nowMs, event, state, effects) => {
    const isAdvert = (effect: Effect): boolean => effect.type === 'send' && effect.message.type === 'STATUS';
    if (host !== master.name && of === found.atRest) found.backups.push(restMs(state, effects));
    else if (host === master.name && event.type === 'timer' && effects.some(isAdvert))
      of.push(restMs(state, effects));
  };
  w.pass(1_000);
  of = found.moving;
  assert.equal(master.driver?.order({ kind: 'handover', service: null, to: null, force: false }), null);
  w.pass(intervalMs / 2);
  return found;
}

test('a master at rest waits for the answers to its advert; nobody else does, and nobody who moves', () => {
  const { atRest, moving, backups } = rests('quorum', 100);
  assert.ok(atRest.length >= 9 && atRest.every((ms) => ms === 3), atRest.join(' '));
  assert.deepEqual(
    moving.filter((ms) => ms > 0),
    [],
  );
  assert.deepEqual(
    backups.filter((ms) => ms > 0),
    [],
  );
});

test('it waits for no more than a part of the interval, not at all where that is next to nothing, nor for answers that nobody gives', () => {
  assert.ok(rests('quorum', 50).atRest.every((ms) => ms === 50 / 32));
  assert.ok(rests('quorum', 20).atRest.every((ms) => ms === 0));
  assert.ok(rests('available', 100).atRest.every((ms) => ms === 0));
});

test('the process stands still after what this turn has to say, for as long as it was told', async () => {
  const clock = new NodeClock(
    () => performance.now(),
    () => undefined,
  );
  const seen: string[] = [];
  const fromMs = performance.now();
  await new Promise<void>((resolve) => {
    clock.rest(20);
    setImmediate(() => {
      seen.push(performance.now() - fromMs >= 19 ? 'rested' : 'woken early');
      resolve();
    });
    process.nextTick(() => seen.push('said'));
  });
  assert.deepEqual(seen, ['said', 'rested']);
});
