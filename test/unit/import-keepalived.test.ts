/**
 * `import keepalived`, on configurations in the shapes that public ones have: pairs of firewalls in a sync group, addresses
 * by `dev`, balancers with one link, IPv6, VLANs and virtual MACs, and what routers generate. Which features each covers is said above it.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { findings } from '../../src/cli/check.ts';
import { must } from './cli-harness.ts';
import { addressesOf, conf, imported, remarkOn, settingsOf, UNGROUPED } from './keepalived-harness.ts';

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
  assert.match(made.commands[2] ?? '', /cluster add fw1 .*--address 10\.40\.0\.4:7946 --priority 150$/);
  assert.equal(made.commands.at(-1), 'portcullis cluster bundle fw1 --roster roster.cose --out fw1.bundle');
  assert.match(made.commands[3] ?? '', /cluster add HOST2 .*--address 10\.40\.0\.5:7946 /);
  assert.equal(made.commands[0], 'portcullis key generate --out admin.key --passphrase');
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
  assert.match(made.configuration, /^# activation = "admin" {3}# FILL IN: as portcullis uplink plan DEVICE/m);
  assert.match(JSON.stringify(made.remarks), /VI_1 has addresses on one link alone/);
  assert.match(remarkOn(made, 'preempt').instead, /preempt_delay/);
  assert.match(remarkOn(made, 'vrrp_script').instead, /\[service\.procedures\]/);
  assert.match(made.configuration, /# vrrp_script chk_proxy ran each 2s: killall \.\.\.$/m);
  assert.doesNotMatch(JSON.stringify(made), /s3cret/);
  assert.match(made.commands[2] ?? '', /--priority 101$/);
  const dir = conf(t, BALANCER);
  const out = join(dir, 'made.toml');
  const source = join(dir, 'keepalived.conf');
  const next = await must(['import', 'keepalived', source, '--elsewhere', '--host', 'fw1', '--out', out]);
  // The keys come first, whose public halves the next lines take.
  assert.match(
    next,
    / {2}portcullis key generate --out \/etc\/portcullis\/host\.key\n[\s\S]* key generate --out admin\.key [\s\S]* cluster init /,
  );
  assert.match(
    next,
    /cluster bundle [\s\S]* host join BUNDLE --dir \/etc\/portcullis --key \/etc\/portcullis\/host\.key\n/,
  );
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
  assert.match(made.commands[4] ?? '', /cluster add HOST3 .*--address \[2001:db8:1::5\]:7946/);
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
