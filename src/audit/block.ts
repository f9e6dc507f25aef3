/**
 * A block: one or more entries of a log that follow each other, under one signature. It names the hash that all
 * entries before it make, so a block holds only in its place; a file is a sequence of them (RFC 8742).
 */
import { createHash } from 'node:crypto';
import { CborWriter, decodeCbor, encodeCbor, MAP } from '../wire/cbor.ts';
import { readSign1, type Sign1, sigStructure, writeSign1 } from '../wire/cose.ts';
import type { Identity, VerifyKey } from '../wire/ed25519.ts';
import { HASH_BYTES, RUN_BYTES } from '../wire/head.ts';
import { BLOCK_ENTRIES_MAX, ENTRY_MAX_BYTES, NUMBER_LIMIT } from './limits.ts';

/** What comes before the first entry of a log. */
export const NO_HASH: Uint8Array = new Uint8Array(HASH_BYTES);
/** A block's payload without its entries, at its longest, and what an entry costs beside its own bytes. */
export const BLOCK_OVERHEAD_BYTES = 1 + (1 + 17) + (1 + 9) + (1 + 34) + (1 + 5);
export const ENTRY_OVERHEAD_BYTES = 5;

export interface Block {
  readonly run: Uint8Array;
  /** The number of its first entry. */
  readonly first: number;
  /** The hash of all entries before it; 32 bytes, zeros at the beginning of a log. */
  readonly before: Uint8Array;
  /** Each entry's bytes, in their order; views. */
  readonly entries: readonly Uint8Array[];
}

export interface ReadBlock extends Block {
  readonly sign1: Sign1;
  /** The hash after its last entry. */
  readonly hash: Uint8Array;
  readonly last: number;
}

/** The hash of all entries up to this one. */
export function chained(before: Uint8Array, entry: Uint8Array): Uint8Array {
  return createHash('sha256').update(before).update(entry).digest();
}

export function chainedAll(before: Uint8Array, entries: readonly Uint8Array[]): Uint8Array {
  return entries.reduce<Uint8Array>(chained, before);
}

/** The external data of a block: it holds in one cluster and one run, and as nothing but a log. */
export function logAad(clusterId: Uint8Array, run: Uint8Array): Uint8Array {
  return encodeCbor(['portcullis log 1', clusterId, run]);
}

/** A signed block. Throws RangeError when it would be longer than one may be: that is our fault. */
export function signBlock(
  block: Block,
  clusterId: Uint8Array,
  kid: Uint8Array,
  signer: Pick<Identity, 'sign'>,
): Uint8Array {
  return writeSign1(kid, logAad(clusterId, block.run), encodeBlock(block), signer.sign);
}

export function encodeBlock({ run, first, before, entries }: Block): Uint8Array {
  const writer = new CborWriter();
  writer.head(MAP, 4);
  writer.integer(1);
  writer.byteString(run);
  writer.integer(2);
  writer.integer(first);
  writer.integer(3);
  writer.byteString(before);
  writer.integer(4);
  writer.head(4, entries.length);
  for (const entry of entries) writer.byteString(entry);
  return writer.done();
}

/** The block that starts there, its form and sizes judged, no signature; null when there is none. */
export function readBlock(bytes: Uint8Array, start: number): ReadBlock | null {
  const sign1 = readSign1(bytes, start);
  if (sign1 === null) return null;
  const block = decodeBlock(sign1.payload);
  if (block === null) return null;
  const last = block.first + block.entries.length - 1;
  return { ...block, sign1, last, hash: chainedAll(block.before, block.entries) };
}

function decodeBlock(payload: Uint8Array): Block | null {
  const map = decodeCbor(payload);
  if (!(map instanceof Map) || map.size !== 4) return null;
  const [run, first, before, items] = [map.get(1), map.get(2), map.get(3), map.get(4)];
  if (!(run instanceof Uint8Array) || run.length !== RUN_BYTES) return null;
  if (!(before instanceof Uint8Array) || before.length !== HASH_BYTES) return null;
  if (typeof first !== 'number' || first < 1 || !Array.isArray(items)) return null;
  if (items.length === 0 || items.length > BLOCK_ENTRIES_MAX || first + items.length > NUMBER_LIMIT)
    return null;
  for (const item of items)
    if (!(item instanceof Uint8Array) || item.length === 0 || item.length > ENTRY_MAX_BYTES) return null;
  return { run, first, before, entries: items as Uint8Array[] };
}

/** Whether the block was signed with that key, for that cluster. */
export function blockHolds(block: ReadBlock, clusterId: Uint8Array, key: VerifyKey): boolean {
  const { protectedBytes, payload, signature } = block.sign1;
  return key.verify(sigStructure(protectedBytes, logAad(clusterId, block.run), payload), signature);
}
