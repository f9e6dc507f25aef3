/**
 * The run ahead: real cores, each with its state, in virtual time. Effects come back as events after the times of
 * `StepTimes`, words arrive after one delay, and everything is done exactly when it is due. Deterministic, and bounded:
 * by a horizon and by a number of steps.
 */
import {
  type Effect,
  type Event,
  type HostName,
  nextDeadline,
  type Place,
  type Procedure,
  type ServiceName,
  type StepTimes,
  step,
  type Verdict,
} from '../core/index.ts';
import { answers, type Kernel, kernelOf, type Machine, serves } from './machine.ts';

/** A host changed its place, or raised an alarm. `atMs` counts from the beginning of the run. */
export interface Happening {
  readonly atMs: number;
  readonly host: HostName;
  readonly service: ServiceName;
  readonly kind: 'transition' | 'alarm';
  readonly from: Place | null;
  readonly to: Place | null;
  /** The transition's cause, or the alarm's code. */
  readonly what: string;
  readonly detail: string;
}

/** A time during which nobody served. `untilMs` null: to the end of the run. */
export interface Gap {
  readonly fromMs: number;
  readonly untilMs: number | null;
}

interface Task {
  readonly atMs: number;
  readonly act: () => void;
}

/** More is no forecast any more. */
export const STEPS_MAX = 60_000;

/** One run ahead: the machines of all members, one queue of what is to happen, and for whom nobody served meanwhile. Times in milliseconds. */
export class Run {
  readonly machines: readonly Machine[];
  readonly happenings: Happening[] = [];
  /** Told of each happening at its moment, when the states are those of it. */
  onHappening: (happening: Happening) => void = () => undefined;
  /** Told of each step, before its effects are carried out. */
  onStep: (event: Event, effects: readonly Effect[]) => void = () => undefined;
  /** Whether the next hop answers whoever asks. */
  nextHop = true;
  nowMs: number;
  steps = 0;
  readonly #times: StepTimes;
  readonly #beganMs: number;
  readonly #queue: Task[] = [];
  readonly #served = new Map<ServiceName, { since: number; by: HostName | null }>();
  readonly #gaps = new Map<ServiceName, Gap[]>();

  constructor(machines: readonly Machine[], times: StepTimes, nowMs: number) {
    this.machines = machines;
    this.#times = times;
    this.#beganMs = nowMs;
    this.nowMs = nowMs;
  }

  /** Since the beginning. */
  get elapsedMs(): number {
    return this.nowMs - this.#beganMs;
  }

