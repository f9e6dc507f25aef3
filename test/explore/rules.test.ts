/**
 * Single rules of the state machine, each in a few steps of a settled cluster: what a broken one would do at once.
 * Every `assert.ok` has its words: without them Node looks for the expression in the source, which under tsx may not end.
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
  type Verdict,
} from '../../src/core/index.ts';
import { NO_TIMERS } from '../../src/core/state.ts';
import { calmChoice } from './actions.ts';
import { applied } from './apply.ts';
import { masters, runCalm } from './calm.ts';
import { clusterOf } from './plans.ts';
import { type Start, startPoint } from './starts.ts';
import { hostAt, NO_FAULTS, type Node, SERVICE, serviceOf } from './world.ts';

const QUORUM = { hosts: 3, witnesses: 0, policy: 'quorum' } as const;
const AVAILABLE = { hosts: 3, witnesses: 0, policy: 'available' } as const;
const [A, B, C] = [0, 1, 2];
const PROMISE_MS = 380;
const LEASE_MS = 300;

interface Point {
  readonly state: HostState;
  readonly nowMs: number;
}

function node(start: Start, who: typeof QUORUM | typeof AVAILABLE = QUORUM): Node {
  return startPoint(clusterOf(who), start, NO_FAULTS);
}

function point(from: Node, host: number, patch: Partial<ServiceState> = {}): Point {
  const { state } = hostAt(from, host);
  const s = state?.services[SERVICE];
  assert.ok(state && s, 'the host runs');
  return { state: { ...state, services: { [SERVICE]: { ...s, ...patch } } }, nowMs: from.nowMs };
}

function after(p: Point, event: Event, laterMs = 0) {
  const nowMs = p.nowMs + laterMs;
  const { state, effects } = step(p.state, event, nowMs);
  const s = state.services[SERVICE];
  assert.ok(s, 'it has the service');
  return { state, nowMs, effects, s };
}

function told(p: Point, from: string, message: Message, laterMs = 0, link = 1) {
  return after(p, { type: 'message', from, link, message }, laterMs);
}

function sent(effects: readonly Effect[], type: Message['type']): Message[] {
  return effects.flatMap((e) => (e.type === 'send' && e.message.type === type ? [e.message] : []));
}

function ended(p: Point, procedure: 'checkDownlink' | 'checkServiceLocal' | 'checkUplink', verdict: Verdict) {
  const id = p.state.services[SERVICE]?.checks[procedure].runningId ?? 0;
  return after(p, { type: 'procedure-ended', service: SERVICE, procedure, id, verdict });
}

const claim = (n: number, host: string, id = 900): Message => ({
  type: 'CLAIM',
  service: SERVICE,
  id,
  term: { n, host },
});
const status = (n: number, host: string): Message => ({
  type: 'STATUS',
  service: SERVICE,
  id: 901,
  term: { n, host },
  phase: 'serving',
  digest: 'd',
  tableSeq: 0,
});

/** Runs the calm world on and keeps what one host sent. */
function course(from: Node, who: typeof QUORUM | typeof AVAILABLE, host: number, forMs: number) {
  const cluster = clusterOf(who);
  const words: { readonly atMs: number; readonly type: string; readonly place: string | undefined }[] = [];
  let at = from;
  while (at.nowMs - from.nowMs < forMs) {
    const { nowMs } = at;
    const place = serviceOf(hostAt(at, host))?.place;
    const outcome = applied(cluster, at, calmChoice(cluster, at), null, (who, _event, effects) => {
      if (who !== host) return;
      for (const e of effects)
        if (e.type === 'send') words.push({ atMs: nowMs, type: e.message.type, place });
    });
    assert.deepEqual(outcome.problems, []);
    at = outcome.node;
  }
  return { node: at, words };
}

