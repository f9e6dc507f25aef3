/** The package as other programs import it: every door opens, nothing happens on the way, and its types are there. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { usualTiming } from 'portcullis';
import { entriesOf, verify } from 'portcullis/audit';
import { verifyRosterFile } from 'portcullis/trust';
import { fullTiming } from '../../src/daemon/config/timing.ts';
import { PROJECT } from '../programs.ts';
import { readText } from '../unit/vectors.ts';
import { madeCluster } from './cluster.ts';

const { exports: doors } = JSON.parse(readText('package.json')) as { exports: { [door: string]: string } };
const NAMES = Object.keys(doors).filter((door) => !door.endsWith('.json'));

/** Another project that has the package installed. */
function project(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-library-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, 'node_modules'));
  symlinkSync(PROJECT.replace(/\/$/, ''), join(dir, 'node_modules/portcullis'));
  symlinkSync(join(PROJECT, 'node_modules/@types'), join(dir, 'node_modules/@types'));
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
  return dir;
}

/** Says what importing a door left behind, and what it exports. */
const IMPORTER = `
const before = { globals: Object.getOwnPropertyNames(globalThis).sort().join(), env: JSON.stringify(process.env) };
const prototypes = [Object, Array, Map, Set, Promise, Function, String, Uint8Array, Date];
const shapes = () => prototypes.map((one) => Object.getOwnPropertyNames(one.prototype).join() + Object.getOwnPropertyNames(one).join()).join('|');
const shapesBefore = shapes();
const listeners = () => process.eventNames().map((name) => String(name) + process.listenerCount(name)).sort().join();
const listenersBefore = listeners();
const umask = process.umask();
const library = await import(process.argv[1]);
const left = [];
if (Object.getOwnPropertyNames(globalThis).sort().join() !== before.globals) left.push('globals');
if (JSON.stringify(process.env) !== before.env) left.push('environment');
if (shapes() !== shapesBefore) left.push('prototypes');
if (listeners() !== listenersBefore) left.push('listeners');
if (process.umask() !== umask || process.exitCode !== undefined) left.push('process');
left.push(...process.getActiveResourcesInfo().filter((kind) => !/^(PipeWrap|TTYWrap|CloseReq|FSReqPromise)$/.test(kind)));
console.log(JSON.stringify({ left, names: Object.keys(library) }));
`;

test('each door opens in a bare process: no global, listener, handle or socket is left, and the process ends', (t) => {
  const dir = project(t);
  assert.deepEqual(NAMES, ['.', './core', './wire', './trust', './audit', './ahead']);
  for (const door of NAMES) {
    const name = door.replace(/^\./, 'portcullis');
    const done = spawnSync(process.execPath, ['--input-type=module', '-e', IMPORTER, name], {
      cwd: dir,
      encoding: 'utf8',
      timeout: 20_000,
    });
    assert.equal(done.status, 0, `${name}: ${done.stderr}`);
    assert.equal(done.stderr, '', name);
    const { left, names } = JSON.parse(done.stdout) as { left: string[]; names: string[] };
    assert.deepEqual(left, [], name);
    assert.ok(names.length >= 4, name);
  }
});

test('what is behind no door is not to be had', (t) => {
  const dir = project(t);
  const done = spawnSync(process.execPath, ['-e', "import('portcullis/dist/src/linux/libc.js')"], {
    cwd: dir,
    encoding: 'utf8',
  });
  assert.notEqual(done.status, 0);
  assert.match(done.stderr, /ERR_PACKAGE_PATH_NOT_EXPORTED/);
});

test('the types are the package’s own: another project compiles against them, and wrong use does not', (t) => {
  const dir = project(t);
  const options = {
    module: 'NodeNext',
    moduleResolution: 'NodeNext',
    target: 'ES2023',
    strict: true,
    noEmit: true,
    types: ['node'],
  };
  writeFileSync(
    join(dir, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, files: ['types.ts'] }),
  );
  cpSync(join(PROJECT, 'test/library/types.ts'), join(dir, 'types.ts'));
  const compiled = (): { status: number | null; stdout: string } =>
    spawnSync(process.execPath, [join(PROJECT, 'node_modules/typescript/bin/tsc'), '-p', dir], {
      encoding: 'utf8',
    });
  const good = compiled();
  assert.equal(good.status, 0, good.stdout);
  const text = readFileSync(join(dir, 'types.ts'), 'utf8');
  writeFileSync(join(dir, 'types.ts'), text.replace('const due: number | null', 'const due: string'));
  const bad = compiled();
  assert.notEqual(bad.status, 0);
  assert.match(bad.stdout, /types\.ts\(\d+,\d+\): error TS2322/);
});

test('every name of the pages is exported where the pages say, and every exported name is on them', async () => {
  const page = readText('spec/library.md');
  for (const door of NAMES) {
    const name = door.replace(/^\./, 'portcullis');
    const section = new RegExp(`^## \`${name}\`\\n([\\s\\S]*?)(?=^## |$(?![\\s\\S]))`, 'm').exec(page)?.[1];
    assert.ok(section !== undefined, `${name} has no section`);
    const exported = Object.keys((await import(name)) as object);
    const told = new Set([...section.matchAll(/`([A-Za-z_]\w*)[`(]/g)].map(([, word]) => word));
    const missing = exported.filter((word) => !told.has(word));
    assert.deepEqual(missing, [], `${name}: not on the page`);
  }
});

test('the times are those of a configuration file with that interval', () => {
  for (const intervalMs of [10, 200, 1000, 60_000]) {
    const { stallMs, ...timing } = fullTiming({ interval: intervalMs } as Parameters<typeof fullTiming>[0]);
    assert.deepEqual(usualTiming(intervalMs), timing);
    assert.ok(stallMs > 0);
  }
  assert.throws(() => usualTiming(0), RangeError);
});

test('keys and roster made with the library are read by it; a changed byte is refused; an empty log proves nothing', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-library-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const { rosterFile, roster } = madeCluster(dir, { a: '10.88.1.11:7946', b: '10.88.1.12:7946' });
  const bytes = readFileSync(rosterFile);
  const [admin] = roster.body.admins;
  assert.ok(admin !== undefined);
  const read = verifyRosterFile(bytes, admin);
  assert.deepEqual(read.ok ? read.roster.members.map(({ name }) => name) : read.reason, ['a', 'b']);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  assert.equal(verifyRosterFile(bytes, admin).ok, false);
  const verdict = verify(
    [{ path: 'log', segments: new Map([['0.log', new Uint8Array([1, 2, 3])]]) }],
    roster,
  );
  assert.equal(verdict.ok, false);
  assert.deepEqual([...entriesOf(new Uint8Array([1, 2, 3]), roster)], []);
});
