/**
 * Hosts with clocks of their own talk over a network that loses, delays, doubles and replays everything it ever
 * carried, while they restart, are set back to snapshots and are copied. Judged from outside, by true time: no word
 * is taken twice on a link, none that is older than max_age, none of a run that ended; who was set back learns it;
 * and of each word it is known which protocol its run speaks (P76): the runs speak 1 and 2 by turns.
 */
import assert from 'node:assert/strict';
import type { HostName } from '../../src/core/basics.ts';
import type { Outgoing } from '../../src/wire/endpoint.ts';
import { REAL_PRIMITIVES } from '../../src/wire/primitives.ts';
import { CHEAP, chances, cheapSignature } from './wire-cheap.ts';
import { testEndpoint, testIdentity, testRoster } from './wire-fixture.ts';
import { Recorded } from './wire-recorded.ts';

const STEP_MS = 5;
const SPEAK_MS = 25;
const INTERVAL_MS = 100;
const MAX_AGE_MS = 500;
/** A copy that was set back by so much must learn it within LEARN_MS. */
const SET_BACK_MS = 1500;
const LEARN_MS = 2500;

export interface WorldOptions {
  readonly hosts: number;
  /** A snapshot restored, a machine copied while it runs, a stolen key in use. */
  readonly copies: boolean;
  /** Real signatures; else a keyed hash, which is as good to whoever has no key and ten times as fast. */
  readonly real: boolean;
  readonly replaysPerStep: number;
  readonly maxDrift: number;
}

export const USUAL: WorldOptions = { hosts: 3, copies: true, real: false, replaysPerStep: 5, maxDrift: 0.1 };

/** One process on one machine. */
interface Machine {
  readonly name: HostName;
  readonly run: string;
  readonly protocol: number;
  readonly offsetMs: number;
  readonly rate: number;
  readonly wire: Recorded;
  /** When this run began, true time. */
  readonly beganMs: number;
  /** Copies of words that it took, in their order. */
  readonly taken: string[];
  /** Set back to an earlier state and not yet aware of it: since then, true time. */
  setBackMs: number | null;
  /** A copy that goes away at that true time. */
  endsMs: number;
}

interface Snapshot {
  readonly machine: Machine;
  readonly done: number;
  readonly taken: number;
  readonly atMs: number;
}

interface Flight extends Outgoing {
  readonly arriveMs: number;
}

export class World {
  readonly #seed: number;
  readonly #options: WorldOptions;
  readonly #chance: () => number;
  readonly #roster: ReturnType<typeof testRoster>;
  #machines: Machine[] = [];
  #flights: Flight[] = [];
  readonly #recorded: Flight[] = [];
  #snapshot: Snapshot | null = null;
  #nowMs = 0;
  #nextId = 1;
  #runs = 0;
  #faults = true;
  readonly #sent = new Map<number, { readonly trueMs: number; readonly by: Machine }>();
  readonly #setBack = new Set<string>();
  /** Runs of which there was a copy: each may hear what the other said. */
  readonly #copied = new Set<string>();
  readonly #endedMs = new Map<string, number>();
  readonly counts = {
    delivered: 0,
    replays: 0,
    restarts: 0,
    setBack: 0,
    learnt: 0,
    copies: 0,
    duplicates: 0,
  };

