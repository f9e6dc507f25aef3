/**
 * Published vectors against our profile (P4, P6, P7): what is of it is taken, all else is refused, each for the
 * reason that is stated here. A vector that another profile allows is no less refused.
 */
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import test from 'node:test';
import { decodeCbor, encodeCbor } from '../../src/wire/cbor.ts';
import { readSign1, sigStructure } from '../../src/wire/cose.ts';
import { importVerifyKey, keyFault, publicKeyOf } from '../../src/wire/ed25519.ts';
import { type ScanFault, scan } from '../../src/wire/scan.ts';
import { fromHex, readJson, readText, toHex } from './vectors.ts';

const cose = (file: string) => readJson(`test/vectors/cose/${file}`);

/** draft-mcnally-deterministic-cbor-11: what a dCBOR decoder must refuse, and our reason. */
const DCBOR_INVALID: readonly (readonly [hexes: string, fault: ScanFault])[] = [
  ['f94a00 fa41400000 fb4028000000000000 fa3fc00000 fb3ff8000000000000', 'float'],
  ['fb7ff0000000000000 fa7f800000 fbfff0000000000000 faff800000', 'float'],
  ['fb7ff9100000000001 faffc00001 f97e01 f98000 fa80000000 fb8000000000000000', 'float'],
  ['180c 19000c 1a0000000c 1b000000000000000c', 'long-head'],
  ['3b8000000000000000 3bffffffffffffffff', 'integer-range'],
  ['a200010002 a229002901', 'key-order'],
  ['a2616101616102 a2f5f4f5f6 a280008001 a2810000810001 a2616200616101', 'key-type'],
  ['c24102 c24a00010000000000000001', 'tag'],
  ['5fff 7fff 9fff bfff', 'indefinite'],
  ['e0 f7', 'simple'],
];
/** What dCBOR allows. Floats and numbers beyond 2^53 are not of our profile. */
const DCBOR_VALID =
  '00 01 17 1818 18ff 19ffff 1a00010000 1affffffff 20 21 387e 387f 397fff 3a7fffffff 182a 1a0023cace 3a0023cacd 19ffe0 1a01fffffe';
const DCBOR_VALID_NOT_OURS: readonly (readonly [hexes: string, fault: ScanFault])[] = [
  ['1bffffffffffffffff 1bfffffffffffff800 3b7ffffffffffffbff', 'integer-range'],
  ['f93e00 fa4a0f2b39 fb3ff3333333333333 f90001 fa00000001 fb0000000000000001 fb0010000000000000', 'float'],
  [
    'f90400 fa5f800000 fadf7fffff fa7f7fffff fb47efffffe0000001 fb7fefffffffffffff f97c00 f9fc00 f97e00',
    'float',
  ],
];

test('P7: the examples of dCBOR: what it refuses is refused, what it allows is taken or outside the profile', () => {
  for (const [hexes, fault] of [...DCBOR_INVALID, ...DCBOR_VALID_NOT_OURS])
    for (const hex of hexes.split(' ')) {
      assert.equal(scan(fromHex(hex)), fault, hex);
      assert.equal(decodeCbor(fromHex(hex)), undefined, hex);
    }
  for (const hex of DCBOR_VALID.split(' ')) {
    assert.equal(scan(fromHex(hex)), null, hex);
    assert.equal(toHex(encodeCbor(decodeCbor(fromHex(hex)) ?? null)), hex);
  }
  // The one thing that dCBOR demands and we do not: text normalised to NFC. Our names are ASCII.
  assert.equal(scan(fromHex('6345cc88')), null);
});

/** Each published COSE example, why it is refused here, and what in its bytes shows that reason. */
const REFUSED: readonly (readonly [file: string, why: string, start: string])[] = [
  ['eddsa-sig-01.json', 'a content type in the protected header, the kid outside it', 'd28445a201270300'],
  ['eddsa-sig-02.json', 'Ed448; other headers', 'd28443a10127'],
  ['eddsa-01.json', 'COSE_Sign, tag 98', 'd86284'],
  ['eddsa-02.json', 'COSE_Sign, tag 98', 'd86284'],
  ['countersign-signed1-01.json', 'countersigned (label 7) in the unprotected header', 'd28445a201270300a2'],
  ['countersign1-signed1-01.json', 'countersigned (label 9) in the unprotected header', 'd28445a201270300a2'],
  ['Appendix_C_2_1.json', 'ES256', 'd28443a10126'],
];

test('P4: COSE of other forms is refused as a form, before any key or signature is looked at', () => {
  for (const [file, why, start] of REFUSED) {
    const { cbor } = cose(file).output;
    assert.ok(cbor.toLowerCase().startsWith(start), `${file}: ${why}`);
    assert.equal(readSign1(fromHex(cbor)), null, `${file}: ${why}`);
  }
  for (const i of [0, 1, 2, 3]) {
    const { taggedCOSESign1 } = cose(`sign1-verify-000${i}.json`)['sign1::verify'];
    assert.equal(readSign1(fromHex(taggedCOSESign1.cborHex)), null, `ECDSA: sign1-verify-000${i}`);
  }
});

test('the signatures in the COSE examples with Ed25519 hold over our Sig_structure, countersigned or not', () => {
  for (const file of ['eddsa-sig-01.json', 'countersign-signed1-01.json', 'countersign1-signed1-01.json']) {
    const { input, intermediates, output } = cose(file);
    const made = sigStructure(
      fromHex('a201270300'),
      new Uint8Array(),
      new TextEncoder().encode(input.plaintext),
    );
    assert.equal(toHex(made), intermediates.ToBeSign_hex.toLowerCase(), file);
    const key = importVerifyKey(fromHex(input.sign0.key.x_hex));
    const signature = fromHex(output.cbor.slice(-128));
    assert.ok(key.verify(made, signature), file);
    assert.ok(
      !key.verify(sigStructure(fromHex('a201270300'), Uint8Array.of(1), new Uint8Array()), signature),
    );
  }
});

test('an Ed448 key is refused by its length, not by a crash', () => {
  const { key } = cose('eddsa-sig-02.json').input.sign0;
  assert.equal(keyFault(fromHex(key.x_hex)), 'length');
});

test('the ECDSA examples verify over our Sig_structure, with and without external data', () => {
  for (const i of [0, 1, 2, 3]) {
    const { key, alg, 'sign1::verify': example } = cose(`sign1-verify-000${i}.json`);
    const [protectedBytes, , payload, signature] = decodeCbor(
      fromHex(example.taggedCOSESign1.cborHex).slice(1),
    ) as Uint8Array[];
    assert.ok(protectedBytes !== undefined && payload !== undefined && signature !== undefined);
    const publicKey = createPublicKey({ key, format: 'jwk' });
    const holds = (external: Uint8Array): boolean =>
      verify(
        `sha${alg.slice(2)}`,
        sigStructure(protectedBytes, external, payload),
        { key: publicKey, dsaEncoding: 'ieee-p1363' },
        signature,
      );
    assert.equal(holds(fromHex(example.external ?? '')), example.shouldVerify, String(i));
    assert.ok(!holds(Uint8Array.of(1)), 'other external data');
  }
});

test('a published COSE_Key: its seed gives its public key', () => {
  const text = readText('test/vectors/cose/ed25519.diag').replaceAll(/\s/g, '');
  const [, x = ''] = /-2:h'([0-9a-f]{64})'/.exec(text) ?? [];
  const [, seed = ''] = /-4:h'([0-9a-f]{64})'/.exec(text) ?? [];
  assert.equal(toHex(publicKeyOf(fromHex(seed))), x);
});
