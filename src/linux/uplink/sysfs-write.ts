/** The one way in which anything of sysfs is changed. */
import { constants, open } from 'node:fs/promises';

/** The name of no driver: what a card is prescribed that none may take up. */
export const NO_DRIVER = 'portcullis-none' as const;

/**
 * Writes one line into a file of sysfs, in a pool thread, as a driver may take its time. Throws an Error that names the file
 * when the kernel refuses, or has not answered in time.
 */
export async function writeSysfs(path: string, value: string, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${path}: not done within ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([
      writeLine(path, value).catch((error: NodeJS.ErrnoException) => {
        throw new Error(`${path}: ${error.code ?? error.message}`);
      }),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/** For writing only: such files often cannot be read, and are neither made nor cut. */
async function writeLine(path: string, value: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY);
  try {
    await file.write(`${value}\n`);
  } finally {
    await file.close();
  }
}
