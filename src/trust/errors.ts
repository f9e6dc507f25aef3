/**
 * The one kind of error that an operator can cause and mend. Commands print its message and hint on standard
 * error and end with its exit code; every other error is ours and carries a stack.
 */

/** 1: refused or failed; 2: wrong usage. The message is lower case and names the file or key; the hint says what to do. */
export class OperatorError extends Error {
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(message: string, hint?: string, exitCode = 1) {
    super(message);
    this.name = 'OperatorError';
    this.hint = hint;
    this.exitCode = exitCode;
  }
}
