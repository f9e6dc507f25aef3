/**
 * `import keepalived`, on configurations in the shapes that public ones have: pairs of firewalls in a sync group, addresses
 * by `dev`, an own link for VRRP, balancers with one link, two masters in both directions, IPv6, VLANs and virtual MACs,
 * and what routers generate. Which features each covers is said above it.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { findings } from '../../src/cli/check.ts';
import { must } from './cli-harness.ts';
import { addressesOf, conf, imported, remarkOn, settingsOf } from './keepalived-harness.ts';

/** vrrp_sync_group of two, unicast, nopreempt, authentication, garp, conntrackd's script in the group, default route. */
const PAIR = `
! Two firewalls
global_defs {
    router_id gate-a
    enable_script_security
    script_user root
}
vrrp_sync_group EDGE {
    group {
        OUTSIDE
        INSIDE
    }
    notify_master "/etc/conntrackd/primary-backup.sh primary"
    notify_backup "/etc/conntrackd/primary-backup.sh backup"
    notify_fault  "/etc/conntrackd/primary-backup.sh fault"
}
vrrp_instance OUTSIDE {
    state BACKUP
    interface ens3
    virtual_router_id 71
    priority 150
    advert_int 1
    nopreempt
    garp_master_delay 1
    unicast_src_ip 198.51.100.4
    unicast_peer {
        198.51.100.5
    }
    authentication {
        auth_type PASS
        auth_pass not4logs
    }
    virtual_ipaddress {
        198.51.100.2/28 dev ens3
    }
    virtual_routes {
        default via 198.51.100.1 dev ens3
        10.9.0.0/16 via 10.40.0.9 dev ens4
    }
}
vrrp_instance INSIDE {
    state BACKUP
    interface ens4
    virtual_router_id 72
    priority 150
    advert_int 1
    nopreempt
    unicast_src_ip 10.40.0.4
    unicast_peer {
        10.40.0.5
    }
    authentication {
        auth_type PASS
        auth_pass not4logs
    }
    virtual_ipaddress {
        10.40.0.1/24 dev ens4 label ens4:gw
    }
}
`;

test('a sync group of two links becomes a gateway with both sides; ids, priority, peers and times are kept', async (t) => {
  const made = await imported(t, PAIR);
  const settings = settingsOf(made);
  assert.deepEqual(addressesOf(settings), { downlink: ['10.40.0.1/24'], uplink: ['198.51.100.2/28'] });
  const [service] = settings.services;
  assert.equal(service?.gateway.name, 'edge');
  assert.equal(service?.policy, 'available');
  assert.equal(service?.preemptDelayMs, null);
  assert.equal(service?.gateway.uplink.device, 'ens3');
  assert.deepEqual(service?.gateway.uplink.nextHops, ['198.51.100.1']);
  assert.equal(settings.timing.intervalMs, 1000);
  assert.deepEqual(
    settings.links.map(({ device, listen }) => [device, listen.ip, listen.port]),
    [['ens4', '10.40.0.4', 7946]],
  );
  assert.match(
    made.configuration,
    /# vrrp_instance INSIDE: virtual_router_id 72, priority 150, interface ens4/,
  );
  assert.deepEqual(made.services[0]?.instances, [
    { name: 'OUTSIDE', id: 71, priority: 150 },
    { name: 'INSIDE', id: 72, priority: 150 },
  ]);
  assert.match(made.commands[1] ?? '', /cluster add fw1 .*--address 10\.40\.0\.4:7946 --priority 150$/);
  assert.match(made.commands[2] ?? '', /cluster add HOST2 .*--address 10\.40\.0\.5:7946 /);
});

test('what has no counterpart is said once, with its line and what to do; a pass word is nowhere', async (t) => {
  const made = await imported(t, PAIR);
  assert.equal(remarkOn(made, 'authentication').line, 29);
  assert.equal(remarkOn(made, 'authentication').times, 2);
  assert.match(remarkOn(made, 'virtual_routes').instead, /network configuration/);
  assert.match(remarkOn(made, 'label').what, /no counterpart/);
  assert.match(remarkOn(made, 'notify_master').what, /\[conntrackd\]/);
  assert.ok(settingsOf(made).conntrackd !== null);
  assert.match(remarkOn(made, 'unicast_peer').what, /ens3 is the uplink/);
  assert.equal(made.remarks.filter(({ keywords }) => keywords.includes('notify_backup')).length, 0);
  assert.doesNotMatch(JSON.stringify(made), /not4logs/);
});

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

