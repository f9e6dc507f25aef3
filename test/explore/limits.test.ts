/**
 * Times, limits and alarms of single rules, in a few steps of a settled cluster. The model has no times and few alarms, and
 * a search to some depth seldom comes to a limit.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Effect,
  type Event,
  type HostState,
  type Message,
  type ServiceState,
  step,
} from '../../src/core/index.ts';
import { NO_TIMERS } from '../../src/core/state.ts';
import { succeeded } from '../../src/core/table.ts';
import { clusterOf } from './plans.ts';
import { type Start, startPoint } from './starts.ts';
import { hostAt, NO_FAULTS, SERVICE } from './world.ts';

const [A, B] = [0, 1];
const PROMISE_MS = 380;
const LEASE_MS = 300;
/** How far above the highest known number a term may be (spec, alarm term-absurd); in an OBJECT half of that. */
const MAX_LEAP = 2 ** 20;

interface Point {
  readonly state: HostState;
  readonly nowMs: number;
  readonly s: ServiceState;
}

/** A host of three under `quorum`, with some of its service's state changed. */
function point(start: Start, host: number, patch: (s: ServiceState, nowMs: number) => object = () => ({})) {
  const node = startPoint(clusterOf({ hosts: 3, witnesses: 0, policy: 'quorum' }), start, NO_FAULTS);
  const { state } = hostAt(node, host);
  const old = state?.services[SERVICE];
  assert.ok(state && old, 'the host runs');
  const s = { ...old, ...patch(old, node.nowMs) };
  return { state: { ...state, services: { [SERVICE]: s } }, nowMs: node.nowMs, s };
}

function after(p: Point, event: Event, laterMs = 0) {
  const nowMs = p.nowMs + laterMs;
  const { state, effects } = step(p.state, event, nowMs);
  const s = state.services[SERVICE];
  assert.ok(s, 'it has the service');
  return { state, nowMs, s, effects };
}

function told(p: Point, from: string, message: Message) {
  return after(p, { type: 'message', from, link: 1, message });
}

function sent<T extends Message['type']>(effects: readonly Effect[], type: T) {
  return effects.flatMap((e) =>
    e.type === 'send' && e.message.type === type ? [e.message as Message & { type: T }] : [],
  );
}

function raised(effects: readonly Effect[]): string[] {
  return effects.flatMap((e) => (e.type === 'alarm' && e.on ? [e.code] : []));
}

test('R12: RELEASED tells no more than the rest of the lease, and the own vote lasts a promise from then', () => {
  const asked = told(point('ready', A), 'b', {
    type: 'READY',
    service: SERVICE,
    id: 77,
    term: { n: 2, host: 'b' },
  });
  assert.equal(asked.s.place, 'service.shutting');
  const until = asked.s.handingTo?.leaseUntilMs ?? 0;
  const { id } = asked.s.gate;
  const shut = { type: 'gate-set', service: SERVICE, openUntilMs: null } as const;
  assert.equal(after(asked, { ...shut, id: id - 1 }).s.place, 'service.shutting', 'an older order’s answer');
  const gone = after(asked, { ...shut, id }, 7);
  const [released] = sent(gone.effects, 'RELEASED');
  assert.equal(released?.restMs, Math.floor(until - gone.nowMs));
  assert.ok((released?.restMs ?? LEASE_MS) < LEASE_MS, 'some of it is over');
  const again = sent(after(gone, { type: 'timer' }, 20).effects, 'RELEASED')[0];
  assert.equal(again?.restMs, Math.floor(until - gone.nowMs - 20), 'a later copy says less');
  assert.equal(gone.s.voter.holder, 'b');
  assert.ok(gone.s.voter.untilMs >= gone.nowMs + PROMISE_MS, 'a whole promise');
});

test('R12: a successor whose master is heard but does not let go gives up at the limit of its attempt', () => {
  const at = (limitMs: number) => {
    const b = point('ready', B, (s, nowMs) => ({
      attempt: s.attempt && { ...s.attempt, limitAtMs: nowMs + limitMs },
      known: s.known && { ...s.known, heardAtMs: nowMs },
      timers: { step: nowMs + 5 },
    }));
    return after(b, { type: 'timer' }, 5).s.place;
  };
  assert.equal(at(1000), 'handover.releasing');
  assert.equal(at(3), 'handover.withdrawing');
});

