/**
 * The actuator's end of one conversation with a network process. Invariants: whatever comes in, nothing is done but
 * what the grammar and the permit allow; an order that is late is not carried out, unless it lowers; when the other
 * side is gone, silent or talks garbage, the host is made harmless and the conversation ends.
 */
import type { Duplex } from 'node:stream';
import type { LinuxActuator } from '../actuator.ts';
import { createActuator } from '../actuator.ts';
import type { ActuatorConfig } from '../config.ts';
import { parseIp } from '../ip.ts';
import { everyQuarters } from '../pulse.ts';
import { textOf } from '../tools.ts';
import { GRAMMAR, MEMBERS_MAX, ORDER_BYTES_MAX, type Order, parseOrder, type Timed } from './grammar.ts';
import { lowerIdle } from './idle.ts';
import { isOrderByte, Lines } from './lines.ts';
import { Liveness } from './liveness.ts';
import { Roll } from './numbers.ts';
import { LOWERING, type Permit } from './permit.ts';
import type { Log } from './record.ts';
import { Reports } from './reports.ts';

/** Orders of one service that are carried out or wait. */
const OUTSTANDING_MAX = 16;
const COUNTS_EVERY_MS = 5000;

/** Root's configuration, as the actuator read it itself. */
export interface Desk {
  readonly hash: string;
  /** What the Linux side is to know; no services on a witness. */
  config(isGateway: boolean, memberAddresses: readonly string[]): ActuatorConfig;
  /** Reads the file again; returns the way back. Throws `OperatorError`, nothing changed, when it is bad or not of that hash. */
  reread(hash: string): () => void;
}

export type End = 'closed' | 'garbage' | 'silent';

export interface SessionOptions {
  readonly stream: Duplex;
  readonly desk: Desk;
  readonly permit: Permit;
  readonly nowMs: () => number;
  /** One line for the log: orders that raise or lower, and whatever is refused. */
  readonly log: Log;
  /** Makes the Linux side; tests hand in their own. */
  readonly create?: typeof createActuator;
}

export class Session {
  readonly ended: Promise<End>;
  private readonly options: SessionOptions;
  private readonly lines: Lines;
  private actuator: LinuxActuator | null = null;
  private starting: Promise<void> = Promise.resolve();
  private readonly roll = new Roll();
  private isGateway: boolean | null = null;
  private isOver = false;
  private lastSeq = 0;
  private readonly liveness: Liveness;
  private readonly reports: Reports;
  private members: readonly string[] = [];
  private listed: string[] = [];
  private counted = '';
  private countedMs = 0;
  private readonly stopTicking: () => void;
  private finish: (end: End) => void = () => undefined;

  constructor(options: SessionOptions) {
    this.options = options;
    const { stream, desk, nowMs } = options;
    this.liveness = new Liveness(desk.config(true, []).leaseMs, nowMs);
    this.reports = new Reports(stream, (name) => this.roll.numberOf(name));
    this.lines = new Lines({
      maxBytes: ORDER_BYTES_MAX,
      isAllowed: isOrderByte,
      onLine: (line) => this.line(line),
      onGarbage: (why) => this.garbage(why),
    });
    this.ended = new Promise((resolve) => {
      this.finish = resolve;
    });
    stream.on('data', (chunk: Uint8Array) => this.lines.take(chunk));
    stream.on('error', () => this.end('closed'));
    stream.on('end', () => this.end('closed'));
    stream.on('close', () => this.end('closed'));
    this.stopTicking = everyQuarters(1, () => this.tick());
    this.reports.news('ready', GRAMMAR, desk.hash);
  }

  /** Makes the host harmless and ends; for the process's own end. */
  close(): Promise<End> {
    this.end('closed');
    return this.ended;
  }

  private line(line: string): void {
    const order = parseOrder(line);
    if (order === null || order.seq <= this.lastSeq) this.garbage('no order');
    else {
      this.lastSeq = order.seq;
      this.obey(order);
    }
  }

