/**
 * `import keepalived`, three shapes more: scripts and programs about everything, IPv6 alone, and one file for both hosts that
 * includes others. What becomes of each, and every complaint with its file and line.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { addressesOf, type Imported, imported, settingsOf } from './keepalived-harness.ts';

/** vrrp_script with weight, AH, mcast_src_ip, source of a route, virtual_rules, a notify program for each state, half a second. */
const PROGRAMS = `# A router in a rack of its own: who checks the line, and calls a program that moves an address at a provider.
global_defs {
  router_id rack7-a
  vrrp_garp_master_refresh 60
  vrrp_skip_check_adv_addr
  script_user keepalived_script
}
vrrp_script line_ok {
  script "/usr/local/sbin/line-ok --quiet"
  interval 3
  timeout 2
  fall 2
  rise 4
  weight -40
}
vrrp_instance OUT {
  state MASTER
  interface enp1s0
  dont_track_primary
  virtual_router_id 33
  priority 180
  advert_int 0.5
  mcast_src_ip 192.0.2.11
  authentication {
    auth_type AH
    auth_pass hush-hush
  }
  track_script {
    line_ok weight 10
  }
  virtual_ipaddress {
    192.0.2.10/25 brd 192.0.2.127 dev enp1s0 label enp1s0:10
  }
  virtual_ipaddress_excluded {
    10.30.0.254/24 dev enp2s0
  }
  virtual_routes {
    src 192.0.2.10 to 0.0.0.0/0 via 192.0.2.1 dev enp1s0
  }
  virtual_rules {
    from 10.30.0.0/24 lookup 30
  }
  notify_master "/usr/local/sbin/moved master enp1s0"
  notify_backup "/usr/local/sbin/moved backup enp1s0"
  notify_fault "/usr/local/sbin/moved fault enp1s0"
  notify_stop "/usr/local/sbin/moved stop enp1s0"
}
`;

/** IPv6 alone, with link-local addresses first, as VRRPv3 wants them; the group below its instances. */
const IPV6 = `vrrp_instance V6_LAN {
    interface lan
    state BACKUP
    virtual_router_id 60
    priority 100
    native_ipv6
    advert_int 1
    accept
    virtual_ipaddress {
        fe80::60
        2001:db8:60::1/64
    }
}
vrrp_instance V6_WAN {
    interface wan
    state BACKUP
    virtual_router_id 61
    priority 100
    native_ipv6
    advert_int 1
    virtual_ipaddress {
        fe80::61
        2001:db8:61::1/64
    }
}
vrrp_sync_group V6 {
    group {
        V6_LAN
        V6_WAN
    }
    global_tracking
    smtp_alert
}
`;

/** Conditions for both hosts, VLANs on a bond, a virtual MAC, unicast, a name space, BFD and addresses that stay, in included files. */
const BOTH_HOSTS = {
  'keepalived.conf': `! one file for both hosts of a pair
global_defs { router_id pair }
net_namespace edge
include parts/*.inc
@fw1 vrrp_track_file load { file /run/load }
vrrp_instance GW {
    @fw1 state MASTER
    @fw2 state BACKUP
    @fw1 priority 110
    @fw2 priority 105
    interface bond0.10
    use_vmac vr10
    vmac_xmit_base
    virtual_router_id 10
    unicast_peer {
        @fw1 10.10.0.3
        @fw2 10.10.0.2
    }
    @fw1 unicast_src_ip 10.10.0.2
    @fw2 unicast_src_ip 10.10.0.3
    virtual_ipaddress {
        10.10.0.1/24
        198.51.100.9/30 dev bond0.20
    }
    virtual_routes { default via 198.51.100.10 dev bond0.20 }
}
`,
  'parts/1.inc': 'vrrp_script up { script "/bin/true"; }\n',
  'parts/2.inc': 'static_ipaddress {\n 10.9.9.9/32 dev lo\n}\nbfd_instance b1 { neighbor_ip 10.10.0.3 }\n',
};

