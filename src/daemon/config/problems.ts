/**
 * What is wrong with a configuration, as an operator needs it: where, what, and the remedy. All mistakes of a
 * file are reported together, so that one run of `check` is enough.
 */
import { OperatorError } from '../../trust/errors.ts';

export interface Problem {
  /** The file that is wrong. */
  readonly file: string;
  /** 1-based; null when the mistake has no line (a file that cannot be read). */
  readonly line: number | null;
  /** The key, as in `service.uplink.device`; empty when the mistake belongs to no key. */
  readonly key: string;
  readonly what: string;
  readonly remedy: string;
}

/** `file:line: key what`, in lower case, without the remedy. */
export function describeProblem(problem: Problem): string {
  const place = problem.line === null ? problem.file : `${problem.file}:${problem.line}`;
  return problem.key === ''
    ? `${place}: ${problem.what}`
    : `${place}: ${problem.key}${problem.what.startsWith(':') ? '' : ' '}${problem.what}`;
}

/** A configuration that was refused as a whole; nothing of it may be used. */
export class ConfigError extends OperatorError {
  readonly problems: readonly Problem[];

  constructor(found: readonly Problem[]) {
    const problems = [...found].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
    super(problems.map(describeProblem).join('\n'), problems[0]?.remedy);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}
