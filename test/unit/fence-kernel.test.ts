/** What the gate's tables tell a host that has no configuration any more; with the kernel itself it is tried in test/netns/linux-fence. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { gateMarks } from '../../src/linux/fence-kernel.ts';

const set = (family: string, table: string, name: string): object => ({
  set: { family, table, name, type: 'nf_proto' },
});
const vmap = (table: string, protocol: string, field: string, ...addresses: string[]): object => ({
  rule: {
    family: 'inet',
    table,
    chain: 'sent',
    expr: [
      {
        vmap: {
          key: { payload: { protocol, field } },
          data: { set: addresses.map((address) => [address, { jump: { target: 'shut_firewall' } }]) },
        },
      },
    ],
  },
});
const listing = (...nftables: object[]): string =>
  JSON.stringify({ nftables: [{ metainfo: { json_schema_version: 1 } }, ...nftables] });

test('leases, leaves to talk and forwarding are told by the sets, uplinks by their names, addresses by source', () => {
  const text = listing(
    { table: { family: 'inet', name: 'portcullis_dmz' } },
    set('inet', 'portcullis_dmz', 'lease_mail_in'),
    set('inet', 'portcullis_dmz', 'serving'),
    set('arp', 'portcullis_dmz', `talk_${Buffer.from('enp1s0.20').toString('hex')}`),
    vmap('portcullis_dmz', 'ip', 'saddr', '10.77.1.1', '10.77.2.1'),
    vmap('portcullis_dmz', 'ip6', 'saddr', 'fd00:77:1::1'),
    // Where packets go to tells nothing of what roves here.
    vmap('portcullis_dmz', 'ip', 'daddr', '192.0.2.1'),
  );
  assert.deepEqual(gateMarks(text), {
    sets: [
      'inet portcullis_dmz lease_mail_in',
      'inet portcullis_dmz serving',
      'arp portcullis_dmz talk_656e703173302e3230',
    ],
    addresses: ['10.77.1.1', '10.77.2.1', 'fd00:77:1::1'],
    uplinks: ['enp1s0.20'],
  });
});

test('tables of others are left alone, whatever their sets are called', () => {
  const text = listing(
    set('inet', 'filter', 'lease_firewall'),
    set('inet', 'portcullis_dmz', 'banned'),
    vmap('nat', 'ip', 'saddr', '10.0.0.1'),
    { rule: { family: 'inet', table: 'portcullis_dmz', expr: [{ drop: null }] } },
  );
  assert.deepEqual(gateMarks(text), { sets: [], addresses: [], uplinks: [] });
  assert.deepEqual(gateMarks(listing()), { sets: [], addresses: [], uplinks: [] });
  assert.throws(() => gateMarks('no JSON'), SyntaxError);
});
