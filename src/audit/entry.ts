/**
 * One entry of the event log, and its form in CBOR. Encoding and decoding are held to spec/messages.cddl. Invariant:
 * any bytes give an entry or null, never an exception, and an entry comes back from its bytes as it went in.
 */
import { type CborValue, decodeCbor, encodeCbor } from '../wire/cbor.ts';
import { isName } from '../wire/names.ts';
import { KINDS, type Kind, kindOf } from './kinds.ts';
import {
  DATA_KEY_MAX_BYTES,
  DATA_MAX,
  DATA_TEXT_MAX_BYTES,
  DETAIL_MAX_BYTES,
  ENTRY_MAX_BYTES,
  HEADS_MAX,
  NUMBER_LIMIT,
  TEXT_MAX_BYTES,
} from './limits.ts';

export type Scalar = string | number | boolean | null;

/** A peer's head as that peer signed it, with what a reader needs to judge the signature. */
export interface WitnessedHead {
  readonly host: string;
  /** How long before this entry it was heard, milliseconds. */
  readonly ageMs: number;
  /** The COSE_Sign1 of the STATUS or REPORT that showed it. */
  readonly word: Uint8Array;
}

/** The roster that is in force from this entry on. */
export interface RosterMark {
  readonly version: number;
  /** SHA-256 of that version; 32 bytes. */
  readonly hash: Uint8Array;
}

export interface Entry {
  readonly n: number;
  /** The host's wall clock, milliseconds since 1970: a claim, which no verdict rests on. */
  readonly wallMs: number;
  /** Its raw monotonic clock, microseconds: of use within one start of the machine. */
  readonly monoUs: number;
  readonly kind: Kind;
  /** Null: the host as a whole. */
  readonly service: string | null;
  readonly text: string;
  /** What happened, where the core decided something: the event of that step. */
  readonly event: string | null;
  readonly data: { readonly [key: string]: Scalar };
  /** What a program said, cut. */
  readonly detail: string | null;
  readonly roster: RosterMark | null;
  readonly heads: readonly WitnessedHead[];
}

const KEY = {
  n: 1,
  wall: 2,
  mono: 3,
  kind: 4,
  service: 5,
  text: 6,
  event: 7,
  data: 8,
  detail: 9,
  roster: 10,
  heads: 11,
} as const;
const WORD_MAX_BYTES = 1216;
const AGE_MAX_MS = 2 ** 32 - 1;
const KNOWN: ReadonlySet<number> = new Set(Object.values(KEY));

/** An entry's bytes: what the chain is made of. Texts are cut to their limits, as are fields of its data beyond them. */
export function encodeEntry(entry: Entry): Uint8Array {
  const map = new Map<number, CborValue>();
  map.set(KEY.n, entry.n);
  map.set(KEY.wall, entry.wallMs);
  map.set(KEY.mono, entry.monoUs);
  map.set(KEY.kind, KINDS[entry.kind].number);
  if (entry.service !== null) map.set(KEY.service, entry.service);
  if (entry.text !== '') map.set(KEY.text, cutText(entry.text, TEXT_MAX_BYTES));
  if (entry.event !== null) map.set(KEY.event, cutText(entry.event, TEXT_MAX_BYTES));
  const data = Object.entries(entry.data).slice(0, DATA_MAX);
  if (data.length > 0) map.set(KEY.data, data.map(pairValue));
  if (entry.detail !== null) map.set(KEY.detail, cutText(entry.detail, DETAIL_MAX_BYTES));
  if (entry.roster !== null) map.set(KEY.roster, [entry.roster.version, entry.roster.hash]);
  if (entry.heads.length > 0)
    map.set(
      KEY.heads,
      entry.heads.slice(0, HEADS_MAX).map(({ host, ageMs, word }) => [host, ageMs, word]),
    );
  return encodeCbor(map);
}

function pairValue([key, value]: [string, Scalar]): CborValue {
  const short = typeof value === 'string' ? cutText(value, DATA_TEXT_MAX_BYTES) : value;
  // No floats in this profile: a number that is not whole is said as people would write it.
  const whole = typeof short === 'number' && !Number.isSafeInteger(short) ? String(short) : short;
  return [cutText(key, DATA_KEY_MAX_BYTES), whole];
}

