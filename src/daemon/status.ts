/**
 * The status document (spec/control.md): what this host knows, as one JSON value. Pure; times are told as ages or
 * rests in whole milliseconds, since no two hosts share a monotonic clock.
 */
import type { HostName, Role, ServiceConfig, Term } from '../core/basics.ts';
import { isOld } from '../core/fitness.ts';
import { rightUntil } from '../core/lease.ts';
import type { Activity } from '../core/messages.ts';
import type { HostState, ServiceState } from '../core/state.ts';
import { completed } from '../core/table.ts';
import { type MainState, mainState } from '../core/transitions.ts';
import type { PeerStatus } from '../wire/endpoint.ts';
import type { Alarm } from './alarms.ts';
import type { Group } from './config/groups.ts';
import type { LoopStatus } from './loopwatch.ts';
import type { MeasuredLoad } from './remote-actuator.ts';

export interface StatusRow {
  readonly host: HostName;
  readonly master: boolean;
  readonly fit: boolean;
  readonly standby: boolean;
  readonly burdened: boolean;
  /** What the host last said that it is; null while nothing is heard of it, for as long as it is counted on without. */
  readonly activity: Activity | null;
}

export interface StatusService {
  readonly name: string;
  /** All services of its group, in the order of their names; the log names the first. Empty: it stands alone. */
  readonly together: readonly string[];
  readonly policy: string;
  /** The main state, in lower case, and the place within it. */
  readonly state: MainState;
  readonly substate: string;
  readonly inStateMs: number;
  /** This host's own term while it claims or serves, else that of the master it knows. */
  readonly term: Term | null;
  readonly master: HostName | null;
  /** The backup that this host asks to take over; null: none. */
  readonly successor: HostName | null;
  /** What is left of this host's right to serve; 0 without one. */
  readonly leaseMs: number;
  readonly gateOpen: boolean;
  readonly forced: boolean;
  /** What is left of a hold-down after failed handovers. */
  readonly holdDownMs: number;
  readonly checks: { readonly [name: string]: string };
  readonly table: readonly StatusRow[];
  readonly alarms: readonly Alarm[];
}

export interface StatusPeer {
  readonly host: HostName;
  readonly role: Role;
  /** A session is accepted: its signed words are heard. */
  readonly session: boolean;
  readonly lastHeardMs: number | null;
  readonly rosterVersion: number | null;
  readonly rosterDiffers: boolean;
  /** The highest protocol number that it speaks; null without a session. */
  readonly protocol: number | null;
  /** How long its newest answer to a question of ours took, there and back. */
  readonly roundTripMs: number | null;
  /** How long its newest word was under way to us, at least and at most; no common clock is assumed. */
  readonly delayMs: { readonly least: number; readonly most: number } | null;
  /** By link: how long ago a word came over it. */
  readonly links: { readonly [link: string]: number };
}

export interface Status {
  readonly schema: 1;
  readonly cluster: string;
  readonly host: HostName;
  readonly role: Role;
  readonly pid: number;
  /** `settled`: the highest version that is settled as far as this host knows. */
  readonly roster: { readonly version: number; readonly hash: string; readonly settled: number };
  /** The highest protocol number that this host speaks. */
  readonly protocol: number;
  readonly standby: boolean;
  /** Wall clock, ISO 8601; null: not on standby, or nobody knows since when. */
  readonly standbySince: string | null;
  readonly stopping: boolean;
  readonly links: readonly number[];
  readonly services: readonly StatusService[];
  readonly peers: readonly StatusPeer[];
  /** Alarms of the host as a whole. */
  readonly alarms: readonly Alarm[];
  readonly counters: { readonly [name: string]: number };
  /** How burdened the host is, as it was last measured; null: it is not. */
  readonly load: MeasuredLoad | null;
  /** How well the daemon's own loop turned of late; null: it has just begun. */
  readonly loop: LoopStatus | null;
}

/** What was counted at all, as `WHAT:code`. */
export function counted(
  what: string,
  counts: { readonly [code: string]: number },
): { [name: string]: number } {
  const found = Object.entries(counts).filter(([, count]) => count > 0);
  return Object.fromEntries(found.map(([code, count]) => [`${what}:${code}`, count]));
}

/** All that the document is made of. */
export interface StatusSource {
  readonly nowMs: number;
  readonly state: HostState;
  readonly standbySince: string | null;
  /** All services, in the file's order, and which of them stand together. */
  readonly names: readonly string[];
  readonly groups: readonly Group[];
  readonly cluster: string;
  readonly roster: { readonly version: number; readonly hash: Uint8Array };
  readonly settled: number;
  readonly protocol: number;
  readonly links: readonly number[];
  readonly peers: readonly PeerStatus[];
  readonly alarms: readonly Alarm[];
  readonly counters: { readonly [name: string]: number };
  readonly load?: MeasuredLoad | null;
  readonly loop?: LoopStatus | null;
}