test('R12: once the old master let go, the limit of the attempt ends nothing any more', () => {
  const ready = point('ready', B, (s, nowMs) => ({
    attempt: s.attempt && { ...s.attempt, limitAtMs: nowMs - 1 },
  }));
  const { known, attempt } = ready.s;
  assert.ok(known && attempt);
  const word = { type: 'RELEASED', service: SERVICE, term: known.term, successor: 'b', restMs: 50 } as const;
  const opening = told(ready, 'a', { ...word, id: attempt.readyId });
  assert.equal(opening.s.place, 'handover.opening');
  assert.equal(after(opening, { type: 'timer' }, 1).s.place, 'handover.opening');
});

/** A word of the third host that means nothing to a backup. */
const aside: Message = { type: 'CHECKED', service: SERVICE, id: 99, ok: true };

test('R9: a deadline is served by `timer` alone: the word that it waits for may be the next event', () => {
  const b = point('advert', B);
  const silenceMs = (b.s.timers.silence ?? assert.fail('it waits for the next advert')) - b.nowMs;
  const late = told({ ...b, nowMs: b.nowMs + silenceMs + 5 }, 'c', aside);
  assert.equal(late.s.place, 'backup.watching');
  const status = { type: 'STATUS', service: SERVICE, id: 98, phase: 'serving', tableSeq: 0 } as const;
  const { term } = b.s.known ?? assert.fail('it knows its master');
  const heard = told(late, 'a', { ...status, term, digest: b.state.config.services[0]?.digest ?? '' });
  assert.equal(after(heard, { type: 'timer' }).s.place, 'backup.watching', 'it had come in time');
  assert.equal(after(late, { type: 'timer' }).s.place, 'backup.suspecting', 'had it not');
});

test('R9: a stall is judged with the first event after it, and once', () => {
  const b = point('advert', B);
  const suspecting = after(b, { type: 'timer' }, (b.s.timers.silence ?? 0) - b.nowMs);
  const { probe } = suspecting.s.timers;
  assert.ok(probe !== null && suspecting.s.suspicion?.stalls === 0);
  // Nothing in the suspicion sets the periodic checks anew.
  const timers = { ...suspecting.s.timers, checks: probe };
  const services = { [SERVICE]: { ...suspecting.s, timers } };
  const late = { ...suspecting, state: { ...suspecting.state, services }, nowMs: probe + 150 };
  const first = told(late, 'c', aside);
  assert.equal(first.s.suspicion?.stalls, 1);
  assert.ok(sent(first.effects, 'PROBE').length > 0, 'it begins anew');
  for (const event of [{ type: 'message', from: 'c', link: 1, message: aside }, { type: 'timer' }] as const) {
    const next = after(first, event);
    assert.equal(next.s.suspicion?.stalls, 1, event.type);
    assert.equal(sent(next.effects, 'PROBE').length, 0, event.type);
  }
});

test('R9: each stall doubles what the next may last, up to a promise', () => {
  const b = point('advert', B);
  const suspecting = after(b, { type: 'timer' }, (b.s.timers.silence ?? 0) - b.nowMs);
  const { suspicion } = suspecting.s;
  assert.ok(suspicion !== null);
  const begins = (stalls: number, lateMs: number): boolean => {
    const s = {
      ...suspecting.s,
      suspicion: { ...suspicion, stalls },
      timers: { ...NO_TIMERS, claim: suspecting.nowMs },
    };
    const state = { ...suspecting.state, services: { [SERVICE]: s } };
    return after({ ...suspecting, state, s }, { type: 'timer' }, lateMs).s.suspicion?.stalls === stalls + 1;
  };
  const bornMs = suspecting.state.config.timing.intervalMs / 4;
  for (const [stalls, times] of [
    [0, 1],
    [1, 2],
    [2, 4],
  ] as const) {
    assert.ok(!begins(stalls, times * bornMs), `${stalls} stalls before`);
    assert.ok(begins(stalls, times * bornMs + 1), `${stalls} stalls before`);
  }
  assert.ok(!begins(9, PROMISE_MS));
  assert.ok(begins(9, PROMISE_MS + 1), 'a promise at most');
});

test('R10: a check confirms what was so when it began', () => {
  const checking = after(point('advert', B), { type: 'link-changed', service: SERVICE, side: 'downlink' });
  const { runningId: id } = checking.s.checks.checkDownlink;
  const event = {
    type: 'procedure-ended',
    service: SERVICE,
    procedure: 'checkDownlink',
    id,
    verdict: 'confirmed',
  } as const;
  assert.equal(after(checking, event, 30).s.checks.checkDownlink.confirmedAtMs, checking.nowMs);
});

