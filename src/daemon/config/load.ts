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
    downlinkPercent: file.downlink ?? CHECK_NUMBER_KEYS['load.downlink'].default,
    linkMbit: file.link ?? CHECK_NUMBER_KEYS['load.link'].default,
    remotePercent: file.remote ?? CHECK_NUMBER_KEYS['load.remote'].default,
    program: file.program ?? null,
  };
}

/** Keys of `[load]` that mean something only beside the source of their name. */
const OF_A_SOURCE = ['conntrack', 'cpu', 'downlink', 'link', 'program', 'remote'] as const;

/** What is wrong with it as a whole. */
export function loadProblems(load: FileContent['load']): { key: string; what: string; remedy: string }[] {
  if (load === undefined) return [];
  const stray = OF_A_SOURCE.filter((key) => load[key] !== undefined && !load.sources.includes(key));
  const problems = stray.map((key) => ({
    key: key as string,
    what: 'is no source of the load',
    remedy: `add "${key}" to load.sources, or remove it`,
  }));
  if (load.sources.includes('program') && load.program === undefined) {
    const remedy = 'name it as load.program';
    problems.push({ key: 'sources', what: 'names "program" without one', remedy });
  }
  return problems;
}
