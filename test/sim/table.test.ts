/** The specification's table of transitions against the code's, both ways, and every row fired. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { PLACES, type Place, type Policy, TRANSITIONS } from '../../src/core/index.ts';
import { Coverage } from './coverage.ts';
import { type Host, World } from './world.ts';

const spec = readFileSync(join(process.cwd(), 'spec/state-machine.md'), 'utf8');
const rows = [...spec.matchAll(/^\| (T\d+) \| (.+) \|$/gm)].map(([, id, rest]) => {
  const [from, cause, guard, to, effects] = (rest ?? '').split(' |').map((cell) => cell.trim());
  return { id, from, cause, guard, to, effects: (effects ?? '').split(', ').filter((e) => e !== '') };
});

test('the specification names the transitions that the code has, and no others', () => {
  const specified = rows.map((r) => `${r.from} ${r.cause} ${r.to}`).sort();
  const coded = TRANSITIONS.map(([from, cause, to]) => `${from} ${cause} ${to}`).sort();
  assert.deepEqual(specified, coded);
  assert.ok(rows.every((r) => r.guard !== ''));
});

test('the specification names every place', () => {
  for (const place of PLACES) assert.match(spec, new RegExp(`^\\| ${place.replace('.', '\\.')} \\|`, 'm'));
});

test('every row fires in a simulated cluster, with the effects that the specification names', () => {
  const coverage = new Coverage();
  fireAll(coverage);
  for (const row of rows) {
    const use = coverage.rows.get(`${row.from} ${row.cause}`);
    assert.ok(use !== undefined, `${row.id} (${row.from} ${row.cause}) never fired`);
    for (const effect of row.effects)
      assert.ok(use.always.has(effect), `${row.id}: ${effect} is missing at times`);
  }
});

function cluster(coverage: Coverage, hosts: number, policy: Policy, started = true): World {
  const w = new World({ hosts, policy });
  w.observe = (_host, _now, _event, _state, effects) => coverage.take(effects);
  if (started) {
    w.startAll();
    // A little after a point of the hosts' grid: the last advert is out (R7).
    w.pass(4010);
  }
  return w;
}

/** Lets time pass until that host is at that place; throws when it never is. */
function until(w: World, host: Host, place: Place, limitMs = 3000): void {
  for (let ms = 0; w.place(host) !== place; ms++) {
    if (ms > limitMs) throw new Error(`${host.name} never came to ${place}; it is in ${w.place(host)}`);
    w.pass(1);
  }
}

function fireAll(coverage: Coverage): void {
  const force = { kind: 'handover', service: null, to: null, force: true } as const;
  const handover = { ...force, force: false };
  for (const policy of ['available', 'quorum'] as const) {
    const begin = (hosts = policy === 'quorum' ? 3 : 2) => {
      const w = cluster(coverage, hosts, policy);
      const master = w.host(w.masters()[0] ?? '');
      const backup = w.host(w.hosts.find((h) => h !== master)?.name ?? '');
      return { w, master, backup };
    };
    const run = (what: (all: ReturnType<typeof begin>) => void) => {
      const all = begin();
      what(all);
      all.w.pass(4000);
    };
    run(({ w, master }) => {
      w.powerOff(master);
      w.pass(3000);
      master.lan = master.wan = true;
      w.start(master);
    });
    run(({ w, master }) => {
      w.freeze(master);
      w.pass(330);
      w.thaw(master);
    });
    run(({ w, master }) => {
      w.freeze(master);
      w.pass(5000);
      w.thaw(master);
    });
    run(({ master }) => master.driver?.order(handover));
    run(({ master }) => master.driver?.order({ kind: 'stop' }));
    run(({ w, master }) => {
      for (const h of w.hosts) if (h !== master) h.driver?.order({ kind: 'standby' });
      w.pass(100);
      master.driver?.order({ kind: 'stop' });
    });
    run(({ w, master }) => {
      master.lanMute = true;
      w.pass(5000);
    });
    run(({ w, master }) => {
      master.lan = false;
      w.linkChanged(master, 'downlink');
    });
    run(({ master }) => {
      master.rulesFlushed = true;
    });
    run(({ w }) => {
      w.cutLan = true;
      w.pass(8000);
      w.cutLan = false;
    });
    run(({ w }) => {
      w.cutLan = w.cutWan = true;
      w.pass(5000);
      w.cutLan = w.cutWan = false;
    });
    run(({ w }) => {
      w.nextHop = false;
      w.pass(5000);
    });
    run(({ w, master }) => {
      w.attacker = true;
      w.powerOff(master);
    });
    run(({ w, master, backup }) => {
      if (policy === 'quorum') return;
      w.attacker = true;
      w.powerOff(master);
      until(w, backup, 'handover.waiting');
      w.attacker = false;
    });
    run(({ backup }) => backup.driver?.order(force));
    run(({ w, master, backup }) => {
      w.powerOff(master);
      until(w, backup, 'backup.suspecting');
      backup.driver?.order(force);
    });
    for (const place of [
      'handover.listening',
      'handover.waiting',
      'handover.preparing',
      'handover.releasing',
    ] as const) {
      run(({ w, master, backup }) => {
        if (policy === 'available') {
          w.attacker = place === 'handover.waiting';
          const slow = { slowMs: 900, fails: false, says: null };
          if (place === 'handover.preparing') backup.actuator.faults.set('activateService', slow);
          if (place === 'handover.releasing') {
            // Heard over the uplink, without evidence of a sound downlink, and not letting go yet.
            master.lanMute = true;
            master.actuator.faults.set('checkDownlink', slow);
          } else w.powerOff(master);
          until(w, backup, place);
          w.freeze(backup);
          w.pass(300);
          w.thaw(backup);
        }
      });
    }
    run(({ w, master, backup }) => {
      w.powerOff(master);
      if (policy === 'available') {
        until(w, backup, 'handover.listening');
        backup.lan = false;
        w.linkChanged(backup, 'downlink');
      }
    });
    run(({ w, master, backup }) => {
      w.powerOff(master);
      if (policy === 'available') {
        until(w, backup, 'handover.raising');
        backup.driver?.order({ kind: 'standby' });
      }
    });
  }
  bootstraps(coverage, force);
}

/** Starts that do not go as they should. */
function bootstraps(coverage: Coverage, force: Parameters<NonNullable<Host['driver']>['order']>[0]): void {
  const dead = cluster(coverage, 2, 'available', false);
  for (const h of dead.hosts) h.wan = false;
  dead.startAll();
  dead.pass(6000);
  const alone = cluster(coverage, 3, 'quorum', false);
  const [first] = alone.hosts;
  assert.ok(first);
  alone.start(first);
  until(alone, first, 'decide.electing');
  first.driver?.order(force);
  alone.pass(2000);
  assert.deepEqual(alone.masters(), [first.name]);
  const split = cluster(coverage, 3, 'available', false);
  split.cutLan = true;
  split.startAll();
  split.pass(4000);
  split.cutLan = false;
  split.pass(3000);
}
