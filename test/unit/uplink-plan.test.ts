/** Which strategies an uplink can have: decided from what sysfs shows and the configuration says. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { ActuatorConfig } from '../../src/linux/config.ts';
import { uplinkFacts } from '../../src/linux/uplink/facts.ts';
import { refuseUnusable } from '../../src/linux/uplink/inspect.ts';
import { planUplink, type UplinkPlan } from '../../src/linux/uplink/planning.ts';
import { Sysfs } from '../../src/linux/uplink/sysfs.ts';
import { FakeSysfs } from './fake-sysfs.ts';

function fake(t: TestContext): FakeSysfs {
  const sysfs = new FakeSysfs();
  t.after(() => sysfs.remove());
  return sysfs;
}

/** A configuration with these devices, as far as the plan looks at it. */
function configOf(downlink: string, uplink: object): ActuatorConfig {
  return {
    clusterLinks: [{ device: downlink, address: '10.77.1.11', port: 7946 }],
    services: [{ name: 'firewall', downlink: { device: downlink }, uplink: { device: 'up0', ...uplink } }],
  } as unknown as ActuatorConfig;
}

function planOf(sysfs: FakeSysfs, device: string, config: ActuatorConfig | null = null): UplinkPlan {
  const facts = uplinkFacts(device, config, new Sysfs(sysfs.root));
  assert.ok(facts, `no facts of ${device}`);
  return planUplink(facts);
}

function refused(plan: UplinkPlan, activation: string): string {
  return plan.choices.find((c) => c.activation === activation)?.refused.join('; ') ?? 'not listed';
}

test('a card with a module of its own: module is best, and the lines name card and module', (t) => {
  const s = fake(t);
  s.module('e1000e');
  s.module('r8169');
  s.card({ address: '0000:03:00.0', driver: 'e1000e', module: 'e1000e', net: ['up0'] });
  s.card({ address: '0000:04:00.0', driver: 'r8169', module: 'r8169', net: ['eth0+'] });
  const plan = planOf(s, 'up0');
  assert.equal(plan.recommended, 'module');
  assert.equal(
    plan.toml,
    'device     = "up0"\nactivation = "module"\ncard       = "pci/0000:03:00.0"\nmodule     = "e1000e"\n',
  );
  for (const { activation, refused: why } of plan.choices) assert.deepEqual(why, [], activation);
});

test('a module that the downlink needs too, or any device that is up: unbind', (t) => {
  const s = fake(t);
  s.module('igb');
  s.card({ address: '0000:03:00.0', driver: 'igb', module: 'igb', net: ['up0'] });
  s.card({ address: '0000:03:00.1', driver: 'igb', module: 'igb', net: ['eth0+'] });
  const alone = planOf(s, 'up0');
  assert.match(refused(alone, 'module'), /^eth0 is up, and has module igb too$/);
  assert.equal(alone.recommended, 'unbind');
  assert.match(alone.toml ?? '', /^card {7}= "pci\/0000:03:00\.0"\ndriver {5}= "igb"$/m);
  const configured = planOf(s, 'up0', configOf('eth0', {}));
  assert.match(refused(configured, 'module'), /eth0 is a configured link/);
});

test('an idle device of the same module does not forbid module, and is named; one out of sight does', (t) => {
  const s = fake(t);
  s.module('igb');
  s.card({ address: '0000:03:00.0', driver: 'igb', module: 'igb', net: ['up0'] });
  s.card({ address: '0000:03:00.1', driver: 'igb', module: 'igb', net: ['eth3'] });
  s.card({ address: '0000:05:00.0', driver: 'r8169', net: ['eth0+'] });
  const plan = planOf(s, 'up0');
  assert.equal(plan.recommended, 'module');
  assert.match(plan.choices[0]?.notes.join() ?? '', /eth3, down and not configured, goes with igb/);
  s.card({ address: '0000:03:00.2', driver: 'igb', module: 'igb', net: [] });
  assert.match(refused(planOf(s, 'up0'), 'module'), /igb drives pci\/0000:03:00\.2 too/);
});

test('a driver that is built in, and one that another module needs: not module', (t) => {
  const s = fake(t);
  s.module('virtio_net', false);
  s.module('mlx4_en');
  s.file('module/mlx4_en/holders/mlx4_other');
  s.card({
    address: 'virtio1',
    bus: 'virtio',
    driver: 'virtio_net',
    module: 'virtio_net',
    net: ['up0'],
    override: false,
  });
  s.card({ address: '0000:04:00.0', driver: 'mlx4_en', module: 'mlx4_en', net: ['up1'] });
  s.card({ address: '0000:05:00.0', driver: 'r8169', net: ['eth0+'] });
  const builtIn = planOf(s, 'up0');
  assert.match(refused(builtIn, 'module'), /virtio_net is built into the kernel/);
  assert.equal(builtIn.recommended, 'unbind');
  assert.match(builtIn.choices[1]?.notes.join() ?? '', /virtio prescribes no driver/);
  assert.match(refused(planOf(s, 'up1'), 'module'), /mlx4_other needs mlx4_en/);
});

