/** Loading and removing kernel modules by modprobe(8), which knows what they need and what options they have. */
import { runTool, textOf } from '../tools.ts';

/**
 * Loads a module that modprobe.d keeps out (`install NAME /bin/false`): we mean it. A name that is given passes by `blacklist` anyway.
 * Throws an Error with modprobe's own words.
 */
export async function loadModule(module: string, limitMs: number): Promise<void> {
  const { status, errors, late } = await runTool('modprobe', ['--ignore-install', module], '', limitMs);
  if (status === 0) return;
  throw new Error(late ? `modprobe ${module}: not done within ${limitMs} ms` : `modprobe: ${textOf(errors)}`);
}

/** Removes a module and what it alone needed. Throws an Error with modprobe's own words. */
export async function unloadModule(module: string, limitMs: number): Promise<void> {
  const { status, errors, late } = await runTool('modprobe', ['-r', module], '', limitMs);
  if (status === 0) return;
  throw new Error(
    late ? `modprobe -r ${module}: not done within ${limitMs} ms` : `modprobe -r: ${textOf(errors)}`,
  );
}
