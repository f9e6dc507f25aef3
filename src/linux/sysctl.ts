/**
 * Kernel settings under /proc/sys/net, read and written as files: each is one quick system call.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const ROOT = '/proc/sys/net';

/** The value without its newline; null when there is no such setting (IPv6 off, device gone). */
export function readSysctl(path: string): string | null {
  try {
    return readFileSync(`${ROOT}/${path}`, 'utf8').trim();
  } catch {
    return null;
  }
}

/** Writes a setting unless it has that value already. Returns whether it has the value afterwards. */
export function writeSysctl(path: string, value: string): boolean {
  if (readSysctl(path) === value) return true;
  try {
    writeFileSync(`${ROOT}/${path}`, value);
  } catch {
    return false;
  }
  return readSysctl(path) === value;
}
