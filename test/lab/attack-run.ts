/**
 * One attack against one build: the cluster settles, the attacker records, the attack begins and goes on, the master loses its
 * power, somebody must take over. Everything is seen as an operator sees it, through `status`.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readIdentityFile, readPublicKeyFile } from '../../src/daemon/key-files.ts';
import { thumbprint } from '../../src/trust/fingerprint.ts';
import { verifyRosterFile } from '../../src/trust/roster.ts';
import { gateKey } from '../../src/wire/gate.ts';
import { eventLines } from '../audit/read.ts';
import { alarmsOf, countersOf, difference } from './attack-seen.ts';
import type { Order } from './attack-station.ts';
import { Talker } from './attack-talker.ts';
import { makeTwin } from './attack-twin.ts';
import type { Attack } from './attacks.ts';
import { type Policy, PROJECT, type Status } from './gateway.ts';
import { Lab } from './lab.ts';
import { must, sleep, until } from './process.ts';
import { type HostPlan, planHosts, TWIN } from './topology.ts';
import { type Weakness, weakened, weakenedHome } from './weakened.ts';

export interface AttackResult {
  readonly attack: string;
  /** null: the real build. */
  readonly without: Weakness | null;
  /** What the attack did: nothing, when it is null. */
  readonly damage: string | null;
  /** From the loss of power until another host serves; null: none did within the limit. */
  readonly takeoverMs: number | null;
  /** Of the backup's daemon while under attack: processor time over time. */
  readonly cores: number;
  readonly sent: number;
  /** By the attacker's station, while the master still had power. */
  readonly sentPerSecond: number;
  /** Refusals and drops that `status` shows on the backup. */
  readonly counters: { readonly [name: string]: number };
  readonly alarms: readonly string[];
}

const INTERVAL_MS = 200;
const RECORD_MS = 2_000;
const LIVE_MS = 4_000;
/** The real build needs less than a second on an idle machine. */
const TAKEOVER_LIMIT_MS = 8_000;
const SETTLE_MS = 40_000;
/** An honest member speaks once an interval at least. */
const UNHEARD_MS = 10 * INTERVAL_MS;
const STRANGER = '10.77.1.222';

export async function runAttack(attack: Attack, without: Weakness | null): Promise<AttackResult> {
  const hosts = hostsOf(attack);
  const lab = await Lab.open({
    ...{ hosts, policy: policyOf(attack), intervalMs: INTERVAL_MS, timing: [] },
    ...{ answerBroadcasts: true, attacker: true, twin: attack.twin === true },
  });
  try {
    if (without !== null) lab.cluster.program = await weakened(without);
    return await new Siege(lab, attack, without).run();
  } finally {
    await lab.close();
  }
}

/** With a stolen key among three, the honest ones are no majority any more once one of them is dead. */
function policyOf(attack: Attack): Policy {
  return attack.honestWitness === true ? 'quorum' : 'available';
}

function hostsOf(attack: Attack): HostPlan[] {
  if (attack.stolen === 'witness' || attack.honestWitness === true) return planHosts(2, true);
  const plan = planHosts(attack.stolen === 'gateway' ? 3 : 2, false);
  return attack.links === 2 ? plan.map((host, i) => ({ ...host, second: `10.77.1.${61 + i}` })) : plan;
}

class Siege {
  readonly #lab: Lab;
  readonly #attack: Attack;
  readonly #without: Weakness | null;
  readonly #honest: readonly string[];
  readonly #stolen: string | null;
  #station: Talker | null = null;
  #insider: Talker | null = null;

  constructor(lab: Lab, attack: Attack, without: Weakness | null) {
    this.#lab = lab;
    this.#attack = attack;
    this.#without = without;
    this.#honest = lab.gateways.slice(0, 2);
    this.#stolen = attack.stolen === undefined ? null : (lab.options.hosts.at(-1)?.name ?? null);
  }

