/** Files of the checkout, found from the sources as from the compiled tests. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's root directory: the nearest one above with a package.json. */
export const root: string = (() => {
  let directory = dirname(fileURLToPath(import.meta.url));
  for (let depth = 0; depth < 8 && !existsSync(join(directory, 'package.json')); depth++)
    directory = dirname(directory);
  return directory;
})();

export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

// biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of its vectors
export function readJson(path: string): any {
  return JSON.parse(readText(path));
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
