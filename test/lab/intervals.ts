/** Sets of time as sorted, disjoint spans; what the judges reckon with. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Joins sightings that are at most `gapMs` apart into spans; a lone sighting is a span of no length. */
export function joinSightings(sightings: readonly number[], gapMs: number): Span[] {
  const sorted = [...sightings].sort((a, b) => a - b);
  const spans: { from: number; to: number }[] = [];
  for (const at of sorted) {
    const last = spans[spans.length - 1];
    if (last !== undefined && at - last.to <= gapMs) last.to = at;
    else spans.push({ from: at, to: at });
  }
  return spans;
}

/** The union of several sets of spans, sorted and disjoint. */
export function unite(...sets: readonly (readonly Span[])[]): Span[] {
  const all = sets.flat().sort((a, b) => a.from - b.from);
  const spans: { from: number; to: number }[] = [];
  for (const span of all) {
    const last = spans[spans.length - 1];
    if (last !== undefined && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else spans.push({ from: span.from, to: span.to });
  }
  return spans;
}

/** Where both sets are; a span of no length inside another one is kept. */
export function intersect(a: readonly Span[], b: readonly Span[]): Span[] {
  const spans: Span[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const x = a[i];
    const y = b[j];
    if (x === undefined || y === undefined) break;
    const from = Math.max(x.from, y.from);
    const to = Math.min(x.to, y.to);
    if (from <= to) spans.push({ from, to });
    if (x.to <= y.to) i += 1;
    else j += 1;
  }
  return spans;
}

export function covers(spans: readonly Span[], at: number): boolean {
  return spans.some((span) => span.from <= at && at <= span.to);
}

/** The most sets that hold one instant together; a set that ends where another begins does not count with it. */
export function mostAtOnce(sets: readonly (readonly Span[])[]): number {
  const edges = sets.flatMap((spans) =>
    spans.flatMap((span) => [
      { at: span.from, step: 1 },
      { at: span.to, step: -1 },
    ]),
  );
  edges.sort((a, b) => a.at - b.at || a.step - b.step);
  let now = 0;
  let most = 0;
  for (const edge of edges) {
    now += edge.step;
    most = Math.max(most, now);
  }
  return most;
}
