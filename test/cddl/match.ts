/**
 * Holds a decoded CBOR value against a rule of a parsed CDDL file. Arrays are matched greedily, entry by entry,
 * which is exact for grammars whose neighbouring entries do not overlap, as all of ours. Bounded: by the depth of
 * the value and by a limit on references, beyond which a grammar refers to itself without end.
 */
import { type CborValue, decodeCbor } from '../../src/wire/cbor.ts';
import type { Entry, Grammar, Type } from './parse.ts';

/** A tagged item; the decoder of the wire knows no tags, so whoever matches one takes it off by hand. */
export class Tagged {
  readonly tag: number;
  readonly value: CborValue;

  constructor(tag: number, value: CborValue) {
    this.tag = tag;
    this.value = value;
  }
}

const REFERENCES_MAX = 100;

/** Whether `value` is what the rule says. Throws RangeError when there is no such rule. */
export function matches(grammar: Grammar, rule: string, value: CborValue | Tagged): boolean {
  const type = grammar.types.get(rule);
  if (type === undefined) throw new RangeError(`no rule ${rule}`);
  return new Matcher(grammar).is(type, value);
}

class Matcher {
  readonly #grammar: Grammar;
  #references = 0;

  constructor(grammar: Grammar) {
    this.#grammar = grammar;
  }

  is(type: Type, value: CborValue | Tagged): boolean {
    switch (type.kind) {
      case 'ref':
        return this.#named(type.name, value);
      case 'int':
        return typeof value === 'number' && value >= type.low && value <= type.high;
      case 'text':
        return value === type.text;
      case 'choice':
        return type.of.some((one) => this.is(one, value));
      case 'map':
        return value instanceof Map && this.#map(type.entries, value);
      case 'array':
        return Array.isArray(value) && this.#array(type.entries, value);
      case 'tag':
        return value instanceof Tagged && value.tag === type.tag && this.is(type.type, value.value);
      case 'control':
        return this.is(type.base, value) && this.#controlled(type, value);
    }
  }

  #named(name: string, value: CborValue | Tagged): boolean {
    switch (name) {
      case 'uint':
        return typeof value === 'number' && Number.isInteger(value) && value >= 0;
      case 'int':
        return typeof value === 'number' && Number.isInteger(value);
      case 'bstr':
        return value instanceof Uint8Array;
      case 'tstr':
        return typeof value === 'string';
      case 'bool':
        return typeof value === 'boolean';
      case 'true':
        return value === true;
      case 'null':
        return value === null;
    }
    const type = this.#grammar.types.get(name);
    if (type === undefined) throw new SyntaxError(`${name} is a group and stands where a type must`);
    if (this.#references >= REFERENCES_MAX) throw new RangeError('references without end');
    this.#references++;
    const is = this.is(type, value);
    this.#references--;
    return is;
  }

  #controlled(type: Extract<Type, { kind: 'control' }>, value: CborValue | Tagged): boolean {
    const { control, by } = type;
    switch (control) {
      case 'size':
        if (value instanceof Uint8Array) return this.is(by, value.length);
        if (typeof value === 'string') return this.is(by, Buffer.byteLength(value));
        return typeof value === 'number' && by.kind === 'int' && value < 256 ** by.high;
      case 'lt':
        return typeof value === 'number' && by.kind === 'int' && value < by.low;
      case 'regexp':
        return typeof value === 'string' && by.kind === 'text' && new RegExp(`^(?:${by.text})$`).test(value);
      case 'cbor': {
        const inner = value instanceof Uint8Array ? decodeCbor(value) : undefined;
        return inner !== undefined && this.is(by, inner);
      }
    }
  }

  /** Every entry is there as often as it must, and nothing else is. */
  #map(entries: readonly Entry[], map: ReadonlyMap<number, CborValue>): boolean {
    const known = new Set<number>();
    for (const { key, least, type } of this.#flat(entries)) {
      if (key === null) throw new SyntaxError('an entry of a map without a key');
      known.add(key);
      const value = map.get(key);
      if (value === undefined ? least > 0 : !this.is(type, value)) return false;
    }
    return [...map.keys()].every((key) => known.has(key));
  }

  /** Entries with those of the groups that they name in their place. */
  #flat(entries: readonly Entry[]): Entry[] {
    return entries.flatMap((entry) => {
      const group =
        entry.key === null && entry.type.kind === 'ref'
          ? this.#grammar.groups.get(entry.type.name)
          : undefined;
      return group === undefined ? [entry] : this.#flat(group);
    });
  }

  #array(entries: readonly Entry[], values: readonly CborValue[]): boolean {
    let at = 0;
    for (const { least, most, type } of this.#flat(entries)) {
      let count = 0;
      for (; count < most && at < values.length; count++, at++) if (!this.is(type, values[at] ?? null)) break;
      if (count < least) return false;
    }
    return at === values.length;
  }
}
