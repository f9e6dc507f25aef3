/** OpenSSH's key formats: the published files open and are written again to the same bytes; nothing else passes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { fingerprint } from '../../src/trust/fingerprint.ts';
import { parsePublicKey } from '../../src/trust/keys.ts';
import {
  formatOpensshPrivateKey,
  formatOpensshPublicKey,
  parseOpensshPrivateKey,
  parseOpensshPublicKey,
} from '../../src/trust/openssh.ts';
import { formatPem, pemBlock } from '../../src/trust/pem.ts';
import { publicKeyOf } from '../../src/wire/ed25519.ts';
import { inDirectory } from './cli-harness.ts';
import { fromHex, readText, toHex } from './vectors.ts';

const LABEL = 'OPENSSH PRIVATE KEY';
const VECTORS = [
  ['openssh/ed25519_1', 'keys/ed25519_1.pub'],
  ['openssh/ed25519_2', 'keys/ed25519_2.pub'],
  ['openssh/pyca-ed25519-nopsw.key', 'openssh/pyca-ed25519-nopsw.key.pub'],
] as const;

const faultOf = (text: string): string => {
  const result = parseOpensshPrivateKey(text);
  return result.ok ? 'ok' : result.fault;
};
const blockOf = (text: string): Uint8Array => pemBlock(text, LABEL) ?? assert.fail('no block');

test('the published private keys open, belong to their public lines, and are written again to the same text', () => {
  for (const [secret, line] of VECTORS) {
    const text = readText(`test/vectors/${secret}`);
    const key = parseOpensshPrivateKey(text);
    assert.ok(key.ok, secret);
    const publicLine = readText(`test/vectors/${line}`);
    const parsed = parseOpensshPublicKey(publicLine);
    assert.ok(parsed !== null, line);
    assert.deepEqual(parsed.publicKey, publicKeyOf(key.seed));
    assert.equal(formatOpensshPublicKey(parsed.publicKey, parsed.comment), `${publicLine.trimEnd()}\n`);
    // The check number stands right after the five fields of the envelope; it is the one thing that is random.
    const block = Buffer.from(blockOf(text));
    const check = block.readUInt32BE(block.indexOf('ssh-ed25519', 90) - 12);
    assert.equal(formatOpensshPrivateKey(key.seed, key.comment, check).trim(), text.trim());
  }
});

test('a file under a pass phrase is told apart, not opened', () => {
  assert.equal(faultOf(readText('test/vectors/openssh/ed25519_1_pw')), 'encrypted');
});

test('every changed, cut or added byte of a private file is refused, and nothing throws', () => {
  const text = readText('test/vectors/openssh/ed25519_1');
  const block = blockOf(text);
  const key = parseOpensshPrivateKey(text);
  assert.ok(key.ok);
  for (let at = 0; at < block.length; at++) {
    const changed = Uint8Array.from(block);
    changed[at] = (changed[at] ?? 0) ^ 0x01;
    const result = parseOpensshPrivateKey(formatPem(changed, LABEL, 70));
    // Only the remark may differ: it decides nothing.
    if (result.ok) assert.deepEqual(result.seed, key.seed, `byte ${at}`);
    assert.notEqual(
      faultOf(formatPem(block.subarray(0, at + 1), LABEL, 70)),
      at + 1 < block.length ? 'ok' : '',
    );
  }
  assert.equal(faultOf(formatPem(Buffer.concat([block, new Uint8Array(1)]), LABEL, 70)), 'form');
  assert.equal(faultOf('ssh'), 'form');
  assert.equal(faultOf(text.replace('b3Blb', 'b3B*b')), 'form');
});

test('halves of two keys, a key of another type and several keys are refused as such', () => {
  const seed = fromHex('07'.repeat(32));
  const other = Buffer.from(publicKeyOf(fromHex('08'.repeat(32))));
  const sound = Buffer.from(blockOf(formatOpensshPrivateKey(seed, 'x', 7)));
  const own = Buffer.from(publicKeyOf(seed));
  for (let at = sound.indexOf(own); at >= 0; at = sound.indexOf(own, at + 1)) {
    const mixed = Buffer.from(sound);
    other.copy(mixed, at);
    assert.equal(faultOf(formatPem(mixed, LABEL, 70)), 'halves-differ', `public key at ${at}`);
  }
  const ecdsa = Buffer.from(sound);
  for (let at = ecdsa.indexOf('ssh-ed25519'); at >= 0; at = ecdsa.indexOf('ssh-ed25519'))
    ecdsa.write('ssh-other00', at);
  assert.equal(faultOf(formatPem(ecdsa, LABEL, 70)), 'not-ed25519');
  const two = Buffer.from(sound);
  two.writeUInt32BE(2, 'openssh-key-v1'.length + 1 + 8 + 8 + 4);
  assert.equal(faultOf(formatPem(two, LABEL, 70)), 'not-ed25519');
});

test('a public key file may hold an OpenSSH line; its remark may have blanks; other types are no key of ours', () => {
  const key = publicKeyOf(fromHex('07'.repeat(32)));
  const line = formatOpensshPublicKey(key, 'admin at his desk');
  for (const text of [line, line.trimEnd(), line.replace('\n', '\r\n'), line.replace(/ admin.*/, '')]) {
    const parsed = parsePublicKey(text);
    assert.ok(parsed.ok, JSON.stringify(text));
    assert.deepEqual(parsed.publicKey, key);
  }
  const parsed = parsePublicKey(line);
  assert.equal(parsed.ok && parsed.name, 'admin-at-his-desk');
  for (const text of [
    `${line}${line}`,
    ` ${line}`,
    line.replace('ssh-ed25519', 'ssh-rsa'),
    line.replace('AAAAC3', 'AAAAC4'),
    line.replace('AAAAC3', 'AAAAC'),
    `no-pty ${line}`,
  ])
    assert.ok(!parsePublicKey(text).ok, JSON.stringify(text));
  const smallOrder = formatOpensshPublicKey(Uint8Array.from([1, ...new Uint8Array(31)]), 'x');
  const refused = parsePublicKey(smallOrder);
  assert.equal(!refused.ok && refused.fault, 'small-order');
});

