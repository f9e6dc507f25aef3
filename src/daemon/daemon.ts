/**
 * One running daemon: core, wire, sockets, Linux side and logs put together. It decides nothing: the core does, and
 * what cannot be undone here (a dead process) the kernel's gate undoes. Made whole or not at all.
 */
import { randomBytes } from 'node:crypto';
import type { Order } from '../core/events.ts';
import { nextDeadline, refusal } from '../core/index.ts';
import { Driver } from '../driver/driver.ts';
import { forbidCoreDumps, rawNowMs } from '../linux/libc.ts';
import { goFirst } from '../linux/priority.ts';
import { OperatorError } from '../trust/errors.ts';
import type { Roster } from '../trust/roster.ts';
import { sameBytes } from '../wire/bytes.ts';
import { RunEnded } from '../wire/ended.ts';
import { Endpoint } from '../wire/endpoint.ts';
import { Alarms } from './alarms.ts';
import { AuditTrail } from './audit-trail.ts';
import { NodeClock } from './clock.ts';
import { settingsHash } from './config/actuator-config.ts';
import { type Config, followRoster, remarks, servicesOf } from './config/config.ts';
import { type Loaded, loadConfig, storedRosterPath } from './config/read.ts';
import { CLOCK_DRIFT } from './config/timing.ts';
import type { ControlSocket } from './control.ts';
import type { Grouping } from './grouping.ts';
import { linuxSide } from './linux-side.ts';
import { lockState } from './lock.ts';
import type { Log } from './log.ts';
import { tellManager } from './manager.ts';
import { OperatorDesk } from './operator-desk.ts';
import { describeChange, planReload, underRoster } from './plan.ts';
import { type Reached, reachActuator, standAlone } from './reach.ts';
import { rehearseOrTell } from './rehearsal.ts';
import { relay } from './relay.ts';
import type { LinuxSide } from './remote-actuator.ts';
import { RosterDesk, type RosterDeskOptions, refusalOf, reportOf } from './rosters.ts';
import { type SelfWatch, watchSelf } from './selfwatch.ts';
import { openSockets } from './sockets.ts';
import { Tally } from './tally.ts';
import { UdpTransport } from './udp.ts';
import { type Views, viewsOf } from './views.ts';

const LOG_CLOSE_LIMIT_MS = 2000;

export class Daemon {
  readonly #log: Log;
  readonly #alarms: Alarms;
  readonly #endpoint: Endpoint;
  readonly #transport: UdpTransport;
  readonly #actuator: LinuxSide;
  readonly #grouping: Grouping;
  /** Null: a witness. */
  readonly #reached: Reached | null;
  readonly #identity: Loaded['identity'];
  readonly #trail: AuditTrail;
  readonly #driver: Driver;
  readonly #desk: RosterDesk;
  readonly #operator: OperatorDesk;
  readonly #views: Views;
  readonly #sockets: ControlSocket[] = [];
  readonly #stopped: Promise<void>;
  readonly #lost: Promise<never>;
  #loseActuator: (error: RunEnded) => void = () => undefined;
  #watch: SelfWatch | null = null;
  #endTelling: () => void = () => undefined;
  #config: Config;
  /** After the end nothing reaches the core any more, whatever sockets and timers still deliver. */
  #ended = false;

