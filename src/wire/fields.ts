/**
 * The kinds of values in a message, each with its form on the wire: one encoder, one decoder, one line of CDDL.
 * A decoder takes any CBOR value and answers undefined for what is not exactly of its kind; it never throws.
 */
import type { Term } from '../core/basics.ts';
import type { Table, TableRow } from '../core/messages.ts';
import type { CborValue } from './cbor.ts';
import { MEMBERS_MAX } from './limits.ts';
import { isName } from './names.ts';

export interface Field<T> {
  /** How spec/protocol.md writes this kind (CDDL, RFC 8610). */
  readonly cddl: string;
  /** `protocol`: in which the two hosts speak; a kind that has grown says no more than that one has. */
  encode(value: T, protocol: number): CborValue;
  decode(value: CborValue, protocol: number): T | undefined;
}

const COUNTER_MAX = 2 ** 48 - 1;
const MS_MAX = 2 ** 32 - 1;
const DIGEST_MAX_BYTES = 32;

export const name: Field<string> = {
  cddl: 'name',
  encode: (value) => {
    if (!isName(value)) throw new RangeError(`not a name: ${JSON.stringify(value)}`);
    return value;
  },
  decode: (value) => (isName(value) ? value : undefined),
};

export const flag: Field<boolean> = {
  cddl: 'bool',
  encode: (value) => value,
  decode: (value) => (typeof value === 'boolean' ? value : undefined),
};

/** A flag whose field is there only where it is set. */
export const raised: Field<boolean> = {
  cddl: 'true',
  encode: () => true,
  decode: (value) => (value === true ? true : undefined),
};

/** Thousandths of a whole; none at all is said by leaving the field out. */
export const thousandths: Field<number> = {
  cddl: '1..1000',
  encode: (value) => {
    if (!isUint(value, 1000) || value === 0) throw new RangeError(`not 1 to 1000 thousandths: ${value}`);
    return value;
  },
  decode: (value) => (isUint(value, 1000) && value > 0 ? value : undefined),
};

/** Numbers that a host counts up in one run: ids, versions of the table. */
export const counter: Field<number> = {
  cddl: 'counter',
  encode: (value) => {
    if (!isUint(value, COUNTER_MAX)) throw new RangeError(`not a counter: ${value}`);
    return value;
  },
  decode: (value) => (isUint(value, COUNTER_MAX) ? value : undefined),
};

/** What is left of a time: whole milliseconds, cut down, so that nobody relies on more than there is. */
export const restMs: Field<number> = milliseconds(Math.floor);

/** How long ago something was: whole milliseconds, rounded up, so that nothing looks fresher than it is. */
export const ageMs: Field<number> = milliseconds(Math.ceil);

function milliseconds(round: (value: number) => number): Field<number> {
  return {
    cddl: 'ms',
    encode: (value) => Math.min(Math.max(round(value), 0), MS_MAX),
    decode: (value) => (isUint(value, MS_MAX) ? value : undefined),
  };
}

export const term: Field<Term> = {
  cddl: 'term',
  encode: (value, protocol) => {
    if (!isUint(value.n, Number.MAX_SAFE_INTEGER)) throw new RangeError(`not a term number: ${value.n}`);
    return [value.n, name.encode(value.host, protocol)];
  },
  decode: (value) => {
    const [n, host] = tuple(value, 2);
    return isUint(n, Number.MAX_SAFE_INTEGER) && isName(host) ? { n, host } : undefined;
  },
};

/** A hash, in memory as lower-case hex: at most 32 bytes. */
export const digest: Field<string> = {
  cddl: 'digest',
  encode: (value) => {
    if (!/^(?:[0-9a-f]{2}){1,32}$/.test(value)) throw new RangeError('not a digest in hex');
    return Uint8Array.from(Buffer.from(value, 'hex'));
  },
  decode: (value) =>
    value instanceof Uint8Array && value.length >= 1 && value.length <= DIGEST_MAX_BYTES
      ? Buffer.from(value).toString('hex')
      : undefined,
};

/** The status table: [term, seq, rows]; no host twice. */
export const table: Field<Table> = {
  cddl: 'table',
  encode: (value, protocol) => {
    if (value.rows.length > MEMBERS_MAX)
      throw new RangeError('a table has more rows than a cluster has members');
    const rows = value.rows.map((row) => encodeRow(row, protocol));
    return [term.encode(value.term, protocol), counter.encode(value.seq, protocol), rows];
  },
  decode: (value, protocol) => {
    const [termValue, seqValue, rowValues] = tuple(value, 3);
    const tableTerm = term.decode(termValue ?? null, protocol);
    const seq = counter.decode(seqValue ?? null, protocol);
    if (tableTerm === undefined || seq === undefined || !Array.isArray(rowValues)) return undefined;
    if (rowValues.length > MEMBERS_MAX) return undefined;
    const rows: TableRow[] = [];
    for (const rowValue of rowValues as readonly CborValue[]) {
      const row = decodeRow(rowValue, protocol);
      if (row === undefined || rows.some((other) => other.host === row.host)) return undefined;
      rows.push(row);
    }
    return { term: tableTerm, seq, rows };
  },
};

/** [host, fit, standby], and `true` behind them of a burdened host: from protocol 2 on. */
function encodeRow(row: TableRow, protocol: number): CborValue {
  const said = [name.encode(row.host, protocol), row.fit, row.standby];
  return row.burdened && protocol >= 2 ? [...said, true] : said;
}

function decodeRow(value: CborValue, protocol: number): TableRow | undefined {
  const burdened = Array.isArray(value) && value.length === 4;
  if (burdened && (protocol < 2 || value[3] !== true)) return undefined;
  const [host, fit, standby] = tuple(value, burdened ? 4 : 3);
  if (!isName(host) || typeof fit !== 'boolean' || typeof standby !== 'boolean') return undefined;
  return { host, fit, standby, burdened };
}

/** One of a closed list of words, on the wire its place in the list, from 0. Append only. */
export function oneOf<const W extends string>(words: readonly W[]): Field<W> {
  return {
    cddl: `&(${words.map((word, i) => `${word}: ${i}`).join(', ')})`,
    encode: (value) => {
      const place = words.indexOf(value);
      if (place < 0) throw new RangeError(`unknown word: ${value}`);
      return place;
    },
    decode: (value) => (isUint(value, words.length - 1) ? words[value] : undefined),
  };
}

export function orNull<T>(field: Field<T>): Field<T | null> {
  return {
    cddl: `${field.cddl} / null`,
    encode: (value, protocol) => (value === null ? null : field.encode(value, protocol)),
    decode: (value, protocol) => (value === null ? null : field.decode(value, protocol)),
  };
}

function isUint(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most;
}

/** The elements of an array of exactly that length; none of anything else. */
function tuple(value: CborValue, length: number): readonly CborValue[] {
  return Array.isArray(value) && value.length === length ? value : [];
}
