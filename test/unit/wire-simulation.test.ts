/**
 * Two hosts with clocks of their own talk over a network that loses, delays, doubles and replays everything it ever
 * carried, while they restart at random. Judged from outside, by true time: no word is taken twice on a link, none
 * that is older than max_age, none of a run that ended; and when loss and restarts end (the replays go on), both are
 * soon in session again. A failure names its seed.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Endpoint, Outgoing } from '../../src/wire/endpoint.ts';
import { testEndpoint, testRoster } from './wire-fixture.ts';

const roster = testRoster(['fw1', 'fw2']);
const LINKS = [1, 2];
const STEP_MS = 5;
const FAULTS_MS = 6000;
const CALM_MS = 4000;
const INTERVAL_MS = 100;
const MAX_AGE_MS = 500;
const MAX_DRIFT = 0.1;
/** 57 once showed a word that was older than its sender's last measurement, and than max_age. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 57];

/** mulberry32: uniform in [0, 1), the same for the same seed. */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Host {
  readonly name: string;
  readonly offsetMs: number;
  readonly rate: number;
  run: number;
  endpoint: Endpoint;
}

interface Flight extends Outgoing {
  readonly from: string;
  readonly arriveMs: number;
}

class Simulation {
  readonly #seed: number;
  readonly #chance: () => number;
  readonly #hosts: Map<string, Host>;
  #flights: Flight[] = [];
  readonly #recorded: Flight[] = [];
  #nowMs = 0;
  #nextId = 1;
  readonly #sentMs = new Map<number, { trueMs: number; run: string }>();
  readonly #taken = new Set<string>();
  readonly #deadRuns = new Map<string, number>();
  delivered = 0;
  replays = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#chance = chances(seed);
    this.#hosts = new Map(['fw1', 'fw2'].map((name) => [name, this.#boot(name, 0)]));
  }

  #boot(name: string, run: number): Host {
    const old = run === 0 ? undefined : this.#hosts.get(name);
    const offsetMs = old?.offsetMs ?? this.#chance() * 1e6;
    // Within the drift that is allowed for: both rates off by at most a twentieth.
    const rate = old?.rate ?? 0.95 + this.#chance() / 10;
    const endpoint = testEndpoint(roster, name, {
      nowMs: offsetMs + this.#nowMs * rate,
      run: this.#seed * 1000 + run,
      intervalMs: INTERVAL_MS,
      maxAgeMs: MAX_AGE_MS,
      maxDrift: MAX_DRIFT,
      links: LINKS,
    });
    return { name, offsetMs, rate, run, endpoint };
  }

  #clock(host: Host): number {
    return host.offsetMs + this.#nowMs * host.rate;
  }

  /** One step: talk, deliver, replay. `faults`: loss, long delays and restarts as well. */
  step(faults: boolean): void {
    this.#nowMs += STEP_MS;
    if (faults && this.#chance() < 0.005) this.#restart(this.#chance() < 0.5 ? 'fw1' : 'fw2');
    for (const host of this.#hosts.values()) {
      const nowMs = this.#clock(host);
      this.#carry(host.name, host.endpoint.tick(nowMs), faults);
      if (this.#nowMs % 25 !== 0) continue;
      const id = this.#nextId++;
      this.#sentMs.set(id, { trueMs: this.#nowMs, run: `${host.name} ${host.run}` });
      const message = { type: 'CHECK', service: 's', id, insist: false } as const;
      this.#carry(host.name, host.endpoint.seal(nowMs, 'all', [message]), faults);
    }
    const due = this.#flights.filter((flight) => flight.arriveMs <= this.#nowMs);
    this.#flights = this.#flights.filter((flight) => flight.arriveMs > this.#nowMs);
    for (const flight of due) this.#arrive(flight, faults);
    for (let i = 0; i < 5 && this.#recorded.length > 0; i++) {
      const recorded = this.#recorded[Math.floor(this.#chance() * this.#recorded.length)];
      if (recorded !== undefined) this.#arrive(recorded, faults);
      this.replays++;
    }
  }

  #restart(name: string): void {
    const host = this.#hosts.get(name) ?? assert.fail();
    this.#deadRuns.set(`${name} ${host.run}`, this.#nowMs);
    this.#hosts.set(name, this.#boot(name, host.run + 1));
  }

  #carry(from: string, outgoing: readonly Outgoing[], faults: boolean): void {
    for (const out of outgoing) {
      const delayMs = !faults ? 1 : this.#chance() < 0.3 ? this.#chance() * 900 : this.#chance() * 20;
      const flight = { from, ...out, arriveMs: this.#nowMs + delayMs };
      this.#recorded.push(flight);
      if (faults && this.#chance() < 0.25) continue;
      this.#flights.push(flight);
      if (this.#chance() < 0.1) this.#flights.push({ ...flight, arriveMs: flight.arriveMs + 3 });
    }
  }

  #arrive(flight: Flight, faults: boolean): void {
    const host = this.#hosts.get(flight.to) ?? assert.fail();
    const received = host.endpoint.receive(this.#clock(host), flight.link, flight.datagram);
    if (received.kind === 'refused') return;
    this.#carry(flight.to, received.replies, faults);
    if (received.kind !== 'messages') return;
    for (const message of received.messages) {
      assert.ok(message.type === 'CHECK');
      const sent = this.#sentMs.get(message.id) ?? assert.fail(`seed ${this.#seed}: a word that nobody said`);
      const copy = `${message.id} to ${flight.to} on ${flight.link}`;
      assert.ok(!this.#taken.has(copy), `seed ${this.#seed}: taken twice: ${copy}`);
      this.#taken.add(copy);
      // By the receiver's own clock, which may run fast by a twentieth.
      const ageMs = (this.#nowMs - sent.trueMs) * host.rate;
      assert.ok(ageMs <= MAX_AGE_MS, `seed ${this.#seed}: ${ageMs} ms old`);
      const deadMs = this.#deadRuns.get(sent.run);
      assert.ok(
        deadMs === undefined || this.#nowMs - deadMs <= MAX_AGE_MS,
        `seed ${this.#seed}: a dead run's word`,
      );
      this.delivered++;
    }
  }

  /** Both have accepted the other's present run, so that a fresh word of each is taken. */
  isJoined(): boolean {
    const names = ['fw1', 'fw2'];
    return names.every((name) => {
      const host = this.#hosts.get(name) ?? assert.fail();
      const peer = this.#hosts.get(names.find((other) => other !== name) ?? '') ?? assert.fail();
      const id = this.#nextId++;
      this.#sentMs.set(id, { trueMs: this.#nowMs, run: `${host.name} ${host.run}` });
      const [out] = host.endpoint.seal(this.#clock(host), 'all', [
        { type: 'CHECK', service: 's', id, insist: false },
      ]);
      if (out === undefined) return false;
      const received = peer.endpoint.receive(this.#clock(peer), out.link, out.datagram);
      return received.kind === 'messages';
    });
  }
}

test('replay of everything, loss, delay, restarts: no word is taken twice or late, and nobody is locked out', () => {
  let slowestMs = 0;
  let delivered = 0;
  for (const seed of SEEDS) {
    const simulation = new Simulation(seed);
    for (let ms = 0; ms < FAULTS_MS; ms += STEP_MS) simulation.step(true);
    let joinedAfterMs: number | null = null;
    for (let ms = 0; ms < CALM_MS; ms += STEP_MS) {
      simulation.step(false);
      if (joinedAfterMs === null && simulation.isJoined()) joinedAfterMs = ms;
    }
    assert.ok(
      joinedAfterMs !== null && joinedAfterMs <= 2000,
      `seed ${seed}: in session after ${joinedAfterMs} ms`,
    );
    assert.ok(simulation.isJoined(), `seed ${seed}: still in session at the end`);
    assert.ok(simulation.replays > 5000);
    slowestMs = Math.max(slowestMs, joinedAfterMs);
    delivered += simulation.delivered;
  }
  assert.ok(delivered > 10_000, `the network carried something: ${delivered}`);
});
