/**
 * What can go wrong, by name. Each fault strikes one host (or all), with chance of its own, and undoes itself later;
 * `heal` ends whatever is left of any. Leaving a fault out changes no other one's chance, so that a failing seed
 * shrinks.
 */
import { PROCEDURES, TEST_PROCEDURES } from '../../src/core/index.ts';
import { type Attacker, TRICKS } from './attacker.ts';
import { DIGEST } from './cluster.ts';
import type { Host } from './host.ts';
import { SOUND } from './network.ts';
import { inService, type Operator } from './operator.ts';
import type { Chance } from './random.ts';
import type { World } from './world.ts';

export interface Stage {
  readonly w: World;
  readonly attacker: Attacker;
  readonly operator: Operator;
  /** Does that later, unless the faults have been healed by then. */
  later(ms: number, then: () => void): void;
  /** An operator's --force: the promise of `quorum` is suspended. */
  forced(): void;
}

type Fault = (s: Stage, host: Host, chance: Chance) => void;

/** How long most faults last. */
const while_ = (chance: Chance) => chance.logBetween(20, 12_000);

function restart(s: Stage, host: Host, afterMs: number): void {
  s.later(afterMs, () => {
    if (!host.up) host.start();
  });
}

function other(s: Stage, host: Host, chance: Chance): Host {
  return chance.pick(s.w.hosts.filter((h) => h !== host));
}

/** Changes that directed path on those links for a while. */
function onPath(
  s: Stage,
  from: Host,
  to: Host,
  links: readonly number[],
  faults: Parameters<World['network']['set']>[3],
  ms: number,
): void {
  for (const link of links) {
    s.w.network.set(from.name, to.name, link, faults);
    s.later(ms, () => s.w.network.set(from.name, to.name, link, SOUND));
  }
}

function everyPath(s: Stage, chance: Chance, faults: Parameters<World['network']['set']>[3]): void {
  const ms = while_(chance);
  for (const from of s.w.hosts)
    for (const to of s.w.hosts) if (from !== to) onPath(s, from, to, [0, 1], faults, ms);
}

function links(chance: Chance): readonly number[] {
  return chance.weighted([
    [[1], 3],
    [[0], 1],
    [[0, 1], 1],
  ]);
}

/** A switch port changes; the kernel tells of a carrier, not of frames that are lost. */
function port(s: Stage, host: Host, which: 'lan' | 'wan' | 'lanMute' | 'wanMute', good: boolean): void {
  host[which] = which === 'lan' || which === 'wan' ? good : !good;
  if (which === 'lan' || which === 'wan') host.tell(which);
  if (good && host.lanPort && s.w.foreigners) host.tell('foreigner');
}

function downFor(which: 'lan' | 'wan' | 'lanMute' | 'wanMute'): Fault {
  return (s, host, chance) => {
    port(s, host, which, false);
    s.later(while_(chance), () => port(s, host, which, true));
  };
}

