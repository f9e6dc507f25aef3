/** When a service that was let go is taken away: not before the word to its successor had its moment. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { confirmed } from '../../src/linux/outcome.ts';
import { ServiceSwitch } from '../../src/linux/service.ts';

interface Made {
  readonly place: ServiceSwitch;
  /** What was asked of the kernel, in order. */
  readonly asked: string[];
  nowMs: number;
}

function made(): Made {
  const asked: string[] = [];
  const links = {
    fresh: (device: string) => {
      asked.push(device);
      return null;
    },
    ear: () => ({ link: null }),
    route: { addresses: () => [] },
  };
  const rules = { load: () => Promise.resolve(confirmed('')) };
  const side = (device: string, address: string) => ({
    ...{ device, nextHops: [], addresses: [{ family: 4, address, prefixLength: 24 }] },
  });
  const service = {
    ...{ name: 'firewall', downlink: side('eth0', '10.77.1.1'), uplink: side('up0', '10.77.2.1') },
    firewall: {},
  };
  const self = { asked, nowMs: 1000 } as { asked: string[]; nowMs: number; place: ServiceSwitch };
  const tools = {
    ...{ links, rules, nowMs: () => self.nowMs, leaseMs: () => 300, sync: { isOn: false } },
    ...{ othersActive: () => [], othersElsewhere: () => false, forget: () => Promise.resolve(null) },
  };
  self.place = new ServiceSwitch(service as never, tools as never);
  return self;
}

test('nothing is taken away in the first moment after the gate was shut by an order', async () => {
  const m = made();
  m.place.gateShut();
  const done = m.place.deactivate();
  assert.deepEqual(m.asked, []);
  assert.equal(m.place.active, false);
  assert.equal((await done).verdict, 'confirmed');
  assert.deepEqual(m.asked, ['up0', 'eth0', 'up0', 'eth0']);
});

test('a gate that was not open, or was shut a while ago, is not waited for', async () => {
  const m = made();
  const first = m.place.deactivate();
  assert.ok(m.asked.length > 0);
  await first;
  m.place.gateShut();
  m.nowMs += 1000;
  m.asked.length = 0;
  const second = m.place.deactivate();
  assert.ok(m.asked.length > 0);
  assert.equal((await second).verdict, 'confirmed');
});
