/**
 * The forger's tools: logs taken apart, altered, chained and signed again, with code of their own. Nothing here comes
 * from what writes or judges logs, so that an error there cannot hide itself; keys and cluster are handed in.
 */
import { createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto';

type Item = number | string | boolean | null | Uint8Array | Item[] | Map<number, Item>;

export interface ForgedBlock {
  run: Uint8Array;
  first: number;
  before: Uint8Array;
  entries: Map<number, Item>[];
  kid: Uint8Array;
}

/** A host's private key, from the seed of its test identity. */
export function privateKey(label: string): KeyObject {
  const seed = createHash('sha256').update(`test key ${label}`).digest();
  const head = Buffer.from('302e020100300506032b657004220420', 'hex');
  return createPrivateKey({ key: Buffer.concat([head, seed]), format: 'der', type: 'pkcs8' });
}

// ---- CBOR, the little that is needed

export function encode(item: Item): Buffer {
  if (typeof item === 'number') return item >= 0 ? headOf(0, item) : headOf(1, -1 - item);
  if (typeof item === 'string') return Buffer.concat([headOf(3, Buffer.byteLength(item)), Buffer.from(item)]);
  if (item === null) return Buffer.of(0xf6);
  if (typeof item === 'boolean') return Buffer.of(item ? 0xf5 : 0xf4);
  if (item instanceof Uint8Array) return Buffer.concat([headOf(2, item.length), item]);
  if (Array.isArray(item)) return Buffer.concat([headOf(4, item.length), ...item.map(encode)]);
  const pairs = [...item].sort(([a], [b]) => a - b);
  return Buffer.concat([
    headOf(5, pairs.length),
    ...pairs.flatMap(([key, value]) => [encode(key), encode(value)]),
  ]);
}

function headOf(major: number, value: number): Buffer {
  const first = major << 5;
  if (value < 24) return Buffer.of(first | value);
  if (value < 256) return Buffer.of(first | 24, value);
  if (value < 65_536) return Buffer.of(first | 25, value >> 8, value & 255);
  const long = Buffer.alloc(value < 2 ** 32 ? 5 : 9);
  if (value < 2 ** 32) {
    long[0] = first | 26;
    long.writeUInt32BE(value, 1);
  } else {
    long[0] = first | 27;
    long.writeBigUInt64BE(BigInt(value), 1);
  }
  return long;
}

function decodeAt(bytes: Uint8Array, start: number): { item: Item; end: number } {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const first = view[start] ?? 0;
  const [major, info] = [first >> 5, first & 31];
  let at = start + 1;
  let value = info;
  if (info >= 24 && major !== 7) {
    const width = 1 << (info - 24);
    value = width === 8 ? Number(view.readBigUInt64BE(at)) : view.readUIntBE(at, width);
    at += width;
  }
  if (major === 0) return { item: value, end: at };
  if (major === 1) return { item: -1 - value, end: at };
  if (major === 2) return { item: Uint8Array.from(view.subarray(at, at + value)), end: at + value };
  if (major === 3) return { item: view.subarray(at, at + value).toString(), end: at + value };
  if (major === 6) return decodeAt(bytes, at);
  if (major === 7) return { item: info === 22 ? null : info === 21, end: at };
  if (major === 4) {
    const list: Item[] = [];
    for (let i = 0; i < value; i++) {
      const { item, end } = decodeAt(bytes, at);
      list.push(item);
      at = end;
    }
    return { item: list, end: at };
  }
  const map = new Map<number, Item>();
  for (let i = 0; i < value; i++) {
    const key = decodeAt(bytes, at);
    const entry = decodeAt(bytes, key.end);
    map.set(key.item as number, entry.item);
    at = entry.end;
  }
  return { item: map, end: at };
}

export function decode(bytes: Uint8Array): Item {
  return decodeAt(bytes, 0).item;
}

// ---- logs

/** The blocks of a file, and where each lies. */
export function takeApart(file: Uint8Array): { block: ForgedBlock; start: number; end: number }[] {
  const blocks: { block: ForgedBlock; start: number; end: number }[] = [];
  for (let at = 0; at < file.length; ) {
    const { item, end } = decodeAt(file, at);
    const [protectedBytes, , payload] = item as [Uint8Array, Item, Uint8Array];
    const map = decode(payload) as Map<number, Item>;
    const block = {
      run: map.get(1) as Uint8Array,
      first: map.get(2) as number,
      before: map.get(3) as Uint8Array,
      entries: (map.get(4) as Uint8Array[]).map((entry) => decode(entry) as Map<number, Item>),
      kid: (decode(protectedBytes) as Map<number, Item>).get(4) as Uint8Array,
    };
    blocks.push({ block, start: at, end });
    at = end;
  }
  return blocks;
}

/** One block, signed. */
export function signed(block: ForgedBlock, cluster: Uint8Array, key: KeyObject): Buffer {
  const protectedBytes = encode(
    new Map<number, Item>([
      [1, -8],
      [4, block.kid],
    ]),
  );
  const payload = encode(
    new Map<number, Item>([
      [1, block.run],
      [2, block.first],
      [3, block.before],
      [4, block.entries.map((entry) => encode(entry))],
    ]),
  );
  const aad = encode(['portcullis log 1', cluster, block.run]);
  const signature = sign(null, encode(['Signature1', protectedBytes, aad, payload]), key);
  return Buffer.concat([Buffer.of(0xd2), encode([protectedBytes, new Map(), payload, signature])]);
}

/** The hash after a block's entries. */
export function hashOf({ before, entries }: ForgedBlock): Uint8Array {
  let hash = Buffer.from(before);
  for (const entry of entries) hash = createHash('sha256').update(hash).update(encode(entry)).digest();
  return hash;
}

/** The blocks as a whole log again: numbers and hashes made to fit from the first block on, all signed anew. */
export function rebuilt(blocks: readonly ForgedBlock[], cluster: Uint8Array, key: KeyObject): Uint8Array {
  let n = blocks[0]?.first ?? 1;
  let before = blocks[0]?.before ?? new Uint8Array(32);
  const out: Buffer[] = [];
  for (const block of blocks) {
    const next = {
      ...block,
      first: n,
      before,
      entries: block.entries.map((entry, i) => new Map(entry).set(1, n + i)),
    };
    out.push(signed(next, cluster, key));
    n += block.entries.length;
    before = hashOf(next);
  }
  return Uint8Array.from(Buffer.concat(out));
}
