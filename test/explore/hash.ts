/** Two 32-bit hashes of a sequence of numbers, words, terms and times; one sequence at a time. */
import type { Table, Term } from '../../src/core/index.ts';

/** Two 32-bit hashes side by side; what is added goes into both. */
let a = 0;
let b = 0;

export function reset(): void {
  a = 0x9e3779b9 | 0;
  b = 0x85ebca6b | 0;
}

export function add(value: number): void {
  a = Math.imul(a ^ value, 0x5bd1e995);
  a ^= a >>> 15;
  b = Math.imul(b + value + 0x7f4a7c15, 0x2c1b3c6d);
  b ^= b >>> 13;
}

const interned = new Map<string, number>();

export function word(text: string | null | undefined): void {
  const key = text ?? '';
  let code = interned.get(key);
  if (code === undefined) {
    code = interned.size + 1;
    interned.set(key, code);
  }
  add(code);
}

export function flag(value: boolean): void {
  add(value ? 1 : 2);
}

export const NEVER = 0x3fffffff;

/** A time in the past or the future, exactly. */
export function time(atMs: number | null | undefined, nowMs: number): void {
  add(atMs === null || atMs === undefined ? NEVER : Math.round(atMs - nowMs));
}

/** A time that counts only while it is to come. */
export function future(atMs: number, nowMs: number): void {
  add(atMs > nowMs ? Math.round(atMs - nowMs) : 0);
}

/** A time that counts only for so long. */
export function lately(atMs: number, nowMs: number, forMs: number): void {
  add(nowMs - atMs > forMs ? -NEVER : Math.round(atMs - nowMs));
}

export function term(t: Term | null | undefined): void {
  if (t === null || t === undefined) add(NEVER);
  else {
    add(t.n);
    word(t.host);
  }
}

export function table(t: Table | null | undefined): void {
  if (t === null || t === undefined) {
    add(NEVER);
    return;
  }
  term(t.term);
  add(t.seq);
  for (const row of t.rows) {
    word(row.host);
    flag(row.fit);
    flag(row.standby);
  }
}

/** What was added since `reset`. */
export function sum(): { readonly a: number; readonly b: number } {
  return { a: a >>> 0, b: b >>> 0 };
}
