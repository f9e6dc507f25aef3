/**
 * The run ahead against what then really happens: simulated clusters with the real driver and codec, one host's state
 * taken and run ahead, then the fault itself; who serves next and after how long must agree.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Forecast, forecast, isOfThisCore, present } from '../../src/ahead/explain.ts';
import { parseWhatIf, type WhatIf } from '../../src/ahead/what-if.ts';
import type { HostState, Policy } from '../../src/core/index.ts';
import { worldSteps } from '../sim/timing.ts';
import { type Host, SERVICE, World } from '../sim/world.ts';

interface Made {
  readonly w: World;
  readonly master: Host;
  readonly first: Host;
}

function stateOf(host: Host): HostState {
  return host.driver?.state ?? assert.fail(`${host.name} does not run`);
}

/** A settled cluster at a random phase of its interval; `first`: the backup that comes next by its order. */
function settled(policy: Policy, hosts: number, witnesses: number, seed: number): Made {
  const w = new World({ hosts, witnesses, policy, intervalMs: 200, seed });
  w.startAll();
  for (let tries = 0; w.masters().length !== 1 && tries < 100; tries++) w.pass(200);
  w.pass(2400 + 200 * w.random());
  const master = w.host(w.masters()[0] ?? assert.fail('no master'));
  const rows = stateOf(master).services[SERVICE]?.table?.rows ?? [];
  const next = rows.find(({ host, fit }) => host !== master.name && fit)?.host;
  return { w, master, first: w.host(next ?? assert.fail('no fit backup')) };
}

/** As it comes over the control socket. */
function ahead(w: World, host: Host, what: WhatIf): Forecast {
  const state = JSON.parse(JSON.stringify(stateOf(host))) as HostState;
  assert.ok(isOfThisCore(state));
  return forecast(state, SERVICE, what, host.clock.at(w.nowMs), worldSteps(state.config.timing));
}

/** The outage that comes, and who serves after it; looked at each millisecond until it is calm. */
function real(w: World, ms: number): { readonly outageMs: number; readonly after: string | null } {
  let outageMs = 0;
  for (let i = 0; i < ms; i++) {
    w.pass(1);
    const serves = w.hosts.some((h) => w.active(h) && h.lan && h.wan && h.uplinkRaised && !h.rulesFlushed);
    if (!serves) outageMs++;
  }
  return { outageMs, after: w.masters()[0] ?? null };
}

const STRIKES: { readonly [what: string]: (w: World, master: Host) => void } = {
  power: (w, master) => w.powerOff(master),
  daemon: (w, master) => w.kill(master),
  downlink: (w, master) => {
    master.lan = false;
    w.linkChanged(master, 'downlink');
  },
  uplink: (w, master) => {
    master.wan = false;
    w.linkChanged(master, 'uplink');
  },
  service: (_w, master) => {
    master.rulesFlushed = true;
  },
  handover: (_w, master) => {
    master.driver?.order({ kind: 'handover', service: SERVICE, to: null, force: false });
  },
};

const CLUSTERS = [
  ['available', 2, 0],
  ['available', 3, 0],
  ['quorum', 3, 0],
  ['quorum', 2, 1],
] as const;

for (const [policy, hosts, witnesses] of CLUSTERS)
  test(`${policy}, ${hosts} gateways, ${witnesses} witnesses: the forecast of master and backup is what comes`, () => {
    for (const kind of Object.keys(STRIKES))
      for (const seed of [1, 2]) {
        const { w, master, first } = settled(policy, hosts, witnesses, seed);
        const what = { kind, host: master.name } as WhatIf;
        const views = [ahead(w, first, what), ahead(w, master, what)];
        STRIKES[kind]?.(w, master);
        const came = real(w, 2500);
        for (const [i, view] of views.entries()) {
          const label = `${kind}, seed ${seed}, seen by ${i === 0 ? first.name : master.name}`;
          assert.equal(view.ended, 'over', label);
          assert.equal(view.before, master.name, label);
          assert.equal(view.after, came.after, label);
          // The check that finds a failed service is due at a moment that only its own host knows.
          const unknownMs = kind === 'service' && i === 0 ? 250 : 0;
          const off = Math.abs(view.outageMs - came.outageMs);
          assert.ok(off <= 60 + unknownMs, `${label}: ${view.outageMs} ms ahead, ${came.outageMs} ms came`);
          assert.ok(view.bound !== null && view.outageMs <= view.bound.worstMs + 1, label);
        }
      }
  });

test('quorum without a majority: nobody serves, and each says what it lacks', () => {
  const { w, master, first } = settled('quorum', 2, 1, 3);
  w.powerOff(w.host('w1'));
  w.pass(400);
  const one = ahead(w, first, { kind: 'power', host: master.name });
  // The witness is only silent for a moment: it is counted on. With it gone as well nobody has a majority.
  const both = forecast(
    stateOf(first),
    SERVICE,
    { kind: 'witness', hosts: ['w1', master.name] },
    first.clock.at(w.nowMs),
    worldSteps(stateOf(first).config.timing),
  );
  assert.equal(one.after, first.name);
  assert.equal(both.after, null);
  assert.ok(both.openEnded && both.outageMs > 1000);
  const text = both.others.flatMap(({ reasons }) => reasons.map(({ rule }) => rule));
  assert.ok(text.includes('R4') || text.includes('R9'), JSON.stringify(both.others));
});