/** A balancer: one link, address without length, vrrp_script by killall with weight, comments after values, no end of line. */
const BALANCER = `vrrp_script chk_proxy {   # needs killall
        script "killall -0 proxy --token s3cret" # cheap
        interval 2
        weight 2
        rise 2
        fall 3
        user nobody
}

vrrp_instance VI_1 {
        interface eth0
        state MASTER
        virtual_router_id 51
        # 101 on one host, 100 on the other
        priority 101
        virtual_ipaddress {
                198.51.100.40
        }
        track_script {
                chk_proxy
        }
}`;

test('a single link: the uplink is left open, and check says so; a script’s arguments are not copied', async (t) => {
  const made = await imported(t, BALANCER);
  const text = made.open.join('\n');
  assert.match(text, /service\.uplink\.addresses is missing/);
  assert.match(made.configuration, /^# device = "up0" {3}# FILL IN: the device of the foreign domain/m);
  assert.match(JSON.stringify(made.remarks), /VI_1 has addresses on one link alone/);
  assert.match(remarkOn(made, 'preempt').instead, /preempt_delay/);
  assert.match(remarkOn(made, 'vrrp_script').instead, /\[service\.procedures\]/);
  assert.match(made.configuration, /# vrrp_script chk_proxy ran each 2s: killall \.\.\.$/m);
  assert.doesNotMatch(JSON.stringify(made), /s3cret/);
  assert.match(made.commands[1] ?? '', /--priority 101$/);
  const dir = conf(t, BALANCER);
  const out = join(dir, 'made.toml');
  await must([
    'import',
    'keepalived',
    join(dir, 'keepalived.conf'),
    '--elsewhere',
    '--host',
    'fw1',
    '--out',
    out,
  ]);
  const said = (await findings(out)).map(({ message, hint }) => `${message}; ${hint}`).join('\n');
  assert.match(said, /made\.toml:\d+: device is still to be filled in; .*the device of the foreign domain/);
  assert.match(
    said,
    /made\.toml:\d+: listen is still to be filled in; .*an address of this host alone on eth0/,
  );
  // Told, the missing device and nothing else of it changes.
  const told = await imported(t, BALANCER, '--uplink', 'eth1');
  assert.match(told.configuration, /^device = "eth1"$/m);
});

/** Many excluded addresses without a length, use_vmac, VLAN devices, notify, smtp_alert, notification_email block. */
const MANY = `
global_defs {
      notification_email {
            ops@example.net "The Operators <all@example.net>"
      }
      notification_email_from gate@example.net
      smtp_server 127.0.0.1
      smtp_connect_timeout 30
      garp_master_delay 3
}
vrrp_sync_group G1 {   # first of all
  group {
    pub_a
    pvt_a
  }
}
vrrp_instance pub_a {
    interface ens7f0
    state BACKUP
    virtual_router_id 61
    priority 150
    smtp_alert
    preempt_delay 5
    #track_interface {
    #    ens7f1
    #}
    use_vmac pub_a
    notify "/etc/keepalived/notify.sh"
    virtual_ipaddress {
        192.0.2.5/24
    }
    virtual_ipaddress_excluded {
${Array.from({ length: 20 }, (_, i) => `        192.0.2.${100 + i}`).join('\n')}
    }
}
vrrp_instance pvt_a {
    interface ens7f1.57
    state BACKUP
    virtual_router_id 62
    priority 150
    use_vmac pvt_a
    virtual_ipaddress {
        10.57.0.1/16 brd 10.57.255.255 scope global
    }
}
`;

test('addresses without a length have that of a network beside them; more than sixteen are left out, and that is said', async (t) => {
  const made = await imported(t, MANY);
  const { uplink, downlink } = addressesOf(
    settingsOf({
      ...made,
      open: [],
      configuration: made.configuration
        .replace(/^# (listen = "10.77.1.11:7946").*$/m, '$1')
        .replace(/^# next_hop = .*$/m, 'next_hop = "192.0.2.254"'),
    }),
  );
  assert.equal(uplink.length, 16);
  assert.ok(uplink.every((address) => address.endsWith('/24')));
  assert.deepEqual(downlink, ['10.57.0.1/16']);
  assert.match(JSON.stringify(made.remarks), /has 21 addresses on ens7f0/);
  assert.equal(remarkOn(made, 'use_vmac').times, 2);
  assert.deepEqual(remarkOn(made, 'smtp_alert').keywords, [
    'notification_email',
    'notification_email_from',
    'smtp_server',
    'smtp_connect_timeout',
    'smtp_alert',
  ]);
  assert.match(remarkOn(made, 'notify').what, /not called beside it/);
  assert.equal(remarkOn(made, 'garp_master_delay').instead, '');
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

/** Two instances without a group on two links: public guides have them so; names tell the uplink. */
const UNGROUPED = `
vrrp_instance VI_LAN {
  state MASTER
  interface lan
  virtual_router_id 1
  priority 100
  virtual_ipaddress {
    10.0.0.1/24
  }
}
vrrp_instance VI_WAN {
  state MASTER
  interface wan
  virtual_router_id 2
  priority 100
  virtual_ipaddress {
    10.99.0.1/24
  }
}
`;

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

/** Three hosts by unicast: a majority is possible. VRRPv3, startup delay, dynamic_interfaces, strict: what a router OS writes. */
const THREE = `
global_defs {
  dynamic_interfaces
  script_user root
  vrrp_startup_delay 5
  vrrp_version 3
  vrrp_strict
}
vrrp_instance inside {
  state BACKUP
  interface eth1
  virtual_router_id 9
  priority 120
  advert_int 1
  preempt_delay 0
  version 3
  unicast_src_ip 2001:db8:1::3
  unicast_peer {
    2001:db8:1::4 min_ttl 254
    2001:db8:1::5
  }
  virtual_ipaddress {
    2001:db8:1::1/64
    2001:db8:2::1/64 dev eth2
  }
  virtual_routes {
    ::/0 via 2001:db8:2::fe dev eth2
  }
}
`;

test('three hosts and IPv6: policy quorum, addresses of the peers in brackets, delays of at least a second', async (t) => {
  const made = await imported(t, THREE);
  const settings = settingsOf(made);
  assert.equal(settings.services[0]?.policy, 'quorum');
  assert.equal(settings.services[0]?.preemptDelayMs, 1000);
  assert.equal(settings.links[0]?.listen.ip, '2001:db8:1::3');
  assert.match(made.commands[3] ?? '', /cluster add HOST3 .*--address \[2001:db8:1::5\]:7946/);
  for (const keyword of ['vrrp_strict', 'vrrp_version', 'version', 'vrrp_startup_delay'])
    assert.match(remarkOn(made, keyword).what, /VRRP’s protocol/);
});

/** A balancer of LVS beside VRRP: virtual_server and nested checkers; static routes; track_file and process; unknown keyword. */
const LVS = `
static_routes { 192.0.2.0/25 via 10.0.0.9 dev lan0 }
vrrp_track_process web { process nginx }
${UNGROUPED}
virtual_server 10.99.0.1 443 {
  delay_loop 6
  lb_algo rr
  protocol TCP
  real_server 10.0.0.20 443 {
    weight 1
    SSL_GET {
      url {
        path /
        digest ff20ad2481f97b1754ef3e12ecd3a9cc
      }
      connect_timeout 3
    }
  }
}
no_such_keyword_at_all yes
`;

test('what is not VRRP is passed over with a word, whatever stands in it; what nobody knows, too', async (t) => {
  const made = await imported(t, LVS);
  assert.match(remarkOn(made, 'virtual_server').what, /no load is balanced here/);
  assert.match(remarkOn(made, 'static_routes').instead, /network configuration/);
  assert.match(remarkOn(made, 'vrrp_track_process').instead, /checkServiceLocal/);
  assert.match(remarkOn(made, 'no_such_keyword_at_all').what, /not known here/);
  assert.equal(made.remarks.filter(({ keywords }) => keywords.includes('real_server')).length, 0);
});
