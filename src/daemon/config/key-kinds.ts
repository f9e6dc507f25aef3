/** What the table of configuration keys (keys.ts) says of a key, by its kind. */

/** What the computed defaults depend on. */
export interface Known {
  readonly intervalMs: number;
  readonly probeTimeoutMs: number;
  readonly probes: number;
  readonly stallMs: number;
  /** `service.uplink.activation`, where a default depends on it. */
  readonly activation?: string;
}

export interface DurationKey {
  readonly minMs: number;
  readonly maxMs: number;
  /** null: no default value, the feature is off without the key. */
  readonly defaultMs: ((known: Known) => number) | null;
  /** The default in words; I stands for the interval. */
  readonly formula: string;
  readonly rule: string;
}

/** A whole number or fraction with its bounds. */
export interface NumberKey {
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
  readonly default: number;
  readonly rule: string;
  /** Where it is no plain count or fraction. */
  readonly unit?: string;
}

/** All other keys: words, paths, addresses. `default` is `required`, `none`, or the value itself. */
export interface TextKey {
  readonly unit: string;
  readonly default: string;
  readonly rule: string;
}
