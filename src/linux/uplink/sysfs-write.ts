/** The one way in which anything of sysfs is changed. */
import { writeFile } from 'node:fs/promises';

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
      writeFile(path, `${value}\n`, { flag: 'r+' }).catch((error: NodeJS.ErrnoException) => {
        throw new Error(`${path}: ${error.code ?? error.message}`);
      }),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
