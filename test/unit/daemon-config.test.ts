/** The configuration file: what is accepted, and that each class of mistake is told with line, key and remedy. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { inNetwork, parsePrefix, unusable } from '../../src/daemon/config/address.ts';
import { digestOf } from '../../src/daemon/config/config.ts';
import { durationText, parseDuration } from '../../src/daemon/config/duration.ts';
import { renderKeyTable } from '../../src/daemon/config/key-table.ts';
import { DURATION_KEYS, NUMBER_KEYS, TEXT_KEYS } from '../../src/daemon/config/keys.ts';
import { locateKeys } from '../../src/daemon/config/lines.ts';
import { fileSchema } from '../../src/daemon/config/schema.ts';
import { parseSettings } from '../../src/daemon/config/settings.ts';
import { List, Optional, Table } from '../../src/daemon/config/shape.ts';
import { promiseMs } from '../../src/daemon/config/timing.ts';
import { exampleText } from './cluster-files.ts';
import { problemsOf } from './config-problems.ts';

const EXAMPLE = exampleText('/etc/portcullis');

test('the example is accepted, with the defaults that go with its interval', () => {
  const settings = parseSettings(EXAMPLE, 'p.toml');
  const { timing } = settings;
  assert.equal(timing.leaseMs, 300);
  assert.equal(timing.promiseMs, 345);
  assert.equal(timing.probeTimeoutMs, 17);
  assert.equal(timing.conflictWindowMs, 51);
  assert.equal(timing.slotMs, 10);
  assert.equal(settings.services[0]?.gateway.uplink.nextHops[0], '10.77.2.254');
  assert.deepEqual(settings.services[0]?.gateway.downlink.checks, [
    { kind: 'auto' },
    { kind: 'broadcast-ping' },
  ]);
});

test('every interval that is allowed gives defaults that keep the relations between the times', () => {
  for (const interval of ['10ms', '20ms', '50ms', '100ms', '333ms', '1s', '5s', '1m']) {
    assert.deepEqual(problemsOf(EXAMPLE.replace('"200ms"', `"${interval}"`)), [], interval);
  }
});

test('a promise outlives every lease that hangs on it, at the worst drift and granularity', () => {
  for (const leaseMs of [20, 300, 301.5, 90_000]) {
    for (const drift of [0, 0.01, 0.1, 0.5]) {
      // The voter's clock is fast by a hundredth, the master's kernel slow: what the voter counts as P must cover L and its end.
      assert.ok(promiseMs(leaseMs, drift) / 1.01 >= leaseMs / (1 - drift) + 8, `${leaseMs} ${drift}`);
    }
  }
});

test('the digest tells what must be the same everywhere, and nothing that may differ', () => {
  const digest = (text: string): string => {
    const settings = parseSettings(text, 'p.toml');
    return digestOf(settings.services[0] ?? assert.fail('no service'), settings);
  };
  const changes = [
    ['policy = "available"', 'policy = "quorum"'],
    ['interval = "200ms"', 'interval = "250ms"'],
    ['interval = "200ms"', 'interval = "200ms"\nlease = "350ms"'],
    ['interval = "200ms"', 'interval = "200ms"\nmax_drift = 0.2'],
    ['cluster = "dmz"', 'cluster = "lab"'],
    ['name   = "firewall"', 'name   = "other"'],
    ['"10.77.1.1/24"', '"10.77.1.2/24"'],
    ['"10.77.1.1/24"', '"10.77.1.1/25"'],
    ['"10.77.2.1/24"', '"10.77.2.2/24"'],
  ] as const;
  const seen = [EXAMPLE, ...changes.map(([from, to]) => EXAMPLE.replace(from, to))].map(digest);
  assert.equal(new Set(seen).size, seen.length, 'each of them changes it');
  const same = [
    ['host    = "fw1"', 'host = "fw2"'],
    ['device    = "eth0"', 'device = "eth7"'],
    ['check     = ["auto", "broadcast-ping"]', 'check = ["auto"]'],
  ] as const;
  for (const [from, to] of same) {
    assert.notEqual(EXAMPLE.replace(from, to), EXAMPLE);
    assert.equal(digest(EXAMPLE.replace(from, to)), seen[0], to);
  }
});

/** [what is done to the example, line of the error, key, part of what is said] */
const MISTAKES: readonly (readonly [string, string, number | null, string, RegExp])[] = [
  ['host    = "fw1"', 'host = "FW 1"', 2, 'host', /is no name/],
  ['state   = "/etc/portcullis/state"\n', '', null, 'state', /is missing/],
  ['key     = "/etc', 'key = "etc', 3, 'key', /absolute path/],
  ['key     = "/etc/portcullis', 'key = "/etc/../portcullis', 3, 'key', /absolute path/],
  ['control = "/etc', `control = "/${'x'.repeat(120)}`, 7, 'control', /socket/],
  ['user    = "portcullis"', 'protocol = 3', 8, 'protocol', /out of range/],
  ['user    =', 'usr =', 8, 'usr', /no key that is known/],
  ['user    = "portcullis"', 'actuator = "a.sock"', 8, 'actuator', /is no path for a socket/],
  ['user    = "portcullis"', 'actuator = "/etc/portcullis/control.sock"', 8, 'actuator', /another socket/],
  ['"200ms"', '"200"', 11, 'timing.interval', /no duration/],
  ['"200ms"', '200', 11, 'timing.interval', /no duration/],
  ['"200ms"', '"5ms"', 11, 'timing.interval', /out of range/],
  ['"200ms"', '"200ms"\nlease = "250ms"', 12, 'timing.lease', /probe_timeout \+ stall is 271ms/],
  [
    '"200ms"',
    '"200ms"\nprobe_timeout = "40ms"\nconflict_window = "79ms"',
    13,
    'timing.conflict_window',
    /80ms/,
  ],
  ['"200ms"', '"200ms"\nslot = "8ms"', 12, 'timing.slot', /one way between two hosts, is 9ms/],
  [
    '[service.procedures]',
    '[service.limits]\ntest = "50ms"\n[service.procedures]',
    34,
    'service.limits.test',
    /probes × probe_timeout is 51ms/,
  ],
  ['"200ms"', '"200ms"\nmax_age = "399ms"', 12, 'timing.max_age', /400ms/],
  ['"200ms"', '"200ms"\nhandover_limit = "1s"', 12, 'timing.handover_limit', /uplink\.limit/],
  ['"200ms"', '"200ms"\nprobes = 2.5', 12, 'timing.probes', /whole number/],
  ['"200ms"', '"200ms"\nprobes = 0', 12, 'timing.probes', /out of range/],
  ['"200ms"', '"200ms"\nmax_drift = "0.1"', 12, 'timing.max_drift', /no number/],
  ['listen = "10.77.1.11:7946"', 'listen = "10.77.1.11"', 16, 'link.listen', /no address with a port/],
  ['listen = "10.77.1.11:7946"', 'listen = "[fe80::1]:7946"', 16, 'link.listen', /good on one link alone/],
  ['device = "eth0"\nlisten', 'device = "-eth0"\nlisten', 15, 'link.device', /no device name/],
  ['policy = "available"\n', '', 18, 'service.policy', /is missing/],
  ['policy = "available"', 'policy = "both"', 20, 'service.policy', /is unknown/],
  [
    'policy = "available"',
    'policy = "available"\napart = ["b"]',
    21,
    'service.apart',
    /names "b", which is no other service/,
  ],
  ['policy = "available"', 'policy = "available"\nalone = "serve"', 21, 'service.alone', /"quorum" alone/],
  [
    'policy = "available"',
    'policy = "available"\nfeedback = { high = 5, low = 5 }',
    21,
    'service.feedback.low',
    /is not below/,
  ],
  [
    '[service.procedures]',
    '[service.remote]\n[service.procedures]\ncheckServiceRemote = "/bin/true"',
    33,
    'service.remote',
    /is of no use beside procedures\.checkServiceRemote/,
  ],
  ['["10.77.1.1/24"]', '["10.77.1.1"]', 23, 'service.downlink.addresses', /with its length/],
  ['["10.77.1.1/24"]', '"10.77.1.1/24"', 23, 'service.downlink.addresses', /is no list/],
  ['["10.77.1.1/24"]', '["10.77.1.1/24", "10.77.1.1/24"]', 23, 'service.downlink.addresses', /twice/],
  ['["10.77.1.1/24"]', '["10.77.1.11/24"]', 23, 'service.downlink.addresses', /own address/],
  ['"broadcast-ping"]', '"shout"]', 24, 'service.downlink.check', /no check/],
  ['"broadcast-ping"]', '"command:check; rm"]', 24, 'service.downlink.check', /no check/],
  ['"up0"', '"eth0"', 26, 'service.uplink.device', /\[\[link\]\]/],
  ['"admin"', '"driver"', 27, 'service.uplink.activation', /is unknown/],
  ['"admin"', '"module"\nmodule = "e1000e"', 25, 'service.uplink.card', /"module" needs it/],
  ['"admin"', '"module"\ncard = "pci/0000:03:00.0"', 25, 'service.uplink.module', /"module" needs it/],
  ['"admin"', '"unbind"\ncard = "pci/0000:03:00.0"', 25, 'service.uplink.driver', /"unbind" needs it/],
  ['"admin"', '"module"\ncard = "0000:03:00.0"', 28, 'service.uplink.card', /no card/],
  ['"admin"', '"module"\ncard = "pci/../../x"', 28, 'service.uplink.card', /no card/],
  ['"admin"', '"module"\nmodule = "-r"', 28, 'service.uplink.module', /no module name/],
  ['"admin"', '"unbind"\ndriver = "../x"', 28, 'service.uplink.driver', /no driver name/],
  ['"admin"', '"admin"\nmodule = "e1000e"', 28, 'service.uplink.module', /of no use with activation "admin"/],
  ['"admin"', '"command"', 27, 'service.uplink.activation', /without its programs/],
  ['"admin"', '"admin"\nspeculative = true', 28, 'service.uplink.speculative', /of no use/],
  ['"admin"', '"admin"\nspeculative = 1', 28, 'service.uplink.speculative', /neither true nor false/],
  ['"10.77.2.254"', '"10.77.3.254"', 29, 'service.uplink.next_hop', /outside/],
  ['"10.77.2.254"', '"10.77.2.1"', 29, 'service.uplink.next_hop', /roving/],
  ['"10.77.2.254"', '["10.77.2.254", "10.77.2.253"]', 29, 'service.uplink.next_hop', /one family/],
  [
    'next_hop   = "10.77.2.254"',
    'own_address = "fd00::2/64"\nnext_hop = "10.77.2.254"',
    29,
    'service.uplink.own_address',
    /IPv6/,
  ],
  [
    '# standby_rules = "..."',
    'standby_rules6 = "/r6"',
    32,
    'service.firewall.standby_rules6',
    /without rules6/,
  ],
  ['# checkServiceRemote', 'checkService', 34, 'service.procedures.checkService', /no key that is known/],
  [
    '# checkServiceRemote = "/usr',
    'checkServiceRemote = "usr',
    34,
    'service.procedures.checkServiceRemote',
    /absolute path/,
  ],
  ['[service.uplink]', '[service.uplnk]', 25, 'service.uplnk', /no key that is known/],
];