export const FAULTS = {
  power: (s, host, chance) => {
    host.powerOff();
    const afterMs = chance.logBetween(300, 15_000);
    s.later(afterMs, () => {
      port(s, host, 'lan', true);
      port(s, host, 'wan', true);
    });
    restart(s, host, afterMs + 1);
  },
  kill: (s, host, chance) => {
    host.kill();
    restart(s, host, chance.logBetween(20, 10_000));
  },
  /** A snapshot of the host comes back: whatever it knew is gone, and nobody waited. */
  snapshot: (s, host) => {
    host.kill();
    restart(s, host, 0);
  },
  'crash at an effect': (s, host, chance) => {
    host.crashAtCall = chance.below(120);
    restart(s, host, chance.logBetween(100, 10_000));
  },
  'all restart': (s, _host, chance) => {
    for (const h of s.w.hosts) {
      h.kill();
      restart(s, h, chance.next() * 500);
    }
  },
  freeze: (s, host, chance) => {
    if (!host.up) return;
    host.freeze();
    s.later(chance.logBetween(50, 15_000), () => host.thaw());
  },
  stall: (s, host, chance) => {
    for (let i = chance.below(5); i >= 0; i--) {
      s.later(chance.next() * 2000, () => {
        if (!host.up || host.frozen) return;
        host.freeze();
        s.later(chance.logBetween(3, 400), () => host.thaw());
      });
    }
  },
  /** Off the processor between the clock read and the kernel call of a gate order. */
  'gate order pauses': (s, host, chance) => {
    for (let i = chance.below(4); i >= 0; i--) {
      s.later(chance.next() * 3000, () => {
        host.actuator.gatePauseMs = chance.logBetween(1, 2 * s.w.times.timing.leaseMs);
      });
    }
  },
  'lan off': downFor('lan'),
  'wan off': downFor('wan'),
  'lan mute': downFor('lanMute'),
  'wan mute': downFor('wanMute'),
  flapping: (s, host, chance) => {
    const which = chance.pick(['lan', 'wan', 'lanMute', 'wanMute'] as const);
    const pauseMs = chance.logBetween(5, 1500);
    for (let i = 0; i < 2 + chance.below(12); i++)
      s.later(i * pauseMs, () => port(s, host, which, i % 2 === 1));
    s.later(14 * pauseMs, () => port(s, host, which, true));
  },
  partition: (s, _host, chance) => {
    const left = new Set(s.w.hosts.filter(() => chance.is(0.5)));
    const ms = while_(chance);
    const on = links(chance);
    for (const a of s.w.hosts)
      for (const b of s.w.hosts) if (left.has(a) !== left.has(b)) onPath(s, a, b, on, { cut: true }, ms);
  },
  'one way': (s, host, chance) => {
    const to = other(s, host, chance);
    const [a, b] = chance.is(0.5) ? [host, to] : [to, host];
    onPath(s, a, b, links(chance), { cut: true }, while_(chance));
  },
  'heard by nobody': (s, host, chance) => {
    const ms = while_(chance);
    const on = links(chance);
    for (const to of s.w.hosts) if (to !== host) onPath(s, host, to, on, { cut: true }, ms);
  },
  deaf: (s, host, chance) => {
    const ms = while_(chance);
    const on = links(chance);
    for (const from of s.w.hosts) if (from !== host) onPath(s, from, host, on, { cut: true }, ms);
  },
  loss: (s, _host, chance) => everyPath(s, chance, { loss: chance.between(0.01, 0.7) }),
  'lossy path': (s, host, chance) =>
    onPath(
      s,
      host,
      other(s, host, chance),
      links(chance),
      { loss: chance.between(0.1, 0.95) },
      while_(chance),
    ),
  delay: (s, _host, chance) => everyPath(s, chance, { extraDelayMs: chance.logBetween(1, 2000) }),
  duplicate: (s, _host, chance) =>
    everyPath(s, chance, { duplicate: chance.next(), extraDelayMs: chance.logBetween(1, 300) }),
  corrupt: (s, _host, chance) => everyPath(s, chance, { corrupt: chance.between(0.02, 0.6) }),
  'no foreigners': (s, _host, chance) => {
    s.w.foreigners = false;
    s.later(while_(chance), () => {
      s.w.foreigners = true;
    });
  },
  'no next hop': (s, _host, chance) => {
    s.w.nextHop = false;
    s.later(while_(chance), () => {
      s.w.nextHop = true;
    });
  },
  'slow procedures': (s, host, chance) => {
    const slowMs = chance.logBetween(5, 1500);
    for (const p of PROCEDURES)
      if (chance.is(0.3)) host.actuator.faults.set(p, { slowMs, fails: false, says: null });
    s.later(while_(chance), () => host.actuator.faults.clear());
  },
  'failing procedure': (s, host, chance) => {
    const p = chance.pick(PROCEDURES);
    host.actuator.faults.set(p, { slowMs: chance.next() * 50, fails: true, says: null });
    s.later(while_(chance), () => host.actuator.faults.delete(p));
  },
  'wrong check': (s, host, chance) => {
    const p = chance.pick(TEST_PROCEDURES);
    const says = chance.pick(['confirmed', 'unknown', 'lost', 'refuted'] as const);
    host.actuator.faults.set(p, { slowMs: 0, fails: false, says });
    s.later(while_(chance), () => host.actuator.faults.delete(p));
  },
  'rules flushed': (_s, host) => {
    host.rulesFlushed = host.configured;
  },
  'gate broken': (s, host, chance) => {
    host.gateBroken = true;
    s.later(while_(chance), () => {
      host.gateBroken = false;
    });
  },
  intruder: (s, host, chance) => {
    // The guard of the Linux side takes it down again; where the host wants it up nothing changes.
    if (host.uplinkRaised || host.driver === null) return;
    host.intruderUntilMs = s.w.nowMs + chance.between(10, 100);
    host.uplinkRaised = true;
    const look = () => {
      const place = host.place ?? '';
      if (!/^(handover|service)\./.test(place)) host.uplinkRaised = false;
      else if (place === 'handover.withdrawing' || place === 'service.releasing') {
        // On the way down the host may have read it back down before somebody raised it: it looks again when it is there.
        host.intruderUntilMs = s.w.nowMs + 10;
        s.w.at(9, look);
      }
    };
    s.w.at(host.intruderUntilMs - s.w.nowMs - 1, look);
  },
  'disk full': (s, host, chance) => {
    host.journal.full = true;
    s.later(while_(chance), () => {
      host.journal.full = false;
    });
  },
  attack: (s, _host, chance) => {
    s.attacker.attack(
      TRICKS.filter(() => chance.is(0.4)),
      chance,
    );
    s.later(while_(chance), () => s.attacker.stop());
  },
  'arp liar': (s, _host, chance) => {
    s.w.attacker = true;
    s.later(while_(chance), () => {
      s.w.attacker = false;
    });
  },
  handover: (s, host, chance) => {
    const at = s.w.hosts.find(inService) ?? host;
    const to = chance.is(0.5) ? other(s, at, chance).name : null;
    const force = chance.is(0.2);
    const obeyed = s.operator.order(at, { kind: 'handover', service: null, to, force });
    // Where nobody serves, such an order makes a master without a majority.
    if (obeyed && force && !inService(at)) s.forced();
  },
  force: (s, host) => {
    s.forced();
    s.operator.order(host, { kind: 'handover', service: null, to: host.name, force: true });
  },
  standby: (s, host, chance) => {
    s.operator.order(host, { kind: 'standby' });
    s.later(while_(chance), () => s.operator.order(host, { kind: 'resume' }));
  },
  stop: (s, host, chance) => {
    s.operator.order(host, { kind: 'stop' });
    restart(s, host, chance.logBetween(200, 12_000));
  },
  'one file edited': (s, host, chance) => {
    s.operator.setDigest(host, 'e'.repeat(64));
    s.later(while_(chance), () => s.operator.setDigest(host, DIGEST));
  },
  voters: (s, _host, chance) => s.operator.changeVoters(while_(chance), chance, s.later),
} as const satisfies { readonly [name: string]: Fault };

