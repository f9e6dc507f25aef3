/** One way to alter logs, and what must be found then: the form of the lists in tamper-*.ts. */
import type { Logs, Question } from './story.ts';

/** `make` alters; a finding of that severity, about that host, with that text, must follow. */
export interface Case {
  readonly name: string;
  /** As in the specification's table. */
  readonly by: string;
  readonly from: string;
  readonly make: () => { logs: Logs | [string, Map<string, Uint8Array>][] } & Partial<Question>;
  readonly host: string | null;
  readonly severity: 'broken' | 'missing' | 'doubt';
  readonly text: RegExp;
}

/** Where it is found, as in the specification's table. */
export const own = 'H’s own log';
export const others = 'any other log';
/** Most cases break fw1's log. */
export const fw1 = { host: 'fw1', severity: 'broken' } as const;
/** The finding that a host signed the same number twice, with different words. */
export const twice = /signed twice/;
