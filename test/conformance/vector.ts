/**
 * The alphabet that both sides speak: the fields of the model's host, guards and event, and the model's own numbers for
 * places, events and outputs, all read from spec/model. One vector is one state with one event, a byte a field.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const MODEL_DIR = join(process.cwd(), 'spec/model');
export const HOST_PML = readFileSync(join(MODEL_DIR, 'host.pml'), 'utf8');
export const VOTER_PML = readFileSync(join(MODEL_DIR, 'voter.pml'), 'utf8');
const ENUMERATE_PML = readFileSync(join(MODEL_DIR, 'enumerate.pml'), 'utf8');

function fields(list: string): string[] {
  const text = new RegExp(`#define ${list}\\(X\\)((?:.*\\\\\\n)*.*)`).exec(ENUMERATE_PML)?.[1];
  if (text === undefined) throw new Error(`enumerate.pml has no ${list}`);
  return [...text.matchAll(/X\((\w+)\)/g)].map(([, name]) => name as string);
}

/** Fields of the typedefs Host and Guards of host.pml, and of the event, in the order of a record. */
export const HOST_FIELDS = fields('HOST_FIELDS');
export const GUARD_FIELDS = fields('GUARD_FIELDS');
export const EVENT_FIELDS = fields('EVENT_FIELDS');
export const ALL_FIELDS = [...HOST_FIELDS, ...GUARD_FIELDS, ...EVENT_FIELDS];
/** An answer: the host's fields, `said`, `done`, and up to six rows. */
export const ANSWER_BYTES = HOST_FIELDS.length + 11;

/** A state and an event: every field by its name; flags are 0 or 1. */
export type Vector = { [field: string]: number };

/** host.pml's `#define NAME number`: places, events (E_), outputs (S_, D_, A_), and the values of `rel`, `stage`, `cause`. */
export const MODEL: { readonly [name: string]: number } = Object.fromEntries(
  [...HOST_PML.matchAll(/^#define (\w+) +(\d+)/gm)].map(([, name, value]) => [name, Number(value)]),
);

export function model(name: string): number {
  const value = MODEL[name];
  if (value === undefined) throw new Error(`host.pml defines no ${name}`);
  return value;
}

/** Names of a family in the order of their numbers: `E_` events, `S_` messages, `D_` and `A_` orders. */
export function family(prefix: string): [name: string, value: number][] {
  return Object.entries(MODEL)
    .filter(([name]) => name.startsWith(prefix))
    .sort((a, b) => a[1] - b[1]);
}

export const EVENTS = family('E_').map(([name]) => name);
export const SAID = family('S_');
export const DONE = [...family('D_'), ...family('A_')];

/** The model's hosts: this one is `h1`, so that others come before and after it in the order of terms. */
export const HOSTS = ['h0', 'h1', 'h2', 'h3'] as const;
export const ME = 1;
/** A term as the model writes it: number times four, plus the host. */
export const term = (n: number, host: number): number => n * HOSTS.length + host;

const BLANK: Vector = { ...Object.fromEntries(ALL_FIELDS.map((field) => [field, 0])), me: ME };
export function blank(): Vector {
  return { ...BLANK };
}

export function pack(v: Vector, into: Uint8Array, at: number): void {
  for (let i = 0; i < ALL_FIELDS.length; i++) into[at + i] = v[ALL_FIELDS[i] as string] as number;
}

export function unpack(from: Uint8Array, at: number): Vector {
  const v: Vector = {};
  for (let i = 0; i < ALL_FIELDS.length; i++) v[ALL_FIELDS[i] as string] = from[at + i] as number;
  return v;
}

/** What came of a step, in the model's words. */
export interface Answer {
  readonly host: Vector;
  readonly said: number;
  readonly done: number;
  /** The rows of the transition table that were taken, in their order: 13 is T13. */
  readonly rows: readonly number[];
}

export function packAnswer(a: Answer, into: Uint8Array, at: number): void {
  let k = at;
  for (const field of HOST_FIELDS) into[k++] = a.host[field] as number;
  for (const byte of [a.said, a.said >> 8, a.done, a.done >> 8, a.done >> 16]) into[k++] = byte & 255;
  for (let i = 0; i < 6; i++) into[k++] = a.rows[i] ?? 0;
}

export function unpackAnswer(from: Uint8Array, at: number): Answer {
  const host: Vector = {};
  let k = at;
  for (const field of HOST_FIELDS) host[field] = from[k++] as number;
  const [a, b, c, d, e] = from.subarray(k, k + 5) as unknown as [number, number, number, number, number];
  const rows = [...from.subarray(k + 5, k + 11)].filter((row) => row !== 0);
  return { host, said: a + (b << 8), done: c + (d << 8) + (e << 16), rows };
}
