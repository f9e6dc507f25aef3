/**
 * What we sign holds elsewhere (P4, P5, P6): messages and rosters verify in a COSE library that is not ours, and by
 * openssl over a Sig_structure that this file builds by hand. Neither uses a line of src/wire for it.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { Sign1 } from '@auth0/cose';
import { temporaryDir } from './cluster-files.ts';
import { admin, testIdentity, testRoster } from './wire-fixture.ts';
import { check, joinedPair, member, roster, status } from './wire-net.ts';

const GATE_BYTES = 16;

interface Signed {
  readonly what: string;
  readonly bytes: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly externalData: Uint8Array;
}

const text = (value: string): Buffer => Buffer.concat([Buffer.of(0x60 + value.length), Buffer.from(value)]);
const bytes32 = (value: Uint8Array): Buffer => Buffer.concat([Buffer.of(0x58, 32), value]);

/** ["portcullis msg 1", cluster id, receiver's kid or null], written out. */
function messageData(receiver: string | null): Uint8Array {
  const who = receiver === null ? Buffer.of(0xf6) : bytes32(member(receiver).kid);
  return Buffer.concat([Buffer.of(0x83), text('portcullis msg 1'), bytes32(roster.clusterId), who]);
}

/** One of everything that is signed: session messages, messages to one and to all, versions of the roster. */
function everything(): Signed[] {
  const net = joinedPair();
  const signed: Signed[] = [];
  const add = (what: string, from: string, datagram: Uint8Array, receiver: string | null) =>
    signed.push({
      what,
      bytes: datagram.subarray(GATE_BYTES),
      publicKey: testIdentity(from).publicKey,
      externalData: messageData(receiver),
    });
  // A bare HELLO has no signature; whoever has a receiver's session is a HELLO with nonce, a CHALLENGE or a WELCOME.
  for (const { from, to, datagram } of net.sent)
    if (!datagram.subarray(-64).every((byte) => byte === 0)) add('session message', from, datagram, to);
  for (const out of net.get('fw1').seal(net.nowMs, 'fw2', [check(1)]))
    add('CHECK', 'fw1', out.datagram, 'fw2');
  for (const out of net.get('fw1').seal(net.nowMs, 'all', [status(1)]))
    add('STATUS to all', 'fw1', out.datagram, null);
  for (const [i, version] of testRoster(['fw1', 'fw2'], ['w']).versions.entries())
    signed.push({
      what: `roster version ${i + 1}`,
      bytes: version,
      publicKey: admin.publicKey,
      externalData: Buffer.concat([Buffer.of(0x81), text('portcullis roster 1')]),
    });
  return signed;
}

const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

function spki(publicKey: Uint8Array): Buffer {
  return Buffer.concat([SPKI_HEAD, publicKey]);
}

test('messages and rosters verify in @auth0/cose, with their external data and with no other', async () => {
  const signed = everything();
  assert.ok(signed.length >= 9, String(signed.length));
  for (const { what, bytes, publicKey, externalData } of signed) {
    const key = createPublicKey({ key: spki(publicKey), format: 'der', type: 'spki' });
    const decoded = Sign1.decode(bytes);
    assert.equal(decoded.alg, -8, what);
    assert.equal(decoded.unprotectedHeaders.size, 0, what);
    await decoded.verify(key, { externalAAD: externalData });
    await assert.rejects(decoded.verify(key), what);
    await assert.rejects(decoded.verify(key, { externalAAD: messageData('w') }), what);
    const spoilt = Uint8Array.from(bytes);
    spoilt[60] = (spoilt[60] ?? 0) ^ 1;
    await assert.rejects(async () => Sign1.decode(spoilt).verify(key, { externalAAD: externalData }), what);
  }
});

/** The Sig_structure of RFC 9052, 4.4, by hand: the protected header lies at byte 4, the payload's head at byte 43. */
function handBuilt({ bytes, externalData }: Signed): { toBeSigned: Buffer; signature: Uint8Array } {
  const protectedString = bytes.subarray(2, 42);
  const payloadString = bytes.subarray(43, bytes.length - 66);
  const dataHead =
    externalData.length < 24 ? Buffer.of(0x40 + externalData.length) : Buffer.of(0x58, externalData.length);
  const toBeSigned = Buffer.concat([
    Buffer.of(0x84),
    text('Signature1'),
    protectedString,
    dataHead,
    externalData,
    payloadString,
  ]);
  return { toBeSigned, signature: bytes.subarray(-64) };
}

test('messages and rosters verify by openssl over a Sig_structure built by hand', (t: TestContext) => {
  const dir = temporaryDir(t);
  const file = (name: string, content: Uint8Array | string): string => {
    const path = join(dir, name);
    writeFileSync(path, content);
    return path;
  };
  const verifies = (publicKey: Uint8Array, toBeSigned: Uint8Array, signature: Uint8Array): boolean => {
    const pem = `-----BEGIN PUBLIC KEY-----\n${spki(publicKey).toString('base64')}\n-----END PUBLIC KEY-----\n`;
    try {
      execFileSync(
        'openssl',
        ['pkeyutl', '-verify', '-rawin', '-pubin', '-inkey', file('key.pem', pem)].concat([
          '-sigfile',
          file('signature', signature),
          '-in',
          file('signed', toBeSigned),
        ]),
        { stdio: 'pipe' },
      );
      return true;
    } catch (error) {
      // 1 is openssl's "no"; anything else (not installed, an option unknown) is no verdict at all.
      assert.equal((error as { status?: number }).status, 1, String(error));
      return false;
    }
  };
  for (const signed of everything()) {
    const { toBeSigned, signature } = handBuilt(signed);
    assert.ok(verifies(signed.publicKey, toBeSigned, signature), signed.what);
    toBeSigned[toBeSigned.length - 1] = (toBeSigned.at(-1) ?? 0) ^ 1;
    assert.ok(!verifies(signed.publicKey, toBeSigned, signature), signed.what);
  }
});
