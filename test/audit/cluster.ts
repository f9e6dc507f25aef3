/**
 * A cluster that keeps logs, without Linux: real writers, real signatures, real endpoints that show and hear heads, real
 * files. Clocks are the test's own. Everything hangs on fixed seeds, so that a failure can be looked at again.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Members } from '../../src/audit/members.ts';
import type { Message } from '../../src/core/messages.ts';
import { EventLog, type EventLogOptions, type LogLimits } from '../../src/daemon/event-log.ts';
import { EvidenceKeeper } from '../../src/daemon/evidence.ts';
import { type LogDisk, nodeDisk } from '../../src/daemon/log-disk.ts';
import type { JournalEntry } from '../../src/driver/ports.ts';
import { thumbprint } from '../../src/trust/fingerprint.ts';
import type { Roster } from '../../src/trust/roster.ts';
import type { Endpoint } from '../../src/wire/endpoint.ts';
import type { ShownHead } from '../../src/wire/head.ts';
import { seededBytes, testEndpoint, testIdentity, testRoster } from '../unit/wire-fixture.ts';

export const LIMITS: LogLimits = {
  segmentBytes: 16 * 1024 * 1024,
  segmentAgeMs: 86_400_000,
  keepBytes: 1024 * 1024 * 1024,
  keepAgeMs: null,
};

/** All hosts' time: milliseconds since the test began, and the wall clock's beginning. */
export class TestTime {
  ms = 10_000;
  readonly wallMs = Date.UTC(2026, 0, 1);
}

export class LogHost {
  readonly name: string;
  readonly directory: string;
  readonly time: TestTime;
  endpoint: Endpoint;
  /** How this host's monotonic clock differs from the test's (ms). */
  readonly skewMs: number;
  readonly #wallSkewMs: number;
  log: EventLog;
  evidence: EvidenceKeeper;
  head: ShownHead | null = null;
  #runs = 0;
  readonly #roster: Roster;
  readonly #options: Partial<EventLogOptions>;

  constructor(
    name: string,
    directory: string,
    roster: Roster,
    time: TestTime,
    options: Partial<EventLogOptions>,
    [skewMs, wallSkewMs]: readonly [number, number],
  ) {
    this.name = name;
    this.directory = directory;
    this.time = time;
    this.skewMs = skewMs;
    this.#wallSkewMs = wallSkewMs;
    this.#roster = roster;
    this.#options = options;
    this.endpoint = testEndpoint(roster, name, { nowMs: this.nowMs() });
    [this.log, this.evidence] = this.#make();
  }

  nowMs(): number {
    return this.time.ms + this.skewMs;
  }

  #make(): [EventLog, EvidenceKeeper] {
    const run = seededBytes(`${this.name} log run ${this.#runs++}`)(16);
    const identity = testIdentity(this.name);
    const disk: LogDisk = nodeDisk(this.directory);
    const log = new EventLog({
      disk,
      clusterId: this.#roster.clusterId,
      kid: thumbprint(identity.publicKey),
      sign: identity.sign,
      keys: new Members(this.#roster).keys,
      run,
      roster: this.#roster,
      limits: LIMITS,
      now: () => this.nowMs(),
      wall: () => this.time.wallMs + this.time.ms + this.#wallSkewMs,
      onTrouble: (error) => {
        if (error !== null) throw new Error(error);
      },
      onDurable: (head) => this.#show(head),
      ...this.#options,
    });
    const evidence = new EvidenceKeeper({ log, run, now: () => this.nowMs(), checkpointMs: 86_400_000 });
    return [log, evidence];
  }

  #show(head: ShownHead): void {
    this.head = head;
    this.endpoint.setHeads(head, (host) => this.evidence.heldOf(host));
  }

  /** A new run of the log, as after a restart of the daemon. */
  async restart(clean = true): Promise<void> {
    if (clean) await this.log.close(5000);
    this.endpoint = testEndpoint(this.#roster, this.name, { nowMs: this.nowMs(), run: this.#runs });
    [this.log, this.evidence] = this.#make();
    await this.log.open();
  }
}

export class LogCluster {
  readonly directory: string;
  readonly roster: Roster;
  readonly time = new TestTime();
  readonly hosts: ReadonlyMap<string, LogHost>;
  /** Hosts without power: they say, hear and write nothing. */
  readonly dead = new Set<string>();

  /** `wallSkewMs`: how much further ahead each host's wall clock is than that of the one before. */
  constructor(
    names: readonly string[],
    options: Partial<EventLogOptions> = {},
    clusterName = 'dmz',
    wallSkewMs = 30,
  ) {
    this.directory = mkdtempSync(join(tmpdir(), 'portcullis-audit-'));
    this.roster = testRoster(names, [], clusterName);
    writeFileSync(this.rosterPath, Buffer.concat(this.roster.versions));
    this.hosts = new Map(
      names.map((name, i) => [
        name,
        new LogHost(name, this.logPath(name), this.roster, this.time, options, [
          i * 1_000_000,
          i * wallSkewMs,
        ]),
      ]),
    );
  }

