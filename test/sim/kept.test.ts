/**
 * What a host keeps of a long life: nothing that grows with the words that it heard or with its takeovers. The real driver, core
 * and codec; the heap is looked at after its garbage is gone, so that this is no matter of how lazily it is collected.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SERVICE, World } from './world.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** So many bytes a takeover, or a word, are compiled code and a heap's own unrest; a message that is kept has some 300. */
const BYTES_A_TAKEOVER = 600;
const BYTES_A_WORD = 10;

/** A cluster that counts its words, without what only judges ask its hosts. */
class Life extends World {
  words = 0;
  takeovers = 0;

  override send(...of: Parameters<World['send']>): void {
    this.words++;
    super.send(...of);
  }

  /** Kept, in bytes. */
  heap(): number {
    for (const host of this.hosts) for (const told of [host.places, host.hints]) told.length = 0;
    collect();
    collect();
    return process.memoryUsage().heapUsed;
  }

  /** A planned move, or one because the master's cable is pulled; each as often. */
  takeOver(): void {
    const master = this.host(this.masters()[0] ?? assert.fail('nobody serves'));
    if (this.takeovers % 2 === 0) {
      const order = { kind: 'handover', service: SERVICE, to: null, force: false } as const;
      assert.equal(master.driver?.order(order), null);
      this.pass(500);
    } else {
      const plug = (isIn: boolean): void => {
        master.lan = isIn;
        master.changed();
        master.tell('lan');
      };
      plug(false);
      this.pass(600);
      plug(true);
      this.pass(900);
    }
    assert.notEqual(this.masters()[0], master.name);
    this.takeovers++;
  }
}

const woken = (): Life => {
  const life = new Life({ hosts: 3, policy: 'available', intervalMs: 50 });
  life.startAll();
  life.pass(5_000);
  return life;
};

test('a takeover leaves nothing behind', () => {
  const life = woken();
  const take = (takeovers: number): number => {
    for (let i = 0; i < takeovers; i++) life.takeOver();
    return life.heap();
  };
  const before = take(300);
  const grown = take(900) - before;
  assert.ok(grown < 900 * BYTES_A_TAKEOVER, `${grown} bytes`);
});

test('a word leaves nothing behind', () => {
  const life = woken();
  const hear = (seconds: number): { bytes: number; words: number } => {
    life.pass(seconds * 1_000);
    return { bytes: life.heap(), words: life.words };
  };
  const before = hear(150);
  const after = hear(600);
  const words = after.words - before.words;
  assert.ok(words > 40_000, `${words} words`);
  assert.ok(after.bytes - before.bytes < words * BYTES_A_WORD, `${after.bytes - before.bytes} bytes`);
});
