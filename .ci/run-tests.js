/**
 * `node .ci/run-tests.js REPORT CONCURRENCY FILE...`: runs test files with Node's runner in the order given (its command
 * line would sort them), prints what they say, and writes the same as TAP to REPORT. Exit status 1 when a test failed.
 */
import { createWriteStream } from 'node:fs';
import { run } from 'node:test';
import { spec, tap } from 'node:test/reporters';

const [report = '', concurrency = '1', ...files] = process.argv.slice(2);
const tests = run({ files, concurrency: Number(concurrency) });
tests.on('test:fail', ({ todo }) => {
  if (todo === undefined || todo === false) process.exitCode = 1;
});
tests.compose(tap).pipe(createWriteStream(report));
tests.compose(new spec()).pipe(process.stdout);
