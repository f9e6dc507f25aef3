/** The Debian package as `npm run package` builds it, once for all tests of a build; and the same under another version. */
import { existsSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { must } from '../lab/process.ts';
import { PROJECT } from '../programs.ts';

const LIMIT_MS = 600_000;
const BUILT = join(PROJECT, 'dist/.built');

/** Builds from that checkout; `environment`: besides this process's own. Resolves with the package's path. */
export async function buildPackage(
  out: string,
  project = PROJECT,
  environment: readonly string[] = [],
): Promise<string> {
  const words = ['env', ...environment, 'bash', join(project, 'systemd/debian/build'), '--out', out];
  return (await must(words, '', LIMIT_MS)).trim();
}

/** The package of what is built now, which another test may have made already; nobody may change it. */
export async function sharedPackage(): Promise<string> {
  const target = join(PROJECT, 'dist/package', String(Math.floor(statSync(BUILT).mtimeMs)));
  if (!existsSync(target)) {
    await rm(dirname(target), { recursive: true, force: true });
    await mkdir(dirname(target), { recursive: true });
    const making = await mkdtemp(join(dirname(target), 'making-'));
    await buildPackage(making);
    // Another test may have been quicker; then its package serves as well.
    await rename(making, target).catch(() => undefined);
  }
  const deb = (await readdir(target)).find((name) => name.endsWith('.deb'));
  if (deb === undefined) throw new Error(`there is no package in ${target}`);
  return join(target, deb);
}

/** The same package in that directory, saying that it is of another version; as light to unpack as can be. */
export async function withVersion(deb: string, version: string, out: string): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'portcullis-deb-'));
  try {
    await must(['dpkg-deb', '-R', deb, join(root, 'root')], '', LIMIT_MS);
    const control = join(root, 'root/DEBIAN/control');
    const text = await readFile(control, 'utf8');
    await writeFile(control, text.replace(/^Version: .*$/m, `Version: ${version}`));
    const path = join(out, basename(deb).replace(/_[^_]+_/, `_${version}_`));
    await must(['dpkg-deb', '--root-owner-group', '-Znone', '-b', join(root, 'root'), path], '', LIMIT_MS);
    return path;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
