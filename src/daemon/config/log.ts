/** `[log]`: how the event log is cut into segments, and how much of it is kept. */
import { DURATION_KEYS, NUMBER_KEYS } from './keys.ts';
import type { FileContent } from './schema.ts';

export interface LogSettings {
  readonly segmentBytes: number;
  readonly segmentAgeMs: number;
  readonly keepBytes: number;
  /** Null: however old. */
  readonly keepAgeMs: number | null;
  readonly checkpointMs: number;
}

const MIB = 1024 * 1024;

/** The file's `[log]` with all defaults. */
export function logSettings(file: NonNullable<FileContent['log']>): LogSettings {
  return {
    segmentBytes: (file.segment_size ?? NUMBER_KEYS['log.segment_size'].default) * MIB,
    segmentAgeMs: file.segment_age ?? DURATION_KEYS['log.segment_age'].defaultMs(),
    keepBytes: (file.keep_size ?? NUMBER_KEYS['log.keep_size'].default) * MIB,
    keepAgeMs: file.keep_age ?? null,
    checkpointMs: file.checkpoint ?? DURATION_KEYS['log.checkpoint'].defaultMs(),
  };
}

/** What is wrong with it as a whole; null: nothing. */
export function logProblem({ segmentBytes, keepBytes }: LogSettings): string | null {
  return keepBytes >= 2 * segmentBytes
    ? null
    : `is ${keepBytes / MIB}, but two segments take ${(2 * segmentBytes) / MIB}`;
}
