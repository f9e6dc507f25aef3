/** Judges that could not fail would prove nothing: broken hosts, and what each judge says of them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Violation } from './judges/judge.ts';
import { drawPlan, type Plan } from './plan.ts';
import { run } from './run.ts';
import type { Host, World } from './world.ts';

/** Judges that complain when the cluster is broken so: in the first seeds, until all `awaited` have. */
function complaints(
  awaited: readonly string[],
  seeds: number,
  restriction: Parameters<typeof drawPlan>[1],
  sabotage: (w: World) => void,
  change: (plan: Plan) => Plan = (plan) => plan,
): Set<string> {
  const found = new Set<string>();
  const enough = (violations: readonly Violation[]): boolean => {
    for (const v of violations) found.add(v.judge);
    return awaited.every((judge) => found.has(judge));
  };
  for (let seed = 1; seed <= seeds; seed++)
    if (enough(run(change(drawPlan(seed, restriction)), { sabotage, enough }).violations)) break;
  return found;
}

const quorum = { policy: 'quorum', hosts: 3, intervalMs: 200 } as const;
const all = (w: World, change: (host: Host) => void) => {
  for (const host of w.hosts) change(host);
};

test('a kernel that ignores the lease: two active', () => {
  const found = complaints(['overlap'], 3, { ...quorum, faults: ['freeze'] }, (w) =>
    all(w, (h) => {
      Object.defineProperty(h, 'gateUntilMs', {
        get: () => untilMs,
        set: (ms: number) => {
          untilMs = ms === 0 ? 0 : Number.POSITIVE_INFINITY;
          h.changed();
        },
      });
      let untilMs = 0;
    }),
  );
  assert.ok(found.has('overlap'));
});

test('a gate that never shuts: RELEASED with the gate open', () => {
  const found = complaints(['released', 'overlap'], 3, { ...quorum, faults: ['stop', 'handover'] }, (w) =>
    all(w, (h) => {
      h.gateStuck = true;
    }),
  );
  assert.ok(found.has('released') && found.has('overlap'));
});

test('an uplink that stays up', () => {
  const found = complaints(['uplink'], 2, { ...quorum, faults: ['handover'] }, (w) =>
    all(w, (h) => {
      let up = false;
      Object.defineProperty(h, 'uplinkRaised', {
        get: () => up,
        set: (raised: boolean) => {
          up ||= raised;
          h.changed();
        },
      });
    }),
  );
  assert.ok(found.has('uplink'));
});

test('a voter that promises twice', () => {
  const found = complaints(
    ['overlap'],
    12,
    { ...quorum, faults: ['partition', 'one way', 'deaf', 'all restart'] },
    (w) => {
      const stepped = w.stepped.bind(w);
      w.stepped = (host, atMs, event, state, effects) => {
        // The promise is forgotten as soon as it is given.
        const services = state.services as { [name: string]: (typeof state.services)[string] };
        for (const s of Object.values(services))
          Object.assign(s.voter, { untilMs: 0, term: null, holder: null });
        stepped(host, atMs, event, state, effects);
      };
    },
  );
  assert.ok(found.has('overlap'), [...found].join(' '));
});

test('a late gate order that is not made anew', () => {
  const found = complaints(
    ['overlap'],
    60,
    { ...quorum, faults: ['gate order pauses', 'freeze', 'kill'] },
    () => undefined,
    (plan) => ({ ...plan, world: { ...plan.world, staleGate: true } }),
  );
  assert.ok(found.has('overlap'));
});

test('a host that confirms a downlink which is dead: CLAIM over it', () => {
  const found = complaints(['claims'], 10, { ...quorum, faults: ['lan mute', 'deaf', 'flapping'] }, (w) => {
    const run0 = w.hosts.map((h) => h.actuator.run.bind(h.actuator));
    w.hosts.forEach((h, i) => {
      h.actuator.run = (procedure, ended) =>
        run0[i]?.(procedure, (verdict) => ended(procedure === 'checkDownlink' ? 'confirmed' : verdict));
    });
  });
  assert.ok(found.has('claims'), [...found].join(' '));
});

test('a master in another host’s term', () => {
  const found = complaints(['terms'], 1, { ...quorum, faults: ['handover'] }, (w) => {
    const [words] = w.judges.filter((j) => j.sent !== undefined);
    const [first, second] = w.hosts as [Host, Host];
    // The judge is shown the first host's words as the second's: what a stolen key would let it say.
    const sent = w.send.bind(w);
    w.send = (from, to, link, datagram) => {
      sent(from, to, link, datagram);
      const judge = words ?? w.judges.find((j) => j.sent !== undefined);
      if (from === first) judge?.sent?.(w, second, { from: second.name, to: to.name, link, datagram });
    };
  });
  assert.ok(found.has('terms'), [...found].join(' '));
});

test('hosts that never claim: nobody serves', () => {
  const found = complaints(['liveness'], 1, { ...quorum, faults: ['all restart'] }, (w) =>
    all(w, (h) => {
      h.actuator.faults.set = () => h.actuator.faults;
      const run0 = h.actuator.run.bind(h.actuator);
      h.actuator.run = (procedure, ended) =>
        run0(procedure, (verdict) => ended(procedure === 'checkUplink' ? 'unknown' : verdict));
    }),
  );
  assert.ok(found.has('liveness'));
});

test('a core that throws', () => {
  const found = complaints(['invariant'], 1, { ...quorum, faults: ['handover'] }, (w) => {
    w.at(10_000, () => w.hosts[0]?.enter(() => assert.fail('a broken invariant')));
  });
  assert.ok(found.has('invariant'));
});

test('under available, hosts that never listen to one another: two for longer than a message', () => {
  const found = complaints(
    ['overlap'],
    6,
    { policy: 'available', hosts: 2, intervalMs: 200, faults: ['partition'] },
    (w) => {
      const deliver = w.deliver.bind(w);
      w.deliver = (to, frame) => {
        if (w.nowMs < 15_000) deliver(to, frame);
      };
    },
  );
  assert.ok(found.has('overlap'), [...found].join(' '));
});