test('each class of mistake is told with its line, its key and a remedy', () => {
  for (const [from, to, line, key, what] of MISTAKES) {
    assert.ok(EXAMPLE.includes(from), from);
    const problems = problemsOf(EXAMPLE.replace(from, to));
    const found = problems.find((problem) => problem.key === key && what.test(problem.what));
    assert.ok(found !== undefined, `${to}: nothing of ${what} about ${key}: ${JSON.stringify(problems)}`);
    assert.equal(found.line, line, to);
    assert.ok(found.remedy.length > 5, to);
  }
});

test('an uplink that has less time than its next hop is asked for is refused (C13)', () => {
  const slow = EXAMPLE.replace('"200ms"', '"200ms"\nprobes = 10');
  const limited = (ms: number): string =>
    slow.replace('[service.uplink]', `[service.uplink]\nlimit = "${ms}ms"`);
  const found = problemsOf(limited(169)).find((problem) => problem.key === 'service.uplink.limit');
  assert.match(found?.what ?? '', /is 169ms, but probes × probe_timeout is 170ms/);
  assert.deepEqual(problemsOf(limited(170)), []);
});

test('mistakes in single values are all told at once, in the order of the file', () => {
  const text = EXAMPLE.replace('"200ms"', '"x"').replace('"fw1"', '""').replace('"admin"', '"maybe"');
  assert.deepEqual(
    problemsOf(text).map((problem) => problem.line),
    [2, 11, 27],
  );
});