  get rosterPath(): string {
    return join(this.directory, 'roster.cose');
  }

  logPath(name: string): string {
    return join(this.directory, name);
  }

  host(name: string): LogHost {
    const host = this.hosts.get(name);
    if (host === undefined) throw new Error(`no host ${name}`);
    return host;
  }

  get living(): LogHost[] {
    return [...this.hosts.values()].filter(({ name }) => !this.dead.has(name));
  }

  async open(): Promise<void> {
    for (const host of this.hosts.values()) await host.log.open();
    await this.join();
  }

  /** Lets time pass until all have sessions with each other. */
  async join(): Promise<void> {
    for (let i = 0; i < 120; i++) this.#pass(10);
    await this.settle();
    for (const { name, endpoint } of this.hosts.values())
      if (endpoint.peers().some((peer) => !peer.session)) throw new Error(`${name} has no session`);
  }

  /** Time passes; handshakes that are due are made. */
  #pass(ms: number): void {
    this.time.ms += ms;
    for (const host of this.living) this.#deliver(host, host.endpoint.tick(host.nowMs()));
  }

  #deliver(from: LogHost, outgoing: ReturnType<Endpoint['tick']>): void {
    for (const { to, link, datagram } of outgoing) {
      const host = this.hosts.get(to);
      if (host === undefined || this.dead.has(to)) continue;
      const received = host.endpoint.receive(host.nowMs(), link, datagram);
      if (received.kind === 'refused' || received.kind === 'set-back') continue;
      if (received.kind === 'messages' && received.head !== null)
        host.evidence.headHeard(from.name, received.head);
      if (received.kind === 'handshake' && received.held !== undefined)
        host.evidence.headHeld(from.name, received.held);
      this.#deliver(host, received.replies);
    }
  }

  /** Every host says how far its log has come, and records what is due. */
  async gossip(passMs = 1100): Promise<void> {
    this.#pass(1);
    for (const host of this.living) {
      const report: Message = {
        type: 'REPORT',
        service: 'firewall',
        activity: 'backup',
        fit: true,
        standby: false,
        downlink: true,
        digest: 'ab',
        tableTerm: null,
        tableSeq: 0,
        load: 0,
        burdened: false,
      };
      this.#deliver(host, host.endpoint.seal(host.nowMs(), 'all', [report]));
    }
    this.#pass(passMs);
    for (const host of this.living) host.evidence.tick();
    await this.settle();
  }

  /** Waits until every log is on its disk. */
  async settle(): Promise<void> {
    for (const { log } of this.hosts.values()) await log.flush();
  }

  async say(name: string, ...entries: readonly JournalEntry[]): Promise<void> {
    for (const entry of entries) {
      this.time.ms += 1;
      this.host(name).log.append(entry);
    }
    await this.host(name).log.flush();
  }

  async close(): Promise<void> {
    for (const { log } of this.living) await log.close(5000);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** An entry as the core makes it when a service changes its place. */
export function transition(
  from: string,
  to: string,
  cause: string,
  term: string | null = null,
): JournalEntry {
  return {
    service: 'firewall',
    kind: 'transition',
    text: `${from} -> ${to}: ${cause}`,
    event: 'timer',
    data: { from, to, cause, detail: '', term },
  };
}

export function note(text: string): JournalEntry {
  return { service: null, kind: 'note', text };
}

/** One host serves in a term, and another takes over as planned. */
export async function takeover(
  cluster: LogCluster,
  from: string | null,
  to: string,
  n: number,
): Promise<void> {
  const term = `${n}/${to}`;
  await cluster.say(to, transition('backup.suspecting', 'handover.claiming', 'may-claim', term), {
    service: 'firewall',
    kind: 'message',
    text: `to all: CLAIM firewall id=${n} term=${term}`,
    data: { type: 'CLAIM' },
  });
  for (const { name: other } of cluster.living)
    if (other !== to)
      await cluster.say(other, {
        service: 'firewall',
        kind: 'voted',
        text: `promised term ${term} to ${to}`,
        data: { term },
      });
  if (from !== null) {
    const old = `${n - 1}/${from}`;
    await cluster.say(
      from,
      transition('service.seeking', 'service.shutting', 'ready', old),
      transition('service.shutting', 'service.releasing', 'shut', old),
      released(`to all: RELEASED firewall term=${old} successor=${to} id=${n} restMs=0`),
    );
    await cluster.say(
      to,
      released(`from ${from} on 1: RELEASED firewall term=${old} successor=${to} id=${n} restMs=0`, from),
    );
  }
  await cluster.say(
    to,
    transition('handover.releasing', 'handover.opening', 'released', term),
    transition('handover.opening', 'service.serving', 'gate-open', term),
  );
}

function released(text: string, from?: string): JournalEntry {
  const data = { type: 'RELEASED', ...(from === undefined ? {} : { from }) };
  return { service: 'firewall', kind: 'message', text, data };
}
