/**
 * `node .ci/run-tests.js REPORT CONCURRENCY FILE...`: runs test files with Node's runner in the order given (its command
 * line would sort them), prints what they say, writes the same as TAP to REPORT and what failed to REPORT.failures (failures.js). Exit
 * status 1 when a test failed. Whoever ends it ends the files that run.
 */
import { createWriteStream } from 'node:fs';
import { run } from 'node:test';
import { spec, tap } from 'node:test/reporters';
import { noteFailures } from './failures.js';

const [report = '', concurrency = '1', ...files] = process.argv.slice(2);
const ending = new AbortController();
for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.once(name, () => ending.abort());
const tests = run({ files, concurrency: Number(concurrency), signal: ending.signal });
tests.on('test:fail', ({ todo }) => {
  if (todo === undefined || todo === false) process.exitCode = 1;
});
noteFailures(tests, files, `${report}.failures`);
tests.compose(tap).pipe(createWriteStream(report));
tests.compose(new spec()).pipe(process.stdout);
