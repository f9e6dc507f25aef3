/** R9: a process that is paused between what the core decided and what leaves: the word is as old as the decision. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Driver } from '../../src/driver/driver.ts';
import type { Endpoint } from '../../src/wire/endpoint.ts';
import { clusterTimes, coreConfig } from '../sim/cluster.ts';
import { roster } from './wire-net.ts';

const ignore = (): void => undefined;

/** What was signed after a start in which the process was paused for so long, while it gave its first orders. */
function signedAfter(pauseMs: number): string[] {
  let nowMs = 1000;
  let left = pauseMs;
  const pause = (): void => {
    nowMs += left;
    left = 0;
  };
  const signed: string[] = [];
  const driver: Driver = new Driver({
    config: coreConfig(roster, 'fw1', clusterTimes(200).timing, 'available', null),
    endpoint: {
      ...{ roster, peers: () => [], setLinks: ignore, tick: () => [], sealRoster: () => [] },
      nextTickMs: () => Number.POSITIVE_INFINITY,
      seal: (_nowMs: number, _to: string, messages: readonly { type: string }[]) => {
        for (const { type } of messages) signed.push(type);
        return [];
      },
    } as unknown as Endpoint,
    clock: { nowMs: () => nowMs, wakeAt: ignore, wakeSoon: ignore },
    transport: { send: ignore, links: () => [1], uplinkTalk: ignore },
    actuator: { run: pause, probeAddresses: pause, gate: pause },
    journal: { append: ignore },
    operations: { alarm: ignore, stopped: ignore },
  });
  driver.start();
  return signed;
}

test('R9: a word that a pause kept for longer than a lease is not signed any more; one that was late by less is', () => {
  const { leaseMs } = clusterTimes(200).timing;
  assert.ok(signedAfter(0).includes('REPORT'));
  assert.ok(signedAfter(leaseMs - 1).includes('REPORT'));
  assert.deepEqual(signedAfter(leaseMs + 1), []);
});