  private constructor(loaded: Loaded, reached: Reached | null, trail: AuditTrail, alarms: Alarms, log: Log) {
    const { config, identity } = loaded;
    const { settings, roster } = config;
    const { intervalMs, maxAgeMs } = settings.timing;
    this.#config = config;
    this.#reached = reached;
    this.#identity = identity;
    this.#log = log;
    this.#alarms = alarms;
    this.#trail = trail;
    const wake = (lateMs: number): void => {
      this.#watch?.late(lateMs);
      this.#toDriver((driver) => driver.wake());
    };
    const clock = new NodeClock(rawNowMs, wake, () => this.#transport.holdMore());
    this.#transport = new UdpTransport({
      ...config,
      log,
      onDatagram: (link, datagram) => this.#toDriver((driver) => driver.datagramReceived(link, datagram)),
      // Not at once: what has come by now is read before any deadline is served (R9).
      onLinksChanged: () => clock.wakeSoon(),
      membersOf: (service) => this.#grouping.membersOf(service),
    });
    this.#endpoint = new Endpoint({
      nowMs: clock.nowMs(),
      roster,
      self: settings.host,
      identity,
      randomBytes: (length) => Uint8Array.from(randomBytes(length)),
      ...{ intervalMs, maxAgeMs, maxDrift: CLOCK_DRIFT, protocol: settings.protocol },
      links: this.#transport.links(),
    });
    trail.attach(this.#endpoint, () => ({ ...this.#actuator.filtered }));
    const linux = linuxSide({
      ...{ config, alarms, trail, stream: reached?.stream ?? null },
      events: relay((tell) => this.#toDriver((driver) => tell(driver.actuatorEvents))),
      onLost: (why) => this.#actuatorLost(why),
      beside: (run) => clock.beside(run),
    });
    this.#actuator = linux.actuator;
    this.#grouping = linux.grouping;
    let stopped = (): void => undefined;
    this.#stopped = new Promise((resolve) => {
      stopped = resolve;
    });
    this.#lost = new Promise((_, reject) => {
      this.#loseActuator = reject;
    });
    this.#lost.catch(() => undefined); // whoever runs this daemon asks for it later
    this.#desk = new RosterDesk({
      path: storedRosterPath(settings),
      stateDir: settings.state,
      log,
      alarms,
      follow: (newer) => this.#follow(newer),
    });
    const tally = new Tally();
    this.#driver = new Driver({
      config: config.core,
      endpoint: this.#endpoint,
      clock,
      transport: this.#transport,
      actuator: this.#grouping,
      journal: tally.before(trail.log),
      evidence: trail.evidence,
      rosters: this.#desk,
      operations: {
        alarm: (code, service, on, detail) => alarms.set(code, service, on, detail, service !== null),
        stopped: () => stopped(),
      },
    });
    this.#operator = new OperatorDesk({
      stateDir: settings.state,
      ...{ alarms, log },
      refusal: (order) => refusal(this.#driver.state, order, clock.nowMs()),
      give: (order) => this.#driver.order(order),
    });
    this.#views = viewsOf({
      config: () => this.#config,
      loop: () => this.#watch?.loop() ?? null,
      ...{ driver: this.#driver, endpoint: this.#endpoint, transport: this.#transport, alarms, tally },
      ...{ actuator: this.#actuator, operator: this.#operator, events: trail.log },
    });
  }

  /** Everything is checked before anything of this host is changed. Throws OperatorError. */
  static async start(file: string, log: Log): Promise<Daemon> {
    const loaded = loadConfig(file);
    const { settings } = loaded.config;
    for (const note of loaded.notes) log.warn({ note }, 'configuration');
    for (const { text, hint } of remarks(loaded.config)) log.warn({ note: text, hint }, 'configuration');
    forbidCoreDumps();
    goFirst();
    const { isGateway } = loaded.config;
    const reached = isGateway ? await reachActuator(settings, log) : null;
    if (!isGateway) standAlone(settings, log);
    const alarms = new Alarms(log);
    const undo: (() => unknown)[] = [() => reached?.stream.destroy()];
    try {
      undo.push(lockState(settings.state));
      const trail = await AuditTrail.open(loaded, alarms);
      undo.push(() => trail.close(LOG_CLOSE_LIMIT_MS));
      const daemon = new Daemon(loaded, reached, trail, alarms, log);
      // It closes the log itself, which is not to be closed twice.
      undo.pop();
      await daemon.#open();
      return daemon;
    } catch (error) {
      for (const step of undo.reverse()) await step();
      throw error;
    }
  }

  async #open(): Promise<void> {
    const { settings, roster } = this.#config;
    const handlers = {
      ...this.#views,
      order: (order: Order) => this.#operator.order(this.#grouping.ofGroup(order)),
      rosters: {
        report: () => reportOf(this.#driver.rosters),
        offer: (bytes: Uint8Array) => this.#offerRoster(bytes),
      },
    };
    // Before the first word to anybody: nobody waits for this host yet.
    const unrehearsed = rehearseOrTell(this.#config.core);
    if (unrehearsed !== null) this.#log.warn({ reason: unrehearsed }, 'a takeover could not be rehearsed');
    try {
      await this.#actuator.start();
      this.#sockets.push(...(await openSockets(settings, handlers)));
      await this.#transport.start();
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#watch = watchSelf({
      endpoint: this.#endpoint,
      alarms: this.#alarms,
      nowMs: rawNowMs,
      timing: () => this.#config.settings.timing,
    });
    const services = settings.services.map((service) => service.gateway.name);
    this.#log.info(
      { cluster: settings.cluster, roster: roster.version, services, pid: process.pid },
      'daemon started',
    );
    this.#driver.start();
    this.#operator.begin();
    this.#endTelling = tellManager({
      overdueMs: () => rawNowMs() - (nextDeadline(this.#driver.state) ?? Number.POSITIVE_INFINITY),
      silentMs: () => this.#actuator.silentMs,
    });
  }

  /** Why an operator's roster is refused; null when it is in force, or was before. */
  async #offerRoster(bytes: Uint8Array): Promise<string | null> {
    const merge = this.#driver.offerRoster(bytes);
    this.#trail.operator(`roster pushed: ${merge.kind}`);
    await this.#desk.idle();
    return refusalOf(merge, this.#driver.rosters.roster.version);
  }

  /** Sockets and Linux side go by the newer roster. */
  #follow(roster: Roster): ReturnType<RosterDeskOptions['follow']> {
    const { config, misfits } = followRoster(this.#config, roster);
    this.#config = config;
    this.#transport.configure(config.peers, config.uplinks);
    this.#actuator.members(config.actuator.memberAddresses).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.error({ reason }, 'the Linux side did not take the new members');
    });
    return { core: config.core, misfits };
  }

  /** The longest that a stop in good order can take: a handover, and making harmless after it. */
  get stopLimitMs(): number {
    const { timing, services } = this.#config.settings;
    return (
      timing.handoverLimitMs + 2 * Math.max(...services.map((service) => service.gateway.limits.switchMs))
    );
  }

  /** An operator's stop: hands over first. Resolves when the core says that this host is harmless. */
  async stop(): Promise<void> {
    void this.#operator.order({ kind: 'stop' });
    await this.#stopped;
  }

  /** Reads the file again and makes what changed true. A bad file, or a change that cannot be made, changes nothing. */
  async reload(): Promise<void> {
    const before = this.#config;
    try {
      const { config: read, notes } = loadConfig(before.settings.file, this.#identity);
      for (const note of notes) this.#log.warn({ note }, 'configuration');
      const { config, isOffered } = underRoster(before, read);
      const plan = planReload(before, config);
      for (const change of plan.changes)
        this.#log.info({ change: describeChange(change) }, 'reload: planned');
      if (plan.refused.length > 0) throw new OperatorError(plan.refused.join('; '));
      if (isOffered) {
        const refused = await this.#offerRoster(Buffer.concat(read.roster.versions));
        if (refused !== null) throw new OperatorError(`${config.settings.roster}: ${refused}`);
      }
      await this.#actuator
        .reload(settingsHash(config.settings), servicesOf(config))
        .catch((error: unknown) => {
          throw new OperatorError(error instanceof Error ? error.message : String(error));
        });
      // A newer roster may have come meanwhile: it stays in force, under the new file.
      const { roster } = this.#config;
      this.#config = config;
      this.#grouping.configure(config.settings.services);
      if (!sameBytes(roster.hash, config.roster.hash)) this.#follow(roster);
      else this.#transport.configure(config.peers, config.uplinks);
      const { core } = this.#config;
      if (plan.changes.length > 0) this.#toDriver((driver) => driver.configure(core));
      this.#alarms.keepOnly(servicesOf(this.#config));
      this.#trail.configured(this.#config);
      this.#trail.operator(`reloaded: ${plan.changes.length} change(s)`);
      this.#log.info({ changes: plan.changes.length }, 'reload: done');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#trail.operator(`reload refused; nothing was changed: ${reason}`);
      this.#log.error({ reason }, 'reload refused; nothing was changed');
      if (!(error instanceof OperatorError)) throw error;
    }
  }

  /** Makes the host harmless without the core, whatever state that is in; nothing reaches the core afterwards. */
  async fence(): Promise<boolean> {
    this.#ended = true;
    this.#trail.operator('fenced');
    return this.#actuator.fence();
  }

  /** Rejects when this process has lost its actuator, and with it what it is for. */
  get lost(): Promise<never> {
    return this.#lost;
  }

  /** Lets go of sockets and files. The lock goes with the process. */
  async close(): Promise<void> {
    this.#ended = true;
    this.#endTelling();
    this.#watch?.stop();
    for (const socket of this.#sockets) socket.close();
    this.#transport.close();
    this.#actuator.close();
    await this.#reached?.ended();
    await this.#trail.close(LOG_CLOSE_LIMIT_MS);
  }

  /** Nobody can shut the gate now but the kernel, which will; the next run begins with another actuator. */
  #actuatorLost(why: string): void {
    this.#alarms.set('actuator', null, true, why);
    this.#loseActuator(new RunEnded('actuator-lost', `: ${why}`));
  }

  #toDriver(action: (driver: Driver) => void): void {
    // Sockets and timers can call before the driver exists or after the end.
    if (!this.#ended && this.#driver !== undefined) action(this.#driver);
  }
}