test('VLANs, bonds, members and virtual devices: admin or nothing, each with its reason', (t) => {
  const s = fake(t);
  s.module('igb');
  s.card({ address: '0000:03:00.0', driver: 'igb', module: 'igb', net: ['eth1+'] });
  s.card({ address: '0000:04:00.0', driver: 'igb', module: 'igb', net: ['eth2'] });
  s.card({ address: '0000:05:00.0', driver: 'r8169', net: ['eth0+'] });
  s.device('eth1.7', null, 'vlan');
  s.stack('eth1.7', 'eth1');
  s.device('bond0', null, 'bond');
  s.stack('bond0', 'eth2');
  s.link('class/net/eth2/master', 'class/net/bond0');
  s.device('dummy0');
  for (const [device, why] of [
    ['eth1.7', /is a VLAN: it goes with its parent/],
    ['bond0', /is a bond: its members would come back/],
    ['dummy0', /has no card of its own/],
  ] as const) {
    const plan = planOf(s, device);
    assert.match(refused(plan, 'module'), why);
    assert.match(refused(plan, 'unbind'), why);
    assert.equal(plan.recommended, 'admin', device);
  }
  assert.match(planOf(s, 'eth1.7').choices[2]?.notes.join() ?? '', /the parent eth1 stays up/);
  const member = planOf(s, 'eth2');
  assert.match(refused(member, 'admin'), /eth2 is a member of bond0/);
  assert.equal(member.recommended, null);
  assert.equal(member.toml, null);
});

test('what stands on a device goes with it: in use it forbids that, idle it is named', (t) => {
  const s = fake(t);
  s.module('igb');
  s.card({ address: '0000:03:00.0', driver: 'igb', module: 'igb', net: ['up0'] });
  s.card({ address: '0000:05:00.0', driver: 'r8169', net: ['eth0+'] });
  s.device('up0.7', null, 'vlan');
  s.stack('up0.7', 'up0');
  assert.match(planOf(s, 'up0').choices[0]?.notes.join() ?? '', /up0\.7 on up0 goes with it/);
  assert.match(refused(planOf(s, 'up0', configOf('up0.7', {})), 'unbind'), /up0\.7 is a configured link/);
});

test('admin: what stands on a device is down with it, so that a configured link on it forbids it', (t) => {
  const s = fake(t);
  s.card({ address: '0000:03:00.0', driver: 'igb', net: ['up0+'] });
  s.card({ address: '0000:05:00.0', driver: 'r8169', net: ['eth0+'] });
  s.device('up0.7', null, 'vlan');
  s.stack('up0.7', 'up0');
  assert.match(
    refused(planOf(s, 'up0', configOf('up0.7', {})), 'admin'),
    /up0\.7 on up0 is a configured link/,
  );
  const idle = planOf(s, 'up0', configOf('eth0', {}));
  assert.equal(refused(idle, 'admin'), '');
  assert.match(idle.choices[2]?.notes.join() ?? '', /up0\.7 on up0 has no carrier while it is down/);
  s.device('br0', null, 'bridge');
  s.stack('br0', 'eth0');
  assert.match(
    refused(planOf(s, 'br0', configOf('eth0', {})), 'admin'),
    /eth0, a member of br0, is a configured/,
  );
});

test('a configuration that asks for the impossible is refused by name; what cannot be seen is not', (t) => {
  const s = fake(t);
  const sysfs = new Sysfs(s.root);
  s.module('igb');
  s.card({ address: '0000:03:00.0', driver: 'igb', module: 'igb', net: ['up0'] });
  s.card({ address: '0000:03:00.1', driver: 'igb', module: 'igb', net: ['eth0+'] });
  const card = { bus: 'pci', address: '0000:03:00.0' };
  const wanted = (activation: string) => configOf('eth0', { activation, card, module: 'igb', driver: 'igb' });
  assert.throws(
    () => refuseUnusable(wanted('module'), sysfs),
    /service firewall: activation "module" cannot be used: eth0 is a configured link, and has module igb too/,
  );
  refuseUnusable(wanted('unbind'), sysfs);
  refuseUnusable(configOf('eth0', { device: 'absent0', activation: 'admin' }), sysfs);
});

test('the downlink, a cluster link and the last link of a host are no uplinks', (t) => {
  const s = fake(t);
  s.module('igb');
  s.card({ address: '0000:03:00.0', driver: 'igb', module: 'igb', net: ['eth0+'] });
  assert.match(refused(planOf(s, 'eth0'), 'admin'), /last link of this host/);
  s.device('lo+');
  assert.equal(refused(planOf(s, 'lo'), 'admin'), 'lo is the loopback of this host');
  const plan = planOf(s, 'eth0', configOf('eth0', {}));
  assert.equal(plan.recommended, null);
  assert.match(refused(plan, 'command'), /eth0 is a downlink/);
});

test('a device that is absent is told by the card of the configuration', (t) => {
  const s = fake(t);
  s.card({ address: '0000:03:00.0', driver: null, net: [] });
  s.card({ address: '0000:05:00.0', driver: 'r8169', net: ['eth0+'] });
  const uplink = { card: { bus: 'pci', address: '0000:03:00.0' }, module: 'e1000e', activation: 'module' };
  assert.equal(uplinkFacts('up0', null, new Sysfs(s.root)), null);
  const facts = uplinkFacts('up0', configOf('eth0', uplink), new Sysfs(s.root));
  assert.equal(facts?.exists, false);
  assert.equal(facts?.module, 'e1000e');
  // Its module may still be missing or built in: modprobe is asked about that.
  assert.equal(facts?.isLoadable, true);
  assert.ok(facts);
  assert.deepEqual(planUplink(facts).choices[0]?.refused, []);
  // A mistyped address: another's card, which has no network device at all.
  s.card({ address: '0000:01:00.0', driver: 'ahci', net: [] });
  const wrong = { ...uplink, card: { bus: 'pci', address: '0000:01:00.0' } };
  const plan = planOf(s, 'up0', configOf('eth0', wrong));
  for (const activation of ['module', 'unbind'])
    assert.match(
      refused(plan, activation),
      /driver ahci holds pci\/0000:01:00\.0, which has no network device here/,
    );
});
