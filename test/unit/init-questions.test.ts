/** What `init` proposes from what a host shows, and how it asks. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';
import type { DeviceFacts, HostFacts } from '../../src/cli/host-facts.ts';
import { nameFrom } from '../../src/cli/host-facts.ts';
import { type Answers, QUESTIONS } from '../../src/cli/init-questions.ts';
import { parsePrefix } from '../../src/daemon/config/address.ts';
import { parseSettings } from '../../src/daemon/config/settings.ts';
import { inDirectory, portcullis } from './cli-harness.ts';
import { TerminalSession } from './terminal-session.ts';

function device(name: string, addresses: readonly string[], more: Partial<DeviceFacts> = {}): DeviceFacts {
  return {
    ...{ name, up: true, carrier: true, hasIpv6: true, ...more },
    addresses: addresses.flatMap((text) => parsePrefix(text) ?? []),
  };
}

/** All that is proposed where each proposal is taken; what has none is answered by `said`. */
function proposals(facts: HostFacts, said: Answers = {}): Answers {
  let answers: Answers = {};
  for (const question of QUESTIONS) {
    if (question.applies?.(facts, answers) === false) continue;
    const answer = said[question.flag] ?? question.propose(facts, answers);
    if (answer !== null) answers = { ...answers, [question.flag]: answer };
  }
  return answers;
}

test('a firewall of today: its default route tells the uplink, its addresses there rove, and an own one stays', () => {
  const facts: HostFacts = {
    name: 'fw1',
    devices: [
      device('eth0', ['10.1.0.2/24', '10.1.0.1/24', '2001:db8:1::2/64']),
      device('eth1', ['198.51.100.2/29', '2001:db8:f::2/64']),
      device('idle', [], { carrier: false }),
    ],
    defaultRoutes: [
      { device: 'eth1', gateway: '198.51.100.1' },
      { device: 'eth1', gateway: '2001:db8:f::1' },
    ],
  };
  assert.deepEqual(proposals(facts), {
    host: 'fw1',
    downlink: 'eth0',
    listen: '10.1.0.2:7946',
    'downlink-address': '10.1.0.1/24 2001:db8:1::2/64',
    uplink: 'eth1',
    'uplink-address': '198.51.100.2/29 2001:db8:f::2/64',
    'next-hop': '198.51.100.1',
  });
});

test('a new host: nothing is guessed that its devices do not tell; without IPv6 an own address is asked for', () => {
  const facts: HostFacts = {
    name: null,
    devices: [
      device('eth0', ['10.1.0.2/24']),
      device('up0', [], { up: false, carrier: false, hasIpv6: false }),
    ],
    defaultRoutes: [{ device: 'eth0', gateway: '10.1.0.254' }],
  };
  assert.deepEqual(proposals(facts), { uplink: 'up0' });
  const more = proposals(facts, { downlink: 'eth0', 'uplink-address': '192.0.2.1/24' });
  assert.equal(more.uplink, 'up0');
  assert.equal(more['next-hop'], undefined);
  const own = QUESTIONS.find(({ flag }) => flag === 'own-address');
  assert.equal(own?.applies?.(facts, more), true);
  assert.equal(own?.judge('2001:db8::1/64', facts, more), 'is no IPv4 address with its length');
  assert.equal(own?.applies?.(facts, { ...more, 'uplink-address': '192.0.2.1/24 2001:db8::1/64' }), false);
});

test('an answer that cannot be right is refused with the reason', () => {
  const facts: HostFacts = { name: 'fw1', devices: [device('eth0', ['10.1.0.2/24'])], defaultRoutes: [] };
  const answers: Answers = {
    downlink: 'eth0',
    listen: '10.1.0.2:7946',
    'uplink-address': '192.0.2.1/24 2001:db8::1/64',
  };
  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ['cluster', 'No Name', /is no name/],
    ['policy', 'both', /neither available nor quorum/],
    ['downlink', 'eth9', /is no device here: eth0/],
    ['downlink', '../eth0', /is no device name/],
    ['listen', 'fw1', /is no address/],
    ['downlink-address', '10.1.0.2/24', /this host’s own address/],
    ['downlink-address', '10.1.0.1', /no address with its length/],
    ['downlink-address', ' ', /is missing/],
    ['uplink', 'eth0', /is the downlink/],
    ['next-hop', '192.0.3.1', /192\.0\.3\.1 is in no network/],
    ['next-hop', '192.0.2.1', /192\.0\.2\.1 is in no network/],
    ['next-hop', 'router', /router is in no network/],
  ];
  for (const [flag, answer, expected] of wrong) {
    const question = QUESTIONS.find((one) => one.flag === flag);
    assert.match(question?.judge(answer, facts, answers) ?? '', expected, `${flag} ${answer}`);
  }
  for (const [flag, answer] of [
    ['listen', '10.1.0.2'],
    ['listen', '[2001:db8::2]:7947'],
    ['next-hop', '192.0.2.254, fe80::1'],
    ['next-hop', '2001:db8::fe'],
    ['uplink', 'not-there-yet'],
  ] as const)
    assert.equal(QUESTIONS.find((one) => one.flag === flag)?.judge(answer, facts, answers), null, answer);
});

