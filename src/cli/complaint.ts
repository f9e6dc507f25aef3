/** What is said on standard error of a command that failed, and its exit status. */
import { printable } from '../audit/words.ts';
import { ConfigError, describeProblem } from '../daemon/config/problems.ts';
import { OperatorError } from '../trust/errors.ts';

const EXIT_FAILED = 1;

/** Says what is wrong, and the remedy; returns the exit status. Throws what is our own fault. */
export function complain(error: unknown, err: (text: string) => void): number {
  if (error instanceof ConfigError) {
    for (const problem of error.problems) say(err, describeProblem(problem), problem.remedy);
    return EXIT_FAILED;
  }
  if (isHomeless(error)) {
    say(err, 'the directory that this was called in is gone', 'change to one that is there');
    return EXIT_FAILED;
  }
  if (!(error instanceof OperatorError)) throw error;
  say(err, error.message, error.hint);
  return error.exitCode;
}

/** A name that is not absolute means nothing then. */
function isHomeless(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd';
}

/** Names of files and keys stand in what is said, and may steer a terminal. */
function say(err: (text: string) => void, message: string, hint: string | undefined): void {
  err(`portcullis: error: ${printable(message)}\n`);
  if (hint !== undefined && hint !== '') err(`portcullis: hint: ${printable(hint)}\n`);
}
