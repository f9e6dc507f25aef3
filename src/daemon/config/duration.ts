/** Durations as an operator writes them: "200ms", "1.5s", "2m". */

const UNIT_MS: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds, or null when the text is no duration. Fractions of a millisecond are kept. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)$/.exec(text);
  const unitMs = UNIT_MS[match?.[2] ?? ''];
  return match?.[1] === undefined || unitMs === undefined ? null : round(Number(match[1]) * unitMs);
}

/** The shortest text for a duration: 1500 → "1.5s", 200 → "200ms"; 24 hours → "24h". */
export function durationText(ms: number): string {
  if (ms >= 3_600_000 && ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  if (ms >= 60_000 && ms % 60_000 === 0) return `${ms / 60_000}m`;
  if (ms >= 1000 && ms % 100 === 0) return `${ms / 1000}s`;
  return `${round(ms)}ms`;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
