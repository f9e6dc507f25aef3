/**
 * The cluster as one host knows it: its own state as it is, and for each other member a state put together from what
 * that member said last. What nobody can know from here (another's uplink, when its next check is due) is assumed to be
 * well, and each machine says on what it rests.
 */
import { type HostName, type HostState, type Member, mainState, type ServiceState } from '../core/index.ts';
import { NO_RIGHT } from '../core/lease.ts';
import { type CheckRecord, initialState, type Known, NO_TIMERS, type PeerReport } from '../core/state.ts';
import { DARK, type Kernel, kernelOf, type Machine } from './machine.ts';

/** A host sends REPORT each 5 I; one unheard for thrice that is not counted on (core/fitness.ts). */
const FORGET_INTERVALS = 15;
/** Numbers of requests that no real host has reached: an answer can only mean the one that asked. */
const FIRST_ID = 1_000_000_000;

const GOOD: Omit<CheckRecord, 'confirmedAtMs' | 'startedAtMs'> = {
  runningId: 0,
  verdict: 'confirmed',
  sound: true,
  good: 2,
  bad: 0,
  again: false,
};

/** All members, this host first. */
export function machinesOf(state: HostState, nowMs: number): Machine[] {
  const { members, self } = state.config.membership;
  const links = new Set(
    Object.values(state.peers).flatMap(({ heardOn }) => Object.keys(heardOn).map(Number)),
  );
  for (const { downlinkLink } of state.config.services) if (downlinkLink !== null) links.add(downlinkLink);
  links.delete(0);
  // Without a carrier there this host hears and says nothing over it; what was heard before is all that it knows.
  for (const { name, downlinkLink } of state.config.services)
    if (downlinkLink !== null && state.services[name]?.checks.checkDownlink.verdict === 'refuted')
      links.delete(downlinkLink);
  const me = members.find(({ name }) => name === self);
  const own: Machine = {
    name: self,
    role: me?.role ?? 'witness',
    state,
    kernels: new Map(),
    links,
    basis: 'its own state, as it is',
  };
  for (const s of Object.values(state.services)) Object.assign(kernelOf(own, s.service), ownKernel(s, nowMs));
  return [own, ...members.filter(({ name }) => name !== self).map((m) => machineOf(state, m, nowMs))];
}

/** What stands in this host's kernel, by where its state machine is. */
function ownKernel(s: ServiceState, nowMs: number): Partial<Kernel> {
  const main = mainState(s.place);
  const prepared = s.attempt?.prepared === 'tested';
  const raised =
    main === 'handover' &&
    !['handover.claiming', 'handover.raising', 'handover.withdrawing'].includes(s.place);
  const { checkDownlink, checkUplink, checkServiceLocal } = s.checks;
  const isMaster = main === 'service';
  const judged = (record: CheckRecord): boolean => isMaster && record.bad > 0 && !record.sound;
  return {
    configured: isMaster || prepared,
    uplinkRaised: isMaster || raised,
    talking: isMaster || raised,
    gateUntilMs: s.gate.untilMs !== null && s.gate.untilMs > nowMs ? s.gate.untilMs : 0,
    // Before the first check of all nothing speaks against the link.
    downlink: checkDownlink.good + checkDownlink.bad === 0 ? 'confirmed' : checkDownlink.verdict,
    uplinkCut: judged(checkUplink),
    broken: judged(checkServiceLocal),
  };
}

/** When the newest advert of the known master was heard, or sent by this host. */
function advertAtMs(s: ServiceState, intervalMs: number, nowMs: number): number {
  const ownAdvert = s.timers.advert;
  if (mainState(s.place) === 'service' && ownAdvert !== null) return Math.min(nowMs, ownAdvert - intervalMs);
  return Math.min(nowMs, s.known?.heardAtMs ?? nowMs);
}

