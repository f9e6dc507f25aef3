/** The log's format: code and spec/messages.cddl say the same, and any bytes give an entry, a block or nothing (P65, P74). */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  type Block,
  blockHolds,
  chainedAll,
  encodeBlock,
  logAad,
  NO_HASH,
  readBlock,
  signBlock,
} from '../../src/audit/block.ts';
import { cutText, decodeEntry, type Entry, encodeEntry } from '../../src/audit/entry.ts';
import { isKind, KINDS, type Kind } from '../../src/audit/kinds.ts';
import {
  DATA_TEXT_MAX_BYTES,
  DETAIL_MAX_BYTES,
  ENTRY_MAX_BYTES,
  TEXT_MAX_BYTES,
} from '../../src/audit/limits.ts';
import { segmentFirst, segmentName, walk } from '../../src/audit/segment.ts';
import { printable } from '../../src/audit/words.ts';
import { thumbprint } from '../../src/trust/fingerprint.ts';
import { type CborValue, decodeCbor, encodeCbor } from '../../src/wire/cbor.ts';
import { importVerifyKey } from '../../src/wire/ed25519.ts';
import { matches, Tagged } from '../cddl/match.ts';
import { mutants } from '../cddl/mutants.ts';
import { parseCddl } from '../cddl/parse.ts';
import { readText } from '../unit/vectors.ts';
import { testIdentity } from '../unit/wire-fixture.ts';

const grammar = parseCddl(readText('spec/messages.cddl'));
const kinds = Object.keys(KINDS) as Kind[];
const identity = testIdentity('fw1');
const kid = thumbprint(identity.publicKey);
const cluster = new Uint8Array(32).fill(3);
const bytes = (length: number, fill = 5): Uint8Array => new Uint8Array(length).fill(fill);

const text = (maxLength: number) =>
  fc.string({ unit: 'binary', maxLength }).map((t) => cutText(t, maxLength));
const scalar = fc.oneof(text(40), fc.maxSafeInteger(), fc.boolean(), fc.constant(null));
const entry: fc.Arbitrary<Entry> = fc.record(
  {
    n: fc.integer({ min: 1, max: 2 ** 48 - 1 }),
    wallMs: fc.maxSafeNat(),
    monoUs: fc.maxSafeNat(),
    kind: fc.constantFrom(...kinds),
    service: fc.constantFrom(null, 'firewall', 'a-0'),
    text: text(60),
    event: fc.option(text(60)),
    data: fc
      .uniqueArray(fc.tuple(text(20), scalar), { selector: ([key]) => key, maxLength: 6 })
      .map((pairs) => Object.assign(Object.create(null), Object.fromEntries(pairs)) as Entry['data']),
    detail: fc.option(text(60)),
    roster: fc.option(
      fc.record(
        { version: fc.integer({ min: 1, max: 9 }), hash: fc.constant(bytes(32)) },
        { noNullPrototype: true },
      ),
    ),
    heads: fc.array(
      fc.record(
        {
          host: fc.constant('fw2'),
          ageMs: fc.nat(),
          word: fc.uint8Array({ minLength: 1, maxLength: 40 }),
        },
        { noNullPrototype: true },
      ),
      { maxLength: 3 },
    ),
  },
  { noNullPrototype: true },
);

const sample: Entry = {
  n: 7,
  wallMs: 1_790_000_000_000,
  monoUs: 5_000_000_000,
  kind: 'voted',
  service: 'firewall',
  text: 'promised',
  event: 'timer',
  data: { term: '3/fw1', n: -4, on: true, none: null },
  detail: 'said',
  roster: { version: 2, hash: bytes(32) },
  heads: [{ host: 'fw2', ageMs: 900, word: bytes(40) }],
};

test('P65: every entry that can be written is of the CDDL, and comes back as it went in', () => {
  fc.assert(
    fc.property(entry, (one) => {
      const encoded = encodeEntry(one);
      assert.ok(matches(grammar, 'entry', decodeCbor(encoded) ?? null));
      const back = decodeEntry(encoded);
      assert.ok(back !== null);
      assert.deepEqual({ ...back, data: { ...back.data } }, { ...one, data: { ...one.data } });
      assert.deepEqual(encodeEntry(back), encoded);
    }),
    { numRuns: 300 },
  );
});

/** What the CDDL cannot say: a key of the data twice, the one word that is no name. */
function isBeyondCddl(value: CborValue): boolean {
  if (!(value instanceof Map)) return false;
  const data = (value as ReadonlyMap<number, CborValue>).get(8);
  if (!Array.isArray(data)) return false;
  const keys = data.map((pair) => (Array.isArray(pair) ? pair[0] : null));
  return new Set(keys).size < keys.length;
}

test('P65: of all mutants of an entry and of a block the code takes exactly what the CDDL takes', () => {
  let [taken, refused] = [0, 0];
  const compare = (rule: string, original: Uint8Array, takes: (mutant: Uint8Array) => boolean): void => {
    for (const value of mutants(decodeCbor(original) ?? null)) {
      const isOfCddl = matches(grammar, rule, value);
      const mutant = encodeCbor(value);
      if (takes(mutant)) assert.ok(isOfCddl, Buffer.from(mutant).toString('hex'));
      else assert.ok(!isOfCddl || isBeyondCddl(value), `${rule} ${Buffer.from(mutant).toString('hex')}`);
      if (isOfCddl) taken++;
      else refused++;
    }
  };
  compare('entry', encodeEntry(sample), (mutant) => decodeEntry(mutant) !== null);
  const payload = encodeBlock({
    run: bytes(16),
    first: 7,
    before: bytes(32),
    entries: [encodeEntry(sample)],
  });
  compare('block', payload, (mutant) => {
    const block = readBlock(framed(mutant), 0);
    return block?.entries.every((item) => decodeEntry(item) !== null) === true;
  });
  assert.ok(refused > 900 && taken > 50, `${refused} refused, ${taken} taken`);
});

