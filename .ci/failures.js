/**
 * Which tests failed, and why, for whoever reads only the end of what CI prints. `noteFailures` appends each failed or cancelled
 * test to a file as it fails, so that a run which is killed has said what it knew; `node .ci/failures.js FILE...` prints what these
 * files hold: nothing when there is nothing, else at most MAX_LINES lines, and within the last LAST_LINES every test with what
 * it said first, as many as fit there.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect, stripVTControlCharacters } from 'node:util';

const ERROR_LINES = 30;
/** Of these the stack's, even where a message is longer than all of them. */
const STACK_LINES = 5;
const LINE_CHARACTERS = 400;
const MAX_LINES = 200;
/** Room for the count and a warning beneath, within a hundred. */
const LAST_LINES = 95;
/** What a file wrote last on standard error before it ended badly. */
const STDERR_LINES = 25;

/**
 * Listens to a run of `files` (as they were given to it) and appends to `path` a line of JSON for each test that failed: { file,
 * name, error }. A suite that failed only because a test in it did is none.
 */
export function noteFailures(tests, files, path) {
  const names = [];
  let outermost;
  const stderr = new Map();
  // What Node says of what a test did after its end, which fails the file.
  let late = [];
  tests.on('test:stderr', ({ file, message }) => {
    const lines = [...(stderr.get(file) ?? []), ...message.split('\n').filter((line) => line.trim() !== '')];
    stderr.set(file, lines.slice(-STDERR_LINES));
  });
  tests.on('test:diagnostic', ({ message }) => {
    if (/^(Error|Warning): /.test(message)) late = [...late, message].slice(-3);
  });
  tests.on('test:start', ({ name, nesting, file }) => {
    names.splice(nesting, Number.POSITIVE_INFINITY, name);
    if (nesting === 0) outermost = file;
  });
  tests.on('test:fail', ({ name, nesting, file, todo, details: { error } }) => {
    if ((todo !== undefined && todo !== false) || error?.failureType === 'subtestsFailed') return;
    const isFile = nesting === 0 && files.includes(name);
    const failure = isFile
      ? { file: name, name: 'the file itself', error: fileError(error, late, stderr.get(name) ?? []) }
      : // A test that a helper makes is looked for in the file whose suite it stands in.
        {
          file: outermost ?? file,
          name: [...names.slice(0, nesting), name].join(' > '),
          error: lines(error),
        };
    if (isFile) late = [];
    appendFileSync(path, `${JSON.stringify({ ...failure, file: relative('', failure.file) })}\n`);
  });
}

/** Of a file that ended badly outside its tests. */
function fileError({ exitCode, signal }, late, stderr) {
  const how = typeof signal === 'string' ? `was ended by ${signal}` : `ended with status ${exitCode}`;
  const last = stderr.length > 0 ? ['the last of its standard error:', ...stderr] : [];
  return [`it ${how}`, ...late, ...last].slice(0, ERROR_LINES).map(short);
}

/** The first lines of an error: message, with the difference that an assertion found, and stack. */
function lines(wrapped) {
  // The runner's own wrapping says nothing, unless it is what failed: a time limit, a parent that ended first.
  const error = wrapped?.code === 'ERR_TEST_FAILURE' ? (wrapped.cause ?? wrapped) : wrapped;
  const text =
    typeof error === 'string' ? error : inspect(error, { colors: false, breakLength: LINE_CHARACTERS });
  const all = text.split('\n');
  const stack = all.findIndex((line) => /^\s+at /.test(line));
  const message = stack < 0 ? all : all.slice(0, stack);
  const rest = stack < 0 ? [] : all.slice(stack);
  const room = ERROR_LINES - Math.min(rest.length, STACK_LINES);
  const head =
    message.length > room
      ? [...message.slice(0, room - 1), `... ${message.length - room + 1} lines more`]
      : message;
  return [...head, ...rest].slice(0, ERROR_LINES).map(short);
}

function short(line) {
  const plain = stripVTControlCharacters(line).replaceAll('\r', '');
  return plain.length > LINE_CHARACTERS ? `${plain.slice(0, LINE_CHARACTERS - 3)}...` : plain;
}

/** The lines to print of these failures. */
function told(failures) {
  const heading = `${failures.length} failed:`;
  const whole = failures.flatMap(({ file, name, error }) => [
    '',
    short(`${file}: ${name}`),
    ...error.map((line) => short(`  ${line}`)),
  ]);
  if (whole.length < LAST_LINES) return [heading, ...whole];
  // Too much for those who see only the end: there all of them once more, by name and first line.
  const brief = failures.map(({ file, name, error: [first = ''] }) => short(`${file}: ${name}: ${first}`));
  const end = cut(brief, LAST_LINES - 1, 'failed tests more');
  return [heading, ...cut(whole, MAX_LINES - end.length - 3, 'lines more'), '', 'In short:', ...end];
}

function cut(all, room, what) {
  return all.length <= room ? all : [...all.slice(0, room - 1), `... ${all.length - room + 1} ${what}`];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const failures = process.argv
    .slice(2)
    .filter((path) => existsSync(path))
    .flatMap((path) => readFileSync(path, 'utf8').trim().split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  if (failures.length > 0) process.stdout.write(`${told(failures).join('\n')}\n`);
}