test('property: a key comes back from its file, and any text gives a key or a fault', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.string({ maxLength: 40 }),
      fc.nat(2 ** 32 - 1),
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(),
      (seed, comment, check, noise, at) => {
        const text = formatOpensshPrivateKey(seed, comment, check);
        const back = parseOpensshPrivateKey(text);
        assert.ok(back.ok);
        assert.deepEqual(toHex(back.seed), toHex(seed));
        const block = Buffer.from(blockOf(text));
        Buffer.from(noise).copy(block, at % block.length);
        for (const bytes of [noise, block]) faultOf(formatPem(bytes, LABEL, 70));
        faultOf(Buffer.from(noise).toString('latin1'));
        parseOpensshPublicKey(Buffer.from(noise).toString('latin1'));
        parsePublicKey(`ssh-ed25519 ${Buffer.from(noise).toString('base64')}`);
      },
    ),
    { numRuns: 100 },
  );
});

test('ssh-keygen reads what is written here, and prints the same fingerprint', async (t) => {
  if (spawnSync('ssh-keygen', ['-?']).error !== undefined) return t.skip('no ssh-keygen here');
  await inDirectory(async (at) => {
    const seed = fromHex('09'.repeat(32));
    const path = at('id');
    writeFileSync(path, formatOpensshPrivateKey(seed, 'fw1', 0xfedc_ba98));
    chmodSync(path, 0o600);
    const read = spawnSync('ssh-keygen', ['-y', '-f', path], { encoding: 'utf8' });
    assert.equal(read.status, 0, read.stderr);
    assert.equal(read.stdout.trim(), formatOpensshPublicKey(publicKeyOf(seed), 'fw1').trim());
    const listed = spawnSync('ssh-keygen', ['-l', '-f', path], { encoding: 'utf8' });
    assert.equal(listed.stdout.split(' ')[1], fingerprint(publicKeyOf(seed)));
  });
});
