/** `[load]`: what tells how burdened this host is. */
import type { LoadSettings } from '../../linux/load/sources.ts';
import { CHECK_NUMBER_KEYS } from './check-keys.ts';
import { DURATION_KEYS } from './keys.ts';
import type { FileContent } from './schema.ts';

/** The file's `[load]` with all defaults; null: nothing is measured. */
export function loadSettings(file: FileContent['load']): LoadSettings | null {
  if (file === undefined) return null;
  return {
    sources: file.sources,
    everyMs: file.every ?? DURATION_KEYS['load.every'].defaultMs(),
    connections: file.conntrack ?? CHECK_NUMBER_KEYS['load.conntrack'].default,
    cpuPercent: file.cpu ?? CHECK_NUMBER_KEYS['load.cpu'].default,
    linkMbit: file.link ?? CHECK_NUMBER_KEYS['load.link'].default,
    program: file.program ?? null,
  };
}

/** What is wrong with it as a whole; null: nothing. */
export function loadProblem(load: LoadSettings | null): { key: string; what: string; remedy: string } | null {
  if (load === null) return null;
  const isSource = load.sources.includes('program');
  if (isSource && load.program === null)
    return { key: 'sources', what: 'names "program" without one', remedy: 'name it as load.program' };
  if (!isSource && load.program !== null)
    return {
      key: 'program',
      what: 'is no source of the load',
      remedy: 'add "program" to load.sources, or remove it',
    };
  return null;
}