export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as readonly FaultName[];

export function strike(name: FaultName, s: Stage, host: Host, chance: Chance): void {
  (FAULTS[name] as Fault)(s, host, chance);
}

/** Ends every fault; hosts in `gone` go dark for good, if the rosters in force can do without them. */
export function heal(s: Stage, gone: readonly Host[]): void {
  const { w } = s;
  // Who lost a master with an odd file stays unfit until an operator compares the files (spec/threats.md, H5): not our case.
  // A word about it may still be under way, so that whoever ever had one counts.
  const odd = (h: Host): boolean => s.operator.edited.has(h);
  const dark = gone.filter((h) => !odd(h));
  const rest = w.hosts.filter((h) => !dark.includes(h));
  const lost = new Set(w.options.policy === 'available' || s.operator.viable(rest) ? dark : []);
  s.attacker.stop();
  w.network.heal();
  w.attacker = false;
  w.nextHop = true;
  w.cutLan = false;
  w.cutWan = false;
  w.oneWay.clear();
  w.deaf.clear();
  for (const host of w.hosts) {
    host.actuator.faults.clear();
    host.actuator.gatePauseMs = 0;
    host.gateBroken = false;
    host.journal.full = false;
    host.crashAtCall = null;
    if (host.frozen) host.thaw();
    if (lost.has(host)) {
      host.powerOff();
      continue;
    }
    for (const which of ['lanMute', 'wanMute', 'lan', 'wan'] as const) port(s, host, which, true);
    if (host.up && host.driver?.state.stopping === true) host.kill();
    if (!host.up) host.start();
    s.operator.order(host, { kind: 'resume' });
    s.operator.setDigest(host, DIGEST);
  }
  w.foreigners = true;
  s.operator.bringUpToDate();
}