test('R2: a voter that promised answers a second claim with OBJECT, whatever its number', () => {
  const free = { term: null, holder: null, untilMs: 0 };
  const first = told(point(node('advert'), C, { voter: free }), 'b', claim(5, 'b'));
  assert.equal(sent(first.effects, 'GRANT').length, 1);
  const second = told(first, 'a', claim(9, 'a'), PROMISE_MS - 1);
  assert.equal(sent(second.effects, 'OBJECT').length, 1);
  assert.equal(sent(second.effects, 'GRANT').length, 0);
  assert.equal(sent(told(first, 'a', claim(9, 'a'), PROMISE_MS).effects, 'GRANT').length, 1);
});

test('R2: a claimant has given its own vote away', () => {
  const from = node('claim');
  const b = point(from, B);
  assert.equal(b.state.services[SERVICE]?.place, 'handover.claiming');
  const lower = told(b, 'c', status(1, 'c'));
  assert.equal(sent(lower.effects, 'ACK').length, 0);
  assert.equal(lower.s.voter.holder, 'b');
});

test('R4: a late answer counts from the sending of what it answers', () => {
  const from = node('advert');
  const request = point(from, A).state.services[SERVICE]?.right.requests.at(-1);
  assert.ok(request, 'a request is under way');
  const right = { requests: [request], leases: { a: from.nowMs + 250 }, ownUntilMs: 0, lentUntilMs: 0 };
  const a = point(from, A, { right, gate: { id: 1, fromId: 1, untilMs: from.nowMs + 100 } });
  const ack: Message = { type: 'ACK', service: SERVICE, id: request.id, term: { n: 1, host: 'a' } };
  const late = told({ ...a, state: withoutTimers(a.state) }, 'b', ack, 50);
  assert.equal(late.s.right.leases.b, request.sentAtMs + LEASE_MS);
});

function withoutTimers(state: HostState): HostState {
  const s = state.services[SERVICE];
  assert.ok(s, 'it has the service');
  return { ...state, services: { [SERVICE]: { ...s, timers: NO_TIMERS } } };
}

test('R7: a voter that has not answered is asked again after a probe’s time', () => {
  const a = point(node('advert'), A);
  const again = after(a, { type: 'timer' }, 20);
  assert.equal(sent(again.effects, 'STATUS').length, 2, 'both others have not answered yet');
});

test('R8: after a stall no word says that a master whose right ran out serves', () => {
  const a = point(node('advert'), A);
  for (const message of [
    claim(7, 'b'),
    { type: 'PROBE', service: SERVICE, id: 5, claim: null, blame: false } as const,
  ]) {
    const late = told(a, 'b', message, 1000);
    assert.equal(late.s.place, 'service.suspended');
    const says = [...sent(late.effects, 'STATUS'), ...sent(late.effects, 'PROBED')];
    assert.ok(says.length > 0, 'it says something');
    for (const m of says) {
      assert.ok(
        m.type === 'STATUS' ? m.phase === 'suspended' : m.type === 'PROBED' && !m.serving,
        'it does not say that it serves',
      );
    }
  }
});

test('R8: a lapse raises its alarm', () => {
  const late = after(point(node('advert'), A), { type: 'timer' }, 1000);
  assert.ok(
    late.effects.some((e) => e.type === 'alarm' && e.code === 'suspended' && e.on),
    'the alarm is raised',
  );
});

test('R10: a silent master is probed `probes` times before a claim', () => {
  const { words } = course(node('died', AVAILABLE), AVAILABLE, B, 500);
  const until = words.findIndex((w) => w.type === 'CLAIM');
  assert.ok(until > 0, 'it claims');
  const suspecting = words.slice(0, until).filter((w) => w.type === 'PROBE');
  assert.ok(suspecting.length >= 3, `${suspecting.length} probes, the last one unanswered for its time`);
});

test('R10: the first in the order takes over, the second waits for its slot', () => {
  assert.deepEqual(masters(node('advert', AVAILABLE)), [A]);
  const { node: end } = course(node('died', AVAILABLE), AVAILABLE, B, 1000);
  assert.deepEqual(masters(end), [B]);
});