test('text that is no TOML names its line', () => {
  assert.equal(problemsOf('cluster = "a"\ncluster = "b"\n')[0]?.line, 2);
  assert.equal(problemsOf('a = [1,\n')[0]?.key, '');
});

test('lines are found behind comments, quoted keys, long strings and lists over several lines', () => {
  const text =
    'a = [ # x = 1\n  "]", # ]\n]\n"b" = """\nc = 1\n"""\n[[t]]\nd.e = "#"\n[[t]]\nd = { f = "}" }\n[t.u]\ng = 1\n';
  const lines = locateKeys(text);
  const expected = {
    a: 1,
    b: 4,
    't[0]': 7,
    't[0].d.e': 8,
    't[1]': 9,
    't[1].d': 10,
    't[1].u': 11,
    't[1].u.g': 12,
  };
  assert.deepEqual(Object.fromEntries(lines), expected);
});

test('durations: what is read is what is printed', () => {
  for (const [text, ms] of [
    ['200ms', 200],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['0.5ms', 0.5],
    ['24h', 86_400_000],
  ] as const) {
    assert.equal(parseDuration(text), ms);
    assert.equal(durationText(ms), text);
  }
  for (const bad of ['', '1', '-1s', '1 s', '1e3ms', 's', '1d', '1.s'])
    assert.equal(parseDuration(bad), null, bad);
});

