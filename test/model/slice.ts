/** What the runner is told of a slice of the model. The slices themselves: slices.ts. */

/** How a search is made; what is left out is the usual. */
export interface Search {
  /** More flags for gcc; `-DNOREDUCE`, `-DCOLLAPSE` and the like. */
  readonly compile?: readonly string[];
  /** More flags for pan; `-a`, `-f` for properties of endless runs, with `safety: false`. */
  readonly run?: readonly string[];
  /** Longest path, in steps; a search that meets it counts as truncated. */
  readonly depth?: number;
  /** Memory for states, in megabytes. */
  readonly memoryMb?: number;
  /** Assertions and end states only, the usual; a counterexample is then searched breadth first, so that it is a shortest one. */
  readonly safety?: boolean;
  /** Counterexample breadth first (`safety` only); the usual. Off: depth first, for those that are too deep. */
  readonly shortest?: boolean;
  /** Of some seconds: good code is worth the time that gcc needs to make it. What the tests do not run is. */
  readonly long?: boolean;
  /** Bit-state hashing with 2^n bits: a sample of the states, no proof. */
  readonly bitstate?: number;
}

export interface Variant {
  /** `rules` for the rules as they are, or what is taken away. */
  readonly name: string;
  /** Passed to spin as -D. */
  readonly defines: readonly string[];
  /** The violated assertion's name as the model has it; null: everything holds. */
  readonly violates: string | null;
  /** Whether it is part of the selection that the tests run. */
  readonly ci: boolean;
  readonly search?: Search;
}

export interface Slice {
  readonly name: string;
  /** In spec/model. */
  readonly file: string;
  /** The property, in words. */
  readonly property: string;
  readonly search?: Search;
  readonly variants: readonly Variant[];
}

/** One run to make. */
export interface Job {
  readonly slice: Slice;
  readonly variant: Variant;
}

/** What a run showed. */
export interface Outcome {
  readonly slice: string;
  readonly variant: string;
  readonly expected: string;
  /** `holds`, `violates NAME`, or why the run says nothing: `truncated: ...`, `failed: ...`. */
  readonly result: string;
  readonly asExpected: boolean;
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly seconds: number;
  readonly search: 'exhaustive' | 'bit-state';
  /** The counterexample as the model tells it; null when there is none. */
  readonly trace: string | null;
}

export function nameOf(job: Job): string {
  return `${job.slice.name}.${job.variant.name}`;
}

export function expectationOf(variant: Variant): string {
  return variant.violates === null ? 'holds' : `violates ${variant.violates}`;
}