  at(afterMs: number, act: () => void): void {
    const atMs = this.nowMs + Math.max(0, afterMs);
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#queue[middle]?.atMs ?? 0) <= atMs) low = middle + 1;
      else high = middle;
    }
    this.#queue.splice(low, 0, { atMs, act });
  }

  /** Who serves clients now; null: nobody, or not before the first look. */
  server(service: ServiceName): HostName | null {
    return this.machines.find((m) => serves(m, service, this.nowMs, this.nextHop))?.name ?? null;
  }

  /** Since when it is the same, from the beginning. */
  servedSinceMs(service: ServiceName): number {
    return (this.#served.get(service)?.since ?? this.nowMs) - this.#beganMs;
  }

  /** All times without service so far; the last one may not have ended. */
  gaps(service: ServiceName): Gap[] {
    const served = this.#served.get(service);
    const open =
      served !== undefined && served.by === null
        ? [{ fromMs: this.servedSinceMs(service), untilMs: null }]
        : [];
    return [...(this.#gaps.get(service) ?? []), ...open];
  }

  /** Lets time pass until `isOver`, that long, or until the steps are used up. Returns what ended it. */
  pass(ms: number, isOver: () => boolean = () => false): 'over' | 'time' | 'steps' {
    const endMs = this.nowMs + ms;
    this.#look();
    for (;;) {
      if (isOver()) return 'over';
      if (this.steps >= STEPS_MAX) return 'steps';
      const task = this.#queue[0];
      const due = this.#earliest();
      const nextMs = Math.max(this.nowMs, Math.min(task?.atMs ?? Number.POSITIVE_INFINITY, due.atMs));
      if (nextMs > endMs) break;
      this.nowMs = nextMs;
      if (task !== undefined && task.atMs <= due.atMs) {
        this.#queue.shift();
        task.act();
      } else if (due.machine !== null) this.step(due.machine, { type: 'timer' });
      this.#look();
    }
    this.nowMs = endMs;
    return 'time';
  }

  /** One event for that host, now. A host that does not run hears nothing. */
  step(machine: Machine, event: Event): void {
    if (machine.state === null) return;
    this.steps++;
    const { state, effects } = step(machine.state, event, this.nowMs);
    machine.state = state;
    this.onStep(event, effects);
    for (const effect of effects) this.#carryOut(machine, effect);
  }

  /** A test or switch of that host ends after its time, as the core would be told. */
  procedure(machine: Machine, service: ServiceName, procedure: Procedure, id: number): void {
    const k = kernelOf(machine, service);
    const [tookMs, look] = this.#doing(machine, k, service, procedure);
    let afterMs = tookMs;
    if (!procedure.startsWith('check')) {
      k.laneUntilMs = Math.max(k.laneUntilMs, this.nowMs) + tookMs;
      afterMs = k.laneUntilMs - this.nowMs;
    }
    this.#later(machine, afterMs, () => {
      const verdict = look();
      this.step(machine, { type: 'procedure-ended', service, procedure, id, verdict });
    });
  }

  addresses(machine: Machine, service: ServiceName, side: 'downlink' | 'uplink', id: number): void {
    this.#later(machine, this.#times.addressRoundMs, () => {
      const hears = side === 'downlink' ? kernelOf(machine, service).downlink !== 'refuted' : true;
      const answered =
        hears && this.machines.some((m) => m !== machine && answers(m, service, side, this.nowMs));
      this.step(machine, { type: 'addresses-probed', service, side, id, answered });
    });
  }

  gate(machine: Machine, service: ServiceName, untilMs: number | null, id: number): void {
    this.#later(machine, this.#times.gateMs, () => {
      const opens = untilMs !== null && untilMs > this.nowMs;
      kernelOf(machine, service).gateUntilMs = opens ? untilMs : 0;
      // Its end is a moment to look at.
      if (opens) this.at(untilMs - this.nowMs, () => undefined);
      this.step(machine, { type: 'gate-set', service, id, openUntilMs: opens ? untilMs : null });
    });
  }

  #later(machine: Machine, afterMs: number, act: () => void): void {
    this.at(afterMs, () => {
      if (machine.state !== null) act();
    });
  }

  #earliest(): { readonly atMs: number; readonly machine: Machine | null } {
    let atMs = Number.POSITIVE_INFINITY;
    let found: Machine | null = null;
    for (const machine of this.machines) {
      const due = machine.state === null ? null : nextDeadline(machine.state);
      if (due === null || due >= atMs) continue;
      atMs = due;
      found = machine;
    }
    return { atMs, machine: found };
  }

  #carryOut(machine: Machine, effect: Effect): void {
    switch (effect.type) {
      case 'run':
        this.procedure(machine, effect.service, effect.procedure, effect.id);
        return;
      case 'probe-addresses':
        this.addresses(machine, effect.service, effect.side, effect.id);
        return;
      case 'gate':
        this.gate(machine, effect.service, effect.untilMs, effect.id);
        return;
      case 'uplink-talk':
        kernelOf(machine, effect.service).talking = effect.open;
        return;
      case 'send':
        for (const to of this.machines)
          if (to !== machine && (effect.to === 'all' || effect.to === to.name))
            this.#send(machine, to, effect);
        return;
      case 'stopped':
        machine.state = null;
        return;
      case 'log':
        this.#logged(machine, effect);
        return;
      case 'alarm':
        if (effect.on && effect.service !== null)
          this.#tell(machine, effect.service, 'alarm', null, null, effect.code, effect.detail);
        return;
      default:
    }
  }

  #logged(machine: Machine, { entry }: Effect & { type: 'log' }): void {
    if (entry.kind !== 'transition' || entry.service === null) return;
    const { from, to, cause, detail } = entry.data ?? {};
    const place = (value: unknown): Place | null => (typeof value === 'string' ? (value as Place) : null);
    this.#tell(
      machine,
      entry.service,
      'transition',
      place(from),
      place(to),
      String(cause),
      String(detail ?? ''),
    );
  }

  #tell(
    { name: host }: Machine,
    service: ServiceName,
    kind: Happening['kind'],
    from: Place | null,
    to: Place | null,
    what: string,
    detail: string,
  ): void {
    const happening = { atMs: this.elapsedMs, host, service, kind, from, to, what, detail };
    this.happenings.push(happening);
    this.onHappening(happening);
  }

  #send(from: Machine, to: Machine, { message }: Effect & { type: 'send' }): void {
    const { service } = message;
    const passes = (link: number): boolean => {
      if (link !== 0) return from.links.has(link) && to.links.has(link);
      const [a, b] = [kernelOf(from, service), kernelOf(to, service)];
      return a.talking && b.talking && !a.uplinkCut && !b.uplinkCut;
    };
    for (const link of new Set([...from.links, 0])) {
      if (!passes(link)) continue;
      this.#later(to, this.#times.delayMs, () => {
        if (passes(link)) this.step(to, { type: 'message', from: from.name, link, message });
      });
    }
  }

  /** How long a procedure takes, and what it then does or finds. */
  #doing(machine: Machine, k: Kernel, service: ServiceName, procedure: Procedure): [number, () => Verdict] {
    const t = this.#times;
    const does = (ms: number, change: () => void): [number, () => Verdict] => [
      ms,
      () => {
        change();
        return 'confirmed';
      },
    ];
    switch (procedure) {
      case 'activateUplink':
        return does(t.activateUplinkMs, () => {
          k.uplinkRaised = true;
        });
      case 'deactivateUplink':
        return does(t.deactivateMs / 2, () => {
          k.uplinkRaised = false;
          k.talking = false;
        });
      case 'activateService':
        return does(t.activateServiceMs, () => {
          k.configured = true;
          k.broken = false;
        });
      case 'deactivateService':
        return does(t.deactivateMs / 2, () => {
          k.configured = false;
          k.gateUntilMs = 0;
        });
      case 'checkUplink': {
        const good = (): boolean => k.uplinkRaised && !k.uplinkCut && this.nextHop;
        return [
          good() ? t.checkUplinkMs : t.unansweredMs,
          () => (good() ? 'confirmed' : k.uplinkCut ? 'refuted' : 'unknown'),
        ];
      }
      case 'checkDownlink': {
        const isQuick = k.downlink === 'confirmed' || k.downlink === 'refuted';
        return [isQuick ? t.checkDownlinkMs : t.unansweredMs, () => k.downlink];
      }
      case 'checkServiceLocal':
        return [t.checkServiceLocalMs, () => (k.configured && !k.broken ? 'confirmed' : 'unknown')];
      case 'checkServiceRemote': {
        const good = (): boolean =>
          k.downlink !== 'refuted' &&
          this.machines.some((m) => m !== machine && serves(m, service, this.nowMs, this.nextHop));
        return [good() ? t.checkDownlinkMs : t.unansweredMs, () => (good() ? 'confirmed' : 'unknown')];
      }
      default:
        return does(1, () => undefined);
    }
  }

  /** Who serves what, as of now. */
  #look(): void {
    for (const { state } of this.machines)
      for (const service of Object.keys(state?.services ?? {})) {
        const by = this.server(service);
        const before = this.#served.get(service);
        if (before !== undefined && before.by === by) continue;
        if (before?.by === null && by !== null) {
          const gaps = this.#gaps.get(service) ?? [];
          gaps.push({ fromMs: before.since - this.#beganMs, untilMs: this.elapsedMs });
          this.#gaps.set(service, gaps);
        }
        this.#served.set(service, { since: this.nowMs, by });
      }
  }
}