test('networks: neighbours are told from strangers in both families', () => {
  const net = (text: string) => parsePrefix(text) ?? assert.fail(text);
  assert.equal(inNetwork(net('10.77.2.254/32'), net('10.77.2.1/24')), true);
  assert.equal(inNetwork(net('10.77.3.254/32'), net('10.77.2.1/24')), false);
  assert.equal(inNetwork(net('fd00:77:2::fe/128'), net('fd00:77:2::1/64')), true);
  assert.equal(inNetwork(net('fd00:77:3::fe/128'), net('fd00:77:2::1/64')), false);
  assert.equal(inNetwork(net('::ffff:1.2.3.4/128'), net('::ffff:1.2.3.9/120')), true);
  assert.equal(parsePrefix('fd00:0:0::1/64')?.address, 'fd00::1');
});

test('addresses that no host can have are refused where they are written, and not by the kernel at a takeover', () => {
  const why = (text: string) => unusable(parsePrefix(text) ?? assert.fail(text));
  for (const text of ['0.0.0.0/8', '127.0.0.1/8', '224.0.0.1/24', '255.255.255.255/32', '::/64', '::1/128'])
    assert.equal(why(text), 'is no address that a host can have', text);
  for (const text of ['ff02::1/64', '::ffff:10.0.0.1/120'])
    assert.equal(why(text), 'is no address that a host can have', text);
  for (const text of ['10.77.1.0/24', 'fd00:77::/64'])
    assert.equal(why(text), 'is the address of the network itself', text);
  assert.equal(why('10.77.1.255/24'), 'is the broadcast address of its network');
  for (const text of [
    '10.77.1.0/16',
    '10.77.1.255/16',
    '10.77.1.0/31',
    '10.77.1.0/32',
    'fd00::/127',
    'fe80::5/64',
  ])
    assert.equal(why(text), null, text);
  const text = EXAMPLE.replace('"10.77.1.1/24"', '"10.77.1.0/24"');
  assert.throws(() => parseSettings(text, 'x'), /downlink\.addresses is the address of the network itself/);
});

test('the table of keys has every key of the schema, and no other', () => {
  const listed = [...Object.keys(TEXT_KEYS), ...Object.keys(DURATION_KEYS), ...Object.keys(NUMBER_KEYS)];
  const known = keysOf(fileSchema, '').map((key) => key.replace(/procedures\..*/, 'procedures.*'));
  assert.deepEqual([...new Set(known)].sort(), listed.sort());
});

test('the table in the specification is the one that the code checks with', () => {
  const spec = readFileSync(new URL('../../spec/configuration.md', specBase()), 'utf8');
  assert.ok(
    spec.includes(renderKeyTable()),
    'print it anew with: node dist/src/daemon/config/print-table.js',
  );
});

test('the example in the specification and the one of the service manager are accepted', () => {
  const spec = readFileSync(new URL('../../spec/configuration.md', specBase()), 'utf8');
  const example = /```toml\n([\s\S]*?)```/.exec(spec)?.[1] ?? '';
  assert.deepEqual(problemsOf(example), []);
  assert.deepEqual(
    problemsOf(readFileSync(new URL('../../systemd/portcullis.toml', specBase()), 'utf8')),
    [],
  );
});

/** This file lies in test/unit, or compiled in dist/test/unit. */
function specBase(): URL {
  return import.meta.url.includes('/dist/test/') ? new URL('../', import.meta.url) : new URL(import.meta.url);
}

function keysOf(schema: unknown, path: string): string[] {
  if (schema instanceof Table) {
    return Object.entries(schema.keys).flatMap(([key, inner]) =>
      keysOf(inner, path === '' ? key : `${path}.${key}`),
    );
  }
  if (schema instanceof List) return keysOf(schema.element, path);
  return schema instanceof Optional ? keysOf(schema.inner, path) : [path];
}
