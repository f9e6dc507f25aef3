/** When two hosts' clocks are compared anew (P20), and what becomes of a host whose clock stood still. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Endpoint, Outgoing, Received } from '../../src/wire/endpoint.ts';
import { testEndpoint } from './wire-fixture.ts';
import { check, codeOf, roster } from './wire-net.ts';

/** Two hosts on a network without delay; the clock of fw1 may be behind. */
class Pair {
  readonly fw1 = testEndpoint(roster, 'fw1', { links: [1], maxDrift: 0.01 });
  readonly fw2 = testEndpoint(roster, 'fw2', { links: [1], maxDrift: 0.01 });
  nowMs = 1000;
  behindMs = 0;
  /** When an exchange began. */
  readonly measuredMs: number[] = [];

  nowOf(host: Endpoint): number {
    return host === this.fw1 ? this.nowMs - this.behindMs : this.nowMs;
  }

  deliver(from: Endpoint, outgoing: readonly Outgoing[]): Received[] {
    const to = from === this.fw1 ? this.fw2 : this.fw1;
    const name = to === this.fw1 ? 'fw1' : 'fw2';
    return outgoing
      .filter((out) => out.to === name)
      .map(({ link, datagram }) => {
        const received = to.receive(this.nowOf(to), link, datagram);
        if (received.kind !== 'refused') this.deliver(to, received.replies);
        return received;
      });
  }

  pass(ms: number): void {
    for (let i = 0; i < ms; i++) {
      this.nowMs += 1;
      for (const host of [this.fw1, this.fw2]) {
        const due = host.tick(this.nowOf(host));
        if (due.some(({ to }) => to !== 'w')) this.measuredMs.push(this.nowMs);
        this.deliver(host, due);
      }
    }
  }

  says(from: Endpoint): string | undefined {
    const to = from === this.fw1 ? 'fw2' : 'fw1';
    return codeOf(this.deliver(from, from.seal(this.nowOf(from), to, [check(1)]))[0]);
  }
}

test('P20: clocks of a new session are compared eight times soon, and then each 5 s', () => {
  const pair = new Pair();
  pair.pass(60_000);
  const pauses = pair.measuredMs.map((ms, i) => ms - (pair.measuredMs[i - 1] ?? 0)).slice(3);
  const soon = pauses.filter((ms) => ms > 600 && ms <= 704);
  const seldom = pauses.filter((ms) => ms >= 4_900);
  assert.ok(soon.length >= 6 && soon.length <= 8, pauses.join(' '));
  assert.ok(seldom.length >= 9 && seldom.length <= 11, pauses.join(' '));
});

test('P20: a host whose clock stood still is not understood, is asked at once, and understood again', () => {
  for (const which of ['fw1', 'fw2'] as const) {
    const pair = new Pair();
    pair.pass(20_000);
    pair.behindMs = which === 'fw1' ? 3_000 : -3_000; // as if the other one's had stood still
    const [late, other] = which === 'fw1' ? [pair.fw1, pair.fw2] : [pair.fw2, pair.fw1];
    assert.equal(pair.says(late), 'too-old');
    assert.equal(pair.says(other), 'messages');
    pair.pass(2);
    assert.equal(pair.says(late), 'messages');
  }
});

test('P20: words that are held back again and again have the clocks compared no more than each 0.6 s', () => {
  const pair = new Pair();
  pair.pass(20_000);
  const { length } = pair.measuredMs;
  const held = Array.from({ length: 2_000 }, (_, i) => pair.fw1.seal(pair.nowMs, 'fw2', [check(i)]));
  pair.pass(1_000);
  for (const outgoing of held) {
    assert.equal(codeOf(pair.deliver(pair.fw1, outgoing)[0]), 'too-old');
    pair.pass(1);
  }
  const asked = pair.measuredMs.length - length;
  assert.ok(asked >= 3 && asked <= 6, String(asked));
});
