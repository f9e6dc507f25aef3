/** What `check` concludes from what kernel, managers and files show, where a test cannot make them show it: from their texts. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { findings, inspectRuntime } from '../../src/cli/check.ts';
import { inspectFiles } from '../../src/cli/check-files.ts';
import { actuatorConfig } from '../../src/daemon/config/actuator-config.ts';
import { parseSettings } from '../../src/daemon/config/settings.ts';
import type { ActuatorConfig } from '../../src/linux/config.ts';
import { cutOff } from '../../src/linux/inspect/cut-off.ts';
import { inspectManagers } from '../../src/linux/inspect/managers.ts';
import { inspectModules, inspectVariants } from '../../src/linux/inspect/support.ts';
import { readRuleset, verdicts } from '../../src/linux/inspect/verdict.ts';
import { isClockKept } from '../../src/linux/libc.ts';
import { Sysfs } from '../../src/linux/uplink/sysfs.ts';
import { exampleText, temporaryDir } from './cluster-files.ts';
import { FakeSysfs } from './fake-sysfs.ts';

function written(t: TestContext, files: { readonly [path: string]: string }): string {
  const root = temporaryDir(t);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

function config(change: (text: string) => string = (text) => text): ActuatorConfig {
  return actuatorConfig(parseSettings(change(exampleText('/x')), 'x'), ['10.77.1.12']);
}

const said = (found: readonly { level: string; message: string; hint: string }[]): string[] => {
  for (const { hint, message } of found) assert.notEqual(hint, '', message);
  return found.map(({ level, message }) => `${level} ${message}`);
};

test('managers: whoever manages the uplink now, and a networkd that would take roving addresses away', (t) => {
  const root = written(t, {
    'sys/class/net/eth0/ifindex': '2\n',
    'sys/class/net/up0/ifindex': '3\n',
    'run/systemd/netif/links/2': 'ADMIN_STATE=configured\nNETWORK_FILE=/etc/systemd/network/lan.network\n',
    'run/systemd/netif/links/3': 'ADMIN_STATE=unmanaged\n',
    'run/NetworkManager/devices/3': '[device]\nmanaged=true\n',
    'etc/systemd/network/lan.network': '[Network]\nAddress=10.77.1.11/24\n',
  });
  const sysfs = new Sysfs(join(root, 'sys'));
  assert.deepEqual(said(inspectManagers(config(), root, sysfs)), [
    'warning NetworkManager manages the uplink up0 now, and would set it up',
    'warning systemd-networkd manages eth0, and takes addresses that it does not know from it when it starts anew, roving ones too',
  ]);
  writeFileSync(join(root, 'etc/systemd/network/lan.network'), '[Network]\nKeepConfiguration=static\n');
  writeFileSync(join(root, 'run/NetworkManager/devices/3'), '[device]\nmanaged=false\n');
  assert.deepEqual(inspectManagers(config(), root, sysfs), []);
});

test('files that give this host a roving address at boot, or move it by VRRP, with their lines', (t) => {
  const root = written(t, {
    'etc/network/interfaces': '# 10.77.1.1 stood here\niface eth0 inet static\n  address 10.77.1.1/24\n',
    'etc/systemd/network/up.network': '[Network]\nAddress=10.77.2.1/24\n',
    'etc/netplan/50.yaml': 'addresses: [110.77.1.1/24, 10.77.1.11/24]\n',
    'etc/keepalived/keepalived.conf': 'vrrp_instance A {\n virtual_ipaddress {\n  10.77.1.1/24\n }\n}\n',
  });
  assert.deepEqual(said(inspectManagers(config(), root, new Sysfs(join(root, 'sys')))), [
    'warning /etc/network/interfaces:3: ifupdown gives this host the roving address 10.77.1.1 at boot',
    'warning /etc/systemd/network/up.network:2: systemd-networkd gives this host the roving address 10.77.2.1 at boot',
    'warning /etc/keepalived/keepalived.conf:3: keepalived moves the roving address 10.77.1.1 too',
  ]);
});

test('legacy tables beside nf_tables, and a kernel that never loads a module again', (t) => {
  const legacy = written(t, { 'net/ip_tables_names': 'nat\nfilter\n', 'net/ip6_tables_names': '' });
  assert.match(
    said(inspectVariants(config(), legacy)).join(),
    /^warning rules of iptables-legacy are in force \(nat, filter\)/,
  );
  assert.deepEqual(inspectVariants(config(), written(t, {})), []);
  const locked = written(t, { 'sys/kernel/modules_disabled': '1\n' });
  const lines = 'activation = "module"\ncard = "pci/0000:03:00.0"\nmodule = "e1000e"';
  const module = config((text) => text.replace('activation = "admin"', lines));
  assert.match(said(inspectModules(module, locked)).join(), /^error kernel\.modules_disabled is 1/);
  assert.deepEqual(inspectModules(config(), locked), []);
  assert.deepEqual(inspectModules(module, written(t, { 'sys/kernel/modules_disabled': '0\n' })), []);
});

test('a driver’s module that somebody uses cannot be removed, nor any where the kernel removes none', (t) => {
  const fake = new FakeSysfs();
  t.after(() => fake.remove());
  const lines = 'activation = "module"\ncard = "pci/0000:03:00.0"\nmodule = "e1000e"';
  const module = config((text) => text.replace('activation = "admin"', lines));
  const proc = written(t, {});
  const found = (): string[] => said(inspectModules(module, proc, new Sysfs(fake.root)));
  assert.deepEqual(found(), [], 'one that is not loaded');
  fake.module('e1000e');
  assert.match(found().join(), /^error this kernel removes no modules: e1000e would stay/);
  fake.file('module/e1000e/refcnt', '0');
  assert.deepEqual(found(), []);
  fake.file('module/e1000e/refcnt', '2');
  fake.file('module/e1000e/holders/other');
  assert.match(found().join(), /^warning e1000e is in use \(2\)/);
  fake.file('module/e1000e/refcnt', '1');
  assert.deepEqual(found(), []);
});

test('the kernel tells whether the clock is kept; Node’s version is judged', () => {
  assert.ok([true, false, null].includes(isClockKept()));
  assert.deepEqual(inspectRuntime('20.19.0'), []);
  assert.deepEqual(inspectRuntime('22.1.0'), []);
  assert.match(said(inspectRuntime('20.18.3')).join(), /^error Node 20\.18\.3 is too old: 20\.19/);
  assert.match(said(inspectRuntime('18.19.0')).join(), /too old/);
});

/** An input chain of a table, by rules in libnftables' JSON. */
function ruleset(policy: string, rules: readonly unknown[][], more: readonly unknown[] = []): string {
  const at = { family: 'inet', table: 'site' };
  return JSON.stringify({
    nftables: [
      { metainfo: {} },
      { chain: { ...at, name: 'in', type: 'filter', hook: 'input', prio: 0, policy } },
      { chain: { ...at, name: 'sub' } },
      ...rules.map((expr) => ({ rule: { ...at, chain: 'in', expr } })),
      ...more,
    ],
  });
}

