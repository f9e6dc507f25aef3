/** Remote checks: how they are written, what is refused, and the judgement of a DNS answer. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ConfigError } from '../../src/daemon/config/problems.ts';
import { remoteCheck } from '../../src/daemon/config/remote-check.ts';
import { parseSettings } from '../../src/daemon/config/settings.ts';
import { dnsQuestion, judgeDns } from '../../src/linux/remote/dns.ts';
import { checkName } from '../../src/linux/remote/kinds.ts';
import { formatReply, parseReply } from '../../src/linux/remote/words.ts';
import { exampleText } from './cluster-files.ts';

const EXAMPLE = exampleText('/etc/portcullis');

test('each kind with its options', () => {
  const web = { path: '/', name: null, status: null, text: null, ca: null, verify: true, through: false };
  const dns = { kind: 'dns', address: '10.0.0.53', port: 53, answer: null, through: false };
  for (const [text, expected] of [
    ['gateway', { kind: 'gateway' }],
    ['icmp:10.0.0.1', { kind: 'icmp', address: '10.0.0.1', through: false }],
    ['through:icmp:fd00::0:1', { kind: 'icmp', address: 'fd00::1', through: true }],
    ['arp:10.0.0.1', { kind: 'arp', address: '10.0.0.1' }],
    ['nd:fd00::1', { kind: 'nd', address: 'fd00::1' }],
    ['tcp:10.0.0.1:22', { kind: 'tcp', address: '10.0.0.1', port: 22, through: false }],
    ['tcp:[fd00::1]:22', { kind: 'tcp', address: 'fd00::1', port: 22, through: false }],
    ['http://10.0.0.1', { ...web, kind: 'http', address: '10.0.0.1', port: 80 }],
    [
      'through:https://10.0.0.1:8443/a?b=c status=401 name=web.example insecure text= all = well ',
      {
        ...{ kind: 'https', address: '10.0.0.1', port: 8443, path: '/a?b=c', name: 'web.example' },
        ...{ status: 401, text: ' all = well ', ca: null, verify: false, through: true },
      },
    ],
    [
      'https://[fd00::1]/ ca=/etc/ca.pem',
      { ...web, kind: 'https', address: 'fd00::1', port: 443, ca: '/etc/ca.pem' },
    ],
    ['dns:10.0.0.53/a.example', { ...dns, name: 'a.example', type: 'A' }],
    ['dns:10.0.0.53/a.example/MX', { ...dns, name: 'a.example', type: 'MX' }],
    [
      'dns:10.0.0.53/a.example/AAAA answer=2001:db8::0:1',
      { ...dns, name: 'a.example', type: 'AAAA', answer: '2001:db8::1' },
    ],
  ] as const)
    assert.deepEqual(remoteCheck(text), expected, text);
  assert.equal(
    checkName(remoteCheck('through:http://10.0.0.1/x status=200') ?? { kind: 'gateway' }),
    'through:http://10.0.0.1:80/x',
  );
});

test('what is none', () => {
  for (const text of [
    ...[
      '',
      'ping:10.0.0.1',
      'icmp:host',
      'icmp:10.0.0.1 text=x',
      'arp:fd00::1',
      'nd:10.0.0.1',
      'through:arp:10.0.0.1',
    ],
    ...[
      'through:gateway',
      'tcp:10.0.0.1',
      'tcp:10.0.0.1:0',
      'tcp:10.0.0.1:65536',
      'tcp:fd00::1:22',
      'tcp:10.0.0.1:22 status=200',
    ],
    ...[
      'http://web.example/',
      'http://10.0.0.1/ status=99',
      'http://10.0.0.1/ insecure',
      'http://10.0.0.1/ status=200 status=200',
    ],
    ...[
      'http://user@10.0.0.1/',
      'http://10.0.0.1/ name=a/b',
      'http://10.0.0.1/ what=1',
      'http://10.0.0.1/\r\nX: y',
      'http://10.0.0.1/ text=',
    ],
    ...[
      'https://10.0.0.1/ insecure ca=/c',
      'https://10.0.0.1/ ca=c',
      'https://10.0.0.1/ insecure=1',
      'http://10.0.0.1/  status=200',
    ],
    ...[
      'dns:10.0.0.53',
      'dns:10.0.0.53/a..b',
      'dns:10.0.0.53/a/ANY',
      'dns:10.0.0.53/a/toString',
      'dns:10.0.0.53/a/A/x',
    ],
    ...[
      'dns:10.0.0.53/a/MX answer=10.0.0.1',
      'dns:10.0.0.53/a/A answer=fd00::1',
      'dns:10.0.0.53/a answer=b',
      'through:through:icmp:10.0.0.1',
    ],
  ])
    assert.equal(remoteCheck(text), null, text);
});

/** The problems of the example with these checks, a line each. */
function problems(section: string): string[] {
  try {
    parseSettings(
      EXAMPLE.replace('[service.firewall]', `[service.remote]\n${section}\n[service.firewall]`),
      'f',
    );
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map(({ line, key, what }) => `${line} ${key} ${what}`);
  }
}

