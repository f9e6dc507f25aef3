/**
 * What hosts say to each other about rosters: the body of ROSTER (type 4). Every signed message already shows its
 * sender's newest version in its header; these carry the versions themselves, asked for chunk by chunk by a host
 * that knows the hash of what it wants.
 */
import type { CborValue } from './cbor.ts';
import { ROSTER_CHUNK_BYTES, ROSTER_HASH_BYTES, ROSTER_VERSION_MAX_BYTES } from './limits.ts';

export type RosterWord =
  /** Says nothing but what its header shows: "this is my roster now". */
  | { readonly kind: 'tell' }
  /** "Send me that version, from that chunk on." `hash`: its first 8 bytes. */
  | { readonly kind: 'ask'; readonly version: number; readonly hash: Uint8Array; readonly chunk: number }
  | {
      readonly kind: 'part';
      readonly version: number;
      readonly hash: Uint8Array;
      /** From 0. */
      readonly chunk: number;
      readonly chunks: number;
      readonly bytes: Uint8Array;
    };

const KEY = { version: 1, hash: 2, chunk: 3, chunks: 4, bytes: 5 } as const;
/** Chunks of the longest version. */
export const CHUNKS_MAX = Math.ceil(ROSTER_VERSION_MAX_BYTES / ROSTER_CHUNK_BYTES);
const VERSION_MAX = 2 ** 32 - 1;

export function encodeRosterWord(word: RosterWord): CborValue {
  const map = new Map<number, CborValue>();
  if (word.kind === 'tell') return map;
  map.set(KEY.version, word.version).set(KEY.hash, word.hash.slice(0, ROSTER_HASH_BYTES));
  map.set(KEY.chunk, word.chunk);
  if (word.kind === 'part') map.set(KEY.chunks, word.chunks).set(KEY.bytes, word.bytes);
  return map;
}

/** undefined for whatever is not exactly one of the three. */
export function decodeRosterWord(body: CborValue): RosterWord | undefined {
  if (!(body instanceof Map)) return undefined;
  const map: ReadonlyMap<number, CborValue> = body;
  if (map.size === 0) return { kind: 'tell' };
  const version = uint(map.get(KEY.version), 1, VERSION_MAX);
  const hash = map.get(KEY.hash);
  const chunk = uint(map.get(KEY.chunk), 0, CHUNKS_MAX - 1);
  if (version === undefined || chunk === undefined) return undefined;
  if (!(hash instanceof Uint8Array) || hash.length !== ROSTER_HASH_BYTES) return undefined;
  if (map.size === 3) return { kind: 'ask', version, hash, chunk };
  const chunks = uint(map.get(KEY.chunks), 1, CHUNKS_MAX);
  const bytes = map.get(KEY.bytes);
  if (map.size !== 5 || chunks === undefined || !(bytes instanceof Uint8Array)) return undefined;
  const isLast = chunk === chunks - 1;
  const fits = isLast
    ? bytes.length > 0 && bytes.length <= ROSTER_CHUNK_BYTES
    : bytes.length === ROSTER_CHUNK_BYTES;
  return chunk < chunks && fits ? { kind: 'part', version, hash, chunk, chunks, bytes } : undefined;
}

/** The chunk of a version with that number from 0; null beyond its end. */
export function partOf(
  version: number,
  hash: Uint8Array,
  bytes: Uint8Array,
  chunk: number,
): RosterWord | null {
  const chunks = Math.ceil(bytes.length / ROSTER_CHUNK_BYTES);
  if (chunk >= chunks) return null;
  const part = bytes.slice(chunk * ROSTER_CHUNK_BYTES, (chunk + 1) * ROSTER_CHUNK_BYTES);
  return { kind: 'part', version, hash: hash.slice(0, ROSTER_HASH_BYTES), chunk, chunks, bytes: part };
}

function uint(value: CborValue | undefined, least: number, most: number): number | undefined {
  return typeof value === 'number' && value >= least && value <= most ? value : undefined;
}