/** Who serves, or served last, and in which term, as far as this host knows. */
function masterOf(s: ServiceState, heardAtMs: number): Known | null {
  if (mainState(s.place) === 'service' && s.term !== null) return { term: s.term, heardAtMs };
  return s.known;
}

function machineOf(state: HostState, member: Member, nowMs: number): Machine {
  const { name, role } = member;
  const { intervalMs, slackMs, probeTimeoutMs } = state.config.timing;
  const heardOn = Object.entries(state.peers[name]?.heardOn ?? {});
  const heardAtMs = Math.max(...heardOn.map(([, atMs]) => atMs));
  const isMaster = Object.values(state.services).some(
    (s) => s.known?.term.host === name && s.known.released === undefined && mainState(s.place) !== 'service',
  );
  const silentMs = nowMs - heardAtMs;
  const mostMs = isMaster ? intervalMs + slackMs + 3 * probeTimeoutMs : FORGET_INTERVALS * intervalMs;
  const ago = heardOn.length === 0 ? 'never heard' : `last heard ${Math.round(silentMs)} ms ago`;
  const links = new Set(heardOn.map(([link]) => Number(link)).filter((link) => link !== 0));
  const machine: Machine = { name, role, state: null, kernels: new Map(), links, basis: ago };
  if (heardOn.length === 0 || silentMs > mostMs) return { ...machine, basis: `${ago}: taken to be off` };
  const made = stateOf(state, name, nowMs, machine);
  return { ...machine, state: made, basis: `as it said of itself, ${ago}` };
}

/** What that member's own state is likely to be. Its kernels are set beside. */
function stateOf(state: HostState, name: HostName, nowMs: number, machine: Machine): HostState {
  const { membership, timing, services: configs } = state.config;
  const { self } = membership;
  const report = (s: ServiceState): PeerReport | undefined => s.reports[name];
  const said = Object.values(state.services).flatMap((s) => report(s) ?? []);
  const config = { ...state.config, membership: { ...membership, self: name } };
  const first = Object.values(state.services)[0];
  const phaseMs = first === undefined ? nowMs : advertAtMs(first, timing.intervalMs, nowMs);
  const base = initialState(config, phaseMs - 10_000 * timing.intervalMs);
  const services = { ...base.services };
  for (const cfg of configs) {
    const s = state.services[cfg.name];
    const empty = base.services[cfg.name];
    if (s === undefined || empty === undefined) continue;
    services[cfg.name] = serviceOf(state, s, empty, name, nowMs);
    Object.assign(kernelOf(machine, cfg.name), kernelFor(s, services[cfg.name] ?? empty, name, nowMs));
  }
  const others = membership.members.filter((m) => m.name !== name);
  const heardOn = (host: HostName): { [link: number]: number } =>
    Object.fromEntries(
      [...machine.links].map((link) => [
        link,
        host === self ? nowMs : (state.peers[host]?.heardOn[link] ?? nowMs),
      ]),
    );
  return {
    ...base,
    nextId: FIRST_ID,
    standby: said.some(({ standby }) => standby),
    load: said[0]?.load ?? 0,
    peers: Object.fromEntries(
      others
        .filter((m) => m.name === self || state.peers[m.name] !== undefined)
        .map((m) => [m.name, { trusted: true, heardOn: heardOn(m.name) }]),
    ),
    services,
  };
}

