/** What a strategy must never do to a card, whatever the configuration says: decided on a directory that looks like /sys. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { GatewayService } from '../../src/linux/config.ts';
import type { Link } from '../../src/linux/rtnetlink.ts';
import { type Strategy, strategyOf } from '../../src/linux/uplink/strategy.ts';
import { Sysfs } from '../../src/linux/uplink/sysfs.ts';
import { FakeSysfs } from './fake-sysfs.ts';

const CARD = { bus: 'pci', address: '0000:03:00.0' };

class Bench {
  readonly sysfs = new FakeSysfs();
  /** Network devices, and whether they are up. */
  readonly links = new Map<string, boolean>();
  readonly kept = new Set<string>();

  constructor(t: TestContext) {
    t.after(() => this.sysfs.remove());
  }

  strategy(activation: 'module' | 'unbind'): Strategy {
    const uplink = { device: 'up0', activation, card: CARD, module: 'e1000e', driver: 'e1000e' };
    return strategyOf(uplink as unknown as GatewayService['uplink'], {
      sysfs: new Sysfs(this.sysfs.root),
      events: { until: async (look: () => unknown) => look() } as never,
      link: (device) => {
        const up = this.links.get(device);
        return up === undefined ? null : ({ index: 1, up } as unknown as Link);
      },
      kept: () => this.kept,
    });
  }

  /** What the card is prescribed, and what its driver was told to let go. */
  written(): string[] {
    return [`devices/pci/${CARD.address}/driver_override`, 'bus/pci/drivers/ahci/unbind'].map((path) =>
      readFileSync(join(this.sysfs.root, path), 'utf8').trim(),
    );
  }
}

test('a card that another driver holds and that has no network device is not touched: it may be the disk’s', async (t) => {
  for (const activation of ['module', 'unbind'] as const) {
    const bench = new Bench(t);
    bench.sysfs.module('e1000e');
    bench.sysfs.card({ address: CARD.address, driver: 'ahci', net: [] });
    bench.sysfs.file('bus/pci/drivers/ahci/unbind');
    const strategy = bench.strategy(activation);
    assert.match(strategy.remains() ?? '', /driver ahci holds pci\/0000:03:00\.0/);
    await assert.rejects(
      strategy.unload(100),
      /ahci holds pci.*no network device here: is it the uplink’s card/,
    );
    assert.deepEqual(bench.written(), ['(null)', ''], activation);
  }
});

test('a card with a configured link, or with another device that is up, is not touched', async (t) => {
  for (const isKept of [true, false]) {
    const bench = new Bench(t);
    bench.sysfs.card({ address: CARD.address, driver: 'ahci', net: ['up0', 'eth0'] });
    bench.sysfs.file('bus/pci/drivers/ahci/unbind');
    bench.links.set('up0', false).set('eth0', !isKept);
    if (isKept) bench.kept.add('eth0');
    await assert.rejects(
      bench.strategy('unbind').unload(100),
      isKept ? /eth0, a configured link, has it too/ : /eth0, which is up, has it too/,
    );
    assert.deepEqual(bench.written(), ['(null)', '']);
  }
});

test('the uplink’s own card is prescribed no driver and let go; without one it is prescribed none all the same', async (t) => {
  const bench = new Bench(t);
  bench.sysfs.card({ address: CARD.address, driver: 'ahci', net: ['up0'] });
  bench.sysfs.file('bus/pci/drivers/ahci/unbind');
  bench.links.set('up0', false);
  // Nothing in this directory does anything: the device stays, and that is told.
  await assert.rejects(bench.strategy('unbind').unload(100), /up0 is still there/);
  assert.deepEqual(bench.written(), ['portcullis-none', CARD.address]);
  const idle = new Bench(t);
  idle.sysfs.card({ address: CARD.address, driver: null, net: [] });
  idle.sysfs.file('bus/pci/drivers/ahci/unbind');
  await idle.strategy('unbind').unload(100);
  assert.deepEqual(idle.written(), ['portcullis-none', '']);
});