test('R11: a master that says over the downlink that it serves stops a claim', () => {
  const b = point(node('claim', AVAILABLE), B);
  assert.equal(told(b, 'a', status(1, 'a')).s.place, 'handover.withdrawing');
});

test('R12: the successor may serve until its READY plus the rest, however late it hears of it', () => {
  const from = node('ready');
  const b = point(from, B);
  const attempt = b.state.services[SERVICE]?.attempt;
  assert.ok(attempt, 'a takeover is under way');
  const released: Message = {
    type: 'RELEASED',
    service: SERVICE,
    term: { n: 1, host: 'a' },
    successor: 'b',
    id: attempt.readyId,
    restMs: 250,
  };
  const late = told(b, 'a', released, 50);
  assert.equal(late.s.right.lentUntilMs, attempt.readyAtMs + 250);
});

test('R12: the old master’s own vote is the successor’s, and nobody else’s', () => {
  const from = node('released');
  const a = point(from, A);
  assert.equal(a.state.services[SERVICE]?.voter.holder, 'b');
  assert.equal(sent(told(a, 'c', claim(9, 'c')).effects, 'GRANT').length, 0);
});

test('R13: a serving master releases for a higher established term, and only for that', () => {
  const a = point(node('advert', AVAILABLE), A);
  assert.equal(told(a, 'b', status(5, 'b')).s.place, 'service.releasing');
  assert.equal(told(a, 'b', claim(5, 'b')).s.place, 'service.serving');
  const secure = point(node('advert'), A);
  assert.equal(told(secure, 'b', status(5, 'b')).s.place, 'service.serving', 'a majority stands behind it');
});

test('R14: a refuted downlink or a service that fails `fall` times ends the mastership', () => {
  const a = point(node('advert'), A);
  const checking = after(a, { type: 'link-changed', service: SERVICE, side: 'downlink' });
  assert.equal(ended(checking, 'checkDownlink', 'refuted').s.place, 'service.releasing');
  const asked = told(a, 'b', { type: 'CHECK', service: SERVICE, id: 4, insist: false });
  const once = ended(asked, 'checkServiceLocal', 'unknown');
  assert.equal(once.s.place, 'service.serving');
  assert.equal(ended(once, 'checkServiceLocal', 'unknown').s.place, 'service.releasing');
});

test('R14: the master looks at a failed uplink again, raises its alarm and asks a successor', () => {
  const a = point(node('advert'), A);
  const looking = after(a, { type: 'link-changed', service: SERVICE, side: 'uplink' });
  const once = ended(looking, 'checkUplink', 'unknown');
  const twice = ended(once, 'checkUplink', 'unknown');
  assert.ok(
    twice.effects.some((e) => e.type === 'alarm' && e.code === 'uplink-failed' && e.on),
    'the alarm is raised',
  );
  assert.equal(sent(twice.effects, 'HANDOVER').length, 1);
});

test('R15: who released does not claim for a promise', () => {
  const a = point(node('advert'), A);
  const checking = after(a, { type: 'link-changed', service: SERVICE, side: 'downlink' });
  const gone = ended(checking, 'checkDownlink', 'refuted');
  assert.equal(gone.s.noClaimBeforeMs, gone.nowMs + PROMISE_MS);
});

test('R16: WITHDRAW frees the promise at once, and the way for another claim', () => {
  const free = { term: null, holder: null, untilMs: 0 };
  const promised = told(point(node('advert'), C, { voter: free }), 'b', claim(5, 'b'));
  const withdrawn = told(promised, 'b', { type: 'WITHDRAW', service: SERVICE, term: { n: 5, host: 'b' } });
  assert.equal(withdrawn.s.rival, null);
  assert.equal(sent(told(withdrawn, 'a', claim(9, 'a')).effects, 'GRANT').length, 1);
});

