/**
 * The Debian package and the npm package: the same bytes from two places, nothing to complain of, all in it that belongs there, told
 * in its list of components, and programs that run.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { BOOT_FILES } from '../../src/linux/uplink/boot-files.ts';
import { must, run } from '../lab/process.ts';
import { boxesOf, typedOf, wordsOf } from '../pages.ts';
import { PROJECT } from '../programs.ts';
import { buildPackage } from './builder.ts';

const skip = spawnSync('dpkg-deb', ['--version']).error !== undefined ? 'needs dpkg-deb' : false;
const work = mkdtempSync(join(tmpdir(), 'portcullis-package-'));
after(() => rmSync(work, { recursive: true, force: true }));

const SOURCES = [
  'src',
  'test',
  'spec',
  'systemd',
  'keys',
  'LICENSE',
  'README.md',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];
const epoch = must(['git', '-C', PROJECT, 'log', '-1', '--format=%ct']).then((text) => text.trim());

/** The sources at another place, built there at another time of day by somebody with other habits. */
async function elsewhere(): Promise<string> {
  const copy = join(work, 'somewhere/quite else');
  mkdirSync(copy, { recursive: true });
  for (const name of SOURCES) cpSync(join(PROJECT, name), join(copy, name), { recursive: true });
  symlinkSync(join(PROJECT, 'node_modules'), join(copy, 'node_modules'));
  const habits = [`SOURCE_DATE_EPOCH=${await epoch}`, 'TZ=Asia/Tokyo', 'LANG=C.UTF-8', 'LC_ALL=C.UTF-8'];
  return buildPackage(join(work, 'second'), copy, habits);
}

const built =
  skip === false ? Promise.all([buildPackage(join(work, 'first')), elsewhere()]) : Promise.resolve(['', '']);
built.catch(() => undefined);
const unpacked = built.then(async ([deb = '']) => {
  const root = join(work, 'root');
  await must(['dpkg-deb', '-x', deb, root]);
  return root;
});
unpacked.catch(() => undefined);

test('two builds in two places give the same bytes, the list of components too', { skip }, async () => {
  const [first = '', second = ''] = await built;
  assert.notEqual(first, second);
  assert.ok(readFileSync(first).equals(readFileSync(second)), 'see diffoscope');
  const list = (deb: string): Buffer => readFileSync(deb.replace(/\.deb$/, '.cdx.json'));
  assert.ok(list(first).equals(list(second)));
});

test('lintian finds no error', {
  skip: skip || (spawnSync('lintian', ['--version']).error !== undefined && 'needs lintian'),
}, async () => {
  const [deb = ''] = await built;
  const { code, stdout, stderr } = await run(
    ['lintian', '--allow-root', '--fail-on', 'error', deb],
    '',
    600_000,
  );
  assert.equal(code, 0, stdout + stderr);
  assert.doesNotMatch(stdout, /^E:/m);
});

