/**
 * One running daemon: core, wire, sockets, Linux side and logs put together. It decides nothing: the core does, and
 * what cannot be undone here (a dead process) the kernel's gate undoes. Made whole or not at all.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { Order } from '../core/events.ts';
import { Driver } from '../driver/driver.ts';
import type { ActuatorEvents } from '../driver/ports.ts';
import { createActuator, type LinuxActuator } from '../linux/actuator.ts';
import { type FenceReport, fence } from '../linux/fence.ts';
import { rawNowMs } from '../linux/libc.ts';
import { OperatorError } from '../trust/errors.ts';
import type { Roster } from '../trust/roster.ts';
import { sameBytes } from '../wire/bytes.ts';
import { Endpoint } from '../wire/endpoint.ts';
import { Alarms } from './alarms.ts';
import { AuditTrail } from './audit-trail.ts';
import { NodeClock } from './clock.ts';
import { type Config, followRoster, remarks } from './config/config.ts';
import { type Loaded, loadConfig, storedRosterPath } from './config/read.ts';
import { type ControlSocket, openControl, type RosterReport } from './control.ts';
import { lockState } from './lock.ts';
import type { Log } from './log.ts';
import { describeChange, planReload, underRoster } from './plan.ts';
import { RosterDesk, type RosterDeskOptions } from './rosters.ts';
import { watchSelf } from './selfwatch.ts';
import { type Status, statusOf } from './status.ts';
import { UdpTransport } from './udp.ts';

const LOG_CLOSE_LIMIT_MS = 2000;

export class Daemon {
  readonly #log: Log;
  readonly #alarms: Alarms;
  readonly #endpoint: Endpoint;
  readonly #transport: UdpTransport;
  readonly #actuator: LinuxActuator;
  readonly #trail: AuditTrail;
  readonly #driver: Driver;
  readonly #desk: RosterDesk;
  readonly #sockets: ControlSocket[] = [];
  readonly #stopped: Promise<void>;
  #endWatch: () => void = () => undefined;
  #config: Config;
  /** After the end nothing reaches the core any more, whatever sockets and timers still deliver. */
  #ended = false;

  private constructor(loaded: Loaded, trail: AuditTrail, alarms: Alarms, log: Log) {
    const { config, identity } = loaded;
    const { settings, roster } = config;
    this.#config = config;
    this.#log = log;
    this.#alarms = alarms;
    this.#trail = trail;
    const clock = new NodeClock(rawNowMs, () => this.#toDriver((driver) => driver.wake()));
    this.#transport = new UdpTransport({
      ...config,
      log,
      onDatagram: (link, datagram) => this.#toDriver((driver) => driver.datagramReceived(link, datagram)),
      onLinksChanged: () => this.#toDriver((driver) => driver.wake()),
    });
    this.#endpoint = new Endpoint({
      nowMs: clock.nowMs(),
      roster,
      self: settings.host,
      identity,
      randomBytes: (length) => Uint8Array.from(randomBytes(length)),
      intervalMs: settings.timing.intervalMs,
      maxDrift: settings.timing.maxDrift,
      maxAgeMs: settings.timing.maxAgeMs,
      links: this.#transport.links(),
    });
    trail.attach(this.#endpoint);
    this.#actuator = createActuator(config.actuator, this.#actuatorEvents(), {
      onFilterTrouble: (detail) => alarms.set('port-filter', null, detail !== null, detail ?? ''),
    });
    let stopped = (): void => undefined;
    this.#stopped = new Promise((resolve) => {
      stopped = resolve;
    });
    this.#desk = new RosterDesk({
      path: storedRosterPath(settings),
      stateDir: settings.state,
      log,
      alarms,
      follow: (newer) => this.#follow(newer),
    });
    this.#driver = new Driver({
      config: config.core,
      endpoint: this.#endpoint,
      clock,
      transport: this.#transport,
      actuator: this.#actuator,
      journal: trail.log,
      evidence: trail.evidence,
      rosters: this.#desk,
      operations: {
        alarm: (code, service, on, detail) => alarms.set(code, service, on, detail),
        stopped: () => stopped(),
      },
    });
  }

  /** Everything is checked before anything of this host is changed. Throws OperatorError. */
  static async start(file: string, log: Log): Promise<Daemon> {
    const loaded = loadConfig(file);
    const { settings } = loaded.config;
    for (const note of loaded.notes) log.warn({ note }, 'configuration');
    for (const { text, hint } of remarks(loaded.config)) log.warn({ note: text, hint }, 'configuration');
    makeStateDir(settings.state);
    const unlock = lockState(settings.state);
    const alarms = new Alarms(log);
    const trail = await AuditTrail.open(loaded, alarms);
    try {
      const daemon = new Daemon(loaded, trail, alarms, log);
      await daemon.#open();
      return daemon;
    } catch (error) {
      await trail.close(LOG_CLOSE_LIMIT_MS);
      unlock();
      throw error;
    }
  }

  async #open(): Promise<void> {
    const { settings, roster } = this.#config;
    const handlers = {
      status: () => this.status(),
      order: (order: Order) => this.#order(order),
      rosters: {
        report: () => this.#rosterReport(),
        offer: (bytes: Uint8Array) => this.#offerRoster(bytes),
      },
    };
    try {
      this.#sockets.push(await openControl(settings.control, handlers, false));
      if (settings.statusSocket !== null)
        this.#sockets.push(await openControl(settings.statusSocket, handlers, true));
      await this.#actuator.start();
      await this.#transport.start();
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#endWatch = watchSelf({
      endpoint: this.#endpoint,
      alarms: this.#alarms,
      nowMs: rawNowMs,
      stallMs: () => this.#config.settings.timing.stallMs,
    });
    const services = settings.services.map((service) => service.gateway.name);
    this.#log.info(
      { cluster: settings.cluster, roster: roster.version, services, pid: process.pid },
      'daemon started',
    );
    this.#driver.start();
  }

  status(): Status {
    const { settings } = this.#config;
    const { roster, settled } = this.#driver.rosters;
    const journal = this.#trail.log.status();
    const refused = Object.entries(this.#endpoint.counters()).filter(([, count]) => count > 0);
    const filtered = Object.entries(this.#actuator.filtered).filter(([, count]) => count > 0);
    return statusOf({
      nowMs: rawNowMs(),
      state: this.#driver.state,
      cluster: settings.cluster,
      roster,
      settled,
      links: this.#transport.links(),
      peers: this.#endpoint.peers(),
      alarms: this.#alarms.list(),
      counters: {
        ...this.#transport.counters,
        eventsLogged: journal.entries,
        eventsLost: journal.lost,
        ...Object.fromEntries(refused.map(([code, count]) => [`refused:${code}`, count])),
        ...Object.fromEntries(filtered.map(([why, count]) => [`filtered:${why}`, count])),
      },
    });
  }

  /** The roster in force, and who has shown, signed, that it has it. */
  #rosterReport(): RosterReport {
    const { roster, settled } = this.#driver.rosters;
    const { version, hash } = roster;
    const { confirmed, unreached } = this.#driver.rosters.confirmations();
    return { version, hash: Buffer.from(hash).toString('hex'), settled, confirmed, unreached };
  }

  /** Why an operator's roster is refused; null when it is in force, or was before. */
  async #offerRoster(bytes: Uint8Array): Promise<string | null> {
    const merge = this.#driver.offerRoster(bytes);
    this.#note(`roster pushed: ${merge.kind}`);
    await this.#desk.idle();
    const { version } = this.#driver.rosters.roster;
    if (merge.kind === 'older') return `older than version ${version}, which is in force`;
    if (merge.kind === 'forked')
      return `version ${merge.fork.version} was signed twice, and the other one is in force: sign a version above ${version}`;
    if (merge.kind !== 'refused') return null;
    return merge.version === null ? merge.reason : `version ${merge.version} ${merge.reason}`;
  }

  /** Sockets and Linux side go by the newer roster. */
  #follow(roster: Roster): ReturnType<RosterDeskOptions['follow']> {
    const { config, misfits } = followRoster(this.#config, roster);
    this.#config = config;
    this.#transport.configure(config.peers, config.uplinks);
    this.#actuator.reconfigure(config.actuator).catch((error: unknown) => {
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
    this.#order({ kind: 'stop' });
    await this.#stopped;
  }

  /** Reads the file again and makes what changed true. A bad file, or a change that cannot be made, changes nothing. */
  async reload(): Promise<void> {
    const before = this.#config;
    try {
      const { config: read, notes } = loadConfig(before.settings.file);
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
      await this.#actuator.reconfigure(config.actuator);
      // A newer roster may have come meanwhile: it stays in force, under the new file.
      const { roster } = this.#config;
      this.#config = config;
      if (!sameBytes(roster.hash, config.roster.hash)) this.#follow(roster);
      else this.#transport.configure(config.peers, config.uplinks);
      const { core } = this.#config;
      if (plan.changes.length > 0) this.#toDriver((driver) => driver.configure(core));
      this.#note(`reloaded: ${plan.changes.length} change(s)`);
      this.#log.info({ changes: plan.changes.length }, 'reload: done');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#note('reload refused; nothing was changed');
      this.#log.error({ reason }, 'reload refused; nothing was changed');
      if (!(error instanceof OperatorError)) throw error;
    }
  }

  /** Makes the host harmless without the core, whatever state that is in; nothing reaches the core afterwards. */
  async fence(): Promise<FenceReport> {
    this.#ended = true;
    this.#note('fenced');
    await this.#actuator.close();
    return fence(this.#config.actuator);
  }

  /** Lets go of sockets and files. The lock goes with the process. */
  async close(): Promise<void> {
    this.#ended = true;
    this.#endWatch();
    for (const socket of this.#sockets) socket.close();
    this.#transport.close();
    await this.#actuator.close();
    await this.#trail.close(LOG_CLOSE_LIMIT_MS);
  }

  #order(order: Order): string | null {
    const refused = this.#driver.order(order);
    this.#log.info({ order, refused }, 'operator’s order');
    return refused;
  }

  #note(text: string): void {
    this.#trail.log.append({ service: null, kind: 'operator', text });
  }

  #toDriver(action: (driver: Driver) => void): void {
    // Sockets and timers can call before the driver exists or after the end.
    if (!this.#ended && this.#driver !== undefined) action(this.#driver);
  }

  #actuatorEvents(): ActuatorEvents {
    const to = (action: (events: ActuatorEvents) => void): void => {
      this.#toDriver((driver) => action(driver.actuatorEvents));
    };
    return {
      procedureEnded: (...args) => to((events) => events.procedureEnded(...args)),
      addressesProbed: (...args) => to((events) => events.addressesProbed(...args)),
      gateSet: (...args) => to((events) => events.gateSet(...args)),
      linkChanged: (...args) => to((events) => events.linkChanged(...args)),
      foreignerHeard: (...args) => to((events) => events.foreignerHeard(...args)),
      rivalHeard: (...args) => to((events) => events.rivalHeard(...args)),
    };
  }
}

function makeStateDir(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o750 });
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new OperatorError(
      `${path}: the state directory cannot be made (${code})`,
      'make it, or name another under state',
    );
  }
}