const match = (left: unknown, right: unknown, op = '=='): unknown => ({ match: { op, left, right } });
const PORT = { payload: { protocol: 'udp', field: 'dport' } };
const STATE = { ct: { key: 'state' } };
const IIF = { meta: { key: 'iifname' } };
const SADDR = { payload: { protocol: 'ip', field: 'saddr' } };
const DROP = { drop: null };
const ACCEPT = { accept: null };

/** Policy, rules, and whether the members' words are dropped for certain. */
const JUDGED: readonly (readonly [string, readonly unknown[][], boolean])[] = [
  ['drop', [], true],
  ['accept', [], false],
  ['drop', [[match(STATE, ['established', 'related'], 'in'), ACCEPT]], false],
  ['drop', [[match(STATE, { set: ['new'] }), ACCEPT]], true],
  ['drop', [[match(IIF, 'eth0'), match(PORT, 7946), { counter: {} }, ACCEPT]], false],
  [
    'drop',
    [
      [match(IIF, 'lo'), ACCEPT],
      [match(PORT, { range: [7000, 7900] }), ACCEPT],
    ],
    true,
  ],
  ['drop', [[match(PORT, { set: [53, { range: [7900, 8000] }] }), ACCEPT]], false],
  ['accept', [[match(IIF, 'eth*'), { reject: {} }]], true],
  ['accept', [[match(SADDR, { prefix: { addr: '10.77.1.0', len: 24 } }), DROP]], true],
  ['accept', [[match(SADDR, '10.77.1.12', '!='), DROP]], false],
  ['accept', [[match({ payload: { protocol: 'tcp', field: 'dport' } }, 7946, '!='), DROP]], false],
  // What cannot be judged may let it pass.
  ['drop', [[match(PORT, '@ports'), ACCEPT]], false],
  ['drop', [[{ xt: { type: 'match', name: 'udp' } }, ACCEPT]], false],
  ['drop', [[{ limit: { rate: 10 } }, ACCEPT]], false],
  ['accept', [[{ vmap: {} }, DROP]], false],
  ['drop', [[{ jump: { target: 'sub' } }]], true],
  ['accept', [[{ goto: { target: 'sub' } }, ACCEPT]], false],
  ['accept', [[{ log: {} }, { jump: { target: 'nowhere' } }], [DROP]], true],
  ['accept', [[{ return: null }], [DROP]], false],
];

