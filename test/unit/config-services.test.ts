/** Several services in one configuration file: what they must say alike, and what each must have for itself. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { parseSettings } from '../../src/daemon/config/settings.ts';
import { exampleText } from './cluster-files.ts';
import { problemsOf } from './config-problems.ts';

const EXAMPLE = exampleText('/etc/portcullis');

test('two services may not share a name or an address, and their mistakes name the right line', () => {
  const second = EXAMPLE.slice(EXAMPLE.indexOf('[[service]]')).replace('"up0"', '"up1"');
  const found = problemsOf(EXAMPLE + second).map((problem) => `${problem.line} ${problem.key}`);
  assert.deepEqual(found, [
    '36 service.name',
    '40 service.downlink.addresses',
    '45 service.uplink.addresses',
  ]);
});

/** The example with more services of that kind: other names, addresses, whatever `change` does to the last. */
function withServices(count: number, change: (text: string) => string = (text) => text): string {
  const one = EXAMPLE.slice(EXAMPLE.indexOf('[[service]]'));
  const more = Array.from({ length: count - 1 }, (_, i) =>
    one
      .replace('"firewall"', `"s${i + 2}"`)
      .replaceAll('10.77.1.1/24', `10.77.1.${i + 100}/24`)
      .replaceAll('10.77.2.1/24', `10.77.2.${i + 100}/24`),
  );
  const last = more.pop() ?? '';
  return EXAMPLE + more.join('') + change(last);
}

test('a host has up to 64 services', () => {
  assert.equal(parseSettings(withServices(64), 'p.toml').services.length, 64);
  const [problem] = problemsOf(withServices(65));
  assert.deepEqual(
    [problem?.key, problem?.what, problem?.remedy],
    ['service', 'has too many entries', 'at most 64'],
  );
});

test('services of one host have one rule set: iptables-restore loads it whole', () => {
  assert.deepEqual(problemsOf(withServices(2)), []);
  const other = problemsOf(withServices(2, (text) => text.replace('rules.v4"', 'others.v4"')));
  assert.deepEqual(
    other.map(({ key }) => key),
    ['service.firewall.rules'],
  );
  assert.match(other[0]?.what ?? '', /others\.v4, but that of service firewall is .*rules\.v4/);
  const none = problemsOf(withServices(2, (text) => text.replace(/^rules .*$/m, '')));
  assert.match(none[0]?.what ?? '', /^is missing, but that of service firewall is /);
});

test('a witness’s file, which has no devices, is looked at as any other', () => {
  const bare = (policy: string): string =>
    EXAMPLE.replace(/^device +=.*\n(?=(activation|addresses))/gm, '')
      .replace(/^activation .*\n/m, '')
      .replace(/^policy .*$/m, policy);
  assert.equal(parseSettings(bare('policy = "quorum"\nalone = "serve"'), 'p.toml').services[0]?.isBare, true);
  const wrong = bare('policy = "available"\nalone = "serve"\nfeedback = { high = 5, low = 5 }');
  assert.deepEqual(
    problemsOf(wrong).map(({ key }) => key),
    ['service.alone', 'service.feedback.low'],
  );
});

test('services that share an uplink say the same of it, the programs that raise and lower it included', () => {
  const shared = (programs: string): readonly string[] =>
    problemsOf(
      withServices(2, (text) => text.replace('[service.procedures]', `[service.procedures]\n${programs}`)),
    ).map(({ key, what }) => `${key} ${what}`);
  assert.deepEqual(shared(''), []);
  assert.deepEqual(shared('checkUplink = "/bin/true"'), []);
  assert.match(
    shared('deactivateUplink = "/bin/true"')[0] ?? '',
    /activation differs from that of another service with the same device up0/,
  );
});

test('services that stand together name each other, and have the same policy and times', () => {
  const grouped = (line: string): string =>
    withServices(3, (text) => text.replace(/^policy .*$/m, `$&\n${line}`));
  assert.deepEqual(problemsOf(grouped('together = ["firewall", "s2"]')), []);
  const keys = (text: string): string[] => problemsOf(text).map(({ key, what }) => `${key} ${what}`);
  assert.deepEqual(keys(grouped('together = ["nobody", "s3"]')), [
    'service.together names a service that is not there: "nobody"',
    'service.together names the service itself',
  ]);
  assert.deepEqual(keys(grouped('together = ["s2"]\nfall = 5\ncheck_interval = "500ms"')), [
    'service.fall differs from that of s2, with which it stands together',
    'service.check_interval differs from that of s2, with which it stands together',
  ]);
  assert.deepEqual(keys(grouped('together = []')), ['service.together must list 1 to 64, not 0']);
});
