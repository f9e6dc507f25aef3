/** What the lab's commands have in common on their command lines: numbers, times, and what is said of wrong ones. */
import type { Policy } from './gateway.ts';

/** The command line is wrong: the usage is shown and the exit status is 2. */
export class UsageError extends Error {}

/** Throws `UsageError` when the text is no whole number within the limits. */
export function whole(text: string, least: number, most: number, option: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new UsageError(`${option} is a whole number from ${least} to ${most}, not ${text}`);
  return value;
}

/** Of a time such as `200ms` or `1s`. Throws `UsageError` on others, and outside 10 ms to 60 s. */
export function milliseconds(text: string): number {
  const match = /^(\d{1,6})(ms|s)$/.exec(text);
  const value = Number(match?.[1]) * (match?.[2] === 's' ? 1_000 : 1);
  if (!(value >= 10 && value <= 60_000))
    throw new UsageError(`--interval is a time from 10ms to 60s, not ${text}`);
  return value;
}

/** Whole seconds of a time such as `10m` or `90s`; `0` is none. Throws `UsageError` on others, and above a day. */
export function seconds(text: string, option: string): number {
  const match = /^(\d{1,5})(s|m|h|)$/.exec(text);
  const unit = { s: 1, m: 60, h: 3_600 }[match?.[2] ?? ''] ?? 0;
  const value = Number(match?.[1]) * unit;
  if (!(value >= 0 && value <= 86_400) || (unit === 0 && match?.[1] !== '0'))
    throw new UsageError(`${option} is a time such as 90s or 10m, or 0, not ${text}`);
  return value;
}

/** One table row: each cell padded to its column's width. */
export function row(cells: readonly string[], widths: readonly number[]): string {
  return cells.map((cell, i) => cell.padEnd(widths[i] ?? 8)).join('');
}

/** The policy named; null when none was. Throws `UsageError` on any other word. */
export function policyNamed(name: string | undefined): Policy | null {
  if (name === undefined) return null;
  if (name !== 'quorum' && name !== 'available')
    throw new UsageError(`--policy is quorum or available, not ${name}`);
  return name;
}