test('rules that cut members off: certain drops alone are told', () => {
  for (const [policy, rules, isCut] of JUDGED) {
    const read = readRuleset(ruleset(policy, rules));
    assert.ok(read);
    const found = cutOff(
      config((text) => text.replace(/^rules = .*$/m, '')),
      read,
    );
    assert.equal(found.length > 0, isCut, JSON.stringify([policy, rules, found]));
  }
});

test('a ruleset that is none, or whose chains go in circles, decides nothing', () => {
  for (const text of ['', '[]', '{"nftables":3}', '{']) assert.equal(readRuleset(text), null);
  const circle = {
    rule: { family: 'inet', table: 'site', chain: 'sub', expr: [{ jump: { target: 'sub' } }] },
  };
  const read = readRuleset(ruleset('drop', [[{ jump: { target: 'sub' } }]], [circle]));
  const [base] = read?.bases ?? [];
  assert.ok(read && base);
  const packet = { way: 'in', family: 4, device: 'eth0', port: 7946, from: null, to: null } as const;
  assert.deepEqual([...verdicts(read, base, packet)].sort(), ['accept', 'drop']);
});

const skip = process.getuid?.() === 0 ? false : 'needs root';

test('files: who may change what is done as root, and whether the network process can read and write', {
  skip,
}, (t) => {
  const dir = temporaryDir(t);
  chmodSync(dir, 0o755);
  const sockets = join(dir, 'run');
  const text = exampleText(dir)
    .replace('"portcullis"', '"nobody"')
    .replace(`${dir}/control.sock`, `${sockets}/control.sock`);
  for (const name of ['p.toml', 'rules.v4', 'admin.key.pub', 'roster.cose', 'fw1.key'])
    writeFileSync(join(dir, name), text);
  const state = join(dir, 'state');
  const found = (): string[] => said(inspectFiles(parseSettings(text, join(dir, 'p.toml'))));
  assert.deepEqual(found(), [], 'the daemon makes it');
  mkdirSync(state, { mode: 0o750 });
  assert.deepEqual(found(), [], 'the daemon hands it over');
  chownSync(state, 1234, 1234);
  assert.match(found().join(), /^error .*state: nobody may not write there/);
  chownSync(state, 65534, 65534);
  assert.deepEqual(found(), []);
  chmodSync(state, 0o777);
  assert.match(found().join(), /^error .*state: anybody may exchange the event log/);
  chmodSync(state, 0o750);
  chmodSync(join(dir, 'rules.v4'), 0o666);
  chownSync(join(dir, 'p.toml'), 1234, 0);
  chmodSync(join(dir, 'roster.cose'), 0o600);
  chmodSync(join(dir, 'admin.key.pub'), 0o666);
  chownSync(join(dir, 'fw1.key'), 1234, 1234);
  assert.deepEqual(
    found().map((line) => line.replaceAll(`${dir}/`, '')),
    [
      'error p.toml: belongs to user 1234, who could change it: it decides what is done as root',
      'error rules.v4: others can write it: it decides what is done as root',
      'error admin.key.pub: others can write it: it decides who is a member',
      'error fw1.key: belongs to user 1234, who can speak as this host with it',
      'warning roster.cose: nobody may not read it: a reload will fail',
    ],
  );
  chownSync(join(dir, 'p.toml'), 0, 1234);
  chmodSync(join(dir, 'p.toml'), 0o664);
  chmodSync(join(dir, 'rules.v4'), 0o644);
  mkdirSync(sockets);
  chmodSync(sockets, 0o777);
  assert.match(found().join('\n'), /^error .*\/run: anybody may put another socket in its place/m);
  chmodSync(dir, 0o700);
  assert.match(found().join('\n'), /^error .*p\.toml: others can write it/m);
  assert.match(found().join('\n'), /roster\.cose: nobody may not read it \(.* is shut\)/);
});

