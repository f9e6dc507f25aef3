/** R7: a watching backup tests when an advert comes, so that it is woken once for both; and soon after the time when none does. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { World } from './world.ts';

interface Seen {
  readonly clockMs: number[];
  /** Deadlines that no advert's turn served: the host was woken for them. */
  deadlines: number;
  advertMs: number;
}

/** When each host began to test its downlink, by its own clock. */
function watched(w: World): Map<string, Seen> {
  const seen = new Map(
    w.hosts.map(({ name }) => [name, { clockMs: [] as number[], deadlines: 0, advertMs: -1 }]),
  );
  w.observe = (host, nowMs, event, _state, effects) => {
    const of = seen.get(host) ?? assert.fail(host);
    if (event.type === 'message' && event.message.type === 'STATUS') of.advertMs = nowMs;
    if (event.type === 'timer' && nowMs !== of.advertMs) of.deadlines += 1;
    if (effects.some((effect) => effect.type === 'run' && effect.procedure === 'checkDownlink'))
      of.clockMs.push(nowMs);
  };
  return seen;
}

const gaps = (times: readonly number[]): number[] => times.slice(1).map((ms, i) => ms - (times[i] ?? ms));

function resting(intervalMs: number): World {
  const w = new World({ hosts: 3, policy: 'quorum', intervalMs });
  w.startAll();
  w.pass(10_000 + 10 * intervalMs);
  return w;
}

for (const intervalMs of [100, 1_000])
  test(`R7: at rest a backup tests with each advert, and has deadlines for its reports alone (I = ${intervalMs} ms)`, () => {
    const w = resting(intervalMs);
    const seen = watched(w);
    w.pass(50 * intervalMs);
    for (const host of w.hosts) {
      const { clockMs, deadlines } = seen.get(host.name) ?? assert.fail();
      const isMaster = host.place === 'service.serving';
      assert.ok(Math.abs(clockMs.length - 50) <= 1, `${host.name}: ${clockMs.length} tests`);
      assert.ok(Math.max(...gaps(clockMs)) <= intervalMs + w.times.timing.slackMs, gaps(clockMs).join(' '));
      if (!isMaster) assert.ok(deadlines >= 9 && deadlines <= 11, `${host.name}: ${deadlines} deadlines`);
    }
  });

test('R7: where adverts are more frequent than tests, those keep to check_interval', () => {
  const w = resting(50);
  assert.equal(w.hosts[0]?.config.services[0]?.checkIntervalMs, 100);
  const seen = watched(w);
  w.pass(5_000);
  for (const { clockMs } of seen.values()) assert.ok(Math.abs(clockMs.length - 50) <= 1, `${clockMs.length}`);
});

test('R7: a backup that hears no advert tests all the same, a slack later', () => {
  const w = resting(100);
  const seen = watched(w);
  w.pass(1_000);
  const master = w.hosts.find((host) => host.place === 'service.serving') ?? assert.fail();
  w.kill(master);
  w.pass(150);
  for (const host of w.hosts) {
    if (host === master) continue;
    const { clockMs } = seen.get(host.name) ?? assert.fail();
    const last = gaps(clockMs).slice(-2);
    assert.ok(Math.max(...last) <= 100 + w.times.timing.slackMs + 1, last.join(' '));
  }
});
