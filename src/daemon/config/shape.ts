/**
 * The shape of a file's tables, checked key by key: tables without unknown keys, lists, optional values. Every mistake
 * is gathered with its path. It is our own, since the actuator reads the configuration too, and each package that it
 * loads is one more that holds the host's capabilities (spec/threats.md, M14). Pure.
 */
export type Path = readonly (string | number)[];

export type Issue =
  /** Keys of the table at `path` that nobody knows. */
  | { readonly kind: 'unknown'; readonly path: Path; readonly keys: readonly string[] }
  /** A section that is not there, or no table. */
  | { readonly kind: 'section'; readonly path: Path; readonly missing: boolean }
  | { readonly kind: 'too-many'; readonly path: Path; readonly maximum: number }
  /** A value that its own kind refuses. */
  | { readonly kind: 'value'; readonly path: Path; readonly what: string; readonly remedy: string };

export abstract class Shape<T> {
  /** Reads a value; tells what is wrong and returns undefined, or returns what it stands for. */
  abstract read(value: unknown, path: Path, issues: Issue[]): T | undefined;

  optional(): Optional<T> {
    return new Optional(this);
  }
}

/** What a shape reads. */
export type Infer<S> = S extends Shape<infer T> ? T : never;

export class Optional<T> extends Shape<T | undefined> {
  readonly inner: Shape<T>;
  constructor(inner: Shape<T>) {
    super();
    this.inner = inner;
  }
  read(value: unknown, path: Path, issues: Issue[]): T | undefined {
    return value === undefined ? undefined : this.inner.read(value, path, issues);
  }
}

/** A value of its own kind, from a plain function, which may refuse for several reasons. */
export class Leaf<T> extends Shape<T> {
  private readonly take: (
    value: unknown,
    refuse: (what: string, remedy: string) => undefined,
  ) => T | undefined;
  constructor(take: (value: unknown, refuse: (what: string, remedy: string) => undefined) => T | undefined) {
    super();
    this.take = take;
  }
  read(value: unknown, path: Path, issues: Issue[]): T | undefined {
    return this.take(value, (what, remedy) => {
      issues.push({ kind: 'value', path, what, remedy });
    });
  }
}

type Keys = { readonly [key: string]: Shape<unknown> };
type OptionalKeys<K extends Keys> = {
  [P in keyof K]: K[P] extends Optional<unknown> ? P : never;
}[keyof K];
type TableOf<K extends Keys> = { [P in Exclude<keyof K, OptionalKeys<K>>]: Infer<K[P]> } & {
  [P in OptionalKeys<K>]?: Infer<K[P]>;
};

/** A table with these keys and no others. */
export class Table<K extends Keys> extends Shape<TableOf<K>> {
  readonly keys: K;
  constructor(keys: K) {
    super();
    this.keys = keys;
  }
  read(value: unknown, path: Path, issues: Issue[]): TableOf<K> | undefined {
    if (!isTable(value)) {
      issues.push({ kind: 'section', path, missing: value === undefined });
      return undefined;
    }
    const unknown = Object.keys(value).filter((key) => !Object.hasOwn(this.keys, key));
    if (unknown.length > 0) issues.push({ kind: 'unknown', path, keys: unknown });
    const out: { [key: string]: unknown } = {};
    for (const [key, shape] of Object.entries(this.keys)) {
      const found = shape.read(Object.hasOwn(value, key) ? value[key] : undefined, [...path, key], issues);
      if (found !== undefined) out[key] = found;
    }
    return out as TableOf<K>;
  }
}

/** One to `max` of the same. */
export class List<T> extends Shape<readonly T[]> {
  readonly element: Shape<T>;
  readonly max: number;
  constructor(element: Shape<T>, max: number) {
    super();
    this.element = element;
    this.max = max;
  }
  read(value: unknown, path: Path, issues: Issue[]): readonly T[] | undefined {
    if (!Array.isArray(value) || value.length === 0) {
      issues.push({ kind: 'section', path, missing: value === undefined || Array.isArray(value) });
      return undefined;
    }
    if (value.length > this.max) {
      issues.push({ kind: 'too-many', path, maximum: this.max });
      return undefined;
    }
    return value.flatMap((item, i) => this.element.read(item, [...path, i], issues) ?? []);
  }
}

function isTable(value: unknown): value is { readonly [key: string]: unknown } {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
