/**
 * What is in the Debian package and whose it is: the list of components (SBOM, CycloneDX 1.6) and the copyright file, by the lock
 * file and by what was installed. The same input gives the same bytes.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** The packages of the lock file that are there, sorted by name. */
function packagesIn(project, modules) {
  const { packages } = readJson(join(project, 'package-lock.json'));
  return Object.entries(packages)
    .filter(([path]) => path !== '')
    .map(([path, locked]) => ({ path: path.replace(/^node_modules\//, ''), ...locked }))
    .filter(({ path }) => existsSync(join(modules, path, 'package.json')))
    .map((locked) => ({ ...locked, name: locked.path.replace(/^.*node_modules\//, '') }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

const purl = (name, version) => `pkg:npm/${name.replace('@', '%40')}@${version}`;

/** npm's `sha512-BASE64`. */
function hashesOf({ integrity = '' }) {
  const [, content] = /^sha512-(\S+)$/.exec(integrity) ?? [];
  if (content === undefined) return [];
  return [{ alg: 'SHA-512', content: Buffer.from(content, 'base64').toString('hex') }];
}

function sbom(project, modules, version) {
  const own = readJson(join(project, 'package.json'));
  const packages = packagesIn(project, modules);
  const refs = new Map(packages.map(({ name, version: v }) => [name, purl(name, v)]));
  const needs = (names) => Object.keys(names ?? {}).flatMap((name) => refs.get(name) ?? []);
  const root = purl(own.name, version);
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: new Date(Number(process.env.SOURCE_DATE_EPOCH) * 1000).toISOString(),
      component: {
        type: 'application',
        'bom-ref': root,
        name: own.name,
        version,
        description: own.description,
        licenses: [{ license: { id: own.license } }],
        purl: root,
      },
    },
    components: packages.map((locked) => ({
      type: 'library',
      'bom-ref': purl(locked.name, locked.version),
      name: locked.name,
      version: locked.version,
      hashes: hashesOf(locked),
      licenses: [{ license: { id: locked.license } }],
      purl: purl(locked.name, locked.version),
      externalReferences: [{ type: 'distribution', url: locked.resolved }],
    })),
    dependencies: [
      { ref: root, dependsOn: needs(own.dependencies) },
      ...packages.map((locked) => ({
        ref: purl(locked.name, locked.version),
        dependsOn: needs({ ...locked.dependencies, ...locked.optionalDependencies }),
      })),
    ],
  };
  // Named by what it says.
  const digest = createHash('sha256').update(JSON.stringify(document)).digest('hex');
  const uuid = digest.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-5$3-a$4-$5');
  const { bomFormat, specVersion, ...rest } = document;
  return `${JSON.stringify({ bomFormat, specVersion, serialNumber: `urn:uuid:${uuid}`, ...rest }, null, 2)}\n`;
}

/** A text as a field of a control file. */
const field = (text) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`))
    .join('\n');

function licenseOf(directory) {
  const name = readdirSync(directory).find((file) => /^licen[cs]e(\.(md|txt))?$/i.test(file));
  if (name === undefined) return null;
  return readFileSync(join(directory, name), 'utf8').replaceAll('\r', '');
}

/** `whole`: the packages as they came, with their licences. */
function copyright(project, modules, whole) {
  const stanza = (files, license, text, name) => {
    const holders = [...text.matchAll(/^\W*(?:copyright|\(c\))[^\n]*\d{4}[^\n]*$/gim)].map(([line]) =>
      line.replace(/^[\W]*(copyright)?\s*(\(c\)|©)?\s*/i, '').trim(),
    );
    const held = holders.length > 0 ? holders : [`the authors of ${name}`];
    return `Files: ${files}\nCopyright: ${held.join('\n ')}\nLicense: ${license}\n${field(text)}\n`;
  };
  const own = readFileSync(join(project, 'LICENSE'), 'utf8');
  const others = packagesIn(project, modules).map(({ path, name, version, license }) => {
    // A binary of its own package comes under the licence of the package that it belongs to.
    const text =
      licenseOf(join(whole, path)) ?? licenseOf(join(whole, path.replace(/^@koromix\/(koffi).*$/, '$1')));
    if (text === null) throw new Error(`${name} ${version} has no licence text`);
    return stanza(
      `usr/lib/portcullis/node_modules/${path}/*`,
      `${license}-${name.replace(/^.*\//, '')}`,
      text,
      name,
    );
  });
  return [
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: portcullis\n',
    stanza('*', 'MIT', own, 'portcullis'),
    ...others,
  ].join('\n');
}

const [what, ...args] = process.argv.slice(2);
process.stdout.write({ sbom, copyright }[what](...args));