test('what hits no master leaves the service where it is; who does not take over says by which rule', () => {
  const { w, master, first } = settled('available', 3, 0, 4);
  const calm = ahead(w, master, { kind: 'power', host: first.name });
  assert.deepEqual([calm.after, calm.outageMs, calm.bound], [master.name, 0, null]);
  const power = ahead(w, first, { kind: 'power', host: master.name });
  assert.equal(power.after, first.name);
  const third = power.others.find(({ host }) => host !== master.name) ?? assert.fail();
  assert.ok(
    third.reasons.some(({ rule, text }) => rule === 'R25' && text.includes(`${first.name} would go before`)),
    JSON.stringify(third),
  );
  const dead = power.others.find(({ host }) => host === master.name);
  assert.match(dead?.reasons[0]?.text ?? '', /does not run/);
  const claim = power.timeline.find(({ to }) => to === 'handover.claiming');
  assert.deepEqual([claim?.host, claim?.row], [first.name, 'T13']);
});

test('a dead next hop moves nothing for good: the master keeps the service, and each backup was tried', () => {
  const { w, master, first } = settled('available', 3, 0, 8);
  const made = ahead(w, first, { kind: 'next-hop' });
  assert.deepEqual([made.after, made.holder, made.ended], [null, master.name, 'time']);
  const tried = new Set(made.timeline.filter(({ to }) => to === 'handover.raising').map(({ host }) => host));
  assert.equal(tried.size, 2);
});

test('a host without a carrier forecasts the others without itself: it is told nothing, and tells nothing', () => {
  const { w, master, first } = settled('available', 3, 0, 9);
  first.lan = false;
  w.linkChanged(first, 'downlink');
  w.pass(100);
  const made = ahead(w, first, { kind: 'power', host: master.name });
  assert.ok(made.after !== null && made.after !== first.name && made.after !== master.name);
  const own = made.timeline.filter(({ host, what }) => host === first.name && what === 'master-heard');
  assert.deepEqual(own, []);
});

test('the state that was given stays as it was, and the same state gives the same forecast', () => {
  const { w, master, first } = settled('quorum', 3, 0, 5);
  const state = stateOf(first);
  const before = JSON.stringify(state);
  const once = ahead(w, first, { kind: 'power', host: master.name });
  assert.deepEqual(ahead(w, first, { kind: 'power', host: master.name }), once);
  assert.equal(JSON.stringify(state), before);
  assert.ok(once.steps < 20_000, `${once.steps} steps`);
});

test('why a host is not master: heard master, standby, hold-down, silence; a master has no reason', () => {
  const { w, master, first } = settled('available', 2, 0, 6);
  const at = (host: Host) => present(stateOf(host), SERVICE, host.clock.at(w.nowMs));
  assert.deepEqual([at(master).master, at(master).reasons], [master.name, []]);
  assert.deepEqual(
    at(first).reasons.map(({ rule }) => rule),
    ['R13'],
  );
  first.driver?.order({ kind: 'standby' });
  assert.match(
    at(first)
      .reasons.map(({ text }) => text)
      .join(),
    /serves in term.*on standby/,
  );
  first.driver?.order({ kind: 'resume' });
  w.powerOff(master);
  for (let i = 0; i < 300 && at(first).place === 'backup.watching'; i++) w.pass(1);
  const looking = at(first);
  assert.equal(looking.place, 'backup.suspecting');
  assert.deepEqual([...new Set(looking.reasons.map(({ rule }) => rule))].includes('R10'), true);
  assert.equal(looking.master, null);
});

test('what can be asked: parts, hosts, words; everything else is told with what there is', () => {
  const { first, master } = settled('quorum', 2, 1, 7);
  const state = stateOf(first);
  const asked = (text: string) => parseWhatIf(text, state, SERVICE);
  assert.deepEqual(asked('power'), { kind: 'power', host: master.name });
  assert.deepEqual(asked('uplink'), { kind: 'uplink', host: master.name });
  assert.deepEqual(asked('this'), { kind: 'power', host: first.name });
  assert.deepEqual(asked(`${master.name}.daemon`), { kind: 'daemon', host: master.name });
  assert.deepEqual(asked('witness'), { kind: 'witness', hosts: ['w1'] });
  assert.deepEqual(asked('next-hop'), { kind: 'next-hop' });
  for (const bad of ['fw9', 'fw1.keyboard', 'fw1.power.x', '', '.', 'fw1.'])
    assert.match(String(asked(bad)), /nothing of the cluster is called/, bad);
});