  async run(): Promise<AttackResult> {
    const { cluster } = this.#lab;
    for (const host of this.#honest) cluster.start(host);
    const [third] = this.#attack.honestWitness === true ? this.#lab.options.hosts.slice(2) : [];
    if (third !== undefined) cluster.start(third.name);
    if (this.#attack.outside !== undefined && this.#attack.links !== 2) await this.#openStation();
    if (this.#stolen !== null) await this.#openInsider(this.#stolen);
    const first = await cluster.settle(this.#honest, SETTLE_MS);
    if (this.#attack.links === 2) {
      await this.#cutSecondLink(first);
      await this.#openStation();
    }
    await sleep(this.#attack.recordMs ?? RECORD_MS);
    await this.#takeOut(first);
    const before = await this.#known(first);
    let damage: string | null = null;
    if (this.#attack.restart === true) {
      for (const host of this.#honest) await cluster.kill(host, this.#lab.faults);
      await this.#begin(first);
      for (const host of this.#honest) cluster.start(host);
      const met = await until(() => this.#haveMet(), 20_000, 100);
      if (!met) damage = 'hosts that start anew do not find together';
    } else {
      await this.#begin(first);
    }
    const usedFrom = await this.#cpuMs(this.#other(first));
    const fromMs = performance.now();
    await sleep(this.#attack.liveMs ?? LIVE_MS);
    const liveSent = this.#station === null ? 0 : Number((await this.#station.ask('{"op":"count"}')).sent);
    const sentPerSecond = (liveSent * 1_000) / (performance.now() - fromMs);
    const cores = ((await this.#cpuMs(this.#other(first))) - usedFrom) / (performance.now() - fromMs);
    const master = await this.#masterNow(first);
    const after = await cluster.status(master, 2_000);
    const beside = await cluster.status(this.#other(master), 2_000);
    if (this.#attack.restart !== true && damage === null)
      damage = difference(before, after, (await this.#serving()).length);
    // A control that is damaged already has shown what it is there for.
    const isShown = this.#without !== null && damage !== null;
    const takeoverMs = isShown ? null : await this.#killAndWait(master);
    if (takeoverMs === null) damage ??= `nobody took over within ${TAKEOVER_LIMIT_MS} ms`;
    const end = await cluster.status(this.#other(master), 2_000);
    const sent = this.#station === null ? null : await this.#station.ask('{"op":"count"}');
    const said = this.#insider === null ? null : await this.#insider.ask('count');
    return {
      attack: this.#attack.name,
      without: this.#without,
      ...{ damage, takeoverMs, cores: Math.round(cores * 100) / 100 },
      sent: Number(sent?.sent ?? said?.said ?? 0),
      sentPerSecond: Math.round(sentPerSecond),
      counters: countersOf([after, beside, end], this.#refusedRosters(), UNHEARD_MS),
      alarms: [...new Set([after, beside, end].flatMap(alarmsOf))],
    };
  }

  #other(host: string): string {
    return this.#honest.find((other) => other !== host) ?? host;
  }

  async #known(host: string): Promise<Status> {
    const status = await this.#lab.cluster.status(host, 5_000);
    if (status === null) throw new Error(`${host} does not answer`);
    return status;
  }

  async #serving(): Promise<string[]> {
    const states = await this.#lab.cluster.states(this.#honest);
    return [...states].filter(([, state]) => state === 'service').map(([host]) => host);
  }

  async #masterNow(fallback: string): Promise<string> {
    return (await this.#serving())[0] ?? fallback;
  }

  /** One serves, and the other hears it. */
  async #haveMet(): Promise<boolean> {
    const all = await Promise.all(this.#honest.map((host) => this.#lab.cluster.status(host)));
    const [one] = all.flatMap((status) => (status?.services[0]?.state === 'service' ? [status.host] : []));
    return one !== undefined && all.every((status) => status?.services[0]?.master === one);
  }

  async #openStation(): Promise<void> {
    const links = JSON.parse(
      await must(['ip', '-n', this.#lab.topology.ns('attacker'), '-j', 'link', 'show', 'eth0']),
    ) as { ifindex: number }[];
    this.#station = new Talker(
      this.#lab.program('attacker', 'attack-station.js', String(links[0]?.ifindex ?? 0)),
    );
  }

  async #openInsider(host: string): Promise<void> {
    const { cluster } = this.#lab;
    this.#insider = new Talker(
      this.#lab.program(host, 'attack-insider.js', cluster.config(host), this.#attack.inside ?? 'serves'),
    );
    await this.#insider.ask('count');
  }

  /** The master's key speaks in another cluster, honestly; its program is of the same build as the daemons. */
  async #openTwin(master: string): Promise<void> {
    const { cluster } = this.#lab;
    const config = await makeTwin(cluster.directory, master, this.#other(master));
    const home = this.#without === null ? PROJECT : await weakenedHome(this.#without);
    const twin = new Talker(this.#lab.programOf(home, TWIN.name, 'attack-insider.js', config, 'twin'));
    await twin.ask('count');
  }

  /** With the operator's own commands, while everything runs. */
  async #takeOut(master: string): Promise<void> {
    const { takenOut } = this.#attack;
    if (takenOut === undefined || this.#stolen === null) return;
    await this.#lab.cluster.changeMembers(takenOut, this.#stolen, master);
  }

  /** From the master to the other: what is recorded now is never heard there. */
  async #cutSecondLink(master: string): Promise<void> {
    const other = this.#lab.options.hosts.find(({ name }) => name === this.#other(master));
    if (other?.second !== undefined) await this.#lab.faults.cutClusterTo('lan', master, other.second);
  }

  async #begin(master: string): Promise<void> {
    if (this.#attack.cutsPath === true)
      await this.#lab.faults.cutClusterBetween('lan', master, this.#other(master));
    if (this.#attack.twin === true) await this.#openTwin(master);
    if (this.#insider !== null) {
      const { sessions } = await this.#insider.ask(`speak ${master}`);
      if (Number(sessions) < 1) throw new Error('the insider has no session');
    }
    const { outside } = this.#attack;
    if (outside === undefined || this.#station === null) return;
    const { of, hasGateKey, stranger, ...sending } = outside;
    const { hosts } = this.#lab.options;
    const address = (name: string) => hosts.find((host) => host.name === name)?.address;
    const second = (name: string) => hosts.find((host) => host.name === name)?.second ?? '';
    const order: Order = {
      ...{ op: 'send', ...sending },
      ...(of === 'master' ? { from: address(master) ?? '', to: address(this.#other(master)) ?? '' } : {}),
      ...(stranger === true ? { sourceAddress: STRANGER } : {}),
      ...(this.#attack.links === 2 ? { as: { from: second(master), to: second(this.#other(master)) } } : {}),
      ...(this.#attack.twin === true ? { as: { from: TWIN.address, to: TWIN.peer } } : {}),
      ...(hasGateKey === true ? { gateKey: await this.#gateKey(master, this.#other(master)) } : {}),
    };
    await this.#station.ask(JSON.stringify(order));
  }

  /** What a thief of one pair's key has: K(from -> to) in hex, and nothing that signs. */
  async #gateKey(from: string, to: string): Promise<string> {
    const { directory } = this.#lab.cluster;
    const identity = readIdentityFile(join(directory, `${from}.key`));
    const admin = readPublicKeyFile(join(directory, 'admin.key.pub')).publicKey;
    const read = verifyRosterFile(await readFile(join(directory, 'roster.cose')), admin);
    if (!read.ok) throw new Error('the roster does not verify');
    const peer = readPublicKeyFile(join(directory, `${to}.key.pub`)).publicKey;
    const { clusterId } = read.roster;
    const kids = [thumbprint(identity.publicKey), thumbprint(peer)] as const;
    return Buffer.from(gateKey(identity.agree(peer), clusterId, ...kids)).toString('hex');
  }

  /** Entries of the event logs that tell of a roster which was not taken. */
  #refusedRosters(): number {
    const lines = this.#honest.flatMap((host) =>
      eventLines(join(this.#lab.cluster.directory, host, 'state')),
    );
    return lines.filter((line) => line.includes('"kind":"roster"') && line.includes('refused')).length;
  }

  async #cpuMs(host: string): Promise<number> {
    const pid = (await this.#lab.cluster.status(host, 2_000))?.pid;
    if (pid === undefined) return 0;
    const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
    // utime and stime, in hundredths of a second: fields 14 and 15 of proc(5), the name cut off.
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  async #killAndWait(master: string): Promise<number | null> {
    const heir = this.#other(master);
    const fromMs = performance.now();
    // Its cables go first; the rest of its end takes a while, in which the heir is looked at already.
    const off = this.#lab.cluster.powerOff(master);
    const taken = await until(
      async () => {
        const service = (await this.#lab.cluster.status(heir))?.services[0];
        return service?.state === 'service' && service.gateOpen === true;
      },
      TAKEOVER_LIMIT_MS,
      10,
    );
    const afterMs = performance.now() - fromMs;
    await off;
    return taken ? Math.round(afterMs) : null;
  }
}
