/** COSE_Sign1: the signed bytes are those of published vectors; only the one form is read; the gate binds pair and link. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import test from 'node:test';
import { thumbprint } from '../../src/trust/fingerprint.ts';
import { messageAad, readSign1, rosterAad, sigStructure, writeSign1 } from '../../src/wire/cose.ts';
import { importVerifyKey } from '../../src/wire/ed25519.ts';
import { addGate, gateHolds, gateKey } from '../../src/wire/gate.ts';
import { scanItem } from '../../src/wire/scan.ts';
import { fromHex, readJson, toHex } from './vectors.ts';
import { testIdentity } from './wire-fixture.ts';

const cose = (file: string) => readJson(`test/vectors/cose/${file}`);

test('the Sig_structure is that of the published examples, with and without external data', () => {
  for (const i of [0, 1, 2, 3]) {
    const { protectedHeaders, external, payload, tbsHex } = cose(`sign1-sign-000${i}.json`)['sign1::sign'];
    const made = sigStructure(fromHex(protectedHeaders.cborHex), fromHex(external ?? ''), fromHex(payload));
    assert.equal(toHex(made), tbsHex.cborHex, `sign1-sign-000${i}`);
  }
  const eddsa = cose('eddsa-sig-01.json');
  const content = new TextEncoder().encode(eddsa.input.plaintext);
  const made = sigStructure(fromHex('a201270300'), new Uint8Array(), content);
  assert.equal(toHex(made), eddsa.intermediates.ToBeSign_hex.toLowerCase());
  const signature = fromHex(eddsa.output.cbor.slice(-128));
  assert.ok(importVerifyKey(fromHex(eddsa.input.sign0.key.x_hex)).verify(made, signature));
});

test('well-formed COSE of another form is refused as such: other headers, other curves, COSE_Sign, countersigned', () => {
  for (const file of [
    'eddsa-sig-01.json',
    'eddsa-sig-02.json',
    'eddsa-01.json',
    'eddsa-02.json',
    'countersign-signed1-01.json',
    'Appendix_C_2_1.json',
  ]) {
    assert.equal(readSign1(fromHex(cose(file).output.cbor)), null, file);
  }
});

const identity = testIdentity('fw1');
const kid = thumbprint(identity.publicKey);
const write = (payload: Uint8Array) => writeSign1(kid, rosterAad(), payload, identity.sign);

test('what is written is read again, at every length of the payload head', () => {
  for (const length of [0, 23, 24, 255, 256, 1000, 65_535]) {
    const payload = new Uint8Array(length).fill(0xf6);
    const envelope = write(payload);
    const read = readSign1(envelope);
    assert.ok(read !== null);
    assert.equal(read.end, envelope.length);
    assert.deepEqual(read.payload, payload);
    assert.deepEqual(read.kid, kid);
    const signed = sigStructure(read.protectedBytes, rosterAad(), read.payload);
    assert.ok(importVerifyKey(identity.publicKey).verify(signed, read.signature));
    // But for its tag it is within the profile that the scan holds everything else to.
    assert.equal(scanItem(envelope, 1), envelope.length);
  }
});

test('every change of a byte of the heads, and every cut, is refused or leaves the signature invalid', () => {
  const envelope = write(Uint8Array.of(0xf6, 0xf6));
  const key = importVerifyKey(identity.publicKey);
  for (let at = 0; at < envelope.length; at++) {
    const changed = Uint8Array.from(envelope);
    changed[at] = (changed[at] ?? 0) ^ 0x01;
    const read = readSign1(changed);
    const holds =
      read !== null &&
      read.end === changed.length &&
      key.verify(sigStructure(read.protectedBytes, rosterAad(), read.payload), read.signature);
    assert.ok(!holds, `byte ${at}`);
    assert.equal(readSign1(envelope.subarray(0, at)), null, `cut at ${at}`);
  }
});

test('no signature holds in another role, cluster or for another receiver', () => {
  const clusterId = new Uint8Array(32).fill(1);
  const aads = [
    messageAad(clusterId, null),
    messageAad(clusterId, kid),
    messageAad(new Uint8Array(32).fill(2), null),
    messageAad(clusterId, new Uint8Array(32)),
    rosterAad(),
  ];
  const key = importVerifyKey(identity.publicKey);
  const payload = Uint8Array.of(0xa0);
  for (const signedFor of aads) {
    const read = readSign1(writeSign1(kid, signedFor, payload, identity.sign));
    assert.ok(read !== null);
    for (const readFor of aads) {
      assert.equal(
        key.verify(sigStructure(read.protectedBytes, readFor, payload), read.signature),
        readFor === signedFor,
      );
    }
  }
});

test('P3: the gate’s key and tag are those of the specification, made by hand', () => {
  const [a, b] = [testIdentity('a'), testIdentity('b')];
  const [from, to] = [thumbprint(a.publicKey), thumbprint(b.publicKey)];
  const cluster = new Uint8Array(32).fill(5);
  const hmac = (key: Uint8Array, ...parts: Uint8Array[]) =>
    createHmac('sha256', key).update(Buffer.concat(parts)).digest();
  // RFC 5869: extract with the cluster id as salt, one block of expand.
  const secret = hmac(cluster, a.agree(b.publicKey));
  const key = hmac(secret, Buffer.from('portcullis gate 1'), cluster, from, to, Uint8Array.of(1));
  assert.equal(toHex(gateKey(b.agree(a.publicKey), cluster, from, to)), toHex(key));
  const envelope = Uint8Array.of(9, 8, 7);
  assert.equal(
    toHex(addGate(key, 3, envelope)),
    toHex(Buffer.concat([hmac(key, Uint8Array.of(3), envelope).subarray(0, 16), envelope])),
  );
});

test('the gate holds for its pair, direction, cluster and link alone', () => {
  const [a, b, c] = ['a', 'b', 'c'].map(testIdentity);
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  const kids = [a, b, c].map((host) => thumbprint(host.publicKey)) as [Uint8Array, Uint8Array, Uint8Array];
  const cluster = new Uint8Array(32).fill(1);
  const sender = gateKey(a.agree(b.publicKey), cluster, kids[0], kids[1]);
  const receiver = gateKey(b.agree(a.publicKey), cluster, kids[0], kids[1]);
  const datagram = addGate(sender, 1, Uint8Array.of(1, 2, 3));
  assert.ok(gateHolds(receiver, 1, datagram));
  assert.ok(!gateHolds(receiver, 2, datagram), 'another link');
  assert.ok(!gateHolds(gateKey(a.agree(b.publicKey), cluster, kids[1], kids[0]), 1, datagram), 'reflected');
  assert.ok(
    !gateHolds(gateKey(c.agree(a.publicKey), cluster, kids[0], kids[2]), 1, datagram),
    'another receiver',
  );
  assert.ok(
    !gateHolds(gateKey(b.agree(a.publicKey), new Uint8Array(32), kids[0], kids[1]), 1, datagram),
    'another cluster',
  );
  for (let at = 0; at < datagram.length; at++) {
    const changed = Uint8Array.from(datagram);
    changed[at] = (changed[at] ?? 0) ^ 0x80;
    assert.ok(!gateHolds(receiver, 1, changed), `byte ${at}`);
  }
  assert.ok(!gateHolds(receiver, 1, datagram.subarray(0, 15)));
});
