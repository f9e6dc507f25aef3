/** Private keys under a pass phrase: written so that openssl opens them and a thief has work; read within bounds. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { DER, der, derInteger, derNumber, readDer, readDerSequence } from '../../src/trust/der.ts';
import { decodePrivateKey, encodePrivateKey } from '../../src/trust/keys.ts';
import { encryptPrivateKeyInfo, SCRYPT_COST, wrappingFault } from '../../src/trust/pbes2.ts';
import { formatPem, pemBlock } from '../../src/trust/pem.ts';
import { privateKeyObject } from '../../src/wire/ed25519.ts';
import { fromHex, readText, toHex } from './vectors.ts';

const ENCRYPTED = 'ENCRYPTED PRIVATE KEY';
const seed = fromHex('07'.repeat(32));
const passphrase = Buffer.from('correct horse');
const sealed = Buffer.from(encodePrivateKey(seed, passphrase));
const faultOf = (pem: string | Uint8Array, secret: Uint8Array | null = passphrase): string => {
  const result = decodePrivateKey(Buffer.from(pem), secret);
  return result.ok ? 'ok' : result.fault;
};

test('a key under a pass phrase opens here and in openssl, and only with it; no two files are alike', () => {
  const result = decodePrivateKey(sealed, passphrase);
  assert.ok(result.ok);
  assert.equal(toHex(result.seed), toHex(seed));
  assert.equal(faultOf(sealed, null), 'passphrase-needed');
  assert.equal(faultOf(sealed, Buffer.from('correct hors')), 'passphrase-wrong');
  assert.notEqual(encodePrivateKey(seed, passphrase), sealed.toString());
  const openssl = (...args: string[]) =>
    spawnSync('openssl', [...args, '-passin', 'env:PASS'], {
      input: sealed,
      env: { ...process.env, PASS: 'correct horse' },
    });
  for (const args of [
    ['pkey', '-outform', 'DER'],
    ['pkcs8', '-outform', 'DER', '-nocrypt', '-topk8'],
  ]) {
    const opened = openssl(...args);
    if (opened.error !== undefined) return;
    assert.equal(opened.status, 0, opened.stderr.toString());
    assert.equal(toHex(opened.stdout.subarray(-32)), toHex(seed), args[0]);
  }
});

test('K5: the wrapping is scrypt with the cost that the document names, not Node’s 2,048 rounds', () => {
  const { N, r, p } = SCRYPT_COST;
  const info = encryptPrivateKeyInfo(new Uint8Array(48), passphrase, new Uint8Array(16), new Uint8Array(16));
  const wanted = Buffer.concat([derInteger(N), derInteger(r), derInteger(p)]);
  assert.ok(Buffer.from(info).includes(wanted));
  assert.ok(Buffer.from(pemBlock(sealed.toString(), ENCRYPTED) ?? []).includes(wanted));
  assert.ok(N * r * p >= 2 ** 20);
  assert.ok(readText('keys/README.md').includes(`N = ${N}, r = ${r}, p = ${p}`));
});

test('K5: what openssl and Node write is read as well; a file that would keep openssl busy is not tried', () => {
  const asNode = privateKeyObject(seed).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase,
  });
  assert.equal(faultOf(asNode.toString()), 'ok');
  for (const kdf of [['-scrypt'], ['-v2', 'aes-256-cbc', '-iter', '600000']]) {
    const written = spawnSync('openssl', ['pkcs8', '-topk8', ...kdf, '-passout', 'env:PASS'], {
      input: encodePrivateKey(seed, null),
      env: { ...process.env, PASS: 'correct horse' },
    });
    if (written.error === undefined) assert.equal(faultOf(written.stdout), 'ok', kdf.join(' '));
  }
  const costly = (from: Uint8Array, to: Uint8Array) => {
    const block = Buffer.from(pemBlock(sealed.toString(), ENCRYPTED) ?? []);
    const at = block.indexOf(from);
    assert.ok(at > 0 && from.length === to.length);
    block.set(to, at);
    return formatPem(block, ENCRYPTED, 64);
  };
  const { N, r, p } = SCRYPT_COST;
  const rp = (values: readonly number[]) => Buffer.concat(values.map(derInteger));
  assert.equal(faultOf(costly(rp([N, r, p]), rp([N, 127, 127]))), 'wrapping-too-costly');
  const rounds = der(
    DER.sequence,
    der(
      DER.sequence,
      der(DER.oid, fromHex('2a864886f70d01050d')),
      der(
        DER.sequence,
        der(
          DER.sequence,
          der(DER.oid, fromHex('2a864886f70d01050c')),
          der(DER.sequence, der(DER.octets, new Uint8Array(8)), derInteger(2 ** 31)),
        ),
      ),
    ),
    der(DER.octets, new Uint8Array(64)),
  );
  assert.equal(wrappingFault(rounds), 'cost');
  assert.equal(faultOf(formatPem(Uint8Array.from([0x30, 0]), ENCRYPTED, 64)), 'wrapping-unknown');
});

test('other forms of private keys are told apart', () => {
  assert.equal(faultOf(readText('test/vectors/keys/rfc8410-10.3-pkcs8-v2.pem'), null), 'pkcs8-v2');
  assert.equal(faultOf(readText('test/vectors/openssh/ed25519_1'), null), 'openssh');
  assert.equal(faultOf(readText('test/vectors/openssh/ed25519_1_pw'), null), 'openssh');
  assert.equal(faultOf('-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n', null), 'not-a-key');
});

test('property: any bytes give a key or a fault, as PEM, within PEM and as DER', () => {
  const block = pemBlock(sealed.toString(), ENCRYPTED) ?? assert.fail();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), fc.nat(255), (noise, at, byte) => {
      faultOf(noise);
      for (const label of ['PRIVATE KEY', ENCRYPTED]) faultOf(formatPem(noise, label, 64), null);
      const changed = Uint8Array.from(block);
      changed[at % changed.length] = byte;
      wrappingFault(changed);
      readDer(noise);
      readDerSequence(noise);
    }),
    { numRuns: 500 },
  );
});

test('property: DER numbers and lengths come back', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat(70_000), (value, length) => {
      const [number] = readDer(derInteger(value)) ?? [];
      assert.equal(derNumber(number), value);
      const [octets, more] = readDer(der(DER.octets, new Uint8Array(length))) ?? [];
      assert.equal(octets?.content.length, length);
      assert.equal(more, undefined);
    }),
  );
  assert.throws(() => createPrivateKey({ key: Buffer.from([0x30, 0x80]), format: 'der', type: 'pkcs8' }));
});
