/**
 * Between an advert and its answers. A process that has done nothing for an interval pays most for being woken, and at rest the
 * voters' acknowledgements and the tests' results come one by one within a few milliseconds. So whoever serves, and has
 * nothing else under way, waits for them together.
 */
import type { Effect, HostState, ServiceState } from '../core/index.ts';

/** Of an interval, and at most: it delays whatever else comes meanwhile. */
const PART_OF_INTERVAL = 1 / 32;
const MOST_MS = 3;
/** Less is not worth a sleep. */
const LEAST_MS = 1;

/** How long the process may stand still after a step that served deadlines, in milliseconds; 0: not at all. */
export function restMs({ config, services, stopping }: HostState, effects: readonly Effect[]): number {
  const isAsked = effects.some(
    (effect) => effect.type === 'send' && effect.to === 'all' && effect.message.type === 'STATUS',
  );
  if (!isAsked || stopping || config.services.every(({ policy }) => policy !== 'quorum')) return 0;
  if (!Object.values(services).every(isAtRest)) return 0;
  const ms = Math.min(MOST_MS, PART_OF_INTERVAL * config.timing.intervalMs);
  return ms < LEAST_MS ? 0 : ms;
}

function isAtRest({ place, known, trial, askers }: ServiceState): boolean {
  if (place === 'backup.watching') return known !== null && known.released == null;
  return place === 'service.serving' && trial === null && askers.length === 0;
}
