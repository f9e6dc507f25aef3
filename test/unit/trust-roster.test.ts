/** P22 to P27. The roster: the chain is verified from the admin key on, every kind of wrong version is refused, and the file as a whole with it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import {
  formatSocketAddress,
  ipBytes,
  parseSocketAddress,
  socketAddressOf,
} from '../../src/trust/address.ts';
import { thumbprint } from '../../src/trust/fingerprint.ts';
import {
  appendVersion,
  firstAdmin,
  nextBody,
  type Roster,
  signRosterBody,
  verifyRosterFile,
} from '../../src/trust/roster.ts';
import { decodeRosterBody, encodeRosterBody, type RosterBody } from '../../src/trust/roster-body.ts';
import { encodeCbor } from '../../src/wire/cbor.ts';
import { writeSign1 } from '../../src/wire/cose.ts';
import { admin, appended, firstBody, memberBody, testIdentity, testRoster } from './wire-fixture.ts';

const roster = testRoster(['fw1', 'fw2'], ['w']);
const file = Uint8Array.from(Buffer.concat(roster.versions));
const reasonOf = (result: ReturnType<typeof verifyRosterFile>) => (result.ok ? 'ok' : result.reason);
const append = (current: Roster | null, body: RosterBody, signer = admin) =>
  appendVersion(current, signRosterBody(body, signer), current?.admins ?? [admin.publicKey]);

test('a file of all versions gives the newest roster, with everything that a host needs', () => {
  const result = verifyRosterFile(file, admin.publicKey);
  assert.ok(result.ok);
  assert.deepEqual(result.roster, roster);
  assert.equal(roster.version, 4);
  assert.deepEqual(
    roster.clusterId,
    Uint8Array.from(
      createHash('sha256')
        .update(roster.versions[0] ?? '')
        .digest(),
    ),
  );
  assert.deepEqual(
    roster.hash,
    Uint8Array.from(
      createHash('sha256')
        .update(roster.versions[3] ?? '')
        .digest(),
    ),
  );
  assert.deepEqual(roster.voterSets, [['fw1', 'fw2', 'w']]);
  const [first] = roster.members;
  assert.deepEqual(first?.kid, thumbprint(first?.publicKey ?? new Uint8Array()));
  assert.deepEqual(first?.addresses.map(formatSocketAddress), ['10.77.1.11:7946', '[fd00:77:1::11]:7946']);
  assert.equal(roster.members[2]?.role, 'witness');
  assert.deepEqual(firstAdmin(file), admin.publicKey);
});

test('two clusters of the same name are not the same cluster', () => {
  const other = appended(null, { ...firstBody(), nonce: new Uint8Array(16) });
  assert.notDeepEqual(other.clusterId, roster.clusterId);
});

test('another admin key, a cut, a doubled, a missing or a changed version refuses the whole file', () => {
  assert.equal(
    reasonOf(verifyRosterFile(file, testIdentity('other').publicKey)),
    'not signed by the admin key',
  );
  assert.equal(reasonOf(verifyRosterFile(new Uint8Array(), admin.publicKey)), 'empty');
  assert.equal(
    reasonOf(verifyRosterFile(file.subarray(0, file.length - 1), admin.publicKey)),
    'not a whole signed version',
  );
  const [v1, v2, v3, v4] = roster.versions;
  assert.ok(v1 && v2 && v3 && v4);
  const verify = (...versions: Uint8Array[]) => verifyRosterFile(Buffer.concat(versions), admin.publicKey);
  assert.ok(verify(v1, v2).ok, 'an older file is a valid one');
  assert.ok(!verify(v2, v3).ok);
  assert.ok(!verify(v1, v3).ok);
  assert.ok(!verify(v1, v1).ok);
  assert.ok(!verify(v1, v2, v3, v3).ok);
  for (let at = 0; at < file.length; at += 3) {
    const changed = Uint8Array.from(file);
    changed[at] = (changed[at] ?? 0) ^ 0x04;
    assert.ok(!verifyRosterFile(changed, admin.publicKey).ok, `byte ${at}`);
  }
});

test('a version that does not follow the one before is refused', () => {
  const next = nextBody(roster, [...roster.members, memberBody('fw3', 4)]);
  assert.ok(append(roster, next).ok);
  const refused: [string, RosterBody][] = [
    ['says that it is version 4', { ...next, version: 4 }],
    ['says that it is version 9', { ...next, version: 9 }],
    ['does not name the version before it', { ...next, previousHash: new Uint8Array(32) }],
    ['is a first version', { ...next, nonce: new Uint8Array(16) }],
    ['renames the cluster', { ...next, clusterName: 'other' }],
    ['names other former voters than the version before it has', { ...next, previousVoters: ['fw1'] }],
    ['changes the admin key without its signature', { ...next, admins: [testIdentity('x').publicKey] }],
    [
      'adds or removes more than one member',
      { ...next, members: [memberBody('fw3', 4), ...roster.members.slice(1)] },
    ],
    ['adds or removes more than one member', { ...next, members: [...next.members, memberBody('fw4', 5)] }],
  ];
  for (const [reason, body] of refused) assert.equal(reasonOf(append(roster, body)), reason);
  assert.equal(
    reasonOf(append(roster, next, testIdentity('fw1'))),
    'not signed by the admin key',
    'a member is no admin',
  );
  assert.equal(
    reasonOf(append(null, { ...firstBody(), admins: [testIdentity('x').publicKey] })),
    'does not name the key that signed it',
  );
  assert.equal(reasonOf(append(null, { ...firstBody(), nonce: null })), 'is no first version');
  assert.equal(roster.version, 4, 'what is refused changes nothing');
});

test('names, keys and addresses are unique, at most 16 members, keys are admitted', () => {
  const withMember = (change: Partial<RosterBody['members'][number]>) =>
    reasonOf(append(roster, nextBody(roster, [...roster.members, { ...memberBody('fw3', 4), ...change }])));
  assert.equal(withMember({}), 'ok');
  assert.equal(withMember({ name: 'fw1' }), 'has two members named fw1');
  assert.match(withMember({ publicKey: testIdentity('fw1').publicKey }), /twice$/);
  assert.match(withMember({ publicKey: admin.publicKey }), /twice$/, 'a host with the admin key is no host');
  assert.equal(
    withMember({ addresses: memberBody('x', 1).addresses }),
    'has the address 10.77.1.11 port 7946 twice',
  );
  const identityPoint = Uint8Array.from([1, ...new Uint8Array(31)]);
  assert.equal(
    withMember({ publicKey: identityPoint }),
    'holds a public key that is not admitted (small-order)',
  );
  assert.equal(
    withMember({ publicKey: new Uint8Array(32).fill(0xff) }),
    'holds a public key that is not admitted (not-a-point)',
  );
  const full = testRoster(Array.from({ length: 16 }, (_, i) => `h${i}`));
  assert.equal(full.members.length, 16);
  assert.equal(
    reasonOf(append(full, nextBody(full, [...full.members, memberBody('h16', 99)]))),
    'the list of members is wrong',
  );
});

test('a signature of another role is not one of a roster', () => {
  const body = encodeRosterBody(firstBody());
  const asMessage = writeSign1(
    thumbprint(admin.publicKey),
    encodeCbor(['portcullis msg 1']),
    body,
    admin.sign,
  );
  assert.equal(reasonOf(appendVersion(null, asMessage, [admin.publicKey])), 'the signature does not hold');
});

test('property: any bytes give a roster body or a reason, and a body comes back from its bytes', () => {
  const body = nextBody(roster, [...roster.members, memberBody('fw3', 4)]);
  const bytes = encodeRosterBody(body);
  const decoded = decodeRosterBody(bytes);
  assert.ok(decoded.ok);
  assert.deepEqual(encodeRosterBody(decoded.body), bytes);
  fc.assert(
    fc.property(fc.nat(), fc.nat(255), fc.uint8Array({ maxLength: 80 }), (at, byte, noise) => {
      decodeRosterBody(noise);
      const changed = Uint8Array.from(bytes);
      changed[at % changed.length] = byte;
      const result = decodeRosterBody(changed);
      if (result.ok) assert.deepEqual(encodeRosterBody(result.body), changed);
      verifyRosterFile(noise, admin.publicKey);
    }),
    { numRuns: 1000 },
  );
});

test('addresses have one text: RFC 5952 for IPv6, no second spelling of IPv4, no group or nobody', () => {
  const canonical = (text: string) => {
    const address = parseSocketAddress(text);
    return address === null ? null : formatSocketAddress(address);
  };
  assert.equal(canonical('10.0.0.1:1'), '10.0.0.1:1');
  assert.equal(canonical('[FD00:0:0:1:0:0:0:0A]:65535'), '[fd00:0:0:1::a]:65535');
  assert.equal(canonical('[2001:db8:0:1:1:1:1:1]:7946'), '[2001:db8:0:1:1:1:1:1]:7946');
  assert.equal(canonical('[::1]:7946'), '[::1]:7946');
  assert.equal(canonical('[1::]:7946'), '[1::]:7946');
  for (const text of [
    '10.0.0.1',
    '10.0.0.1:0',
    '10.0.0.1:65536',
    '10.0.0.1:07946',
    '10.0.0.01:1',
    '10.0.0:1',
    '10.0.0.256:1',
    '0.0.0.0:1',
    '[::ffff:a00:1]:1',
    '224.0.0.1:1',
    '255.255.255.255:1',
    'fd00::1:7946',
    '[fd00::1]',
    '[fd00::1%eth0]:1',
    '[fd00:::1]:1',
    '[1::2::3]:1',
    '[::]:1',
    '[ff02::1]:1',
    '[::ffff:10.0.0.1]:1',
    '[1:2:3:4:5:6:7]:1',
    '[1:2:3:4:5:6:7:8::]:1',
    '[12345::]:1',
    'host:1',
    '10.0.0.1:1 ',
    '',
  ])
    assert.equal(canonical(text), null, text);
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
      ),
      (ip) => {
        const address = socketAddressOf(ip, 7946);
        if (address === null) return;
        assert.deepEqual(ipBytes(address), ip);
        assert.deepEqual(parseSocketAddress(formatSocketAddress(address)), address);
      },
    ),
  );
});
