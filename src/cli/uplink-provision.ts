/**
 * `portcullis uplink provision`: writes, updates or removes the files that keep uplinks down from boot on. All is judged and
 * shown before the first is written; each is written whole or not at all; what somebody else wrote is left alone.
 */
import { lstatSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { actuatorConfig } from '../daemon/config/actuator-config.ts';
import { holdSignals } from '../daemon/interrupt.ts';
import { createFile, readWhole, replaceExisting } from '../daemon/safe-files.ts';
import {
  BOOT_FILES,
  type BootFile,
  bootFiles,
  isOurs,
  MANAGER_FILE,
  MODPROBE_FILE,
  NETWORKD_FILE,
  UDEV_FILE,
  UNIT_FILE,
} from '../linux/uplink/boot-files.ts';
import { bootHost } from '../linux/uplink/boot-host.ts';
import { REMAKE_WORDS, remakeInitramfs } from '../linux/uplink/initramfs.ts';
import { refuseUnusable } from '../linux/uplink/inspect.ts';
import { Sysfs } from '../linux/uplink/sysfs.ts';
import { OperatorError } from '../trust/errors.ts';
import { unifiedDiff } from './diff.ts';
import type { CommandIo } from './io.ts';
import { jsonLine } from './json-line.ts';
import { withProgress } from './progress.ts';
import { settingsOf } from './settings.ts';

export interface ProvisionOptions {
  readonly config: string;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly remove?: true;
  readonly group?: string;
  readonly updateInitramfs?: true;
  readonly root: string;
  readonly json?: true;
}

interface Change {
  /** As on the provisioned system. */
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

const FILE_MAX_BYTES = 64 * 1024;
const MODE = 0o644;

/** Shows what would change below `root`, asks, and writes each file whole, or takes away what it wrote. Throws OperatorError. */
export async function provision(io: CommandIo, options: ProvisionOptions): Promise<void> {
  const { root } = options;
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new OperatorError(`${root}: no such directory`, 'mount the system there', 2);
  if (options.group !== undefined && !/^[a-z_][a-z0-9_-]{0,31}$/.test(options.group))
    throw new OperatorError(`${JSON.stringify(options.group)} is no group name`, 'see getent group', 2);
  // What is removed stands in the files themselves: a broken configuration does not hold that up.
  const wanted = options.remove ? [] : wantedFiles(options);
  const changes = changesTo(root, new Map(wanted.map(({ path, text }) => [path, text])));
  show(io, changes, options.json === true);
  if (options.dryRun) {
    io.err('dry run: nothing was changed\n');
    return;
  }
  if (changes.length === 0) io.err('nothing to change\n');
  else {
    confirm(io, options);
    // All or none: a module that is kept out while its unit may not load it yet would be half a change.
    holdSignals();
    for (const change of changes) make(root, change);
    tell(io, options, changes);
  }
  const isWanted = wanted.some(({ path }) => path === MODPROBE_FILE);
  // Asked for, also where an earlier run has written the file already.
  const isAsked = options.updateInitramfs === true && isWanted;
  if (isAsked || changes.some(({ path }) => path === MODPROBE_FILE)) await remake(io, options, isWanted);
}

function wantedFiles(options: ProvisionOptions): BootFile[] {
  const { root, group = null } = options;
  const settings = settingsOf(options);
  // Of another system's devices nothing can be seen here.
  if (isThisHost(root)) refuseUnusable(actuatorConfig(settings, []));
  const services = settings.services.map((service) => service.gateway);
  return bootFiles(services, bootHost(root, new Sysfs(), group));
}

function isThisHost(root: string): boolean {
  return resolve(root) === '/';
}

function changesTo(root: string, wanted: ReadonlyMap<string, string>): Change[] {
  const changes: Change[] = [];
  for (const path of BOOT_FILES) {
    const place = join(root, path);
    const before = fileAt(place);
    const after = wanted.get(path) ?? null;
    if (before === after || (before !== null && after === null && !isOurs(before))) continue;
    if (before !== null && !isOurs(before))
      throw new OperatorError(
        `${place}: was not written by this command`,
        'nothing is overwritten: move it away, or add its lines to another file',
      );
    changes.push({ path, before, after });
  }
  return changes;
}

/** What stands there; null: nothing. A link is somebody else's, wherever it leads. */
function fileAt(place: string): string | null {
  const found = lstatSync(place, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (!found.isFile())
    throw new OperatorError(
      `${place}: is a link, or no regular file`,
      'move it away: nothing is overwritten',
    );
  return readWhole(place, FILE_MAX_BYTES).toString('utf8');
}

function show(io: CommandIo, changes: readonly Change[], json: boolean): void {
  if (json) io.out(jsonLine({ changes }));
  else for (const { path, before, after } of changes) io.out(unifiedDiff(path, before, after));
}

function confirm(io: CommandIo, { yes, root }: ProvisionOptions): void {
  if (yes) return;
  const answer = io.askLine?.(`make these changes under ${root}? type yes: `) ?? null;
  if (answer === 'yes') return;
  throw new OperatorError(
    answer === null ? 'no terminal to ask on; nothing was changed' : 'not confirmed; nothing was changed',
    'look at the difference with --dry-run, then give --yes',
  );
}

function make(root: string, { path, before, after }: Change): void {
  const place = join(root, path);
  if (after === null) {
    rmSync(place, { force: true });
    return;
  }
  try {
    mkdirSync(dirname(place), { recursive: true });
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new OperatorError(`${dirname(place)}: cannot be made (${code})`, 'run this as root');
  }
  const bytes = Buffer.from(after);
  if (before === null) createFile(place, bytes, MODE);
  else replaceExisting(place, bytes, MODE);
}

/** What makes the running system see the new files. */
const RELOADS: { readonly [path: string]: string } = {
  [UDEV_FILE]: 'udevadm control --reload (for cards and drivers that are there already the next boot alone)',
  [NETWORKD_FILE]: 'networkctl reload',
  [MANAGER_FILE]: 'nmcli general reload conf',
  [UNIT_FILE]: 'systemctl daemon-reload; systemctl try-restart portcullis portcullis-actuator',
};

function tell(io: CommandIo, { root }: ProvisionOptions, changes: readonly Change[]): void {
  for (const { path, before, after } of changes)
    io.err(`${after === null ? 'removed' : before === null ? 'written' : 'updated'} ${join(root, path)}\n`);
  const reloads = changes.flatMap(({ path }) => RELOADS[path] ?? []);
  if (isThisHost(root) && reloads.length > 0)
    io.err(`portcullis: hint: now, or at the next boot: ${reloads.join('; ')}\n`);
}

/** `isWanted`: the initial file systems shall have the file that keeps modules out; else they shall have it no more. */
async function remake(io: CommandIo, options: ProvisionOptions, isWanted: boolean): Promise<void> {
  const isHere = isThisHost(options.root);
  if (!options.updateInitramfs || !isHere) {
    const where = isHere ? '' : ' in that system';
    io.err(
      `portcullis: hint: the initial file system has modprobe.d of its own: run ${REMAKE_WORDS.join(' ')}${where}, or give --update-initramfs\n`,
    );
    return;
  }
  const images = await withProgress('making the initial file systems anew', () => remakeInitramfs(isWanted));
  if (images.length === 0)
    io.err('portcullis: hint: there is no initial file system in /boot: none was made\n');
  for (const image of images) io.err(`made anew ${image}\n`);
}
