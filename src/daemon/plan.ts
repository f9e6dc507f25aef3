/**
 * What a reload would change, before anything is changed: a plan of differences. What cannot change in a running
 * process is refused with its reason, and then nothing changes at all. Pure.
 */
import { mergeRoster } from '../trust/roster-merge.ts';
import { type Config, followRoster } from './config/config.ts';
import { groupsOf } from './config/groups.ts';
import type { ServiceSettings, Settings } from './config/settings.ts';

export interface Change {
  /** As in `service firewall: uplink.nextHops`. */
  readonly what: string;
  /** As JSON; null: it was (will be) not there. */
  readonly from: string | null;
  readonly to: string | null;
}

export interface Plan {
  readonly changes: readonly Change[];
  /** Changes that this process cannot make, each with the reason. */
  readonly refused: readonly string[];
}

const RESTART = 'restart the daemon for that';
/** Prefixes of what cannot change while running, and why. */
const FIXED: readonly (readonly [string, string])[] = [
  ['cluster', 'sessions are bound to the cluster'],
  ['host', 'a process speaks for one host'],
  ['key', 'the session is bound to the key'],
  ['admin', 'the roster was verified from the admin key'],
  ['state', 'the lock and the event log are there'],
  ['control', 'the socket is open'],
  ['user', 'the process has dropped its rights'],
  ['actuator', 'the two processes are joined'],
  ['statusSocket', 'the socket is open'],
  ['metrics', 'the socket is open'],
  ['log', 'the event log is open'],
  ['links', 'the sockets are bound'],
  ['protocol', 'the session’s id says it'],
  ['timing.intervalMs', 'running leases hang on it'],
  ['timing.leaseMs', 'promises that were given hang on it'],
  ['timing.promiseMs', 'promises that were given hang on it'],
  ['timing.maxDrift', 'promises that were given hang on it'],
  ['timing.maxAgeMs', 'running sessions hang on it'],
];

/**
 * What the file says now, under the roster that is in force: the file's own only where it would be taken from anybody
 * (P47). `isOffered`: it is none that was in force already, so it is to be offered, and refused with its reason.
 */
export function underRoster(before: Config, read: Config): { config: Config; isOffered: boolean } {
  const { kind } = mergeRoster(before.roster, Buffer.concat(read.roster.versions));
  const isOffered = kind !== 'same' && kind !== 'older';
  if (kind === 'same' || kind === 'taken') return { config: read, isOffered };
  // A roster that could not be stored runs all the same, and the file's is older.
  return { config: followRoster(read, before.roster).config, isOffered };
}

/** The differences between what runs and what the file says now. */
export function planReload(before: Config, after: Config): Plan {
  const old = flatten(before.settings);
  const fresh = flatten(after.settings);
  const names = [...new Set([...old.keys(), ...fresh.keys()])].sort();
  const changes: Change[] = [];
  for (const what of names) {
    const [from = null, to = null] = [old.get(what), fresh.get(what)];
    if (from !== to) changes.push({ what, from, to });
  }
  const rosterFrom = `version ${before.roster.version}`;
  const rosterTo = `version ${after.roster.version}`;
  if (rosterFrom !== rosterTo) changes.push({ what: 'roster members', from: rosterFrom, to: rosterTo });
  return { changes, refused: refusals(before, after, changes) };
}

function refusals(before: Config, after: Config, changes: readonly Change[]): string[] {
  const refused: string[] = [];
  for (const { what, from, to } of changes) {
    const fixed = FIXED.find(([prefix]) => what === prefix || what.startsWith(`${prefix}.`));
    if (fixed !== undefined) refused.push(`${what} cannot change while running (${fixed[1]}): ${RESTART}`);
    if (/^service \S+: policy$/.test(what) && from !== null && to !== null) {
      refused.push(`${what} cannot change while running (promises that were given hang on it): ${RESTART}`);
    }
  }
  for (const name of regrouped(before.settings.services, after.settings.services))
    refused.push(
      `service ${name}: who stands together with it cannot change while running (they have one term and lease): ${RESTART}`,
    );
  if (after.roster.version < before.roster.version)
    refused.push('the roster is older than the one that runs');
  if (Buffer.compare(after.roster.clusterId, before.roster.clusterId) !== 0) {
    refused.push(`the roster is another cluster’s: ${RESTART}`);
  }
  return refused;
}

/** Services of both whose groups differ, or are led by another one. */
function regrouped(before: readonly ServiceSettings[], after: readonly ServiceSettings[]): string[] {
  const groups = (services: readonly ServiceSettings[]): Map<string, string> =>
    new Map(groupsOf(services).flatMap((group) => group.map((name) => [name, group.join(' ')] as const)));
  const [old, fresh] = [groups(before), groups(after)];
  return [...fresh].flatMap(([name, group]) => {
    const was = old.get(name);
    return was === undefined || was === group ? [] : [name];
  });
}

/** Settings as `path → JSON`; services by their names, so that their order does not count. */
function flatten(settings: Settings): Map<string, string> {
  const { file: _file, lines: _lines, services, ...rest } = settings;
  const flat = new Map<string, string>();
  walk(rest, '', flat);
  for (const service of services) walkService(service, flat);
  return flat;
}

function walkService(service: ServiceSettings, flat: Map<string, string>): void {
  const { gateway, ...core } = service;
  walk({ ...core, ...gateway }, `service ${gateway.name}: `, flat);
}

function walk(value: object, prefix: string, flat: Map<string, string>): void {
  for (const [key, item] of Object.entries(value)) {
    const isTable = typeof item === 'object' && item !== null && !Array.isArray(item);
    if (isTable) walk(item, `${prefix}${key}.`, flat);
    else if (item !== undefined) flat.set(`${prefix}${key}`, JSON.stringify(item));
  }
}

/** One line a change, for people. */
export function describeChange({ what, from, to }: Change): string {
  if (from === null) return `${what}: new, ${to}`;
  return to === null ? `${what}: removed, was ${from}` : `${what}: ${from} becomes ${to}`;
}