  constructor(seed: number, options: WorldOptions) {
    this.#seed = seed;
    this.#options = options;
    this.#chance = chances(seed);
    const names = ['fw1', 'fw2', 'fw3', 'fw4', 'fw5'].slice(0, options.hosts);
    this.#roster = testRoster(names);
    this.#machines = names.map((name) =>
      // Within the drift that is allowed for: every rate off by at most a twentieth.
      this.#boot(name, this.#chance() * 1e6, 0.95 + this.#chance() / 10),
    );
  }

  #boot(name: HostName, offsetMs: number, rate: number): Machine {
    const protocol = 1 + (this.#runs % 2);
    const run = `${name} of seed ${this.#seed}, run ${this.#runs++}`;
    const { real, maxDrift } = this.#options;
    const own = testIdentity(name);
    const identity = real ? own : { ...own, sign: (m: Uint8Array) => cheapSignature(own.publicKey, m) };
    const nowMs = offsetMs + this.#nowMs * rate;
    const wire = new Recorded(run, (randomBytes) =>
      testEndpoint(this.#roster, name, {
        nowMs,
        identity,
        randomBytes,
        primitives: real ? REAL_PRIMITIVES : CHEAP,
        intervalMs: INTERVAL_MS,
        maxAgeMs: MAX_AGE_MS,
        maxDrift,
        links: [1, 2],
        protocol,
      }),
    );
    const since = { beganMs: this.#nowMs, taken: [], setBackMs: null, endsMs: Number.POSITIVE_INFINITY };
    return { name, run, protocol, offsetMs, rate, wire, ...since };
  }

  #clock(machine: Machine): number {
    return machine.offsetMs + this.#nowMs * machine.rate;
  }

  /** One step: talk, deliver, replay. `faults`: loss, long delays, restarts and copies as well. */
  step(faults: boolean): void {
    this.#nowMs += STEP_MS;
    this.#faults = faults;
    if (faults) this.#fault();
    for (const machine of this.#machines) {
      if (this.#nowMs >= machine.endsMs) this.#end(machine);
      else this.#speak(machine);
    }
    const due = this.#flights.filter((flight) => flight.arriveMs <= this.#nowMs);
    this.#flights = this.#flights.filter((flight) => flight.arriveMs > this.#nowMs);
    for (const flight of due) this.#arrive(flight);
    for (let i = 0; i < this.#options.replaysPerStep && this.#recorded.length > 0; i++) {
      // Half of them from the last second, which the windows and the age must tell apart.
      const span = this.#chance() < 0.5 ? Math.min(this.#recorded.length, 1000) : this.#recorded.length;
      const recorded = this.#recorded.at(-1 - Math.floor(this.#chance() * span));
      if (recorded !== undefined) this.#arrive(recorded);
      this.counts.replays++;
    }
    for (const machine of this.#machines)
      assert.ok(
        machine.setBackMs === null ||
          this.#nowMs - machine.setBackMs < LEARN_MS ||
          !this.#isKnown(machine, machine.setBackMs),
        this.#told(`${machine.run} never learnt it`),
      );
  }

  /** Copies go away; the network and the other machines are sound from now on. The replays go on. */
  calm(): void {
    this.#snapshot = null;
    for (const machine of this.#machines) if (machine.endsMs < Number.POSITIVE_INFINITY) this.#end(machine);
  }

  /** Somebody is left that heard it before it was set back: who began later cannot tell it (P28). */
  #isKnown(machine: Machine, setBackMs: number): boolean {
    return this.#machines.some(({ name, beganMs }) => name !== machine.name && beganMs < setBackMs);
  }

  #fault(): void {
    const chance = this.#chance();
    const [machine] = this.#machines
      .filter((one) => one.setBackMs === null)
      .slice(Math.floor(this.#chance() * 3));
    if (machine === undefined || machine.endsMs < Number.POSITIVE_INFINITY) return;
    if (chance < 0.005) {
      this.counts.restarts++;
      this.#replace(machine, this.#boot(machine.name, machine.offsetMs, machine.rate));
    } else if (this.#options.copies && chance < 0.0075) this.#copy(machine);
    if (!this.#options.copies) return;
    const snapshot = this.#snapshot;
    if (snapshot === null) {
      const done = machine.wire.snapshot();
      this.#snapshot = { machine, done, taken: machine.taken.length, atMs: this.#nowMs };
    } else if (this.#nowMs - snapshot.atMs > SET_BACK_MS && chance > 0.9) this.#restore(snapshot);
  }

  /** The machine goes on where it was at the snapshot, and so does its clock. */
  #restore(snapshot: Snapshot): void {
    this.#snapshot = null;
    const { machine, done, atMs } = snapshot;
    if (!this.#machines.includes(machine) || machine.setBackMs !== null) return;
    this.counts.setBack++;
    this.#setBack.add(machine.run);
    this.#replace(
      machine,
      {
        ...machine,
        offsetMs: machine.offsetMs - (this.#nowMs - atMs) * machine.rate,
        wire: machine.wire.restored(done, `${machine.run} set back at ${this.#nowMs}`),
        taken: machine.taken.slice(0, snapshot.taken),
        setBackMs: this.#nowMs,
      },
      true,
    );
  }

  /** A copy of the running machine, or a new run with its key, beside it for a while. */
  #copy(machine: Machine): void {
    this.counts.copies++;
    const endsMs = this.#nowMs + 1500;
    if (this.#chance() < 0.5) {
      this.#machines.push({ ...this.#boot(machine.name, machine.offsetMs, machine.rate), endsMs });
      return;
    }
    this.#copied.add(machine.run);
    const wire = machine.wire.restored(machine.wire.snapshot(), `${machine.run} copied at ${this.#nowMs}`);
    this.#machines.push({ ...machine, wire, taken: [...machine.taken], endsMs });
  }

  #replace(machine: Machine, by: Machine, sameRun = false): void {
    this.#machines = this.#machines.map((one) => (one === machine ? by : one));
    if (!sameRun) this.#ended(machine);
  }

  #end(machine: Machine): void {
    this.#machines = this.#machines.filter((one) => one !== machine);
    this.#ended(machine);
  }

  #ended(machine: Machine): void {
    if (!this.#machines.some((one) => one.run === machine.run)) this.#endedMs.set(machine.run, this.#nowMs);
  }

  #speak(machine: Machine): void {
    const nowMs = this.#clock(machine);
    this.#carry(machine.wire.do((endpoint) => endpoint.tick(nowMs)));
    if (this.#nowMs % SPEAK_MS === 0) this.#carry(this.#said(machine));
  }

  #said(machine: Machine): Outgoing[] {
    const nowMs = this.#clock(machine);
    const id = this.#nextId++;
    this.#sent.set(id, { trueMs: this.#nowMs, by: machine });
    const message = { type: 'CHECK', service: 's', id, insist: false } as const;
    return machine.wire.do((endpoint) => endpoint.seal(nowMs, 'all', [message]));
  }

  #carry(outgoing: readonly Outgoing[]): void {
    for (const out of outgoing) {
      const delayMs = !this.#faults ? 1 : this.#chance() < 0.3 ? this.#chance() * 900 : this.#chance() * 20;
      const flight = { ...out, arriveMs: this.#nowMs + delayMs };
      this.#recorded.push(flight);
      if (this.#faults && this.#chance() < 0.25) continue;
      this.#flights.push(flight);
      if (this.#chance() < 0.1) this.#flights.push({ ...flight, arriveMs: flight.arriveMs + 3 });
    }
  }

  /** To all machines of that name: two of one address hear the same. */
  #arrive({ to, link, datagram }: Flight): void {
    for (const machine of this.#machines.filter((one) => one.name === to)) {
      const nowMs = this.#clock(machine);
      const received = machine.wire.do((endpoint) => endpoint.receive(nowMs, link, datagram));
      if (received.kind === 'refused') {
        if (received.code === 'duplicate-session') this.counts.duplicates++;
        continue;
      }
      if (received.kind === 'set-back') {
        this.#learnt(machine);
        continue;
      }
      this.#carry(received.replies);
      if (received.kind !== 'messages') continue;
      for (const message of received.messages) {
        assert.ok(message.type === 'CHECK');
        this.#judge(machine, message.id, link);
      }
    }
  }

  /** The process ends and the next one begins anew. */
  #learnt(machine: Machine): void {
    assert.ok(
      machine.setBackMs !== null || this.#copied.has(machine.run),
      this.#told(`${machine.run} was not set back`),
    );
    this.counts.learnt++;
    this.#replace(machine, {
      ...this.#boot(machine.name, machine.offsetMs, machine.rate),
      endsMs: machine.endsMs,
    });
  }

  #judge(machine: Machine, id: number, link: number): void {
    const sent = this.#sent.get(id) ?? assert.fail(this.#told('a word that nobody said'));
    const copy = `${id} on ${link}`;
    assert.ok(!machine.taken.includes(copy), this.#told(`${machine.run} took twice: ${copy}`));
    machine.taken.push(copy);
    const { run, name, protocol } = sent.by;
    const peer = machine.wire.do((endpoint) => endpoint.peers()).find(({ host }) => host === name);
    assert.equal(peer?.protocol, protocol, this.#told(`${machine.run} misjudges the protocol of ${run}`));
    this.counts.delivered++;
    // Whose clock was set back with it misjudges what is old, and is misjudged, until it learns of it.
    if (machine.setBackMs !== null || this.#setBack.has(run)) return;
    // By the receiver's own clock, which may run fast by a twentieth.
    const ageMs = (this.#nowMs - sent.trueMs) * machine.rate;
    assert.ok(ageMs <= MAX_AGE_MS, this.#told(`${ageMs} ms old`));
    const endedMs = this.#endedMs.get(run);
    assert.ok(endedMs === undefined || this.#nowMs - endedMs <= MAX_AGE_MS, this.#told('a dead run’s word'));
  }

  #told(what: string): string {
    return `seed ${this.#seed} at ${this.#nowMs} ms: ${what}`;
  }

  /** Every host has accepted every other's present run, so that a fresh word of each is taken. */
  isJoined(): boolean {
    return this.#machines.every((machine) => {
      const out = this.#said(machine);
      return this.#machines.every((peer) => {
        if (peer === machine) return true;
        const one = out.find(({ to, link }) => to === peer.name && link === 1);
        if (one === undefined) return false;
        const nowMs = this.#clock(peer);
        return peer.wire.do((endpoint) => endpoint.receive(nowMs, 1, one.datagram)).kind === 'messages';
      });
    });
  }
}

/** `faultsMs` of everything, then calm: the world, after it was judged that all are in session again soon. */
export function runWorld(seed: number, options: WorldOptions, faultsMs = 6000, calmMs = 3000): World {
  const world = new World(seed, options);
  for (let ms = 0; ms < faultsMs; ms += STEP_MS) world.step(true);
  world.calm();
  let joinedAfterMs: number | null = null;
  for (let ms = 0; ms < calmMs; ms += STEP_MS) {
    world.step(false);
    if (joinedAfterMs === null && world.isJoined()) joinedAfterMs = ms;
  }
  assert.ok(
    joinedAfterMs !== null && joinedAfterMs <= 2000,
    `seed ${seed}: in session after ${joinedAfterMs} ms`,
  );
  assert.ok(world.isJoined(), `seed ${seed}: still in session at the end`);
  return world;
}