test('R17: a held-down host that is alone takes over all the same', () => {
  const from = node('died', { ...AVAILABLE, hosts: 2 } as unknown as typeof AVAILABLE);
  const held = point(from, B, { holdUntilMs: from.nowMs + 3_600_000 });
  const hosts = from.hosts.map((h, i) => (i === B ? { ...h, state: held.state, digest: null } : h));
  const cluster = clusterOf({ ...AVAILABLE, hosts: 2 });
  const end = runCalm(cluster, { ...from, hosts }, 2000, (n) => masters(n).includes(B));
  assert.ok(typeof end !== 'string', 'it serves in time');
});

test('R18: under `available` a host that hears the master objects to a claim', () => {
  const from = node('advert', AVAILABLE);
  const hearing = told(point(from, C), 'a', status(1, 'a'));
  assert.equal(sent(told(hearing, 'b', claim(5, 'b')).effects, 'OBJECT').length, 1);
});

test('R1: the next number is above all that were promised, tried or established', () => {
  const from = node('died', AVAILABLE);
  const { node: end } = course(from, AVAILABLE, B, 1000);
  const was = serviceOf(hostAt(from, B));
  assert.ok((serviceOf(hostAt(end, B))?.term?.n ?? 0) > (was?.known?.term.n ?? 0), 'a higher number');
});

test('an answer to an older run of a check counts for nothing', () => {
  const a = point(node('advert'), A);
  const checking = after(a, { type: 'link-changed', service: SERVICE, side: 'downlink' });
  const id = (checking.s.checks.checkDownlink.runningId ?? 0) - 1;
  const event = {
    type: 'procedure-ended',
    service: SERVICE,
    procedure: 'checkDownlink',
    id,
    verdict: 'refuted',
  } as const;
  assert.equal(after(checking, event).s.place, 'service.serving');
});

test('a claimant whose uplink never answers gives up at the uplink’s limit', () => {
  let b = after(point(node('claim', AVAILABLE), B), { type: 'timer' }, 10);
  assert.equal(b.s.place, 'handover.raising');
  const id =
    b.effects.flatMap((e) => (e.type === 'run' && e.procedure === 'activateUplink' ? [e.id] : []))[0] ?? 0;
  b = after(b, {
    type: 'procedure-ended',
    service: SERVICE,
    procedure: 'activateUplink',
    id,
    verdict: 'confirmed',
  });
  for (let i = 0; i < 40 && b.s.place === 'handover.raising'; i++) b = after(b, { type: 'timer' }, 10);
  assert.equal(b.s.place, 'handover.withdrawing');
  assert.ok(
    b.effects.some((e) => e.type === 'alarm' && e.code === 'handover-failed' && e.on),
    'the alarm is raised',
  );
});

test('effects come as log, switches, words, alarms', () => {
  const late = after(point(node('advert'), A), { type: 'timer' }, 1000);
  const kinds = late.effects
    .map((e) => ['log', 'gate', 'send', 'alarm'].indexOf(e.type))
    .filter((k) => k >= 0);
  assert.deepEqual(kinds, kinds.toSorted());
  assert.ok(new Set(kinds).size >= 4, 'all kinds of effects occur');
});

test('two masters, a downlink that is not confirmed, and a host on other times are alarms', () => {
  const raised = (effects: readonly Effect[]) =>
    effects.flatMap((e) => (e.type === 'alarm' && e.on ? [e.code] : []));
  const a = point(node('advert'), A, {
    term: { n: 7, host: 'a' },
    known: { term: { n: 7, host: 'a' }, heardAtMs: 0 },
  });
  assert.deepEqual(raised(told(a, 'b', status(5, 'b')).effects), ['two-masters']);
  const b = after(point(node('advert'), B), { type: 'link-changed', service: SERVICE, side: 'downlink' });
  assert.deepEqual(raised(ended(b, 'checkDownlink', 'refuted').effects), ['downlink-unconfirmed']);
  const report: Message = {
    type: 'REPORT',
    service: SERVICE,
    activity: 'backup',
    fit: true,
    standby: false,
    downlink: true,
    digest: 'e',
    tableTerm: null,
    tableSeq: 0,
    load: 0,
    burdened: false,
  };
  assert.deepEqual(raised(told(point(node('advert'), B), 'c', report).effects), ['config-differs']);
});