test('files: a place of the control socket where the daemon’s user may make none', { skip }, (t) => {
  const dir = temporaryDir(t);
  chmodSync(dir, 0o755);
  const units = join(dir, 'units');
  const run = join(dir, 'run');
  const found = (control: string, more = '', user = 'nobody'): string[] => {
    const text = exampleText(dir)
      .replace('"portcullis"', `"${user}"`)
      .replace(`"${dir}/control.sock"`, `"${control}"${more}`);
    return said(inspectFiles(parseSettings(text, 'p.toml'), [units])).map((line) => line.replaceAll(dir, ''));
  };
  const [inRun, below] = [`${run}/control.sock`, `${run}/a/control.sock`];
  assert.deepEqual(found(inRun), [], 'started as root, the daemon makes it and gives it away');
  mkdirSync(run, { mode: 0o755 });
  const refused = [
    'error /run: nobody may not make the socket of control there (/run is of user 0 and group 0, mode 0755): the daemon will not start',
  ];
  assert.deepEqual(found(inRun), refused);
  assert.deepEqual(found(inRun, '', 'no-such-user'), [], 'told elsewhere');
  assert.deepEqual(found(inRun, '', 'root'), []);
  assert.deepEqual(found(below), [], 'likewise made as root');
  mkdirSync(units);
  writeFileSync(join(units, 'portcullis.service'), '');
  assert.deepEqual(found(below), [
    'error /run/a: is not there, and the unit starts the daemon as nobody, who may not make it (/run is of user 0 and group 0, mode 0755)',
  ]);
  assert.deepEqual(found('/run/portcullis-that-is-not-there/control.sock'), [], 'systemd makes it');
  assert.deepEqual(found('/var/lib/portcullis/not-there/control.sock'), [], 'likewise');
  mkdirSync(join(dir, 'state'));
  assert.deepEqual(found(join(dir, 'state', 'control.sock')), [], 'made over to the user first');
  assert.match(
    found(join(dir, 'state', 'control.sock'), `\nstatus_socket = "${dir}/none/status.sock"`).join(),
    /^error \/none: is not there, and the unit starts the daemon as nobody/,
  );
  const hint = (): string | null | undefined =>
    inspectFiles(
      parseSettings(
        exampleText(dir).replace('"portcullis"', '"nobody"').replace(`"${dir}/control.sock"`, `"${inRun}"`),
        'p.toml',
      ),
      [units],
    ).find(({ message }) => message.includes('the socket of control'))?.hint;
  assert.match(String(hint()), /chown nobody/);
  writeFileSync(join(run, 'of somebody'), '');
  assert.doesNotMatch(String(hint()), /chown/, 'what else is in it would be the user’s to replace');
  chownSync(run, 65534, 0);
  assert.deepEqual([found(inRun), found(below)], [[], []]);
  chownSync(run, 0, 65534);
  chmodSync(run, 0o770);
  assert.deepEqual(found(inRun), [], 'by its group');
  chmodSync(dir, 0o700);
  assert.match(
    found(inRun).join(),
    /make the socket of control there \( is of user 0 and group 0, mode 0700\)/,
  );
  chmodSync(dir, 0o755);
  mkdirSync(join(dir, 'looks'));
  const second = `\nstatus_socket = "${dir}/looks/status.sock"`;
  assert.match(
    found(inRun, second).join(),
    /^error \/looks: nobody may not make the socket of status_socket there /,
  );
});

test('places that are still to be filled in are told by line and reason; the host is not tried then', async (t) => {
  const dir = temporaryDir(t);
  const file = join(dir, 'p.toml');
  const text = exampleText(dir).replace(
    /^device {5}= "up0"$/m,
    '# device = "up0"   # FILL IN: the foreign domain',
  );
  writeFileSync(file, text);
  const found = said(
    await findings(file, () => {
      throw new Error('the host was tried');
    }),
  );
  const line = text.split('\n').findIndex((one) => one.includes('FILL IN')) + 1;
  assert.ok(found.includes(`error ${file}:${line}: device is still to be filled in`), found.join('\n'));
  assert.ok(found.some((one) => /service\.uplink\.device is missing/.test(one)));
});
