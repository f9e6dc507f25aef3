/**
 * What `check` finds on a host that would break a takeover: each fault is made in a namespace, found, and gone again when it
 * is mended. (Not made here: a kernel that never unloads a module again, which no test could undo, legacy tables, which this
 * kernel may not have, managers of devices, and the clock of the day: inspect-host.test.ts judges what the kernel and they
 * would show.)
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import test, { type TestContext } from 'node:test';
import type { ActuatorConfig } from '../../src/linux/config.ts';
import type { Finding } from '../../src/linux/inspect.ts';
import { programArgs } from '../programs.ts';
import { Fixture } from './linux-fixture.ts';
import { needsRoot } from './netns.ts';

const skip = needsRoot();
const NFT = '/usr/sbin/nft';

function fixture(t: TestContext): Fixture {
  const f = new Fixture();
  t.after(() => f.close());
  return f;
}

/** The findings inside the gateway; `prepare` runs before, in a mount namespace of its own. */
function inspected(f: Fixture, config: ActuatorConfig, prepare?: string): string[] {
  const words = [
    process.execPath,
    ...programArgs('test/netns/linux-runner.ts'),
    'inspect',
    JSON.stringify(config),
  ];
  const [command = '', ...args] =
    prepare === undefined
      ? words
      : ['/usr/bin/unshare', '--mount', '/bin/sh', '-ec', `${prepare}; exec "$@"`, 'sh', ...words];
  const found = JSON.parse(f.net.exec(f.gw, command, ...args)) as Finding[];
  for (const { hint, message } of found) assert.notEqual(hint, '', message);
  return found.map(({ level, message }) => `${level} ${message}`);
}

function about(found: readonly string[], pattern: RegExp): string[] {
  return found.filter((line) => pattern.test(line));
}

test('somebody who has an address of ours is found, own or roving; a member who serves is not', {
  skip,
}, async (t) => {
  const f = fixture(t);
  // Beside a running actuator, too, whose tables and rules are there.
  await f.start();
  assert.deepEqual(about(inspected(f, f.config()), /^error| has |uplink up0 is up/), []);
  f.net.ip(f.client, 'addr', 'add', '10.77.1.11/24', 'dev', 'eth0');
  const own = about(inspected(f, f.config()), / has 10\.77\.1\.11 too/);
  assert.equal(about(own, /^error eth0: .* this host’s own address/).length, 1);
  f.net.ip(f.client, 'addr', 'del', '10.77.1.11/24', 'dev', 'eth0');
  f.net.ip(f.client, 'addr', 'add', '10.77.1.1/24', 'dev', 'eth0');
  f.net.ip(f.client, 'addr', 'add', 'fd00:77:1::1/64', 'dev', 'eth0', 'nodad');
  const alone = about(inspected(f, f.config()), / has /);
  assert.equal(about(alone, /^warning .* roving address 10\.77\.1\.1, and not all members/).length, 1);
  assert.equal(about(alone, /^warning .* roving address fd00:77:1::1, /).length, 1, alone.join('\n'));
  const member = f.net.add('fw2');
  f.net.plug(member, 'eth0', f.lan, 'p-fw2');
  f.net.ip(member, 'addr', 'add', '10.77.1.12/24', 'dev', 'eth0');
  const stranger = about(inspected(f, f.config()), /roving address/);
  assert.equal(about(stranger, /^error .* has the roving address 10\.77\.1\.1, and is no member/).length, 1);
  for (const address of ['10.77.1.1/24', 'fd00:77:1::1/64'])
    f.net.ip(f.client, 'addr', 'del', address, 'dev', 'eth0');
  f.net.ip(member, 'addr', 'add', '10.77.1.1/24', 'dev', 'eth0');
  assert.deepEqual(about(inspected(f, f.config()), / has /), []);
});

test('a small MTU, and a rule set that drops the members’ words, are errors; one that lets them pass is none', {
  skip,
}, (t) => {
  const f = fixture(t);
  f.net.ip(f.gw, 'link', 'set', 'eth0', 'mtu', '1200');
  f.net.feed(
    f.gw,
    `table inet site {
      chain base { type filter hook input priority 0; policy drop; ct state established,related jump known; tcp dport 22 accept; }
      chain known { ip saddr 192.0.2.0/24 accept; icmp type echo-request accept; }
      chain out { type filter hook output priority 0; udp dport 7000-8000 drop; }
    }`,
    NFT,
    '-f',
    '-',
  );
  const config = f.config(
    {},
    { firewall: { rules: null, rules6: null, standbyRules: null, standbyRules6: null } },
  );
  const broken = inspected(f, config);
  assert.equal(about(broken, /^error eth0: its MTU is 1200/).length, 1);
  assert.equal(
    about(broken, /^error table inet site, chain base, drops what comes to UDP port 7946 on eth0/).length,
    1,
  );
  assert.equal(about(broken, /^error table inet site, chain out, drops what leaves/).length, 1);
  f.net.ip(f.gw, 'link', 'set', 'eth0', 'mtu', '1500');
  f.net.exec(f.gw, NFT, 'add', 'rule', 'inet', 'site', 'known', 'ip', 'saddr', '10.77.1.12', 'accept');
  // What the hint says.
  f.net.exec(f.gw, NFT, ...'insert rule inet site out oifname eth0 udp dport 7946 accept'.split(' '));
  assert.deepEqual(about(inspected(f, config), /MTU|drops what/), []);
});

test('a kernel that refuses the lease’s tables, and one whose settings cannot be changed, are errors', {
  skip,
}, (t) => {
  const f = fixture(t);
  const fake = `${f.directory}/nft`;
  writeFileSync(
    fake,
    '#!/bin/sh\n[ "$1" != --check ] || { echo "Error: Could not process rule" >&2; exit 1; }\n',
    {
      mode: 0o755,
    },
  );
  const refused = inspected(f, f.config(), `mount --bind ${fake} ${NFT}`);
  assert.equal(
    about(refused, /^error the kernel cannot hold the lease: nft refuses its tables: Error/).length,
    1,
  );
  const frozen = 'mount --bind /proc/sys /proc/sys; mount -o remount,ro,bind /proc/sys';
  const settings = about(inspected(f, f.config(), frozen), /cannot be set/);
  assert.equal(
    about(settings, /^error net\.ipv4\.conf\.all\.forwarding cannot be set/).length,
    1,
    settings.join(),
  );
  assert.equal(about(settings, /^error net\.ipv6\.conf\.all\.forwarding cannot be set/).length, 1);
});

test('standby rules that forward are a warning', { skip }, (t) => {
  const f = fixture(t);
  const standby = `${f.directory}/standby.v4`;
  writeFileSync(
    standby,
    '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n',
  );
  const [service] = f.config().services;
  assert.ok(service);
  const firewall = { ...service.firewall, standbyRules: standby };
  const found = inspected(f, f.config({}, { firewall }));
  assert.equal(about(found, /^warning .*standby\.v4: FORWARD’s policy is ACCEPT/).length, 1);
});