  private obey(order: Order): void {
    switch (order.verb) {
      case 'beat':
        this.liveness.beat(order.deadlineMs);
        this.reports.alive(order.seq);
        return;
      case 'begin':
        if (this.isGateway !== null) this.garbage('begun twice');
        else this.begin(order.seq, order.isGateway);
        return;
      case 'member':
        this.member(order.seq, order.address);
        return;
      case 'members':
        this.takeMembers(order.seq, order.count);
        return;
      case 'reload':
        this.reload(order.seq, order.hash);
        return;
      case 'fence':
        this.fence(order.seq);
        return;
      case 'shut':
        this.gate(order.seq, order.index, null);
        return;
      case 'prepare':
      case 'dismiss':
        this.prepare(order.seq, order.index, order.verb === 'prepare');
        return;
      case 'gate':
        this.open(order);
        return;
      default:
        this.timed(order);
    }
  }

  private begin(seq: number, isGateway: boolean): void {
    const { desk, nowMs, create = createActuator, permit } = this.options;
    this.isGateway = isGateway;
    permit.forget();
    this.starting = (async () => {
      const config = desk.config(isGateway, this.members);
      const actuator = create(config, this.reports.events, {
        nowMs,
        aliveUntilMs: () => this.liveness.untilMs,
        onFilterTrouble: (detail) => this.reports.news('filter', detail === null ? 0 : 1, detail ?? ''),
        onSyncTrouble: (detail) => this.reports.news('sync', detail === null ? 0 : 1, detail ?? ''),
        onUplinkTrouble: ({ device, alarm, note }) => {
          for (const number of this.roll.sharing(device)) this.reports.intruded(number, alarm, note);
        },
      });
      try {
        await actuator.start();
      } catch (error) {
        await actuator.close();
        throw error;
      }
      this.actuator = actuator;
      this.roll.take(config);
    })();
    this.starting.then(
      () => this.reports.reply(seq, 'ok'),
      (error: unknown) => this.reports.refuse(seq, error),
    );
  }

  /** The kernel's filter of the cluster's port, and who is no foreigner: addresses, and nothing else, come that way. */
  private member(seq: number, address: string): void {
    if (parseIp(address) === null || this.listed.length >= MEMBERS_MAX) {
      this.garbage('no address');
      return;
    }
    this.listed.push(address);
    this.reports.reply(seq, 'ok');
  }

  private takeMembers(seq: number, count: number): void {
    if (count !== this.listed.length) {
      this.garbage('another number of members');
      return;
    }
    this.members = this.listed.splice(0);
    this.reconfigure(seq, false);
  }

  private reload(seq: number, hash: string): void {
    let undo: () => void;
    try {
      undo = this.options.desk.reread(hash);
    } catch (error) {
      this.reports.refuse(seq, error);
      return;
    }
    this.reconfigure(seq, true, undo);
  }

  /** `undo`: when the Linux side refuses it, what comes next must not begin with the refused. */
  private reconfigure(seq: number, rereadRules: boolean, undo: () => void = () => undefined): void {
    const { actuator, isGateway } = this;
    if (actuator === null || isGateway === null) {
      this.reports.reply(seq, 'ok');
      return;
    }
    const config = this.options.desk.config(isGateway, this.members);
    actuator.reconfigure(config, rereadRules).then(
      () => {
        this.roll.take(config);
        this.liveness.leaseMs = config.leaseMs;
        this.reports.reply(seq, 'ok');
      },
      (error: unknown) => {
        undo();
        this.reports.refuse(seq, error);
      },
    );
  }

  /** Bounded where it is carried out; nothing leaves an uplink that is only prepared. */
  private prepare(seq: number, index: number, isWanted: boolean): void {
    const name = this.roll.nameOf(index);
    if (name !== null && (this.liveness.isAlive || !isWanted)) this.actuator?.prepareUplink?.(name, isWanted);
    this.reports.reply(seq, 'ok');
  }

  private fence(seq: number): void {
    this.options.log('info', 'fence ordered', {});
    this.harmless().then(
      (ok) => this.reports.reply(seq, ok ? 'ok' : 'fail'),
      (error: unknown) => this.reports.refuse(seq, error),
    );
  }

  private open(order: Timed): void {
    const { seq, index, deadlineMs } = order;
    const { permit, nowMs } = this.options;
    const name = this.roll.nameOf(index);
    if (name === null || !this.liveness.isAlive || deadlineMs <= nowMs()) this.gate(seq, index, null);
    else if (permit.mayOpen(name, nowMs())) this.gate(seq, index, deadlineMs);
    else {
      this.refused(order, 'not in a handover, or too often');
      this.gate(seq, index, null);
    }
  }

