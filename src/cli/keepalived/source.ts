/**
 * The lines of a keepalived configuration as keepalived itself would take them: without comments, with included files in
 * their place, conditions judged and definitions put in. Reads files and nothing else; runs nothing. All is bounded, and
 * what goes wrong is an OperatorError with file and line.
 */
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { printable } from '../../audit/words.ts';
import { readWhole } from '../../daemon/safe-files.ts';
import { OperatorError } from '../../trust/errors.ts';
import { Definitions } from './definitions.ts';
import { nameMatcher } from './glob.ts';

export interface Place {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
}

export interface SourceLine extends Place {
  /** Not empty. */
  readonly text: string;
}

/** What was read, and what had to be passed over. */
export interface Source {
  readonly lines: readonly SourceLine[];
  /** Lines with `@`: they were judged by `configId`. */
  readonly conditions: readonly Place[];
  /** Includes that name no file. */
  readonly missing: readonly (Place & { readonly pattern: string })[];
}

const FILE_MAX_BYTES = 256 * 1024;
const LINE_MAX_CHARACTERS = 4096;
const FILES_MAX = 64;
const DEPTH_MAX = 8;
const LINES_MAX = 50_000;

/** Throws at a place, in the words of an operator. */
export function refuse({ file, line }: Place, what: string, hint: string): never {
  throw new OperatorError(printable(`${file}:${line}: ${what}`), hint);
}

/** Reads `file` and what it includes. `configId`: what `@` conditions are compared with (keepalived's -i). Throws OperatorError. */
export function readSource(file: string, configId: string): Source {
  return new Reader(configId).read(file);
}

class Reader {
  readonly #configId: string;
  readonly #definitions: Definitions;
  readonly #lines: SourceLine[] = [];
  readonly #conditions: Place[] = [];
  readonly #missing: (Place & { pattern: string })[] = [];
  /** Files that are being read, the innermost last. */
  readonly #open: string[] = [];
  #files = 0;
  #taken = 0;

  constructor(configId: string) {
    this.#configId = configId;
    this.#definitions = new Definitions(configId);
  }

