/**
 * The pure parts of the Linux side: addresses, frames, rule texts, the gate's text, the sweep, the neighbourhood.
 */
import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import test from 'node:test';
import fc from 'fast-check';
import type { ActuatorConfig, GatewayService } from '../../src/linux/config.ts';
import {
  advertisement,
  arpRequest,
  BROADCAST_MAC,
  echoRequest4,
  gratuitousArp,
  parseFrame,
  solicitation,
} from '../../src/linux/frames.ts';
import { gateTables } from '../../src/linux/gatetable.ts';
import { formatIp, formatMac, inPrefix, parseIp, parseMac } from '../../src/linux/ip.ts';
import { Lane } from '../../src/linux/lane.ts';
import { Neighbourhood } from '../../src/linux/neighbourhood.ts';
import {
  firstMissing,
  inOwnLines,
  portIsFirst,
  readSaved,
  transactionsIn,
  withOurRules,
} from '../../src/linux/ruletext.ts';
import { earFilter } from '../../src/linux/socketfilter.ts';
import { Sweep } from '../../src/linux/sweep.ts';

const MAC = parseMac('02:00:00:00:00:01');

test('addresses: text to bytes and back, canonical as Node takes it', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const ip = parseIp(text);
      assert.ok(ip);
      const canonical = formatIp(ip.bytes);
      assert.equal(isIP(canonical), ip.family);
      assert.deepEqual(parseIp(canonical), ip);
    }),
  );
  assert.equal(formatIp(parseIp('fd00:77:0:0:0:0:0:1')?.bytes ?? Buffer.alloc(0)), 'fd00:77::1');
  assert.equal(formatIp(parseIp('::ffff:10.0.0.1')?.bytes ?? Buffer.alloc(0)), '::ffff:a00:1');
  assert.equal(parseIp('10.0.0'), null);
  assert.equal(parseIp('fe80::1%eth0'), null);
});

test('a prefix holds its own addresses and no others', () => {
  const net = parseIp('10.77.1.1');
  assert.ok(net);
  for (const [text, inside] of [
    ['10.77.1.255', true],
    ['10.77.0.1', false],
    ['10.77.2.1', false],
  ] as const) {
    const ip = parseIp(text);
    assert.ok(ip);
    assert.equal(inPrefix(ip, net, 24), inside, text);
  }
  const near = parseIp('10.77.0.200');
  assert.ok(near);
  assert.equal(inPrefix(near, net, 23), true);
  assert.equal(inPrefix(near, net, 32), false);
});

test('frames: any bytes give a value or null, never an exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 160 }), (bytes) => void parseFrame(Buffer.from(bytes))),
    {
      numRuns: 2000,
    },
  );
  // Real frames, cut short and with single bytes changed.
  const four = Buffer.from([10, 77, 1, 1]);
  const six = parseIp('fd00::1')?.bytes ?? Buffer.alloc(16);
  const real = [...gratuitousArp(MAC, four), advertisement(MAC, six), solicitation(MAC, null, six)];
  real.push(echoRequest4(BROADCAST_MAC, MAC, four, four, 1, 1));
  fc.assert(
    fc.property(
      fc.constantFrom(...real),
      fc.nat(160),
      fc.nat(160),
      fc.nat(255),
      (frame, length, at, value) => {
        const copy = Buffer.from(frame.subarray(0, length));
        if (at < copy.length) copy[at] = value;
        parseFrame(copy);
      },
    ),
    { numRuns: 2000 },
  );
});

test('frames: what is built is read as what it says', () => {
  const target = Buffer.from([10, 77, 1, 100]);
  const ask = parseFrame(arpRequest(MAC, Buffer.alloc(4), target));
  assert.ok(ask?.kind === 'arp' && !ask.reply && ask.target.equals(target) && ask.mac.equals(MAC));
  const reply = gratuitousArp(MAC, target)[1];
  assert.ok(reply);
  assert.deepEqual(reply.subarray(32, 38), MAC, 'the target of a gratuitous reply is its sender');
  const six = parseIp('fd00:77:1::1')?.bytes ?? Buffer.alloc(16);
  const tell = parseFrame(advertisement(MAC, six));
  assert.ok(tell?.kind === 'advertisement' && tell.target.equals(six));
  const dad = parseFrame(solicitation(MAC, null, six));
  assert.ok(dad?.kind === 'solicitation' && dad.source.every((b) => b === 0) && dad.target.equals(six));
});

