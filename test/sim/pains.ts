/**
 * What the users of such systems suffer from, as scenarios: each brings its trouble about and says what must be true.
 * They run in pains.test.ts, and by name from the command line.
 */
import assert from 'node:assert/strict';
import type { Policy } from '../../src/core/index.ts';
import { HostClock } from './kernel.ts';
import { SCENARIOS, scenario } from './scenario.ts';

export { SCENARIOS };

const POLICIES: readonly Policy[] = ['quorum', 'available'];
const SIZE = { quorum: 3, available: 2 } as const;

for (const policy of POLICIES) {
  const options = { hosts: SIZE[policy], policy };

  scenario(`both become master after a partition heals (pain 1), ${policy}`, options, ({ w, sound }) => {
    for (let round = 0; round < 5; round++) {
      w.cutLan = true;
      w.cutWan = round % 2 === 0;
      w.pass(4000);
      w.cutLan = false;
      w.cutWan = false;
      w.pass(4000);
      sound();
    }
  });

  scenario(`simultaneous boot and reload make two masters (pain 1), ${policy}`, options, ({ w, sound }) => {
    for (let round = 0; round < 5; round++) {
      for (const h of w.hosts) w.kill(h);
      w.pass(50);
      w.startAll();
      w.pass(600 + 40 * round);
      for (const h of w.hosts) h.driver?.configure(h.config);
      w.pass(5000);
      sound();
    }
  });

  scenario(`a process scheduled late makes two masters (pain 2), ${policy}`, options, ({ w, sound }) => {
    for (const ms of [60, 200, 290, 310, 380, 900, 5000]) {
      const now = w.host(w.masters()[0] ?? '');
      w.freeze(now);
      w.pass(ms);
      w.thaw(now);
      w.pass(4000);
      sound();
    }
  });

  scenario(
    `the kernel call of a gate order comes late, then the process hangs (pain 2), ${policy}`,
    options,
    ({ w, master, sound }) => {
      for (const pauseMs of [5, 50, 150, 250]) {
        const now = w.host(w.masters()[0] ?? master.name);
        now.actuator.gatePauseMs = pauseMs;
        w.pass(210 + pauseMs);
        w.freeze(now);
        w.pass(3000);
        w.thaw(now);
        w.pass(4000);
        sound();
      }
    },
  );

  scenario(
    `neighbours keep the wrong MAC: no announcement after a split (pain 3), ${policy}`,
    options,
    ({ w, sound }) => {
      let announced = '';
      const before = w.observe;
      w.observe = (host, now, event, state, effects) => {
        before?.(host, now, event, state, effects);
        for (const e of effects)
          if (e.type === 'run' && e.procedure === 'announceTakeoverDownlink') announced = host;
      };
      w.cutLan = true;
      w.cutWan = true;
      w.pass(5000);
      announced = '';
      w.cutLan = false;
      w.cutWan = false;
      w.pass(5000);
      sound();
      // Where two had served, or the right was renewed, the one that goes on has said so last.
      if (announced !== '') assert.equal(announced, w.masters()[0]);
      else assert.equal(policy, 'quorum');
    },
  );

  scenario(
    `actions run out of order, the last state is wrong (pain 4), ${policy}`,
    options,
    ({ w, sound }) => {
      for (let round = 0; round < 6; round++) {
        const now = w.host(w.masters()[0] ?? '');
        now.actuator.faults.set('deactivateService', { slowMs: 120 * round, fails: false, says: null });
        now.driver?.order({ kind: 'handover', service: null, to: null, force: false });
        w.pass(150 * round);
        w.kill(now);
        w.start(now);
        w.pass(6000);
        now.actuator.faults.clear();
        sound();
        for (const h of w.hosts) {
          const serves = h.place?.startsWith('service.') === true;
          assert.equal(h.configured, serves, `${h.name} in ${h.place}`);
          assert.equal(h.uplinkRaised, serves, `${h.name} in ${h.place}`);
        }
      }
    },
  );

  scenario(`a reload changes roles (pain 5), ${policy}`, options, ({ w, master, sound }) => {
    for (const h of w.hosts) {
      const { membership } = h.config;
      h.driver?.configure({ ...h.config, membership: { ...membership, version: membership.version + 1 } });
    }
    w.pass(3000);
    sound();
    assert.deepEqual(w.masters(), [master.name]);
    assert.equal(w.outageMs, 0);
  });

  scenario(
    `a returning host preempts without being told to (pain 6), ${policy}`,
    options,
    ({ w, master, sound }) => {
      w.powerOff(master);
      w.pass(3000);
      const [second] = w.masters();
      for (const how of ['start', 'lan', 'wan', 'freeze'] as const) {
        if (how === 'start') {
          master.lan = true;
          master.wan = true;
          w.start(master);
        } else if (how === 'freeze') w.freeze(master);
        else master[how] = false;
        w.pass(2000);
        if (how === 'freeze') w.thaw(master);
        else if (how !== 'start') master[how] = true;
        w.pass(4000);
        sound();
        assert.deepEqual(w.masters(), [second], how);
      }
    },
  );

  scenario(
    `a killed daemon leaves its service behind (pain 8), ${policy}`,
    options,
    ({ w, master, sound }) => {
      w.kill(master);
      w.pass(w.times.timing.leaseMs + 5);
      assert.ok(!master.gateOpen(w.nowMs), 'the kernel shut the gate');
      w.pass(5000);
      sound();
      w.start(master);
      w.pass(3000);
      sound();
      assert.ok(!master.configured && !master.uplinkRaised, 'made harmless at the start');
    },
  );

  scenario(`the standby's uplink only looks off (pain 9), ${policy}`, options, ({ w, sound }) => {
    const off = () => {
      for (const h of w.hosts.filter((each) => each.up))
        assert.equal(h.uplinkRaised, h.place?.startsWith('service.') === true, `${h.name} in ${h.place}`);
    };
    w.pass(20_000);
    off();
    // Whatever becomes of the attempts: a successor whose next hop is silent, one that is told to give up, one that dies.
    for (const trouble of ['next hop', 'standby', 'kill'] as const) {
      for (const h of w.hosts.filter((each) => !w.masters().includes(each.name)))
        if (trouble === 'next hop')
          h.actuator.faults.set('checkUplink', { slowMs: 0, fails: true, says: null });
      w.host(w.masters()[0] ?? '').driver?.order({ kind: 'handover', service: null, to: null, force: false });
      w.pass(30);
      for (const h of w.hosts.filter((each) => !w.masters().includes(each.name))) {
        if (trouble === 'standby') h.driver?.order({ kind: 'standby' });
        if (trouble === 'kill') w.kill(h);
        if (trouble === 'kill') w.start(h);
      }
      w.pass(8000);
      for (const h of w.hosts) {
        h.actuator.faults.clear();
        h.driver?.order({ kind: 'resume' });
      }
      w.pass(8000);
      sound();
      off();
    }
    w.kill(w.host(w.masters()[0] ?? ''));
    w.pass(5000);
    sound();
    off();
  });

  scenario(`configurations that differ (pain 12), ${policy}`, options, ({ w, master, backup, sound }) => {
    const services = backup.config.services.map((s) => ({ ...s, digest: 'e'.repeat(64) }));
    backup.driver?.configure({ ...backup.config, services });
    w.pass(3000);
    assert.ok(master.alarms.has('config-differs'));
    w.powerOff(master);
    w.pass(5000);
    assert.ok(!w.masters().includes(backup.name), 'the odd one does not take over');
    backup.driver?.configure(backup.config);
    w.pass(5000);
    sound();
  });

  scenario(
    `one slow or doubtful host brings all down (pain 13), ${policy}`,
    options,
    ({ w, master, backup, sound }) => {
      for (let round = 0; round < 12; round++) {
        w.freeze(backup);
        w.pass(400);
        w.thaw(backup);
        w.pass(300);
        backup.lanMute = round % 2 === 0;
        w.pass(500);
        backup.lanMute = false;
      }
      w.pass(2000);
      sound();
      assert.deepEqual(w.masters(), [master.name]);
      assert.equal(w.outageMs, 0, 'the service never stopped');
    },
  );
}

