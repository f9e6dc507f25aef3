/** The keys of `[log]`, which keys.ts takes into its table. */
import type { DurationKey, NumberKey } from './key-kinds.ts';

const HOUR_MS = 3_600_000;

export const LOG_DURATION_KEYS = {
  'log.segment_age': {
    minMs: 60_000,
    maxMs: 2160 * HOUR_MS,
    defaultMs: () => 24 * HOUR_MS,
    formula: '24h',
    rule: 'A segment of the event log that is older is ended, and the next one begun.',
  },
  'log.keep_age': {
    minMs: HOUR_MS,
    maxMs: 87_600 * HOUR_MS,
    defaultMs: null,
    formula: 'none: however old',
    rule: 'Segments whose last change is longer ago are removed when the next one begins.',
  },
  'log.checkpoint': {
    minMs: 60_000,
    maxMs: 2160 * HOUR_MS,
    defaultMs: () => 24 * HOUR_MS,
    formula: '24h',
    rule: 'How often the log has a checkpoint, which `audit checkpoint` prints.',
  },
} as const satisfies { readonly [key: string]: DurationKey };

export const LOG_NUMBER_KEYS = {
  'log.segment_size': {
    min: 1,
    max: 128,
    whole: true,
    default: 16,
    unit: 'MiB',
    rule: 'A segment of the event log that is larger is ended, and the next one begun.',
  },
  'log.keep_size': {
    min: 8,
    max: 1_048_576,
    whole: true,
    default: 1024,
    unit: 'MiB',
    rule: 'The oldest segments are removed when all together would be larger. At least 2 segments.',
  },
} as const satisfies { readonly [key: string]: NumberKey };
