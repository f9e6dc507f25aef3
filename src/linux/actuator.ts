/**
 * The actuator: carries out the core's orders in the kernel and reports what became of them. Invariants: no call
 * throws or waits; switches and announcements of one service run one after the other, tests beside them; whatever
 * becomes of this process, the gate shuts by itself.
 */
import type { ServiceName } from '../core/basics.ts';
import type { Side } from '../core/events.ts';
import { type Procedure, TEST_PROCEDURES } from '../core/procedures.ts';
import type { Actuator, ActuatorEvents } from '../driver/ports.ts';
import { probeAddresses } from './addressprobe.ts';
import { requireCapabilities } from './capabilities.ts';
import type { ActuatorConfig, GatewayService } from './config.ts';
import { procedureProgram } from './external.ts';
import { Hearing } from './hearing.ts';
import { Kernel, opened, refuseUnsupported, type ServiceParts, stopAnnouncing } from './kernel.ts';
import { Lane, Lanes } from './lane.ts';
import { rawNowMs, requireLibc } from './libc.ts';
import { Sampler } from './load/sampler.ts';
import { confirmed, type Outcome, unknown } from './outcome.ts';
import { type FilterCounts, PortGuard } from './portguard.ts';
import { RulesetWatch } from './rulesetwatch.ts';
import { downlinkTest, uplinkTest } from './shared.ts';
import { requireNft, textOf } from './tools.ts';
import { type GuardReport, UplinkGuard } from './uplink/guard.ts';
import { checkNextHop } from './uplink/nexthop.ts';

const RAISING: ReadonlySet<Procedure> = new Set<Procedure>([
  'activateUplink',
  'activateService',
  'announceTakeoverUplink',
  'announceTakeoverDownlink',
]);

/** A question for an address waits for no less, whatever is ordered; and for no more than `probe_timeout`. */
const SHORTEST_WAIT_MS = 2;

export interface ActuatorOptions {
  /** The clock that orders are timed by; CLOCK_MONOTONIC_RAW unless said otherwise. */
  readonly nowMs?: () => number;
  /** Until when whoever gives the orders is known to live: no leave to talk on an uplink outlasts it. */
  readonly aliveUntilMs?: () => number;
  /** What is wrong with the filter of the cluster's port; null: nothing (any more). */
  readonly onFilterTrouble?: (detail: string | null) => void;
  /** What is wrong with conntrackd; null: nothing (any more). */
  readonly onSyncTrouble?: (detail: string | null) => void;
  /** An uplink was up, or there, while no service held it. */
  readonly onUplinkTrouble?: (report: GuardReport) => void;
}

export interface LinuxActuator extends Actuator {
  /** Opens sockets, tests the rule files and installs the gate, shut. Throws `OperatorError` with the remedy. */
  start(): Promise<void>;
  /**
   * Takes a new configuration; throws and changes nothing when it is bad. What did not change is not touched. `rereadRules`
   * false: rule files count as they were last read.
   */
  reconfigure(config: ActuatorConfig, rereadRules?: boolean): Promise<void>;
  /** Datagrams that the filter of the cluster's port has dropped. Not older than a few seconds. */
  readonly filtered: FilterCounts;
  /** Shuts the gates, then takes service and uplink away; nothing is raised any more. Whether all was confirmed. */
  harmless(): Promise<boolean>;
  /** Shuts the gates and lets go. The gate's tables stay, shut. */
  close(): Promise<void>;
}

/** Throws `OperatorError` when the configuration asks for what cannot be done, or koffi cannot be loaded. */
export function createActuator(
  config: ActuatorConfig,
  events: ActuatorEvents,
  options: ActuatorOptions = {},
): LinuxActuator {
  requireLibc();
  return new KernelActuator(config, events, options);
}

class KernelActuator implements LinuxActuator {
  private readonly kernel: Kernel;
  private readonly events: ActuatorEvents;
  private readonly lanes = new Lanes();
  /** A reload and a newer roster may come at once: each begins where the one before it ended. */
  private readonly configuring = new Lane();
  private readonly guard: PortGuard;
  private readonly watch: RulesetWatch;
  private readonly uplinkGuard: UplinkGuard;
  private readonly hearing: Hearing;
  private readonly sampler: Sampler;
  private readonly onSyncTrouble: (detail: string | null) => void;
  private closed = false;
  /** Nothing is raised any more. */
  private barred = false;

  constructor(config: ActuatorConfig, events: ActuatorEvents, options: ActuatorOptions) {
    const {
      nowMs = rawNowMs,
      onFilterTrouble = () => undefined,
      onUplinkTrouble = () => undefined,
      onSyncTrouble = () => undefined,
      aliveUntilMs,
    } = options;
    this.events = events;
    this.kernel = new Kernel(config, nowMs, (device) => this.linkChanged(device), aliveUntilMs);
    this.hearing = new Hearing(this.kernel, events);
    const onTrouble = (detail: string | null): void => {
      if (!this.closed) onFilterTrouble(detail);
    };
    const onLoad = (load: number, detail: string): void => events.loadMeasured?.(load, detail);
    this.sampler = new Sampler(config, nowMs, onLoad, this.kernel.sync);
    this.onSyncTrouble = onSyncTrouble;
    const { generations, links } = this.kernel;
    const addresses = () => links.route.addresses();
    this.guard = new PortGuard(config, { nowMs, onTrouble, generations, addresses });
    this.watch = new RulesetWatch(this.kernel, this.guard);
    const { uplinks, linkEvents } = this.kernel;
    this.uplinkGuard = new UplinkGuard(uplinks, linkEvents, () => this.services(), onUplinkTrouble);
  }

