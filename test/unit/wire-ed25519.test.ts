/** Ed25519 by published vectors, and the admission of public keys; the X25519 that the gate derives from them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Point } from '@noble/ed25519';
import { fingerprint, thumbprint } from '../../src/trust/fingerprint.ts';
import { identityFromSeed, importVerifyKey, keyFault, publicKeyOf } from '../../src/wire/ed25519.ts';
import { fromHex, readJson, readText, toHex } from './vectors.ts';
import { testIdentity } from './wire-fixture.ts';

test('RFC 8032, 7.1: keys, signatures and verification', () => {
  for (const vector of readJson('test/vectors/ed25519/rfc8032-7.1.json')) {
    const identity = identityFromSeed(fromHex(vector.secret));
    const message = fromHex(vector.message);
    assert.equal(toHex(identity.publicKey), vector.public, vector.name);
    assert.equal(toHex(identity.sign(message)), vector.signature, vector.name);
    assert.ok(
      importVerifyKey(fromHex(vector.public)).verify(message, fromHex(vector.signature)),
      vector.name,
    );
  }
});

test('sign.input of ed25519.cr.yp.to: 128 keys sign as published', () => {
  const lines = readText('test/vectors/ed25519/sign.input.first128.txt').trim().split('\n');
  assert.equal(lines.length, 128);
  for (const line of lines) {
    const [secret = '', publicKey, message = '', signed] = line.split(':');
    const identity = identityFromSeed(fromHex(secret.slice(0, 64)));
    assert.equal(toHex(identity.publicKey), publicKey);
    assert.equal(toHex(identity.sign(fromHex(message))) + message, signed);
  }
});

test('Wycheproof: every signature is judged as published', () => {
  let count = 0;
  for (const group of readJson('test/vectors/ed25519/wycheproof-ed25519_test.json').testGroups) {
    const key = importVerifyKey(fromHex(group.publicKey.pk));
    for (const { tcId, msg, sig, result } of group.tests) {
      assert.equal(key.verify(fromHex(msg), fromHex(sig)), result === 'valid', `case ${tcId}`);
      count++;
    }
  }
  assert.equal(count, 151);
});

/** A point of order 8 (RFC 8032's curve): the torsion that mixed-order keys carry. */
const torsion = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', false);

test('public keys of small order are not admitted', () => {
  let point = Point.ZERO;
  const seen = new Set<string>();
  for (let i = 0; i < 8; i++, point = point.add(torsion)) {
    seen.add(point.toHex());
    assert.equal(keyFault(point.toBytes()), 'small-order');
  }
  assert.equal(seen.size, 8);
});

test('public keys that are not canonical, off the curve or of the wrong length are not admitted', () => {
  // y = p + 1 and y = p - 1 + 2^255 - p ... as published: encodings of y >= p.
  for (const hex of [
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    '0200000000000000000000000000000000000000000000000000000000000000',
  ]) {
    assert.equal(keyFault(fromHex(hex)), 'not-a-point', hex);
  }
  assert.equal(keyFault(new Uint8Array(31)), 'length');
  assert.equal(keyFault(new Uint8Array(33)), 'length');
});

test('public keys of mixed order are not admitted, though they pass a test for small order', () => {
  const honest = Point.fromBytes(publicKeyOf(new Uint8Array(32).fill(7)), false);
  assert.equal(keyFault(honest.toBytes()), null);
  for (let i = 1, shifted = honest; i < 8; i++) {
    shifted = shifted.add(torsion);
    assert.ok(!shifted.isSmallOrder());
    assert.equal(keyFault(shifted.toBytes()), 'mixed-order');
    assert.throws(() => importVerifyKey(shifted.toBytes()), RangeError);
  }
});

test('a signature whose R is shifted by torsion is refused: the one verifier is strict', () => {
  const identity = testIdentity('fw1');
  const message = Uint8Array.of(1, 2, 3);
  const signature = identity.sign(message);
  const key = importVerifyKey(identity.publicKey);
  assert.ok(key.verify(message, signature));
  const shifted = Uint8Array.from(signature);
  shifted.set(Point.fromBytes(signature.subarray(0, 32), false).add(torsion).toBytes());
  assert.ok(!key.verify(message, shifted));
  assert.ok(!key.verify(message, signature.subarray(0, 63)));
});

test('both sides of a pair agree on one secret, and on another with every other host', () => {
  const [a, b, c] = ['a', 'b', 'c'].map(testIdentity);
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  assert.deepEqual(a.agree(b.publicKey), b.agree(a.publicKey));
  assert.notDeepEqual(a.agree(b.publicKey), a.agree(c.publicKey));
});

test('key ids are RFC 9679 thumbprints, fingerprints are those of ssh', () => {
  const [okp] = readJson('test/vectors/cose/thumbprints.json');
  assert.equal(toHex(thumbprint(fromHex(okp.cose_key.slice(-64)))), okp.sha256);
  for (const name of ['ed25519_1', 'ed25519_2']) {
    const blob = Buffer.from(readText(`test/vectors/keys/${name}.pub`).split(' ')[1] ?? '', 'base64');
    assert.equal(fingerprint(blob.subarray(-32)), readText(`test/vectors/keys/${name}.fp`).trim());
  }
});