function serviceOf(
  state: HostState,
  s: ServiceState,
  empty: ServiceState,
  name: HostName,
  nowMs: number,
): ServiceState {
  const { timing, membership } = state.config;
  const cfg = state.config.services.find((one) => one.name === s.service);
  const { intervalMs, leaseMs, promiseMs, slackMs } = timing;
  const heardAtMs = advertAtMs(s, intervalMs, nowMs);
  const known = masterOf(s, heardAtMs);
  const report = s.reports[name];
  // A witness begins, and stays, in that place.
  const isWitness = empty.place === 'backup.watching';
  const good: CheckRecord = { ...GOOD, confirmedAtMs: nowMs, startedAtMs: nowMs };
  const serving = known?.term.host === name && known.released === undefined;
  // What makes it unfit it did not say; a downlink that is not sound has the same effect.
  const sound = report === undefined || (report.downlink && (report.fit || report.standby));
  const reports = Object.entries(s.reports).filter(([host]) => host !== name);
  if (s.said !== null) reports.push([membership.self, ownReport(state, s, nowMs)]);
  const firstMs = Math.max(nowMs, heardAtMs + intervalMs + slackMs);
  const common: ServiceState = {
    ...empty,
    place: 'backup.watching',
    enteredAtMs: nowMs - FORGET_INTERVALS * intervalMs,
    known,
    highestN: Math.max(s.highestN, known?.term.n ?? 0),
    table: s.table,
    reports: Object.fromEntries(reports),
    voter:
      known === null
        ? { term: null, holder: null, untilMs: 0 }
        : { term: known.term, holder: known.term.host, untilMs: heardAtMs + promiseMs },
    checks: { ...empty.checks, checkDownlink: sound ? good : empty.checks.checkDownlink },
    burden: { burdened: report?.burdened ?? false, turningSinceMs: null },
    said: report === undefined ? null : pick(report),
    timers: {
      ...NO_TIMERS,
      silence: known === null || isWitness ? null : firstMs,
      report: nowMs + 5 * intervalMs,
      checks: isWitness ? null : nowMs + (cfg?.checkIntervalMs ?? intervalMs) / 2,
    },
  };
  if (report?.activity !== 'init' && known === null && !isWitness)
    return { ...common, place: 'decide.listening', timers: { ...common.timers, listen: nowMs } };
  if (!serving) return common;
  const renewedMs = heardAtMs + leaseMs;
  const untilMs =
    cfg?.policy === 'available' ? Math.max(renewedMs, nowMs + leaseMs - intervalMs / 2) : renewedMs;
  const leases = Object.fromEntries(membership.voterSets.flat().map((voter) => [voter, renewedMs]));
  return {
    ...common,
    place: 'service.serving',
    term: known.term,
    right: { ...NO_RIGHT, leases, ownUntilMs: untilMs },
    gate: { id: 1, fromId: 1, untilMs },
    checks: { ...common.checks, checkDownlink: good, checkUplink: good, checkServiceLocal: good },
    timers: {
      ...common.timers,
      silence: null,
      lapse: untilMs,
      advert: Math.max(nowMs, heardAtMs + intervalMs),
      renew: cfg?.policy === 'available' ? nowMs + intervalMs / 4 : null,
    },
  };
}

function pick({ fit, downlink, standby, burdened, load }: PeerReport): NonNullable<ServiceState['said']> {
  return { fit, downlink, standby, burdened, load };
}

/** What this host said of itself, as the others keep it. */
function ownReport(state: HostState, s: ServiceState, nowMs: number): PeerReport {
  const said = s.said ?? { fit: false, downlink: false, standby: false, burdened: false, load: 0 };
  return {
    ...said,
    atMs: nowMs,
    activity: mainState(s.place),
    sameDigest: true,
    fitSinceMs: said.fit && !said.burdened ? state.startedAtMs : null,
    tableTerm: s.table?.term ?? null,
    tableSeq: s.table?.seq ?? 0,
  };
}

function kernelFor(s: ServiceState, theirs: ServiceState, name: HostName, nowMs: number): Kernel {
  const report = s.reports[name];
  const isMaster = theirs.place === 'service.serving';
  const untilMs = isMaster ? (theirs.gate.untilMs ?? 0) : 0;
  return {
    ...DARK,
    configured: isMaster,
    uplinkRaised: isMaster,
    talking: isMaster,
    gateUntilMs: untilMs > nowMs ? untilMs : 0,
    downlink: report === undefined || theirs.checks.checkDownlink.sound ? 'confirmed' : 'unknown',
  };
}
