/**
 * Heads of event logs as hosts show them to each other: where a log stands, in words that its host has signed. What
 * they mean is the log's own matter (src/audit); here is only their form.
 */
import type { CborValue } from './cbor.ts';

/** A place in a log: its run, an entry's number, and the hash of all up to that entry. */
export interface Head {
  /** The run of the log; 16 bytes. */
  readonly run: Uint8Array;
  readonly n: number;
  /** 32 bytes. */
  readonly hash: Uint8Array;
}

/** The durable head that STATUS and REPORT show. */
export interface ShownHead extends Head {
  /** The newest entry up to `n` that peers are to record at once. */
  readonly weighty: number;
  /** The newest entry up to `n` that is more than a record of peers' heads. */
  readonly news: number;
}

export const RUN_BYTES = 16;
export const HASH_BYTES = 32;
/** A shown head at its longest, with its key (bytes). */
export const HEAD_MAX_BYTES = 1 + 1 + (1 + RUN_BYTES) + (2 + HASH_BYTES) + 3 * 9;

export function headValue({ run, n, hash }: Head): CborValue {
  return [run, n, hash];
}

export function shownHeadValue({ run, n, hash, weighty, news }: ShownHead): CborValue {
  return [run, n, hash, weighty, news];
}