test('a host’s name is made of its hostname', () => {
  assert.equal(nameFrom('FW_1.example.net'), 'fw-1');
  assert.equal(nameFrom('-.x'), null);
  assert.equal(nameFrom('x'.repeat(40))?.length, 32);
});

test('on a terminal it asks, proposes, says what is wrong with an answer, and writes what was said', async () => {
  await inDirectory(async (at) => {
    const out = at('portcullis.toml');
    const options = ['init', '--out', out, '--dir', at('.'), '--downlink', 'lo', '--json'];
    const typed = ['dmz', 'Big Name', 'fw1', 'both', 'available', '10.1.0.2', '10.1.0.1/24', 'wan0'];
    const rest = ['192.0.2.1/24', '192.0.3.1', '192.0.2.254', '192.0.2.2/24'];
    // The loopback is no device of a cluster: it is refused, whatever else is said.
    const refused = await portcullis(options, typed);
    assert.equal(refused.status, 2);
    assert.match(refused.err, /--downlink: "lo" is no device here/);
    const [first] = await devices();
    const asked = options.map((word) => (word === 'lo' ? (first ?? word) : word));
    const done = await portcullis(asked, [...typed, ...rest]);
    assert.equal(done.status, 0, done.err);
    assert.match(done.err, /"Big Name" is no name/);
    assert.match(done.err, /"both" is neither/);
    assert.match(done.err, /^portcullis: 192\.0\.3\.1 is in no network/m);
    const settings = parseSettings(readFileSync(out, 'utf8'), out);
    assert.equal(settings.host, 'fw1');
    assert.equal(settings.services[0]?.gateway.uplink.device, 'wan0');
    const { next } = JSON.parse(done.out) as { next: string[] };
    assert.match(next.at(-1) ?? '', /^systemctl enable --now /);
    // The units would not see what was written elsewhere.
    assert.match(next.at(-2) ?? '', /^# the units read \/etc\/portcullis\/portcullis\.toml and .* alone/);
  });
});

test('the end of what is typed is the end: what is missing is named, and nothing is written', async () => {
  await inDirectory(async (at) => {
    const out = at('portcullis.toml');
    const { status, err } = await portcullis(['init', '--out', out], ['dmz', 'fw1']);
    assert.equal(status, 2);
    assert.match(err, /nobody to ask: --policy/);
    assert.equal(existsSync(out), false);
    const wrong = await portcullis(['init', '--out', out], Array<string>(6).fill('No Name'));
    assert.equal(wrong.status, 1);
    assert.match(wrong.err, /too many answers/);
  });
});

test('on a real terminal: what is asked is answered with Return; Ctrl-C ends it, and nothing is written', async () => {
  await inDirectory(async (at) => {
    const out = at('portcullis.toml');
    const [first = ''] = await devices();
    const given = [
      'init',
      '--out',
      out,
      '--dir',
      at('.'),
      '--cluster',
      'dmz',
      '--host',
      'fw1',
      '--downlink',
      first,
    ];
    const sides = ['--listen', '10.1.0.2', '--downlink-address', '10.1.0.1/24', '--uplink', 'wan0'];
    const outer = ['--uplink-address', '192.0.2.1/24', '--next-hop', '192.0.2.254'];
    const stopped = new TerminalSession([...given, ...sides, ...outer]);
    await stopped.answer('who may take over', '\x03');
    assert.equal((await stopped.end()).status, 130);
    assert.equal(existsSync(out), false);
    const done = new TerminalSession([...given, ...sides, ...outer]);
    await done.answer('who may take over', 'quorum\n');
    assert.equal((await done.end()).status, 0, done.seen);
    assert.match(done.seen, /written .*portcullis\.toml/);
    assert.equal(parseSettings(readFileSync(out, 'utf8'), out).services[0]?.policy, 'quorum');
  });
});

async function devices(): Promise<string[]> {
  const { hostFacts } = await import('../../src/cli/host-facts.ts');
  return hostFacts().devices.map(({ name }) => name);
}

test('a directory that is not there is told before anything is asked', async () => {
  await inDirectory(async (at) => {
    const { status, err } = await portcullis(['init', '--out', at('none/p.toml')]);
    assert.equal(status, 1);
    assert.match(err, /no such file or directory\n.*hint: the directory .*none is not there/);
  });
});
