#!/usr/bin/env node
/** `portcullis actuator`, started directly: nothing is loaded that the actuator does not need. */
import './hardening.ts';
import './engine.ts';
import { forbidCoreDumps } from '../linux/libc.ts';
import { goFirst } from '../linux/priority.ts';
import { OperatorError } from '../trust/errors.ts';
import { runActuator } from './actuator-process.ts';

const USAGE = 'usage: portcullis actuator --config FILE';

function optionsOf(args: readonly string[]): { file: string; fd: number | null } {
  const [config, file, fdName, fd, ...rest] = args;
  const isFd = fdName === undefined || (fdName === '--fd' && /^\d{1,4}$/.test(fd ?? ''));
  if (config !== '--config' || file === undefined || !isFd || rest.length > 0)
    throw new OperatorError(USAGE, 'see: portcullis actuator --help', 2);
  return { file, fd: fd === undefined ? null : Number(fd) };
}

try {
  forbidCoreDumps();
  goFirst();
  process.exitCode = await runActuator(optionsOf(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof OperatorError)) throw error;
  process.stderr.write(`portcullis: error: ${error.message}\n`);
  if (error.hint !== undefined) process.stderr.write(`portcullis: hint: ${error.hint}\n`);
  process.exitCode = error.exitCode;
}
// Whatever a library still holds open must not keep a stopped actuator alive.
process.exit();