test('R17: whoever became master is held down for the first time only after its next failure', () => {
  const b = point('ready', B, (s, nowMs) => ({
    place: 'handover.opening',
    right: { ...s.right, lentUntilMs: nowMs + 100 },
    gate: { id: 1, fromId: 1, untilMs: nowMs + 100 },
    holdMs: 8000,
  }));
  const serving = after(b, { type: 'gate-set', service: SERVICE, id: 1, openUntilMs: b.nowMs + 100 });
  assert.equal(serving.s.place, 'service.serving');
  assert.equal(serving.s.holdMs, 0);
});

test('R19: words that cannot be verified hold a host once, however many there are', () => {
  const b = point('advert', B);
  const fresh = { ...b, state: { ...b.state, peers: {}, trustHoldUntilMs: null } };
  const once = after(fresh, { type: 'refused', host: 'c', gated: false });
  assert.deepEqual(raised(once.effects), ['untrusted']);
  const twice = after(once, { type: 'refused', host: 'c', gated: false }, 10);
  assert.equal(twice.state.trustHoldUntilMs, once.state.trustHoldUntilMs);
  assert.deepEqual(raised(twice.effects), []);
});

test('R21: voters that leave less of a right shorten what the gate was opened for', () => {
  const a = point('advert', A, (s, nowMs) => ({
    right: { ...s.right, leases: { a: nowMs + 250, b: nowMs + 250, c: nowMs + 100 } },
    gate: { id: 1, fromId: 1, untilMs: nowMs + 250 },
  }));
  const { config } = a.state;
  const voterSets = [...config.membership.voterSets, ['a', 'c']];
  const membership = { ...config.membership, version: 9, voterSets };
  const less = after(a, { type: 'configured', config: { ...config, membership } });
  assert.equal(less.s.place, 'service.serving');
  assert.equal(less.s.gate.untilMs, a.nowMs + 100);
  assert.equal(less.s.timers.lapse, a.nowMs + 100);
});

test('an OBJECT may name half as far a term as others: whoever takes the next number is still believed', () => {
  const a = point('advert', A);
  const object = (n: number): Message => ({
    type: 'OBJECT',
    service: SERVICE,
    id: 1,
    reason: 'promise',
    term: { n, host: 'c' },
    restMs: 0,
    downlinkAgeMs: null,
  });
  const most = a.s.highestN + MAX_LEAP / 2;
  assert.equal(told(a, 'c', object(most)).s.term?.n, most + 1);
  const beyond = told(a, 'c', object(most + 1));
  assert.equal(beyond.s.term?.n, a.s.term?.n);
  assert.deepEqual(raised(beyond.effects), ['term-absurd']);
});

test('a backup that sees the service fail insists only while its own downlink is sound', () => {
  const seen = (verdict: 'confirmed' | 'unknown') => {
    const b = point('advert', B, (s, nowMs) => ({
      dispute: { id: 0, oks: 9, blamed: null },
      checks: {
        ...s.checks,
        checkDownlink: { ...s.checks.checkDownlink, verdict, confirmedAtMs: nowMs },
        checkServiceRemote: { ...s.checks.checkServiceRemote, runningId: 5, startedAtMs: nowMs, bad: 9 },
      },
    }));
    const procedure = 'checkServiceRemote';
    const event = {
      type: 'procedure-ended',
      service: SERVICE,
      procedure,
      id: 5,
      verdict: 'unknown',
    } as const;
    return after(b, event).effects;
  };
  assert.deepEqual(raised(seen('confirmed')), ['service-disputed']);
  assert.equal(sent(seen('confirmed'), 'CHECK')[0]?.insist, true);
  assert.deepEqual(sent(seen('unknown'), 'CHECK'), []);
});

test('R14: nobody to hand over to is an alarm, and the next search comes after twice the pause', () => {
  const a = point('advert', A, () => ({ reports: {}, trialPauseMs: 4000 }));
  const order = { kind: 'handover', service: null, to: null, force: false } as const;
  const alone = after(a, { type: 'operator', order });
  assert.equal(alone.s.place, 'service.serving');
  assert.deepEqual(raised(alone.effects), ['no-successor']);
  assert.equal(alone.s.trialPauseMs, 8000);
});

test('R22: a new master puts its failed predecessor last', () => {
  const { membership } = point('advert', B).state.config;
  const { rows } = succeeded({ n: 2, host: 'b' }, null, 'a', membership);
  assert.deepEqual(
    rows.map((r) => r.host),
    ['b', 'c', 'a'],
  );
});
