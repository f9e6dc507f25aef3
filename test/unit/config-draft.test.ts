/** A written configuration: what stands in it as a default is one, and what it says of keys is what the table says. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Draft, draftText } from '../../src/cli/config-draft.ts';
import { TEXT_KEYS } from '../../src/daemon/config/keys.ts';
import { parseSettings, type Settings } from '../../src/daemon/config/settings.ts';

const DRAFT: Draft = {
  head: ['A title.', '    typed as it stands, however long it is: '.padEnd(150, 'x')],
  keys: {
    ...{ cluster: 'dmz', host: 'fw1', key: '/etc/p/k', admin: '/etc/p/a', state: '/var/lib/p' },
    ...{ roster: '/etc/p/r', control: '/run/p/c' },
  },
  intervalMs: null,
  conntrackd: null,
  links: [{ name: 'downlink', device: 'eth0', listen: '10.77.1.11:7946' }],
  services: [
    {
      notes: ['Of this service.'],
      keys: { name: 'firewall', policy: 'available' },
      downlink: { device: 'eth0', addresses: ['10.77.1.1/24', 'fd00:77:1::1/64'] },
      uplink: { device: 'up0', activation: 'admin', addresses: ['10.77.2.1/24'], next_hop: '10.77.2.254' },
      firewall: {},
      procedures: {},
    },
  ],
};

/** What it means, without where it stands. */
function meaning(text: string): Omit<Settings, 'lines'> {
  const { lines: _lines, ...rest } = parseSettings(text, 'x');
  return rest;
}

/** With all that is shown as a default written out. */
function spelledOut(text: string): string {
  return text.replace(/^# (\[[^\]\n]+\]{1,2}|[a-z0-9_]+ = (?!\.\.\.)[^\n]+)$/gm, '$1');
}

test('defaults that stand as comments are those that hold: written out, the file means the same', () => {
  const module = { activation: 'module', card: 'pci/0000:03:00.0', module: 'e1000e' };
  const [service] = DRAFT.services;
  assert.ok(service);
  const drafts: Draft[] = [
    DRAFT,
    { ...DRAFT, intervalMs: 50 },
    { ...DRAFT, intervalMs: 2000 },
    { ...DRAFT, conntrackd: { config: '/etc/p/conntrackd.conf' } },
    { ...DRAFT, services: [{ ...service, uplink: { ...service.uplink, ...module } }] },
  ];
  for (const draft of drafts) {
    const text = draftText(draft);
    const whole = spelledOut(text);
    assert.ok(whole.split('\n').filter((line) => /^[a-z0-9_]+ =/.test(line)).length > 35, whole);
    assert.deepEqual(meaning(whole), meaning(text));
  }
});

test('each chosen key has its rule above it; of several services the first alone has the words', () => {
  const [service] = DRAFT.services;
  assert.ok(service);
  const other = { ...service, notes: [], keys: { name: 'mail', policy: 'available' } };
  const second = {
    ...other,
    downlink: { device: 'eth0', addresses: ['10.77.1.2/24'] },
    uplink: { ...service.uplink, addresses: ['10.77.2.2/24'] },
  };
  const text = draftText({ ...DRAFT, services: [service, second] });
  const joined = text.replace(/\n# /g, ' ');
  assert.ok(joined.includes(TEXT_KEYS['service.uplink.activation'].rule));
  assert.match(text, /^# {5}typed as it stands.*x{50}$/m);
  assert.match(text, /^# keep_size = 1024 .* In MiB\.$/m, 'a number has no unit of its own');
  assert.equal(text.match(/^# Who may take over/gm)?.length, 1);
  assert.equal(parseSettings(text, 'x').services.length, 2);
});

test('a value that is not known yet is a comment, and its key is missed', () => {
  const [service] = DRAFT.services;
  assert.ok(service);
  const next_hop = { example: '10.77.2.254', why: 'the router' };
  const text = draftText({ ...DRAFT, services: [{ ...service, uplink: { ...service.uplink, next_hop } }] });
  assert.match(text, /^# next_hop = "10\.77\.2\.254" {3}# FILL IN: the router$/m);
  assert.throws(() => parseSettings(text, 'x'), /next_hop is missing/);
});

test('a key that no table has is our fault', () => {
  assert.throws(() => draftText({ ...DRAFT, keys: { ...DRAFT.keys, nonsense: 'x' } }), RangeError);
});

test('whatever stands in a value, it is one line and what was meant', () => {
  for (const key of ['/etc/"quoted"', '/etc/#hash', '/etc/\\back', '/etc/[x]'])
    assert.equal(parseSettings(draftText({ ...DRAFT, keys: { ...DRAFT.keys, key } }), 'x').key, key);
});