  read(file: string): Source {
    this.#file(file, null);
    return { lines: this.#lines, conditions: this.#conditions, missing: this.#missing };
  }

  #file(file: string, from: Place | null): void {
    const real = existsSync(file) ? realpathSync(file) : resolve(file);
    if (from !== null && this.#open.includes(real))
      refuse(from, `includes ${file}, which is being read already`, 'take the include out of one of the two');
    if (++this.#files > FILES_MAX || this.#open.length >= DEPTH_MAX)
      refuse(
        from ?? { file, line: 1 },
        `more than ${FILES_MAX} files, or ${DEPTH_MAX} within each other`,
        'put what is needed into one file',
      );
    const bytes = readWhole(file, FILE_MAX_BYTES);
    if (bytes.includes(0))
      refuse({ file, line: 1 }, 'holds bytes that are no text', 'name the configuration of keepalived');
    this.#open.push(real);
    this.#text(bytes.toString('utf8'), file);
    this.#open.pop();
  }

  #text(text: string, file: string): void {
    /** A definition that goes on over several lines, and where it began. */
    let growing: { readonly name: string; readonly lines: string[]; readonly place: Place } | null = null;
    const raw = text.split('\n');
    for (const [i, whole] of raw.entries()) {
      const place = { file, line: i + 1 };
      if (whole.length > LINE_MAX_CHARACTERS)
        refuse(place, `a line of more than ${LINE_MAX_CHARACTERS} characters`, 'cut it into several');
      const { text: bare, goesOn } = withoutComment(whole.replace(/\r$/, ''), place);
      if (growing !== null) {
        if (bare !== '') growing.lines.push(bare);
        if (goesOn) continue;
        this.#definitions.set(growing.name, growing.lines);
        growing = null;
        continue;
      }
      if (bare === '') continue;
      const [, condition = '', begun = bare] = /^(@\S+[ \t]+)?(.*)$/s.exec(bare) ?? [];
      const opening = goesOn ? /^\$([A-Za-z_]\w*)=[ \t]*(.*)$/.exec(begun) : null;
      if (opening !== null) {
        const [, name = '', first = ''] = opening;
        const holds = condition === '' || this.#holds(condition.trim(), place);
        growing = { name: holds ? name : '', lines: first === '' ? [] : [first], place };
        continue;
      }
      this.#line(bare, place, 0);
    }
    if (growing !== null)
      refuse(
        growing.place,
        `the definition of $${growing.name} has no end`,
        'its last line has no \\ at its end',
      );
  }

  /** One line, conditions and definitions still in it. `depth`: definitions within definitions. */
  #line(given: string, place: Place, depth: number): void {
    if (++this.#taken > LINES_MAX || depth > DEPTH_MAX)
      refuse(place, 'definitions that grow without end', 'write out what they stand for');
    let text = given;
    // A replaced definition may begin with a condition, and that may stand before a definition.
    for (let round = 0; round < DEPTH_MAX; round++) {
      const [, condition, rest] = /^(@\S+)(?:[ \t]+(.*))?$/s.exec(text) ?? [];
      if (condition !== undefined) {
        if (!this.#holds(condition, place) || rest === undefined || rest === '') return;
        text = rest;
        continue;
      }
      const [, name, value] = /^\$([A-Za-z_]\w*)=[ \t]*(.*)$/s.exec(text) ?? [];
      if (name !== undefined && value !== undefined) {
        this.#definitions.set(name, [value]);
        return;
      }
      const [, pattern] = /^include[rmwba]?[ \t]+(.+)$/.exec(text) ?? [];
      if (pattern !== undefined) {
        this.#include(pattern, place);
        return;
      }
      if (/^~(SEQ|LST)/.test(text))
        refuse(place, '~SEQ and ~LST are not read here', 'write out the lines that they make');
      const lines = this.#definitions.putIn(text, dirname(place.file));
      if (lines === null) {
        refuse(place, 'definitions that grow without end', 'write out what they stand for');
      }
      const [first = '', ...more] = lines;
      if (more.length > 0) {
        for (const line of lines) if (line.trim() !== '') this.#line(line.trim(), place, depth + 1);
        return;
      }
      if (first === text) break;
      text = withoutComment(first, place).text;
      if (text === '') return;
    }
    this.#lines.push({ ...place, text });
  }

  #holds(condition: string, place: Place): boolean {
    this.#conditions.push(place);
    const isNot = condition.startsWith('@^');
    return (condition.slice(isNot ? 2 : 1) === this.#configId) !== isNot;
  }

  #include(written: string, place: Place): void {
    const pattern = written.trim().replace(/^"(.*)"$/, '$1');
    if (/[{}]/.test(pattern))
      refuse(place, 'braces in the name of an included file are not read here', 'name the files one by one');
    const files = matching(resolve(dirname(place.file), pattern));
    if (files.length === 0) this.#missing.push({ ...place, pattern: printable(pattern) });
    for (const file of files) this.#file(file, place);
  }
}

/** Without comment and blanks around; `goesOn`: it ended with a backslash. */
function withoutComment(line: string, place: Place): { text: string; goesOn: boolean } {
  let out = '';
  let isQuoted = false;
  for (let i = 0; i < line.length; i++) {
    const char = line[i] ?? '';
    const next = line[i + 1];
    if (char === '\\') {
      if (next === undefined || line.slice(i + 1).trim() === '') return { text: out.trim(), goesOn: true };
      // Outside quotes `\#` and `\!` are the characters themselves; all else is kept as it stands.
      out += !isQuoted && (next === '#' || next === '!') ? next : char + next;
      i++;
      continue;
    }
    if (char === '"') isQuoted = !isQuoted;
    if (!isQuoted && (char === '#' || char === '!')) break;
    out += char;
  }
  if (isQuoted) refuse(place, 'a quotation that does not end', 'close it with "');
  return { text: out.trim(), goesOn: false };
}

/** Files of a path whose parts may have `*`, `?` and `[...]`, sorted; hidden ones only where the pattern says so. */
function matching(path: string): string[] {
  let found = ['/'];
  for (const part of path.split('/').filter((p) => p !== '')) {
    if (!/[*?[]/.test(part)) found = found.map((at) => join(at, part)).filter((at) => existsSync(at));
    else
      found = found.flatMap((at) =>
        entries(at)
          .filter(nameMatcher(part))
          .map((name) => join(at, name)),
      );
    found = found.slice(0, FILES_MAX + 1);
  }
  return found;
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}