  private gate(seq: number, index: number, untilMs: number | null): void {
    const name = this.roll.nameOf(index);
    if (name === null || this.actuator === null) this.reports.reply(seq, 'shut');
    else this.actuator.gate(name, untilMs, seq);
  }

  private timed(order: Timed): void {
    const { seq, index } = order;
    const name = this.roll.nameOf(index);
    const why = this.refusal(order, name);
    if (why !== null || name === null || this.actuator === null) {
      this.refused(order, why ?? 'not begun');
      const isProbe = order.verb === 'probeDownlink' || order.verb === 'probeUplink';
      // An unanswered probe would pass for silence: nobody knows, so somebody may be there.
      this.reports.reply(seq, isProbe ? 'answered' : 'unknown', why ?? 'not begun');
      return;
    }
    this.reports.begun(name);
    if (order.verb === 'probeDownlink') this.actuator.probeAddresses(name, 'downlink', seq, order.waitMs);
    else if (order.verb === 'probeUplink') this.actuator.probeAddresses(name, 'uplink', seq, order.waitMs);
    else if (order.verb !== 'gate') {
      if (!order.verb.startsWith('check'))
        this.options.log('info', 'order', { verb: order.verb, service: name });
      this.actuator.run(name, order.verb, seq);
    }
  }

  /** Why an order is not carried out; null: it is. */
  private refusal({ verb, index, deadlineMs }: Timed, name: string | null): string | null {
    const { permit, nowMs } = this.options;
    if (name === null) return 'no such service';
    if (this.reports.waiting(name) >= OUTSTANDING_MAX) return 'too many orders wait';
    if (LOWERING.has(verb)) {
      if (verb === 'deactivateUplink') permit.lowered(name);
      else if (verb === 'deactivateService') permit.deactivated(name);
      return null;
    }
    if (deadlineMs <= nowMs()) return 'late';
    if (verb !== 'activateUplink' && verb !== 'activateService') return null;
    if (!this.liveness.isAlive) return 'no beat';
    if (verb === 'activateService') return permit.mayActivate(name, nowMs()) ? null : 'not within a handover';
    if (permit.mayRaise(name, this.roll.uplinkOf(name), nowMs())) return null;
    this.reports.news('spent', index, '');
    return 'raised too often';
  }

  private refused({ verb, index }: Timed, why: string): void {
    this.options.log('warn', 'order refused', { verb, index, why });
  }

  private tick(): void {
    if (this.liveness.isDead() && this.actuator !== null) this.end('silent');
    else {
      lowerIdle(this.options.permit.takeIdle(this.options.nowMs()), this.actuator, this.options.log);
      this.countFiltered(this.options.nowMs());
    }
  }

  private countFiltered(nowMs: number): void {
    if (this.actuator === null || nowMs - this.countedMs < COUNTS_EVERY_MS) return;
    this.countedMs = nowMs;
    const { stranger, hops, rate } = this.actuator.filtered;
    const text = `${stranger} ${hops} ${rate}`;
    if (text !== this.counted) this.reports.news('counts', 0, text);
    this.counted = text;
  }

  private garbage(why: string): void {
    this.options.log('error', 'garbage', { why });
    this.end('garbage');
  }

  private end(end: End): void {
    if (this.isOver) return;
    this.isOver = true;
    this.lines.end();
    this.stopTicking();
    this.liveness.forget();
    this.reports.end();
    this.options.log(end === 'closed' ? 'info' : 'warn', 'conversation ended', { end });
    this.wind()
      .catch((error: unknown) => this.options.log('error', 'not harmless', { error: textOf(error) }))
      .then(() => {
        this.options.stream.destroy();
        this.finish(end);
      });
  }

  private async wind(): Promise<void> {
    await this.starting.catch(() => undefined);
    const ok = await this.harmless();
    if (!ok) this.options.log('error', 'not harmless', { error: 'not every step was confirmed' });
    await this.actuator?.close();
  }

  private async harmless(): Promise<boolean> {
    this.options.permit.forget();
    return (await this.actuator?.harmless()) ?? true;
  }
}
