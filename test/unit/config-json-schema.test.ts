/** The JSON Schema of the configuration: it is the one in spec/, and takes and refuses what the reader does. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { parse } from 'smol-toml';
import { renderConfigurationSchema, SCHEMA_FILE } from '../../src/daemon/config/json-schema.ts';
import { DURATION_KEYS, NUMBER_KEYS, TEXT_KEYS } from '../../src/daemon/config/keys.ts';
import { fileSchema } from '../../src/daemon/config/schema.ts';
import type { Issue } from '../../src/daemon/config/shape.ts';
import { misfits } from '../json-schema.ts';
import { readText } from './vectors.ts';

const SCHEMA: unknown = JSON.parse(readText('spec/portcullis.schema.json'));
const EXAMPLE = readText('systemd/portcullis.toml');

/** Every key there is, each with a value that the reader takes. */
const EVERYTHING = `
cluster = "dmz"
host = "fw1"
key = "/k"
admin = "/a"
state = "/s"
roster = "/r"
control = "/c"
status_socket = "/c2"
user = "portcullis"
actuator = "/c3"
protocol = 2
[metrics]
listen = "[::1]:9469"
anywhere = false
[raise]
burst = 3
every = "1.5m"
[timing]
interval = "200ms"
lease = "0.3s"
max_drift = 0.01
max_age = "500ms"
probe_timeout = "16ms"
probes = 3
slot = "10ms"
conflict_window = "48ms"
handover_limit = "10s"
hold_down = "1s"
trust_hold = "30s"
stall = "20ms"
[log]
segment_size = 16
segment_age = "24h"
keep_size = 1024
keep_age = "100h"
checkpoint = "24h"
[load]
sources = ["conntrack", "conntrackd", "cpu", "downlink", "link", "program", "remote"]
every = "5s"
conntrack = 0
cpu = 100
downlink = 100
link = 1000
program = "/usr/local/bin/load"
remote = 100
[conntrackd]
config = "/etc/portcullis/conntrackd.conf"
directory = "/run/c"
link = "sync"
port = 3780
limit = "300ms"
[[link]]
name = "downlink"
device = "eth0.7"
listen = "10.77.1.11:7946"
[[link]]
name = "sync"
device = "br-x_1"
listen = "[fd00:77:1::11]:7946"
[[service]]
name = "firewall"
policy = "quorum"
preempt_delay = "60s"
check_interval = "200ms"
rise = 2
fall = 2
together = ["mail"]
alone = "serve"
apart = ["web", "dns"]
[service.feedback]
high = 800
low = 500
after = "30s"
[service.downlink]
device = "eth0"
addresses = ["10.77.1.1/24", "fd00:77:1::1/64"]
check = ["auto", "broadcast-ping", "carrier", "arp:10.77.1.9", "ping:fd00:77:1::9", "command:/bin/true"]
[service.uplink]
device = "up0"
activation = "unbind"
card = "pci/0000:03:00.0"
module = "e1000e"
driver = "8139too"
addresses = ["10.77.2.1/24"]
next_hop = ["10.77.2.254", "fd00:77:2::fe"]
own_address = "10.77.2.11/24"
limit = "8s"
speculative = true
[service.remote]
checks = ["gateway", "icmp:10.77.2.254", "through:tcp:10.77.2.9:25", "arp:10.77.1.1", "nd:fd00:77:1::1", "http://10.77.2.9/x status=200", "through:dns:10.77.2.9/example.net/A"]
need = "any"
[service.firewall]
rules = "/r4"
rules6 = "/r6"
standby_rules = "/s4"
standby_rules6 = "/s6"
[service.procedures]
checkServiceRemote = "/usr/local/lib/portcullis/check-web"
[service.limits]
test = "1s"
switch = "5s"
`;

/** What the reader says of the shape of a file. */
function refusedByReader(text: string): number {
  const issues: Issue[] = [];
  fileSchema.read(parse(text), [], issues);
  return issues.length;
}

test('the schema in the specification is the one that the table of keys makes', () => {
  assert.equal(
    readText('spec/portcullis.schema.json'),
    renderConfigurationSchema(),
    'print it anew with: node dist/src/daemon/config/print-json-schema.js >spec/portcullis.schema.json',
  );
});

test('what the reader takes the schema takes: a file with every key there is, and all examples', () => {
  const listed = [...Object.keys(TEXT_KEYS), ...Object.keys(DURATION_KEYS), ...Object.keys(NUMBER_KEYS)];
  for (const key of listed) {
    const last = key.split('.').at(-1) ?? '';
    assert.ok(last === '*' || new RegExp(`^${last} =`, 'm').test(EVERYTHING), `${key} is not tried`);
  }
  const examples = [...readText('spec/configuration.md').matchAll(/```toml\n([\s\S]*?)```/g)];
  const whole = examples.map(([, text = '']) => text).filter((text) => text.includes('cluster ='));
  assert.ok(whole.length >= 1);
  for (const text of [EVERYTHING, EXAMPLE, ...whole]) {
    assert.equal(refusedByReader(text), 0);
    assert.deepEqual(misfits(SCHEMA, parse(text)), []);
  }
});

test('what is misspelt, missing or of the wrong kind is refused, as by the reader', () => {
  const changes: readonly [RegExp, string, RegExp][] = [
    [/^cluster +=.*$/m, 'clutser = "dmz"', /clutser, which is not known/],
    [/^cluster +=.*$/m, '', /lacks cluster/],
    [/^interval +=.*$/m, 'intervall = "200ms"', /timing: has intervall/],
    [/^interval +=.*$/m, 'interval = 200', /timing\/interval: is not string/],
    [/^interval +=.*$/m, 'interval = "200 ms"', /does not match/],
    [/^policy +=.*$/m, 'policy = "both"', /is none of quorum,available/],
    [/^listen +=.*$/m, 'listen = "10.77.1.11"', /link\/0\/listen/],
    [/^next_hop +=.*$/m, 'next_hop = 7', /fits none of anyOf/],
    [/^addresses +=.*$/m, 'addresses = []', /too few items/],
    [/^device +=.*$/m, 'device = "-x"', /does not match/],
  ];
  for (const [from, to, expected] of changes) {
    const text = EXAMPLE.replace(from, to);
    assert.notEqual(text, EXAMPLE);
    assert.notEqual(refusedByReader(text), 0, to);
    assert.match(misfits(SCHEMA, parse(text)).join('\n'), expected);
  }
});

test('each key says what it means, and the example names the schema where the package puts it', () => {
  const described = (schema: unknown): number => {
    if (typeof schema !== 'object' || schema === null) return 0;
    return Object.entries(schema).reduce(
      (sum, [key, inner]) =>
        sum + (key === 'description' && typeof inner === 'string' ? 1 : described(inner)),
      0,
    );
  };
  assert.ok(described(SCHEMA) >= Object.keys(TEXT_KEYS).length + Object.keys(DURATION_KEYS).length);
  assert.equal(EXAMPLE.split('\n')[0], `#:schema ${SCHEMA_FILE}`);
});

test('the validator itself: what is no keyword of it is an error, not a pass', () => {
  assert.throws(() => misfits({ dependencies: {} }, {}), /keyword dependencies/);
  assert.throws(() => misfits({ $ref: '#/$defs/none' }, {}), /no definition/);
  assert.deepEqual(misfits({ type: ['string', 'null'] }, 7), ['/: is not string,null']);
  assert.deepEqual(misfits({ type: 'array', uniqueItems: true }, [1, 1]), ['/: has an item twice']);
});
