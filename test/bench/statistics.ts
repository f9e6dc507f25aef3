/** Figures of several runs: medians and quantiles. */

/** The upper median of what is there; null of nothing. */
export function median(all: readonly (number | null)[]): number | null {
  const sorted = all.filter((value) => value !== null).sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? null;
}

/** The least value that so large a share (0 to 1) of all does not exceed (nearest rank); null of nothing. */
export function quantile(all: readonly number[], share: number): number | null {
  const sorted = [...all].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}

export function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