test('the socket filter is well formed: every jump lands on an instruction, the last returns', () => {
  const program = earFilter();
  const count = program.length / 8;
  for (let i = 0; i < count; i++) {
    const code = program.readUInt16LE(i * 8);
    if ((code & 7) !== 5) continue;
    for (const jump of [program.readUInt8(i * 8 + 2), program.readUInt8(i * 8 + 3)])
      assert.ok(i + 1 + jump < count, `instruction ${i}`);
  }
  assert.equal(program.readUInt16LE((count - 1) * 8), 6);
});

const FILE =
  '*nat\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [1:2]\n-A FORWARD -j ACCEPT\nCOMMIT\n';
const PORT = [
  'INPUT -i eth0 -p udp -m udp --dport 7 -j ACCEPT',
  'OUTPUT -o eth0 -p udp -m udp --sport 7 -j ACCEPT',
];

test('rules: ours go into the filter table, last inserted and so first', () => {
  const serving = withOurRules(FILE, PORT).split('\n');
  assert.deepEqual(serving.slice(-5), [
    '-A FORWARD -j ACCEPT',
    `-I ${PORT[1]}`,
    `-I ${PORT[0]}`,
    'COMMIT',
    '',
  ]);
  assert.equal(serving.filter((line) => line.startsWith('-I')).length, 2, 'the nat table is left alone');
});

test('rules: a refusal names the line of the operator’s file, where ours are not', () => {
  const more = `${FILE}*mangle\nnonsense\n`;
  const lines = withOurRules(more, PORT).split('\n');
  for (const [line, own] of [
    ['-A FORWARD -j ACCEPT', 7],
    [`-I ${PORT[0]}`, 8],
    ['nonsense', 10],
  ] as const) {
    const said = `line ${lines.indexOf(line) + 1} failed; Error occurred at line: ${lines.indexOf(line) + 1}`;
    const wanted = `line ${own} failed; Error occurred at line: ${own}`;
    assert.equal(inOwnLines(said, more, PORT), wanted, line);
  }
  assert.equal(inOwnLines('line 99 failed', more, PORT), 'line 99 failed');
});

test('gate tables: nothing is forwarded on standby, of each family with rules and without standby rules', () => {
  const firewall = { rules: null, rules6: null, standbyRules: null, standbyRules6: null };
  const cut = (change: Partial<GatewayService['firewall']>): string[] => {
    const sides = { downlink: { device: 'eth0', addresses: [] }, uplink: { device: 'up0', addresses: [] } };
    const services = [{ name: 's', ...sides, firewall: { ...firewall, ...change } }];
    const text = gateTables({ cluster: 'c', services } as unknown as ActuatorConfig);
    return [...text.matchAll(/^meta nfproto (\w+) meta nfproto != @serving drop$/gm)].map((m) => m[1] ?? '');
  };
  assert.deepEqual(cut({}), [], 'whose rules are left alone, forwarding is as well');
  assert.deepEqual(cut({ rules: '/4', rules6: '/6' }), ['ipv4', 'ipv6']);
  assert.deepEqual(cut({ rules: '/4', rules6: '/6', standbyRules: '/s' }), ['ipv6']);
});

test('rules: a missing or displaced rule is found, added ones are let be', () => {
  const loaded = readSaved('*filter\n:INPUT DROP [5:6]\n-A INPUT -j A\n-A INPUT -j B\nCOMMIT\n');
  const now = (body: string) => firstMissing(loaded, readSaved(`*filter\n${body}\nCOMMIT\n`));
  assert.equal(now(':INPUT DROP [7:8]\n-A INPUT -j A\n-A INPUT -j NEW\n-A INPUT -j B'), null);
  assert.equal(now(':INPUT DROP [7:8]\n-A INPUT -j A'), 'filter: -A INPUT -j B');
  assert.equal(now(':INPUT DROP [7:8]\n-A INPUT -j B\n-A INPUT -j A'), 'filter: -A INPUT -j B');
  assert.equal(now(':INPUT ACCEPT [7:8]\n-A INPUT -j A\n-A INPUT -j B'), 'filter: :INPUT DROP');
  assert.equal(firstMissing(loaded, new Map()), 'filter: :INPUT DROP');
});

