/** Ctrl-C while files are written: whole or absent, nothing beside them, and the status that a shell gives. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { LOADER, moduleFile } from '../programs.ts';
import { temporaryDir } from './cluster-files.ts';

const SIZE = 300_000;
const KILLS = 12;

/** A process that writes one file after the other, as commands do, until it is interrupted; its exit code and its files. */
async function interrupted(directory: string, signal: NodeJS.Signals, afterMs: number) {
  const program = join(directory, 'writer.mjs');
  const files = join(directory, 'files');
  mkdirSync(files);
  writeFileSync(
    program,
    `import { createFile, replaceExisting } from ${JSON.stringify(moduleFile('src/daemon/safe-files.ts'))};
import { replaceFile } from ${JSON.stringify(moduleFile('src/daemon/files.ts'))};
import { setImmediate } from 'node:timers/promises';
const bytes = Buffer.alloc(${SIZE}, 'x');
process.stdout.write('ready');
for (let i = 0; ; i++) {
  const path = ${JSON.stringify(files)} + '/' + i % 20;
  if (i < 20) createFile(path, bytes, 0o600);
  else if (i % 2) replaceExisting(path, bytes, 0o600);
  else replaceFile(path, bytes, 0o600);
  await setImmediate();
}
`,
  );
  const child = spawn(process.execPath, [...LOADER, program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.kill(signal);
  const [code, killedBy] = (await ended) as [number | null, string | null];
  return { code, killedBy, files: readdirSync(files).map((name) => ({ name, path: join(files, name) })) };
}

test('files are whole, and none is left beside them, whenever the signal comes', async (t) => {
  let held = 0;
  for (let i = 0; i < KILLS; i++) {
    const [signal, status] = i % 3 === 2 ? (['SIGTERM', 143] as const) : (['SIGINT', 130] as const);
    const { code, killedBy, files } = await interrupted(temporaryDir(t), signal, 5 + 7 * i);
    // Between two writes it ends as any process does.
    assert.ok(code === status || killedBy === signal, `${code} ${killedBy}`);
    held += code === status ? 1 : 0;
    for (const { name, path } of files) {
      assert.match(name, /^\d+$/, `${name} was left`);
      assert.equal(readFileSync(path).length, SIZE, name);
    }
  }
  assert.ok(held > 0, 'no signal came while a file was written');
});