/** UTF-8 text of at most so many bytes, well-formed, without a byte order mark in front. */
export function cutText(text: string, maxBytes: number): string {
  const sound = Buffer.from(text)
    .toString('utf8')
    .replace(/^\ufeff+/, '');
  if (sound.length * 3 <= maxBytes || Buffer.byteLength(sound) <= maxBytes) return sound;
  const bytes = Buffer.from(sound).subarray(0, maxBytes - 3);
  let end = bytes.length;
  // Back to the beginning of a character that may have been cut through.
  while (end > 0 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end--;
  if (end > 0 && (bytes[end - 1] ?? 0) >= 0xc0) end--;
  return `${bytes.subarray(0, end).toString('utf8')}…`;
}

/** The entry of these bytes; null when they are not exactly one. */
export function decodeEntry(bytes: Uint8Array): Entry | null {
  if (bytes.length > ENTRY_MAX_BYTES) return null;
  const map = decodeCbor(bytes);
  if (!(map instanceof Map)) return null;
  for (const key of map.keys()) if (!KNOWN.has(key)) return null;
  const get = (key: number): CborValue | undefined => map.get(key);
  const kind = kindOf(uint(get(KEY.kind), 255));
  const [n, wallMs, monoUs] = [uint(get(KEY.n), NUMBER_LIMIT - 1), uint(get(KEY.wall)), uint(get(KEY.mono))];
  const service = get(KEY.service);
  const text = textOf(get(KEY.text), TEXT_MAX_BYTES);
  const event = textOf(get(KEY.event), TEXT_MAX_BYTES);
  const detail = textOf(get(KEY.detail), DETAIL_MAX_BYTES);
  const data = dataOf(get(KEY.data));
  const roster = rosterOf(get(KEY.roster));
  const heads = headsOf(get(KEY.heads));
  if (kind === undefined || n < 1 || wallMs < 0 || monoUs < 0) return null;
  if (service !== undefined && !isName(service)) return null;
  if (text === undefined || event === undefined || detail === undefined) return null;
  if (data === undefined || roster === undefined || heads === undefined) return null;
  const rest = { text: text ?? '', event, data, detail, roster, heads };
  return { n, wallMs, monoUs, kind, service: service ?? null, ...rest };
}

function uint(value: CborValue | undefined, most = Number.MAX_SAFE_INTEGER): number {
  return typeof value === 'number' && value >= 0 && value <= most ? value : -1;
}

/** Null: absent. Undefined: not a text of that length. An empty text is written by being absent. */
function textOf(value: CborValue | undefined, maxBytes: number): string | null | undefined {
  if (value === undefined) return null;
  if (typeof value !== 'string') return undefined;
  return Buffer.byteLength(value) <= maxBytes ? value : undefined;
}

function dataOf(value: CborValue | undefined): Entry['data'] | undefined {
  if (value === undefined) return {};
  if (!Array.isArray(value) || value.length === 0 || value.length > DATA_MAX) return undefined;
  const data: { [key: string]: Scalar } = Object.create(null);
  for (const pair of value as readonly CborValue[]) {
    if (!Array.isArray(pair) || pair.length !== 2) return undefined;
    const [key, scalar] = pair as readonly CborValue[];
    if (typeof key !== 'string' || key in data || Buffer.byteLength(key) > DATA_KEY_MAX_BYTES)
      return undefined;
    if (typeof scalar === 'object' && scalar !== null) return undefined;
    if (typeof scalar === 'string' && Buffer.byteLength(scalar) > DATA_TEXT_MAX_BYTES) return undefined;
    data[key] = scalar ?? null;
  }
  return data;
}

function rosterOf(value: CborValue | undefined): RosterMark | null | undefined {
  if (value === undefined) return null;
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [version, hash] = value as readonly CborValue[];
  const number = uint(version, 2 ** 32 - 1);
  if (number < 1 || !(hash instanceof Uint8Array) || hash.length !== 32) return undefined;
  return { version: number, hash };
}

function headsOf(value: CborValue | undefined): WitnessedHead[] | undefined {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length === 0 || value.length > HEADS_MAX) return undefined;
  const heads: WitnessedHead[] = [];
  for (const item of value as readonly CborValue[]) {
    if (!Array.isArray(item) || item.length !== 3) return undefined;
    const [host, age, word] = item as readonly CborValue[];
    const ageMs = uint(age, AGE_MAX_MS);
    if (!isName(host) || ageMs < 0 || !(word instanceof Uint8Array)) return undefined;
    if (word.length === 0 || word.length > WORD_MAX_BYTES) return undefined;
    heads.push({ host, ageMs, word });
  }
  return heads;
}
