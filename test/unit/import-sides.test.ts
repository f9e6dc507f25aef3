/**
 * `import keepalived`: which link is which side, and which instances are one gateway: addresses by `dev`, an own link for VRRP, two
 * masters in both directions, instances without a group.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { portcullis } from './cli-harness.ts';
import { addressesOf, conf, imported, remarkOn, settingsOf, UNGROUPED } from './keepalived-harness.ts';

/** One instance, addresses of two links by `dev`, as a router appliance writes them; default route without dev; preempt_delay. */
const BY_DEV = `
vrrp_sync_group router { group { LAN } }
vrrp_instance LAN {
    state             BACKUP
    interface         eth1
    virtual_router_id 30
    priority          100
    advert_int        1
    preempt_delay     300
    virtual_ipaddress {
        192.0.2.69/28 dev eth0
        192.0.2.70/32 dev eth0
        10.2.31.69/24 dev eth1
    }
    virtual_routes {
        0.0.0.0/0 via 192.0.2.65
    }
}
`;

test('addresses by dev make the sides of one instance, and the default route tells the uplink', async (t) => {
  const made = await imported(t, BY_DEV);
  assert.deepEqual(made.open.length, 1);
  assert.match(made.open[0] ?? '', /link\.listen is missing/);
  const listening = made.configuration.replace(/^# (listen = "10.77.1.11:7946").*$/m, '$1');
  const settings = settingsOf({ ...made, configuration: listening, open: [] });
  assert.deepEqual(addressesOf(settings), {
    downlink: ['10.2.31.69/24'],
    uplink: ['192.0.2.69/28', '192.0.2.70/28'],
  });
  assert.deepEqual(settings.services[0]?.gateway.uplink.nextHops, ['192.0.2.65']);
  assert.equal(settings.services[0]?.preemptDelayMs, 300_000);
  assert.equal(made.services[0]?.why, 'the default route of the file leaves there');
});

/** VRRP on a link of its own with a link-local address; excluded addresses on both sides; IPv6; scope; track_interface. */
const OWN_LINK = `
vrrp_instance VR_7 {
    state BACKUP
    interface ha-7
    virtual_router_id 7
    priority 50
    garp_master_delay 60
    nopreempt
    advert_int 2
    track_interface {
        ha-7
        wan7 weight 10
    }
    virtual_ipaddress {
        169.254.0.7/24 dev ha-7
    }
    virtual_ipaddress_excluded {
        203.0.113.7/24 dev wan7
        10.7.0.1/24 dev lan7
        fe80::a00:1/64 dev lan7 scope link
        2001:db8:7::1/64 dev lan7
        2001:db8:f::7/64 dev wan7
    }
    virtual_routes {
        0.0.0.0/0 via 203.0.113.1 dev wan7
        ::/0 via 2001:db8:f::1 dev wan7
        203.0.113.128/25 dev wan7 scope link
    }
}
`;

test('single addresses: the route still tells the uplink, whose addresses and next hop are left open as they stand', async (t) => {
  const made = await imported(t, BY_DEV.replaceAll(/\/(28|24)/g, '/32'));
  assert.equal(made.services[0]?.uplink, 'eth0');
  assert.match(
    made.configuration,
    /^# addresses = \["192\.0\.2\.69\/32", "192\.0\.2\.70\/32"\] {3}# FILL IN: /m,
  );
  assert.match(made.configuration, /^# next_hop = "192\.0\.2\.65" {3}# FILL IN: /m);
  assert.match(made.configuration, /^addresses = \["10\.2\.31\.69\/32"\]$/m);
});

test('a link of VRRP’s own carries the hosts’ words; its link-local address and others’ are left out', async (t) => {
  const made = await imported(t, OWN_LINK);
  const { configuration } = made;
  assert.match(configuration, /\[\[link\]\][^[]*device = "ha-7"/);
  const addressed = configuration
    .replace(/# (listen = "10.77.1.11:7946") .*\n/, 'listen = "10.1.1.1:7946"\n')
    .replace(/# (listen = "10.77.1.11:7946") .*\n/, 'listen = "10.1.1.2:7946"\n');
  const settings = settingsOf({ ...made, configuration: addressed, open: [] });
  assert.deepEqual(
    settings.links.map(({ device }) => device),
    ['lan7', 'ha-7'],
  );
  assert.deepEqual(addressesOf(settings), {
    downlink: ['10.7.0.1/24', '2001:db8:7::1/64'],
    uplink: ['203.0.113.7/24', '2001:db8:f::7/64'],
  });
  assert.deepEqual(settings.services[0]?.gateway.uplink.nextHops, ['203.0.113.1', '2001:db8:f::1']);
  assert.equal(settings.timing.intervalMs, 2000);
  assert.match(remarkOn(made, 'weight').what, /no counterpart/);
  assert.match(JSON.stringify(made.remarks), /link-local addresses, which are left out/);
  assert.match(JSON.stringify(made.remarks), /ha-7 is neither side of the service/);
});

/** Two groups in both directions over the same links: active-active. */
const CROSSED = `
vrrp_sync_group A { group { A_IN A_OUT } }
vrrp_sync_group B { group { B_IN B_OUT } }
${['A', 'B']
  .map((name, i) =>
    ['IN', 'OUT']
      .map(
        (side, j) => `vrrp_instance ${name}_${side} {
  state ${i === 0 ? 'MASTER' : 'BACKUP'}
  interface ${side === 'IN' ? 'lan0' : 'wan0'}
  virtual_router_id ${10 * i + j + 1}
  priority ${i === 0 ? 200 : 100}
  nopreempt
  advert_int ${i === 0 ? '0.5' : '1'}
  virtual_ipaddress { ${side === 'IN' ? `10.1.0.${i + 1}/24` : `203.0.113.${i + 1}/24`} }
}`,
      )
      .join('\n'),
  )
  .join('\n')}
`;

test('two groups in both directions are two services apart; the highest priority and the shortest interval are kept', async (t) => {
  const made = await imported(t, CROSSED);
  const complete = made.configuration
    .replace(/^# (listen = "10.77.1.11:7946").*$/m, '$1')
    .replace(/^# next_hop = .*$/gm, 'next_hop = "203.0.113.254"');
  const settings = settingsOf({ ...made, configuration: complete, open: [] });
  assert.deepEqual(
    settings.services.map(({ gateway, apart }) => [gateway.name, apart, gateway.uplink.device]),
    [
      ['a', ['b'], 'wan0'],
      ['b', ['a'], 'wan0'],
    ],
  );
  assert.equal(settings.timing.intervalMs, 500);
  assert.match(remarkOn(made, 'priority').what, /the highest, 200, is kept/);
  assert.equal(made.services[0]?.why, 'its addresses alone are public');
});

test('two instances on two links without a group are taken for one gateway, with a word', async (t) => {
  const made = await imported(t, UNGROUPED);
  assert.equal(made.services.length, 1);
  assert.equal(made.services[0]?.uplink, 'wan');
  assert.equal(made.services[0]?.why, 'its name says so');
  assert.match(JSON.stringify(made.remarks), /VI_LAN and VI_WAN are taken as one gateway/);
});

test('instances without a group go together by state and priority, and by families; two in one place stay two', async (t) => {
  const both = (name: string, id: number, priority: number, device: string, address: string): string =>
    `vrrp_instance ${name} {
  state BACKUP
  interface ${device}
  virtual_router_id ${id}
  priority ${priority}
  virtual_ipaddress { ${address} }
}
`;
  const crossed = [
    both('IN4', 1, 150, 'eth3', '10.1.0.1/24'),
    both('OUT4', 2, 150, 'eth4', '203.0.113.1/24'),
    both('IN6', 3, 150, 'eth3', '2001:db8:1::1/64'),
    both('OUT6', 4, 150, 'eth4', '2001:db8:2::1/64'),
    both('OTHER_IN', 5, 50, 'eth3', '10.1.0.2/24'),
    both('OTHER_OUT', 6, 50, 'eth4', '203.0.113.2/24'),
  ];
  const made = await imported(t, crossed.join(''));
  assert.deepEqual(
    made.services.map(({ name, instances, uplink }) => [name, instances.length, uplink]),
    [
      ['in4', 4, 'eth4'],
      ['other-in', 2, 'eth4'],
    ],
  );
  const same = await imported(
    t,
    both('A', 1, 100, 'eth0', '10.1.0.1/24') + both('B', 2, 100, 'eth0', '10.1.0.2/24'),
  );
  assert.equal(same.services.length, 2);
});

test('where nothing tells the uplink, activation is left open; --uplink tells it', async (t) => {
  const unknown = UNGROUPED.replace(/lan$/m, 'eth3')
    .replace(/wan$/m, 'eth4')
    .replace(/VI_[LW]AN/g, (name) => (name === 'VI_LAN' ? 'VI_1' : 'VI_2'));
  const made = await imported(t, unknown);
  assert.equal(made.services[0]?.why, null);
  assert.match(made.configuration, /^# activation = "admin" {3}# FILL IN: say it when it is sure that eth4/m);
  const told = await imported(t, unknown, '--uplink', 'eth3');
  assert.equal(told.services[0]?.uplink, 'eth3');
  assert.match(told.configuration, /^activation = "admin"$/m);
});

test('a side that was told and is no service’s is refused, and not passed over for a guess', async (t) => {
  const file = join(conf(t, UNGROUPED), 'keepalived.conf');
  for (const side of ['uplink', 'downlink']) {
    const { status, out, err } = await portcullis(['import', 'keepalived', file, `--${side}`, 'eth9']);
    assert.deepEqual([status, out], [1, '']);
    assert.match(err, new RegExp(`error: --${side} "eth9": no service .*\n.*hint: .* on lan, wan\n$`));
  }
});
