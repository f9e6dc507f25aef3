/**
 * A takeover in values alone, at the start. A backup may watch for months, and then runs the code of a takeover for the first time
 * in its process: each function would be compiled in the very milliseconds in which nobody serves. Three made-up hosts, this
 * daemon's core and its codec, in virtual time; nothing outside is asked, told or changed, and nothing of it is kept.
 */
import type { Machine } from '../ahead/machine.ts';
import { Run } from '../ahead/run.ts';
import { strike } from '../ahead/what-if.ts';
import { type CoreConfig, initialState, type Message, type Place, usualSteps } from '../core/index.ts';
import { Chronicle } from '../driver/chronicle.ts';
import { decodeCbor } from '../wire/cbor.ts';
import { decodeRecords, encodeRecord, packRecords } from '../wire/codec.ts';
import { fullTiming } from './config/timing.ts';

const HOSTS = ['one', 'two', 'three'] as const;
/** Of its own, not the configuration's: it is to run the code, and the longer a lease is, the more there would be to do until it ends. */
const TIMING = fullTiming({ interval: 200 });
const BODY_BYTES = 1000;
/** What befalls whoever is master then. The last one does not come back. */
const EVENTS = ['handover', 'service', 'power'] as const;

/**
 * Has such hosts start, hand over, lose a service and lose their power, with the first service of this configuration: about a thousand
 * steps, whatever its times are. Returns the places that they went through; none without a service, as on a witness.
 */
export function rehearse({ services: [first] }: CoreConfig): ReadonlySet<Place> {
  if (first === undefined) return new Set();
  const service = { ...first, checkIntervalMs: TIMING.intervalMs };
  const members = HOSTS.map((name, i) => ({ name, role: 'gateway' as const, priority: 3 - i }));
  const machines = HOSTS.map((self): Machine => {
    const membership = { self, version: 1, members, voterSets: [HOSTS] };
    const state = initialState({ membership, timing: TIMING, services: [service] }, 0);
    return { name: self, role: 'gateway', state, kernels: new Map(), links: new Set([1]), basis: 'made up' };
  });
  const run = new Run(machines, usualSteps(TIMING), 0);
  const chronicle = new Chronicle();
  run.onStep = (event, effects) => {
    chronicle.entries(event, effects, run.nowMs);
    for (const effect of effects) if (effect.type === 'send') toldAndHeard(effect.message);
  };
  // Longer than any wait of a start or a takeover.
  const longMs = 3 * TIMING.promiseMs + 20 * TIMING.intervalMs;
  const isCalm = (): boolean => run.server(service.name) !== null && machines.every(isAtRest);
  for (const machine of machines) run.step(machine, { type: 'started' });
  run.pass(longMs, isCalm);
  for (const kind of EVENTS) {
    // Until the others have the table.
    run.pass(2 * TIMING.intervalMs);
    const host = run.server(service.name);
    if (host === null) break;
    strike(run, { kind, host }, service.name, 1);
    run.pass(longMs, () => run.server(service.name) !== host && isCalm());
  }
  return new Set(run.happenings.flatMap(({ to }) => to ?? []));
}

/** The same; why it failed, or null. It is for speed alone, so that no fault in it may keep a host from serving. */
export function rehearseOrTell(config: CoreConfig): string | null {
  try {
    rehearse(config);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function isAtRest({ state }: Machine): boolean {
  const places = Object.values(state?.services ?? {}).map(({ place }) => place);
  return places.every((place) => place === 'service.serving' || place === 'backup.watching');
}

/** As it leaves and as it comes: the same functions as for a datagram, without its signature. */
function toldAndHeard(message: Message): void {
  for (const body of packRecords([encodeRecord(message)], BODY_BYTES))
    decodeRecords(message.type, decodeCbor(body) ?? null);
}