  async start(): Promise<void> {
    requireNft();
    requireCapabilities(this.kernel.config);
    await this.kernel.rules.prepare(this.kernel.config);
    await this.kernel.gate.install();
    await this.watch.guardNow();
    await this.uplinkGuard.start();
    this.hearing.listen();
    this.sampler.start();
    this.kernel.keepPrograms();
    this.watch.start();
    this.kernel.sync.watch(this.onSyncTrouble);
  }

  reconfigure(config: ActuatorConfig, rereadRules = true): Promise<void> {
    return this.configuring.run(() => this.take(config, rereadRules));
  }

  private async take(config: ActuatorConfig, rereadRules: boolean): Promise<void> {
    const { kernel } = this;
    refuseUnsupported(config);
    await kernel.rules.prepare(config, rereadRules);
    await kernel.gate.reconfigure(config);
    this.guard.configure(config);
    await this.watch.guardNow();
    // The lanes are entered in this order everywhere: of switches, then of the test of what is in place.
    await kernel.rearrange(config, (name, task) =>
      this.lanes.get(name).run(() => this.lanes.get(`${name} checkServiceLocal`).run(task)),
    );
    this.hearing.listen();
    this.sampler.start(config);
    kernel.keepPrograms();
  }

  get filtered(): FilterCounts {
    return this.guard.counts;
  }

  async harmless(): Promise<boolean> {
    this.barred = true;
    const { services, gate } = this.kernel;
    for (const name of services.keys()) gate.set(name, null);
    const done = [...services.values()].map((parts) =>
      // In the lane: after whatever is being raised now.
      this.lanes.get(parts.service.name).run(async () => {
        const off = await this.perform(parts, 'deactivateService');
        const down = await this.perform(parts, 'deactivateUplink');
        return off.verdict === 'confirmed' && down.verdict === 'confirmed';
      }),
    );
    return (await Promise.allSettled(done)).every((end) => end.status === 'fulfilled' && end.value);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.sampler.stop();
    this.watch.stop();
    this.uplinkGuard.stop();
    this.kernel.close();
  }

  run(name: ServiceName, procedure: Procedure, id: number): void {
    if (!this.kernel.services.has(name)) {
      this.ended(name, procedure, id, unknown('no such service'));
      return;
    }
    const isTest = (TEST_PROCEDURES as readonly Procedure[]).includes(procedure);
    // Each test has a lane of its own: a slow one holds up nothing but itself.
    const lane = this.lanes.get(isTest ? `${name} ${procedure}` : name);
    if (!isTest) this.watch.defer();
    lane
      .run(async () => {
        // Looked up when its turn has come: a reload before it may have replaced the parts.
        const parts = this.kernel.services.get(name);
        return parts === undefined ? unknown('no such service') : this.perform(parts, procedure);
      })
      .catch((error) => unknown(textOf(error)))
      .then((outcome) => this.ended(name, procedure, id, outcome));
  }

  probeAddresses(name: ServiceName, side: Side, id: number, waitMs: number): void {
    const { kernel } = this;
    const parts = kernel.services.get(name);
    const report = (answered: boolean, detail: string): void => {
      if (side === 'downlink' && !answered) kernel.gate.nobodyAnswered(name);
      if (!this.closed) this.events.addressesProbed(name, side, id, answered, detail);
    };
    if (parts === undefined) {
      queueMicrotask(() => report(true, 'no such service'));
      return;
    }
    const { device, addresses } = parts.service[side];
    const { probes, probeTimeoutMs } = kernel.config;
    const gapMs = Math.min(Math.max(waitMs, SHORTEST_WAIT_MS), probeTimeoutMs);
    const isOwn = (mac: Buffer): boolean => kernel.links.isOwn(mac);
    this.lanes
      .get(`${name} probe ${side}`)
      .run(async () => {
        kernel.links.fresh(device);
        return probeAddresses(kernel.links.ear(device), addresses, probes, gapMs, isOwn);
      })
      // Who could not be asked is not silent: somebody may be there.
      .catch((error) => ({ answered: true, detail: textOf(error) }))
      .then(({ answered, detail }) => report(answered, detail));
  }