test('what is in it: all root’s, fixed modes, all units, pages and completions; nothing that is not run', {
  skip,
}, async () => {
  const [deb = ''] = await built;
  const lines = (await must(['dpkg-deb', '-c', deb])).trimEnd().split('\n');
  const stamp = new Set(lines.map((line) => line.split(/\s+/).slice(3, 5).join(' ')));
  assert.equal(stamp.size, 1, 'one time for all');
  for (const line of lines)
    assert.match(line, /^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x|lrwxrwxrwx) root\/root /, line);
  const paths = lines.map((line) => line.replace(/^(\S+\s+){5}\.\//, ''));
  const units = readdirSync(join(PROJECT, 'systemd')).filter((name) => /\.(service|socket)$/.test(name));
  for (const path of [
    'usr/bin/portcullis -> ../lib/portcullis/dist/src/cli/portcullis.js',
    ...units.map((unit) => `usr/lib/systemd/system/${unit}`),
    'usr/lib/sysusers.d/portcullis.conf',
    'usr/lib/tmpfiles.d/portcullis.conf',
    'usr/share/doc/portcullis/examples/portcullis.toml',
    'usr/share/doc/portcullis/portcullis.cdx.json',
    'usr/share/man/man1/portcullis.1.gz',
    'usr/share/man/man5/portcullis.toml.5.gz',
    'usr/share/man/man7/portcullis-protocol.7.gz',
    'usr/share/bash-completion/completions/portcullis',
    'usr/share/zsh/vendor-completions/_portcullis',
  ])
    assert.ok(paths.includes(path), path);
  for (const path of paths) {
    assert.doesNotMatch(path, /musl|\.(map|ts|md\.ts)$|typescript|biome|fast-check|\/test\/|^etc\/./, path);
    assert.match(path, /^$|^usr\//, path);
  }
  const root = await unpacked;
  // Where the example, and what `init` writes, look for it.
  const [, schema = ''] =
    /^#:schema (\/\S+)$/m.exec(readFileSync(join(PROJECT, 'systemd/portcullis.toml'), 'utf8')) ?? [];
  assert.equal((JSON.parse(readFileSync(join(root, schema), 'utf8')) as { type: string }).type, 'object');
  // Whoever has the file may run what begins so.
  const main = join(root, 'usr/lib/portcullis/dist/src/cli/portcullis.js');
  assert.equal((await must(['stat', '-c', '%a', main])).trim(), '755');
});

test('the list of components names what is there, no more and no less, by checksum and licence', {
  skip,
}, async () => {
  const root = await unpacked;
  interface Component {
    readonly name: string;
    readonly version: string;
    readonly purl: string;
    readonly hashes: readonly { readonly alg: string; readonly content: string }[];
    readonly licenses: readonly { readonly license: { readonly id: string } }[];
  }
  const sbom = JSON.parse(
    readFileSync(join(root, 'usr/share/doc/portcullis/portcullis.cdx.json'), 'utf8'),
  ) as {
    readonly bomFormat: string;
    readonly serialNumber: string;
    readonly components: readonly Component[];
    readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
  };
  assert.equal(sbom.bomFormat, 'CycloneDX');
  assert.match(
    sbom.serialNumber,
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  const modules = join(root, 'usr/lib/portcullis/node_modules');
  const found = readdirSync(modules, { recursive: true, encoding: 'utf8' })
    .filter((path) => /^(@[^/]+\/)?[^/@]+\/package\.json$/.test(path))
    .map((path) => JSON.parse(readFileSync(join(modules, path), 'utf8')) as { name: string; version: string })
    .map(({ name, version }) => `${name} ${version}`);
  assert.deepEqual(
    sbom.components.map(({ name, version }) => `${name} ${version}`).toSorted(),
    found.toSorted(),
  );
  assert.ok(found.some((name) => name.startsWith('@koromix/koffi-linux-')));
  for (const { purl, hashes, licenses } of sbom.components) {
    assert.match(hashes[0]?.content ?? '', /^[0-9a-f]{128}$/, purl);
    assert.match(licenses[0]?.license.id ?? '', /^(MIT|ISC|BSD-3-Clause|Apache-2\.0)$/, purl);
  }
  const refs = new Set(sbom.dependencies.map(({ ref }) => ref));
  for (const { dependsOn } of sbom.dependencies) for (const ref of dependsOn) assert.ok(refs.has(ref), ref);
  const copyright = readFileSync(join(root, 'usr/share/doc/portcullis/copyright'), 'utf8');
  for (const { name } of sbom.components)
    assert.match(copyright, new RegExp(`^Files: usr/lib/portcullis/node_modules/${name}/\\*$`, 'm'), name);
});

test('the programs run from there: commands, codec, signatures, the system’s calls', { skip }, async () => {
  const root = await unpacked;
  const program = join(root, 'usr/bin/portcullis');
  const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { version: string };
  assert.equal((await must([program, '--version'])).trim(), version);
  const key = join(work, 'k.key');
  await must([program, 'key', 'generate', '--out', key]);
  await must([program, 'cluster', 'init', 'dmz', '--admin-key', key, '--out', join(work, 'r.cose')]);
  await must([program, 'cluster', 'verify', join(work, 'r.cose'), '--admin', `${key}.pub`]);
  const libc = join(root, 'usr/lib/portcullis/dist/src/linux/libc.js');
  const code = `import { rawNowMs, requireLibc } from ${JSON.stringify(libc)}; requireLibc(); process.stdout.write(String(rawNowMs() > 0));`;
  assert.equal(await must([process.execPath, '--input-type=module', '-e', code]), 'true');
  // Every file of ours finds all that it imports.
  const dist = join(root, 'usr/lib/portcullis/dist/src');
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.js'),
  );
  const runs =
    /^(cli\/portcullis|daemon\/actuator-main|daemon\/config\/print-table|linux\/remote\/checker)\.js$/;
  const all = files
    .filter((path) => !runs.test(path))
    .map((path) => `await import(${JSON.stringify(join(dist, path))});`);
  assert.ok(all.length > 200);
  await must(
    [process.execPath, '--input-type=module', '-e', `${all.join('\n')}\nprocess.exit(0);`],
    '',
    60_000,
  );
});

test('the removal knows the files that `uplink provision` writes, and the mark in them', () => {
  const script = readFileSync(join(PROJECT, 'systemd/debian/postrm'), 'utf8');
  for (const path of BOOT_FILES) assert.match(script, new RegExp(`^(PROVISIONED=')?${path}'?$`, 'm'));
  const source = readFileSync(join(PROJECT, 'src/linux/uplink/boot-files.ts'), 'utf8');
  const [, mark = ''] = /^const MARK = '(.*)';$/m.exec(source) ?? [];
  assert.ok(mark.length > 20 && script.includes(`MARK='${mark}'`));
});

test('the page’s lines for npm: what is packed, and a program that runs when it was installed off the network', async () => {
  const [pack = [], install = []] = boxesOf(import.meta.filename, 'spec/installation.md')
    .flatMap(({ lines }) => lines)
    .map((line) => wordsOf(typedOf(line)));
  const packed = JSON.parse(
    await must([...pack, '--json', '--pack-destination', work, PROJECT], '', 120_000),
  ) as {
    readonly filename: string;
    readonly files: readonly { readonly path: string; readonly mode: number }[];
  }[];
  const paths = packed[0]?.files.map(({ path }) => path) ?? [];
  for (const path of [
    'LICENSE',
    'README.md',
    'node_modules/koffi/package.json',
    'dist/src/cli/portcullis.js',
    'systemd/portcullis.service',
    'spec/protocol.md',
  ])
    assert.ok(paths.includes(path), path);
  for (const path of paths)
    assert.doesNotMatch(
      path,
      /^(dist\/test|test|node_modules\/(typescript|@biomejs|fast-check)|\.ci)\/|\.key$/,
      path,
    );
  const prefix = join(work, 'prefix');
  const name = packed[0]?.filename ?? '';
  assert.ok(install.includes(`./${name}`), install.join(' '));
  const typed = install.map((word) => (word === `./${name}` ? join(work, name) : word));
  // Off the network, and beside this machine's own programs.
  const apart = [
    '--offline',
    '--cache',
    join(work, 'no-cache'),
    '--no-audit',
    '--no-fund',
    '--prefix',
    prefix,
  ];
  await must([...typed, ...apart], '', 120_000);
  const dist = join(prefix, 'lib/node_modules/portcullis/dist/src');
  const maps = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.map'),
  );
  assert.ok(maps.length > 200);
  for (const path of maps) {
    const map = JSON.parse(readFileSync(join(dist, path), 'utf8')) as { sourcesContent?: readonly unknown[] };
    const [source] = map.sourcesContent ?? [];
    assert.ok(typeof source === 'string', `${path} leads to a source that is not in the package`);
  }
  const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { version: string };
  assert.equal((await must([join(prefix, 'bin/portcullis'), '--version'])).trim(), version);
  await must([join(prefix, 'bin/portcullis'), 'key', 'generate', '--out', join(work, 'n.key')]);
});