/** What is said, as `LINE KEYWORD..`. */
function complaints({ remarks }: Imported): string[] {
  return remarks.map(({ line, keywords }) => `${line} ${keywords.join(' ')}`);
}

/** With what an operator has to fill in. */
function filled(made: Imported, nextHop: string): ReturnType<typeof settingsOf> {
  const configuration = made.configuration
    .replace(/^# listen = .*$/m, 'listen = "10.0.0.11:7946"')
    .replace(/^# next_hop = .*$/m, `next_hop = "${nextHop}"`);
  return settingsOf({ ...made, configuration, open: [] });
}

test('scripts, programs and an authentication header: the gateway is kept, and each of them is complained of', async (t) => {
  const made = await imported(t, PROGRAMS);
  const settings = filled(made, '192.0.2.1');
  assert.deepEqual(addressesOf(settings), { downlink: ['10.30.0.254/24'], uplink: ['192.0.2.10/25'] });
  assert.deepEqual(settings.services[0]?.gateway.uplink.nextHops, ['192.0.2.1']);
  assert.equal(settings.timing.intervalMs, 500);
  assert.deepEqual(made.services[0]?.instances, [{ name: 'OUT', id: 33, priority: 180 }]);
  assert.deepEqual(complaints(made), [
    '4 vrrp_garp_master_refresh',
    '5 vrrp_skip_check_adv_addr mcast_src_ip',
    '6 script_user',
    '8 vrrp_script',
    '16 preempt',
    '16 advert_int',
    '19 dont_track_primary',
    '24 authentication',
    '29 weight',
    '32 label',
    '40 virtual_rules',
    '43 notify_master notify_backup notify_fault notify_stop',
  ]);
  assert.doesNotMatch(JSON.stringify(made), /hush-hush/);
});

test('IPv6 alone: what is of the link only stays out; the group may stand below', async (t) => {
  const made = await imported(t, IPV6);
  const settings = filled(made, '2001:db8:61::fe');
  assert.deepEqual(addressesOf(settings), {
    downlink: ['2001:db8:60::1/64'],
    uplink: ['2001:db8:61::1/64'],
  });
  assert.equal(settings.services[0]?.gateway.name, 'v6');
  assert.equal(made.services[0]?.uplink, 'wan');
  assert.deepEqual(complaints(made), [
    '1 preempt',
    '1 advert_int',
    '6 native_ipv6',
    '8 accept global_tracking',
    '10 virtual_ipaddress',
    '32 smtp_alert',
  ]);
});

test('one file for two hosts: each gets its own address, peer and priority; complaints name the file that they are about', async (t) => {
  for (const [id, listen, peer, priority] of [
    ['fw1', '10.10.0.2', '10.10.0.3', 110],
    ['fw2', '10.10.0.3', '10.10.0.2', 105],
  ] as const) {
    const made = await imported(t, BOTH_HOSTS, '--config-id', id);
    const settings = settingsOf(made);
    assert.deepEqual(addressesOf(settings), { downlink: ['10.10.0.1/24'], uplink: ['198.51.100.9/30'] });
    assert.equal(settings.links[0]?.listen.ip, listen);
    assert.equal(settings.links[0]?.device, 'bond0.10');
    assert.equal(settings.services[0]?.gateway.uplink.device, 'bond0.20');
    assert.equal(made.services[0]?.instances[0]?.priority, priority);
    assert.match(made.commands[2] ?? '', new RegExp(`--address ${listen}:7946 --priority ${priority}$`));
    assert.match(made.commands[3] ?? '', new RegExp(`--address ${peer}:7946 `));
    const bfd = made.remarks.find(({ keywords }) => keywords.includes('bfd_instance'));
    assert.match(bfd?.file ?? '', /parts\/2\.inc$/);
    assert.equal(bfd?.line, 4);
    const mac = made.remarks.find(({ keywords }) => keywords.includes('use_vmac'));
    assert.match(mac?.file ?? '', /keepalived\.conf$/);
    assert.equal(mac?.line, 12);
  }
});
