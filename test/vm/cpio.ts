/** Writes an initramfs: a cpio archive in the "newc" format, the one that the kernel unpacks (its documentation: buffer-format). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CpioEntry {
  /** Path inside the archive, without a leading slash. */
  readonly name: string;
  /** Type and permission bits, as of `stat`. */
  readonly mode: number;
  readonly content: Buffer;
}

const DIRECTORY = 0o040755;

export function directory(name: string): CpioEntry {
  return { name, mode: DIRECTORY, content: Buffer.alloc(0) };
}

export function program(name: string, content: Buffer | string): CpioEntry {
  return { name, mode: 0o100755, content: Buffer.from(content) };
}

/** A directory of regular files and all below it, under that name. */
export function tree(source: string, name: string): CpioEntry[] {
  const entries = [directory(name)];
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    const from = join(source, entry.name);
    const to = `${name}/${entry.name}`;
    if (entry.isDirectory()) entries.push(...tree(from, to));
    else if (entry.isFile()) entries.push({ name: to, mode: 0o100644, content: readFileSync(from) });
  }
  return entries;
}

/** The archive. Parents must come before what is in them. */
export function cpio(entries: readonly CpioEntry[]): Buffer {
  const parts = entries.map((entry, i) => record(entry, i + 1));
  return Buffer.concat([...parts, record({ name: 'TRAILER!!!', mode: 0, content: Buffer.alloc(0) }, 0)]);
}

function record({ name, mode, content }: CpioEntry, inode: number): Buffer {
  const links = mode === DIRECTORY ? 2 : 1;
  const fields = [inode, mode, 0, 0, links, 0, content.length, 0, 0, 0, 0, name.length + 1, 0];
  const header = `070701${fields.map((value) => value.toString(16).padStart(8, '0')).join('')}${name}\0`;
  return Buffer.concat([padded(Buffer.from(header, 'latin1')), padded(content)]);
}

/** Filled up to a multiple of four bytes. */
function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
