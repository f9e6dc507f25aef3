/**
 * The bundle: the one file that makes a host a member. It holds the host's name and the roster, and no secret; admin
 * key, cluster name and addresses are in the roster, signed, and so are not said a second time. It never holds what
 * root would run or load: procedures, paths, rules. Pure; any bytes give a bundle or a reason.
 */
import { createHash } from 'node:crypto';
import { type CborValue, decodeCbor, encodeCbor } from '../wire/cbor.ts';
import { isName } from '../wire/names.ts';
import { ROSTER_FILE_MAX_BYTES } from './roster.ts';

export interface Bundle {
  readonly host: string;
  /** A roster file: still to be verified. */
  readonly roster: Uint8Array;
}

const FORM = 'portcullis bundle 1';
/** Map keys, appended and never used again. */
const KEY = { form: 1, host: 2, roster: 3, sum: 4 } as const;
const KEY_COUNT = 4;
/** Implementation: a longer file is refused before it is looked at. */
export const BUNDLE_MAX_BYTES = ROSTER_FILE_MAX_BYTES + 1024;

/** Deterministic CBOR: {1: form, 2: host, 3: roster file, 4: SHA-256 of the CBOR of [form, host, roster]}. */
export function encodeBundle({ host, roster }: Bundle): Uint8Array {
  return encodeCbor(
    new Map<number, CborValue>([
      [KEY.form, FORM],
      [KEY.host, host],
      [KEY.roster, roster],
      [KEY.sum, sumOf({ host, roster })],
    ]),
  );
}

export type BundleResult =
  | { readonly ok: true; readonly bundle: Bundle }
  | { readonly ok: false; readonly reason: string };

export function decodeBundle(bytes: Uint8Array): BundleResult {
  if (bytes.length > BUNDLE_MAX_BYTES) return { ok: false, reason: 'longer than a bundle can be' };
  const map = decodeCbor(bytes);
  if (!(map instanceof Map)) return { ok: false, reason: 'not a bundle, or damaged' };
  const form = map.get(KEY.form);
  if (typeof form !== 'string' || !form.startsWith('portcullis bundle '))
    return { ok: false, reason: 'not a bundle' };
  if (form !== FORM) return { ok: false, reason: 'a bundle of another version of portcullis' };
  const host = map.get(KEY.host);
  const roster = map.get(KEY.roster);
  const sum = map.get(KEY.sum);
  if (map.size !== KEY_COUNT || !isName(host) || !(roster instanceof Uint8Array))
    return { ok: false, reason: 'not a bundle of this form' };
  // Against damage alone: who changes the file on purpose can do sums, and is stopped by the roster's signatures.
  if (!(sum instanceof Uint8Array) || Buffer.compare(sum, sumOf({ host, roster })) !== 0)
    return { ok: false, reason: 'damaged: its sum is not that of its contents' };
  return { ok: true, bundle: { host, roster } };
}

function sumOf({ host, roster }: Bundle): Uint8Array {
  return Uint8Array.from(
    createHash('sha256')
      .update(encodeCbor([FORM, host, roster]))
      .digest(),
  );
}
