/** A scenario of a settled cluster, played by name: from the tests, or from the command line with its transcript. */
import assert from 'node:assert/strict';
import { describeEffect, describeEvent } from '../../src/core/index.ts';
import { OverlapJudge } from './judges/overlap.ts';
import { UplinkJudge } from './judges/uplink.ts';
import { WordsJudge } from './judges/words.ts';
import { type Host, World, type WorldOptions } from './world.ts';

export interface Scenario {
  readonly name: string;
  /** Throws when it is not as it must be. `say` gets the transcript. */
  run(say?: (line: string) => void): void;
}

/** All that were described so far. */
export const SCENARIOS: Scenario[] = [];

interface Settled {
  readonly w: World;
  readonly master: Host;
  readonly backup: Host;
  /** No judge has complained, and exactly one host serves. */
  sound(): void;
}

/** Describes one: `play` gets the cluster when exactly one host serves, and throws when it is not as it must be. */
export function scenario(name: string, options: WorldOptions, play: (s: Settled) => void): void {
  const run = (say?: (line: string) => void) => {
    const w = new World(options);
    w.judges.push(new OverlapJudge(w), new UplinkJudge(), new WordsJudge());
    if (say !== undefined) {
      w.transcript = say;
      w.observe = (host, _now, event, _state, effects) =>
        w.say(`${host} ${describeEvent(event)} -> ${effects.map(describeEffect).join('; ')}`);
    }
    w.startAll();
    w.pass(5000);
    const sound = () => {
      assert.deepEqual(w.violations, []);
      assert.equal(w.masters().length, 1, w.hosts.map((h) => `${h.name} ${h.place}`).join(', '));
    };
    sound();
    w.resetFigures();
    const master = w.host(w.masters()[0] ?? '');
    const backup = w.hosts.find((h) => h !== master && h.name.startsWith('fw')) ?? master;
    play({ w, master, backup, sound });
    assert.deepEqual(w.violations, []);
  };
  SCENARIOS.push({ name, run });
}