test('in the file: defaults, the two needs, and checks that do not fit the service', () => {
  assert.deepEqual(
    problems('checks = ["gateway", "through:tcp:192.0.2.1:443", "dns:9.9.9.9/example.org"]\nneed = "any"'),
    [],
  );
  const settings = parseSettings(EXAMPLE, 'f');
  assert.equal(settings.services[0]?.gateway.remote, undefined);
  const found = (text: string): string => problems(`checks = ["${text}"]`).join('\n');
  assert.match(
    found('through:tcp:10.77.1.9:80'),
    /^31 service\.remote\.checks is on the downlink.*: through:tcp:10\.77\.1\.9:80$/,
  );
  assert.match(found('icmp:192.0.2.1'), /is not on the downlink: icmp:192\.0\.2\.1/);
  assert.match(found('through:icmp:2001:db8::1'), /has no IPv6 gateway to go through/);
  assert.match(found('through:tcp:[2001:db8::1]:80'), /asks an IPv6 host through the gateway/);
  assert.match(found('nonsense'), /is no remote check: "nonsense"/);
  assert.deepEqual(
    problems('checks = ["gateway", "icmp:x", "gateway", "tcp:10.77.1.9"]').map((line) =>
      line.split(' ').slice(2).join(' '),
    ),
    ['is no remote check: "icmp:x"', 'lists "gateway" twice', 'is no remote check: "tcp:10.77.1.9"'],
    'all that is wrong at once',
  );
  assert.match(problems('checks = ["gateway", "gateway"]')[0] ?? '', /twice/);
  assert.match(problems('need = "most"')[0] ?? '', /service\.remote\.need is unknown/);
  assert.match(problems('check = ["gateway"]')[0] ?? '', /service\.remote\.check is no key/);
});

test('a DNS answer: only one to this very question counts, and only a record of its type', () => {
  const asked = { id: 7, name: 'www.example', type: 'A' } as const;
  const question = dnsQuestion(asked);
  const record = Buffer.from('c00c000100010000000500040a000001', 'hex');
  const alias = Buffer.from('c00c00050001000000050002c00c', 'hex');
  const made = (flags: number, records: Buffer[], change: (b: Buffer) => void = () => undefined): Buffer => {
    const out = Buffer.concat([question, ...records]);
    out.writeUInt16BE(flags, 2);
    out.writeUInt16BE(records.length, 6);
    change(out);
    return out;
  };
  const judge = (datagram: Buffer, answer: string | null = null) => judgeDns(asked, answer, datagram);
  assert.deepEqual(judge(made(0x8180, [record]))?.ok, true);
  assert.deepEqual(judge(made(0x8180, [alias, record]), '10.0.0.1')?.ok, true, 'behind an alias');
  assert.deepEqual(
    judge(made(0x8180, [record], (b) => b.write('WWW', 13)))?.ok,
    true,
    'letters in another case',
  );
  assert.match(judge(made(0x8180, [alias]))?.why ?? '', /no A record/);
  assert.match(judge(made(0x8180, [record]), '10.0.0.2')?.why ?? '', /is 10\.0\.0\.1, not 10\.0\.0\.2/);
  assert.match(judge(made(0x8182, []))?.why ?? '', /SERVFAIL/);
  assert.equal(judge(made(0x0180, [record])), null, 'a question');
  assert.equal(judge(made(0x8180, [record], (b) => b.writeUInt16BE(8, 0))), null, 'another number');
  assert.equal(judge(made(0x8180, [record], (b) => b.write('xyz', 13))), null, 'another name');
  assert.equal(judge(made(0x8180, [record.subarray(0, 12)]))?.ok, false, 'cut');
});

test('the checker’s words: what is no reply is garbage, and nothing but printable characters comes through', () => {
  const line = formatReply({ id: 3, ok: false, text: `bad\u0007\n${'x'.repeat(900)}` });
  assert.ok(line.length <= 320 && line.endsWith('\n'));
  assert.deepEqual(parseReply('3 ok fine'), { id: 3, ok: true, text: 'fine' });
  assert.equal(parseReply(line.slice(0, -1))?.ok, false);
  for (const text of ['', '0 ok x', '3 yes x', '3 ok', ' 3 ok x', '3 ok \u00e9'])
    assert.equal(parseReply(text), null, text);
});