test('rules: the port counts as first only before all else', () => {
  const first = PORT.map((rule) => `-A ${rule}`);
  const saved = (lines: string[]) => readSaved(`*filter\n${lines.join('\n')}\nCOMMIT\n`);
  assert.equal(portIsFirst(saved([...first, '-A INPUT -j DROP']), PORT), true);
  assert.equal(portIsFirst(saved(['-A INPUT -j DROP', ...first]), PORT), false);
  assert.equal(portIsFirst(new Map(), PORT), false);
});

test('the sweep asks each address of the network, at its rate, not the roving one', () => {
  let now = 0;
  const sweep = new Sweep([{ family: 4, address: '10.0.0.1', prefixLength: 28 }], () => now);
  const asked: string[] = [];
  for (let i = 0; i < 3; i++) {
    asked.push(...sweep.next().map(formatIp));
    assert.deepEqual(sweep.next(), [], 'not twice in the same instant');
    now += 1000;
  }
  const expected = Array.from({ length: 13 }, (_, i) => `10.0.0.${i + 2}`);
  assert.deepEqual(asked.slice(0, 13), expected);
  assert.ok(asked.length <= 13 + 2 * 8, 'slower after the first round');
  assert.deepEqual(new Sweep([{ family: 6, address: 'fd00::1', prefixLength: 64 }], () => now).next(), []);
});

test('the neighbourhood: members by hardware address, bounded memory, answered ones kept', () => {
  const own = parseMac('02:00:00:00:00:99');
  const around = new Neighbourhood(new Set(['10.0.0.2']), new Set(['10.0.0.1']), (mac) => mac.equals(own));
  const arp = (mac: string, ip: string) => ({
    kind: 'arp' as const,
    mac: parseMac(mac),
    reply: true,
    sender: parseIp(ip)?.bytes ?? Buffer.alloc(4),
    target: Buffer.alloc(4),
  });
  assert.equal(around.hear(arp('02:00:00:00:00:99', '10.0.0.9'), 0), false, 'ourselves');
  assert.equal(around.hear(arp('02:00:00:00:00:02', '10.0.0.20'), 0), true, 'not yet known as a member');
  assert.equal(around.hear(arp('02:00:00:00:00:02', '10.0.0.2'), 1), false);
  assert.equal(around.hear(arp('02:00:00:00:00:02', '10.0.0.20'), 2), false, 'now known');
  assert.deepEqual(around.candidates(8, 3), [], 'and forgotten as a candidate');
  around.hear(arp('02:00:00:00:01:00', '10.0.0.100'), 4);
  around.answered(arp('02:00:00:00:01:00', '10.0.0.100'), 5);
  for (let i = 0; i < 1000; i++) around.hear(arp(formatMac(mac(i)), `10.1.${i >> 8}.${i & 255}`), 6 + i);
  assert.equal(around.candidates(8, 2000)[0]?.mac, '02:00:00:00:01:00', 'made-up hosts do not push it out');
  assert.ok(around.candidates(5000, 2000).length <= 256);
});

function mac(n: number): Buffer {
  const out = Buffer.from('020000ff0000', 'hex');
  out.writeUInt16BE(n, 4);
  return out;
}

test('a lane runs in order, one at a time, and refuses what is too much', async () => {
  const lane = new Lane();
  let running = 0;
  const order: number[] = [];
  const task = (n: number) => async () => {
    running++;
    assert.equal(running, 1);
    await new Promise((resolve) => setImmediate(resolve));
    order.push(n);
    running--;
    if (n === 1) throw new Error('one fails, the next run');
  };
  const ended = await Promise.allSettled([0, 1, 2].map((n) => lane.run(task(n))));
  assert.deepEqual(order, [0, 1, 2]);
  assert.deepEqual(
    ended.map((e) => e.status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  const many = await Promise.allSettled(Array.from({ length: 500 }, () => lane.run(async () => {})));
  assert.ok(many.some((e) => e.status === 'rejected'));
});

test('no more transactions are reckoned than loading a text makes for certain: an empty table may make none', () => {
  const filter = '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n';
  assert.equal(transactionsIn(filter), 1);
  assert.equal(transactionsIn(`# a note: -A\n*nat\nCOMMIT\n${filter}*mangle\n# -A\nCOMMIT\n`), 1);
  assert.equal(transactionsIn(`*nat\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n${filter}`), 2);
  assert.equal(transactionsIn('*raw\n[1:2] -A PREROUTING -j ACCEPT\nCOMMIT'), 1);
  assert.equal(transactionsIn(''), 0);
});
