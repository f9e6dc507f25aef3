/**
 * Compiles copies of this project as the build does, but without looking at types, which takes a part of a second: a
 * faulty core then starts as quickly as the real one.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const TSC = join(process.cwd(), 'node_modules/.bin/tsc');
const CONFIG = join(process.cwd(), 'tsconfig.json');

function tsc(directory: string, ...options: readonly string[]): void {
  const maps = ['--sourceMap', 'false', '--inlineSources', 'false'];
  const args = [TSC, '-p', directory, '--noCheck', ...maps, ...options];
  execFileSync(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** `src` and `test` of a copy of the project, to its `dist`. Throws when a file is not even TypeScript. */
export function compileProject(directory: string): void {
  tsc(directory);
}

/** Texts of TypeScript files, each by itself, in their order; all by one run of the compiler. Throws as above. */
export function compileTexts(texts: readonly string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-compile-'));
  try {
    const source = join(directory, 'src');
    mkdirSync(source);
    writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
    const compilerOptions = { rootDir: 'src', outDir: 'out', types: [] };
    writeFileSync(
      join(directory, 'tsconfig.json'),
      JSON.stringify({ extends: CONFIG, compilerOptions, include: ['src'] }),
    );
    for (const [i, text] of texts.entries()) writeFileSync(join(source, `${i}.ts`), text);
    tsc(directory, '--noResolve');
    const written = readdirSync(join(directory, 'out')).filter((name) => name.endsWith('.js')).length;
    if (written !== texts.length) throw new Error(`${written} of ${texts.length} files were compiled`);
    return texts.map((_, i) => readFileSync(join(directory, 'out', `${i}.js`), 'utf8'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