  gate(name: ServiceName, untilMs: number | null, id: number): void {
    if (this.closed) return;
    const parts = this.kernel.services.get(name);
    if (parts === undefined) {
      queueMicrotask(() => this.events.gateSet(name, id, null));
      return;
    }
    const wasOpen = this.kernel.gate.openUntilMs(name) !== null;
    const { openUntilMs, missing } = this.kernel.gate.set(name, untilMs);
    if (openUntilMs !== null && !wasOpen) {
      opened(parts);
      this.sampler.quality.served(name);
    } else if (openUntilMs === null && wasOpen) parts.place.gateShut();
    // The tables were removed behind our back: the gate stands open to all until they are back.
    if (missing) this.watch.repair();
    queueMicrotask(() => {
      if (!this.closed) this.events.gateSet(name, id, openUntilMs);
    });
  }

  prepareUplink(name: ServiceName, wanted: boolean): void {
    const service = this.kernel.services.get(name)?.service;
    if (this.barred && wanted) return;
    // Not while a program raises it: that one knows alone what it needs.
    if (service === undefined || service.procedures.activateUplink !== undefined) return;
    void this.kernel.uplinks.prepare(service, wanted);
  }

  private ended(name: ServiceName, procedure: Procedure, id: number, outcome: Outcome): void {
    // Always after the call that ordered it: a driver need not expect answers within its own call.
    queueMicrotask(() => {
      if (!this.closed) this.events.procedureEnded(name, procedure, id, outcome.verdict, outcome.detail);
    });
  }

  private async perform(parts: ServiceParts, procedure: Procedure): Promise<Outcome> {
    const { name, uplink } = parts.service;
    if (this.barred && RAISING.has(procedure)) return unknown('this host is being made harmless');
    // What the uplink is meant to be changes before anything is done about it, by whatever program.
    if (procedure === 'activateUplink' || procedure === 'deactivateUplink')
      this.kernel.uplinks.intend(parts.service, procedure === 'activateUplink');
    if (procedure === 'activateUplink') this.kernel.gate.allowTalk(uplink.device, name);
    const outcome = await this.programOrBuiltIn(parts, procedure);
    if (procedure === 'deactivateUplink') this.kernel.gate.forbidTalk(uplink.device, name);
    return outcome;
  }

  private programOrBuiltIn(parts: ServiceParts, procedure: Procedure): Promise<Outcome> {
    const { service } = parts;
    const program = service.procedures[procedure];
    if (procedure.startsWith('announceRelease') || procedure === 'deactivateService')
      this.hush(parts, procedure);
    if (program === undefined) return this.builtIn(parts, procedure);
    const isTest = (TEST_PROCEDURES as readonly Procedure[]).includes(procedure);
    const limitMs = isTest ? service.limits.testMs : service.limits.switchMs;
    const run = () =>
      this.sampler.quality.noted(service, procedure, () =>
        procedureProgram(this.kernel.config, service, procedure, program, limitMs),
      );
    if (procedure !== 'activateUplink' && procedure !== 'deactivateUplink') return run();
    return this.kernel.uplinks.byProgram(service, procedure === 'activateUplink', run);
  }

  private async builtIn(parts: ServiceParts, procedure: Procedure): Promise<Outcome> {
    const { kernel } = this;
    const { quality } = this.sampler;
    const { service } = parts;
    const patience = kernel.patience(service);
    switch (procedure) {
      case 'checkUplink':
        return kernel.tests.run(uplinkTest(service), () =>
          checkNextHop(kernel.links, service, kernel.rovingAddresses, patience),
        );
      case 'checkDownlink':
        return kernel.tests.run(downlinkTest(service), () =>
          quality.noted(service, procedure, () => parts.downlink.check(patience)),
        );
      case 'checkServiceLocal':
        return parts.place.check();
      case 'checkServiceRemote':
        return quality.noted(service, procedure, () => parts.remote.check(patience));
      case 'activateUplink':
        return kernel.uplinks.activate(service);
      case 'deactivateUplink':
        return kernel.uplinks.deactivate(service);
      case 'activateService':
        return parts.place.activate();
      case 'deactivateService':
        return this.deactivate(parts);
      case 'announceTakeoverDownlink':
        return parts.announcers.downlink.start();
      case 'announceTakeoverUplink':
        return parts.announcers.uplink.start();
      case 'announceReleaseDownlink':
      case 'announceReleaseUplink':
        return confirmed('announcements stopped');
    }
  }

  private async deactivate(parts: ServiceParts): Promise<Outcome> {
    const shut = this.kernel.gate.set(parts.service.name, null);
    if (shut.missing) await this.watch.repairNow();
    const outcome = await parts.place.deactivate();
    if (!shut.missing && shut.openUntilMs !== null) return unknown('the gate could not be shut');
    return outcome;
  }

  private hush(parts: ServiceParts, procedure: Procedure): void {
    if (procedure === 'announceReleaseDownlink') parts.announcers.downlink.stop();
    else if (procedure === 'announceReleaseUplink') parts.announcers.uplink.stop();
    else stopAnnouncing(parts);
  }

  private services(): GatewayService[] {
    return [...this.kernel.services.values()].map((parts) => parts.service);
  }

  private linkChanged(device: string): void {
    if (this.closed) return;
    for (const { name, downlink, uplink } of this.services()) {
      if (downlink.device === device) this.events.linkChanged(name, 'downlink');
      if (uplink.device === device) this.events.linkChanged(name, 'uplink');
    }
  }
}
