/** A takeover taken to pieces, and what a newcomer waits: made-up logs and frames, of which it is known what they mean. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { LoggedEvent } from './events.ts';
import { unansweredMs } from './judge.ts';
import { answer, every, evidence, forwarded } from './judge-fixture.ts';
import { firstActs, partsOf } from './takeover-parts.ts';

const PLACES = [
  ['backup.suspecting', 1_210],
  ['handover.claiming', 1_260],
  ['handover.raising', 1_270],
  ['handover.listening', 1_290],
  ['handover.preparing', 1_350],
  ['handover.releasing', 1_440],
  ['service.serving', 1_455],
] as const;
const log = (places: readonly (readonly [to: string, atMs: number])[]): LoggedEvent[] =>
  places.map(([to, atMs]) => ({ kind: 'transition', to, atMs, text: '' }));

test('each part ends where the next begins, from the fault to the first datagram', () => {
  const parts = partsOf(log(PLACES), 1_000, { actMs: 1_457, forwardMs: 1_458.5 });
  assert.deepEqual(parts, {
    ...{ silence: 210, probe: 50, claim: 10, uplink: 20, window: 60, rules: 90, gate: 15 },
    ...{ announce: 2, firstPacket: 1.5 },
  });
});

test('what the log tells late is no negative part: all of them add up to the whole, from the fault to the first datagram', () => {
  for (const lateMs of [0, 3, 40, 200]) {
    const late = PLACES.map(([to, atMs]) => [to, to === 'service.serving' ? atMs + lateMs : atMs] as const);
    const parts = partsOf(log(late), 1_000.4, { actMs: 1_450.2, forwardMs: 1_451.3 });
    const all = Object.values(parts).map((ms) => ms ?? Number.NaN);
    assert.ok(
      all.every((ms) => ms >= 0),
      JSON.stringify(parts),
    );
    assert.ok(Math.abs(all.reduce((a, b) => a + b, 0) - 450.9) < 0.5, JSON.stringify(parts));
    assert.equal(parts.announce, 0);
  }
});

test('of several attempts the one that ended in the act counts; no part is ever negative', () => {
  const later = PLACES.map(([to, atMs]) => [to, atMs + 5_000] as const);
  const events = log([...PLACES.slice(0, 4), ...later]);
  const parts = partsOf(events, 1_000, { actMs: 6_457, forwardMs: null });
  assert.deepEqual([parts.silence, parts.probe, parts.rules, parts.firstPacket], [5_210, 50, 90, null]);
  assert.ok(Object.values(parts).every((ms) => ms === null || ms >= 0));
});

test('a place that was skipped leaves the parts beside it open', () => {
  const planned = PLACES.filter(([to]) => !to.includes('suspecting') && !to.includes('claiming'));
  const parts = partsOf(log(planned), 1_000, { actMs: 1_457, forwardMs: 1_458 });
  assert.deepEqual([parts.silence, parts.probe, parts.claim, parts.uplink], [null, null, null, 20]);
});

test('the first act is another host’s than the old one’s, and after the fault', () => {
  const frames = [
    ...every(2, 0, 1_200, (at) => forwarded('fw1', at)),
    answer('fw2', 500),
    ...every(20, 1_400, 2_000, (at) => answer('fw2', at)),
    ...every(2, 1_411, 2_000, (at) => forwarded('fw2', at)),
  ].sort((a, b) => a.atMs - b.atMs);
  const seen = evidence({ frames });
  assert.deepEqual(firstActs(seen, 'fw1', 1_000), { host: 'fw2', actMs: 1_400, forwardMs: 1_411 });
  assert.equal(firstActs(evidence({ frames: frames.filter(({ atMs }) => atMs < 1_000) }), 'fw1', 600), null);
});

test('a newcomer waits for the longest time in which nobody tells where the gateway is', () => {
  const frames = [
    ...every(20, 0, 1_000, (at) => answer('fw1', at)),
    ...every(20, 1_500, 3_000, (at) => answer('fw2', at)),
  ];
  assert.equal(unansweredMs(frames, 900, 3_000), 500);
  assert.equal(unansweredMs(frames, 900, 9_000), 6_000);
  assert.equal(unansweredMs([], 0, 700), 700);
});