export function statusOf(source: StatusSource): Status {
  const { state, nowMs } = source;
  const { membership, services } = state.config;
  const role = (host: HostName): Role => membership.members.find((m) => m.name === host)?.role ?? 'gateway';
  return {
    schema: 1,
    cluster: source.cluster,
    host: membership.self,
    role: role(membership.self),
    pid: process.pid,
    roster: {
      version: source.roster.version,
      hash: Buffer.from(source.roster.hash).toString('hex'),
      settled: source.settled,
    },
    protocol: source.protocol,
    standby: state.standby,
    standbySince: source.standbySince,
    stopping: state.stopping,
    links: source.links,
    // In the file's order, whatever stands together.
    services: source.names.flatMap((name) => {
      const group = source.groups.find((one) => one.includes(name)) ?? [name];
      const config = services.find((one) => one.name === group[0]);
      const service = state.services[group[0]];
      if (config === undefined || service === undefined) return [];
      return [{ ...serviceStatus(source, config, service, name), together: group.length > 1 ? group : [] }];
    }),
    peers: source.peers.map((peer) => ({
      host: peer.host,
      role: role(peer.host),
      session: peer.session,
      lastHeardMs: peer.lastHeardMs === null ? null : age(nowMs, peer.lastHeardMs),
      rosterVersion: peer.rosterVersion,
      rosterDiffers: peer.rosterDiffers,
      protocol: peer.protocol,
      roundTripMs: peer.roundTripMs === null ? null : tenths(peer.roundTripMs),
      delayMs:
        peer.delayMs === null
          ? null
          : { least: tenths(peer.delayMs.leastMs), most: tenths(peer.delayMs.mostMs) },
      links: Object.fromEntries(
        Object.entries(state.peers[peer.host]?.heardOn ?? {}).map(([link, atMs]) => [link, age(nowMs, atMs)]),
      ),
    })),
    alarms: source.alarms.filter((alarm) => alarm.service === null),
    counters: source.counters,
    load: source.load ?? null,
    loop: source.loop ?? null,
  };
}

function serviceStatus(
  source: StatusSource,
  config: ServiceConfig,
  service: ServiceState,
  name: string,
): Omit<StatusService, 'together'> {
  const { state, nowMs } = source;
  const { membership } = state.config;
  const main = mainState(service.place);
  const master = masterOf(service, membership.self, main);
  const policy = service.forced ? 'available' : config.policy;
  const untilMs = rightUntil(service.right, policy, membership);
  const gateUntilMs = service.gate.untilMs;
  return {
    name,
    policy: config.policy,
    state: main,
    substate: service.place.slice(main.length + 1),
    inStateMs: age(nowMs, service.enteredAtMs),
    term: service.term ?? service.known?.term ?? null,
    master,
    successor: service.trial?.to ?? null,
    leaseMs: rest(nowMs, untilMs),
    gateOpen: gateUntilMs !== null && gateUntilMs > nowMs,
    forced: service.forced,
    holdDownMs: rest(nowMs, service.holdUntilMs),
    checks: Object.fromEntries(Object.entries(service.checks).map(([name, check]) => [name, check.verdict])),
    table: completed(service.table?.rows ?? [], membership).map((row) => {
      const own = row.host === membership.self;
      const report = service.reports[row.host];
      // What it said last holds no longer than the core counts on it: else a dead host would stay fit here.
      const heard = isOld(report, nowMs, state.config.timing.intervalMs) ? undefined : report;
      return {
        host: row.host,
        master: row.host === master,
        fit: own ? (service.said?.fit ?? false) : (heard?.fit ?? false),
        standby: own ? state.standby : (report?.standby ?? row.standby),
        burdened: own ? service.burden.burdened : (report?.burdened ?? row.burdened),
        activity: own ? main : (heard?.activity ?? null),
      };
    }),
    alarms: source.alarms.filter(({ service: of }) => of === config.name || of === name),
  };
}

/** Who serves, as far as this host knows: itself, or the host whose adverts it hears. */
function masterOf(service: ServiceState, self: HostName, main: MainState): HostName | null {
  if (main === 'service') return service.place === 'service.releasing' ? null : self;
  const { known } = service;
  return known === null || known.released !== undefined || service.place !== 'backup.watching'
    ? null
    : known.term.host;
}

/** Milliseconds with one decimal: a LAN answers within less than one. */
function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function age(nowMs: number, thenMs: number): number {
  return Math.max(0, Math.round(nowMs - thenMs));
}

function rest(nowMs: number, untilMs: number): number {
  return Math.max(0, Math.floor(untilMs - nowMs));
}