scenario(
  'both become master after a reboot into a partition (pain 1)',
  { hosts: 2, policy: 'available' },
  ({ w, sound }) => {
    for (const h of w.hosts) w.kill(h);
    w.cutLan = true;
    w.startAll();
    w.pass(8000);
    w.cutLan = false;
    w.pass(6000);
    sound();
  },
);

scenario(
  'preempt_delay is honoured (pain 6)',
  { hosts: 2, policy: 'available', preemptDelayMs: 3000 },
  ({ w, master, backup, sound }) => {
    w.powerOff(master);
    w.pass(3000);
    master.lan = true;
    master.wan = true;
    w.start(master);
    w.pass(2900);
    assert.deepEqual(w.masters(), [backup.name], 'not before its delay is over');
    w.pass(4000);
    sound();
    assert.deepEqual(w.masters(), [master.name]);
  },
);

for (const fast of [0, 1, 2]) {
  scenario(
    `a clock that runs a tenth fast swaps roles (runner-up), fw${fast + 1}`,
    {
      hosts: 3,
      policy: 'quorum',
      clocks: [0, 1, 2].map((i) => (i === fast ? new HostClock(0, 1.01, 1.1) : new HostClock(0, 0.99, 0.9))),
    },
    ({ w, master, sound }) => {
      // What a stepped wall clock does to others cannot happen on a monotonic one; rates are the worst that is left: the kernel’s
      // timers a tenth, the raw clock a hundredth.
      w.pass(60_000);
      sound();
      assert.deepEqual(w.masters(), [master.name]);
      assert.equal(w.outageMs, 0);
    },
  );
}

for (const policy of POLICIES) {
  scenario(
    `everybody fails when the announce link dies (runner-up), ${policy}`,
    { hosts: 3, policy },
    ({ w, master, sound }) => {
      // The cluster's words are lost between all hosts; what clients say and hear is not.
      for (const from of w.hosts)
        for (const to of w.hosts) if (from !== to) w.network.set(from.name, to.name, 1, { cut: true });
      w.pass(10_000);
      assert.ok(w.masters().length <= 1, 'never two');
      // A majority can be asked over the uplink or not at all; who hears a client's answer from a master waits.
      if (policy === 'available') assert.deepEqual(w.masters(), [master.name]);
      w.network.heal();
      w.pass(6000);
      sound();
    },
  );

  scenario(
    `everybody fails when nobody answers on the downlink (runner-up), ${policy}`,
    { hosts: 3, policy },
    ({ w, master, sound }) => {
      w.foreigners = false;
      w.pass(5000);
      sound();
      assert.deepEqual(w.masters(), [master.name]);
      w.foreigners = true;
      w.pass(2000);
      sound();
    },
  );
}