/** A payload in a COSE_Sign1 that nobody signed. */
function framed(payload: Uint8Array): Uint8Array {
  const head =
    payload.length < 24
      ? [0x40 + payload.length]
      : payload.length < 256
        ? [0x58, payload.length]
        : [0x59, payload.length >> 8, payload.length & 255];
  return Uint8Array.from([
    0xd2,
    0x84,
    0x58,
    38,
    0xa2,
    1,
    0x27,
    4,
    0x58,
    32,
    ...kid,
    0xa0,
    ...head,
    ...payload,
    0x58,
    64,
    ...bytes(64),
  ]);
}

test('P65: a block is a log-block of the CDDL; its hash chain and its external data are those of the specification', () => {
  const entries = [encodeEntry(sample), encodeEntry({ ...sample, n: 8 })];
  const block: Block = { run: bytes(16), first: 7, before: NO_HASH, entries };
  const signed = signBlock(block, cluster, kid, identity);
  assert.equal(signed[0], 0xd2);
  assert.ok(matches(grammar, 'log-block', new Tagged(18, decodeCbor(signed.subarray(1)) ?? null)));
  assert.ok(matches(grammar, 'log-aad', decodeCbor(logAad(cluster, block.run)) ?? null));
  const read = readBlock(signed, 0);
  assert.ok(read !== null);
  assert.deepEqual(read.hash, chainedAll(NO_HASH, entries));
  const key = importVerifyKey(identity.publicKey);
  assert.ok(blockHolds(read, cluster, key));
  assert.ok(!blockHolds(read, bytes(32), key), 'not in another cluster');
  assert.ok(!blockHolds({ ...read, run: bytes(16, 9) }, cluster, key), 'not in another run');
  assert.ok(!blockHolds(read, cluster, importVerifyKey(testIdentity('fw2').publicKey)));
});

test('P65: any bytes give blocks or the place where they end, never an exception', () => {
  const signed = signBlock(
    { run: bytes(16), first: 1, before: NO_HASH, entries: [encodeEntry(sample)] },
    cluster,
    kid,
    identity,
  );
  fc.assert(
    fc.property(fc.nat(signed.length - 1), fc.nat(255), fc.nat(60), (at, value, more) => {
      const spoilt = Uint8Array.from([...signed, ...bytes(more, value)]);
      spoilt[at] = value;
      for (const _ of walk(spoilt, null)) assert.ok(true);
      decodeEntry(spoilt.subarray(at));
    }),
    { numRuns: 500 },
  );
});

test('P74: texts are cut within characters’ bounds, and an entry stays within its limit whatever it is given', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.integer({ min: 8, max: 60 }),
      (long, most) => {
        const cut = cutText(long, most);
        assert.ok(Buffer.byteLength(cut) <= most);
        assert.ok(!cut.includes('\ufffd') || long.includes('\ufffd') || /[\ud800-\udfff]/.test(long));
      },
    ),
  );
  const huge = '\u{1f525}'.repeat(20_000);
  const data = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${i} ${huge}`.slice(0, 70), huge]));
  const encoded = encodeEntry({
    ...sample,
    text: huge,
    event: huge,
    detail: huge,
    data: { ...data, half: 0.5 },
  });
  const back = decodeEntry(encoded);
  assert.ok(back !== null && encoded.length > 32 * DATA_TEXT_MAX_BYTES * 0.9);
  assert.ok(
    Buffer.byteLength(back.text) <= TEXT_MAX_BYTES &&
      Buffer.byteLength(back.detail ?? '') <= DETAIL_MAX_BYTES,
  );
  assert.ok(encoded.length <= ENTRY_MAX_BYTES);
});

test('P74: what is shown of a log can neither steer a terminal nor hide or turn its words', () => {
  const evil = 'a\u001b[2Jb\rc\nd\u009be\u202ef\u200bg\u2066h\ufeffi\u2028j';
  const shown = printable(evil);
  assert.match(shown, /^[\x20-\x7e]+$/);
  assert.match(shown, /\\u001b\[2J/);
  assert.equal(printable('Größe, 日本, 🔥'), 'Größe, 日本, 🔥');
});

test('kinds have numbers and journald ids of their own, and those of the specification', () => {
  const specs = Object.values(KINDS);
  assert.equal(new Set(specs.map(({ number }) => number)).size, specs.length);
  assert.equal(new Set(specs.map(({ messageId }) => messageId)).size, specs.length);
  const spec = readText('spec/protocol.md');
  const rows = [...spec.matchAll(/^\| (\d+) \| `(\w+)` \| (heavy|light|none) \| `([0-9a-f]{32})` \|/gm)];
  assert.equal(rows.length, specs.length);
  for (const [, number, kind = '', weight, messageId] of rows) {
    assert.ok(isKind(kind), kind);
    assert.deepEqual(KINDS[kind], { number: Number(number), weight, messageId });
  }
});

test('P71: segments are named by their first entry, and sort by it', () => {
  assert.equal(segmentName(1), '000000000000001.log');
  assert.equal(segmentFirst(segmentName(2 ** 48 - 1)), 2 ** 48 - 1);
  assert.equal(segmentFirst('1.log'), null);
  assert.ok(segmentName(9) < segmentName(10));
});
