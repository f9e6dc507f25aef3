/**
 * A member's key in the attacker's hands: speaks the whole protocol with it from that member's namespace and says
 * what no honest host says. Arguments: configuration file, what to say. It begins at a line `speak VICTIM` on standard input.
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';
import type { Term } from '../../src/core/basics.ts';
import type { Message } from '../../src/core/messages.ts';
import { loadConfig } from '../../src/daemon/config/read.ts';
import { rawNowMs } from '../../src/linux/libc.ts';
import { thumbprint } from '../../src/trust/fingerprint.ts';
import { signRosterBody, versionHash } from '../../src/trust/roster.ts';
import { removeMember } from '../../src/trust/roster-edit.ts';
import { Endpoint, type Outgoing } from '../../src/wire/endpoint.ts';
import { addGate, gateKey } from '../../src/wire/gate.ts';
import { GATE_BYTES } from '../../src/wire/limits.ts';
import { partOf } from '../../src/wire/roster-words.ts';

/**
 * `serves`: that it is master in the next higher term; `absurd`: that it claims and serves in terms near the end of numbers;
 * `roster`: a newer roster without `victim`, which this host signed itself; `flood`: 20,000 of its own words a second, each
 * with its gate and a wrong signature; `nuisance`: 3,000 complaints a second about the service of `victim`, and READY to whoever
 * asks it to take over; `twin`: no lie at all, it is master in another cluster; `idle`: nothing, for comparison.
 */
export type Insider = 'serves' | 'absurd' | 'roster' | 'flood' | 'nuisance' | 'twin' | 'idle';

const [file = '', what = 'serves'] = process.argv.slice(2);
/** Those that say nothing at a steady pace, or have their own. */
const SILENT: ReadonlySet<string> = new Set(['flood', 'nuisance', 'idle']);
const FLOOD_PER_SECOND = 20_000;
const COMPLAINTS_PER_SECOND = 3_000;
const TWIN_TERM = 50;
const { config, identity } = loadConfig(file);
const { settings, roster } = config;
const service = settings.services[0]?.gateway.name ?? 'firewall';
const digest = config.core.services[0]?.digest ?? '';
const link = config.links[0];
if (link === undefined) throw new Error('no link');
const endpoint = new Endpoint({
  nowMs: rawNowMs(),
  roster,
  self: settings.host,
  identity,
  randomBytes: (length) => Uint8Array.from(randomBytes(length)),
  intervalMs: settings.timing.intervalMs,
  links: [1],
});
const socket = createSocket('udp4');
let highest: Term = { n: 0, host: settings.host };
let isSpeaking = false;
let victim = '';
let id = 1;
let said = 0;

function sendAll(datagrams: readonly Outgoing[]): void {
  for (const { to, datagram } of datagrams) {
    const address = config.peers.get(to)?.[0];
    if (address !== undefined) socket.send(datagram, address.port, address.ip, () => undefined);
  }
}

function lies(): Message[] {
  id += 1;
  if (what === 'absurd') {
    const term = { n: Number.MAX_SAFE_INTEGER - 1, host: settings.host };
    return [
      { type: 'CLAIM', service, id, term },
      { type: 'STATUS', service, id, term, phase: 'serving', digest, tableSeq: id },
    ];
  }
  const n = what === 'twin' ? TWIN_TERM : highest.n + 1;
  const term = { n, host: settings.host };
  return [{ type: 'STATUS', service, id, term, phase: 'serving', digest, tableSeq: id }];
}

/** What carries that roster to all, unasked: the very next version is taken so. */
function ownRoster(): Outgoing[] {
  const bytes = signRosterBody(removeMember(roster, victim, roster.version), identity);
  const hash = versionHash(bytes);
  const out: Outgoing[] = [];
  for (let chunk = 0; ; chunk++) {
    const word = partOf(roster.version + 1, hash, bytes, chunk);
    if (word === null) return out;
    out.push(...endpoint.sealRoster(rawNowMs(), 'all', word));
  }
}

/** Own words of this moment whose signature is wrong and whose gate is right. */
function badlySigned(): Outgoing[] {
  const { clusterId } = roster;
  return endpoint.seal(rawNowMs(), 'all', lies()).flatMap((outgoing) => {
    const member = roster.members.find(({ name }) => name === outgoing.to);
    if (member === undefined) return [];
    const envelope = Uint8Array.from(outgoing.datagram.subarray(GATE_BYTES));
    const last = envelope.length - 1;
    envelope[last] = (envelope[last] ?? 0) ^ 1;
    const key = gateKey(
      identity.agree(member.publicKey),
      clusterId,
      thumbprint(identity.publicKey),
      member.kid,
    );
    return [{ ...outgoing, datagram: addGate(key, outgoing.link, envelope) }];
  });
}

/** How many are due since the last call; what a busy machine did not let us send is made good, within a tenth of a second. */
function due(now: number, perSecond: number): number {
  owed = Math.min(owed + ((now - lastMs) * perSecond) / 1000, perSecond / 10);
  lastMs = now;
  const whole = Math.floor(owed);
  owed -= whole;
  return whole;
}

/** The service fails here, says this host, and insists: a datagram and a signature each time. */
function complain(now: number): void {
  for (let left = due(now, COMPLAINTS_PER_SECOND); left > 0; left -= 1) {
    id += 1;
    said += 1;
    sendAll(endpoint.seal(now, victim, [{ type: 'CHECK', service, id, insist: true }]));
  }
}

let owed = 0;
let lastMs = rawNowMs();
let wrong: readonly Outgoing[] = [];
let madeMs = Number.NEGATIVE_INFINITY;
function flood(now: number): void {
  if (now - madeMs > 50) {
    wrong = badlySigned();
    madeMs = now;
  }
  if (wrong.length === 0) return;
  for (let left = due(now, FLOOD_PER_SECOND); left > 0; left -= 1) {
    const one = wrong[said % wrong.length];
    if (one !== undefined) sendAll([one]);
    said += 1;
  }
}

socket.on('message', (datagram) => {
  const got = endpoint.receive(rawNowMs(), 1, datagram);
  if ('replies' in got) sendAll(got.replies);
  if (got.kind !== 'messages') return;
  for (const message of got.messages) {
    if (what === 'nuisance' && message.type === 'HANDOVER') {
      const term = { n: highest.n + 1, host: settings.host };
      sendAll(endpoint.seal(rawNowMs(), got.from, [{ type: 'READY', service, id: message.id, term }]));
    }
    if ('term' in message && message.term !== null && message.term.host !== settings.host)
      if (message.term.n > highest.n) highest = message.term;
  }
});
socket.bind(link.listen.port, link.listen.ip, () => {
  socket.setTTL(255);
  setInterval(() => {
    const now = rawNowMs();
    sendAll(endpoint.tick(now));
    // Who was never heard would be held against all claims for a while (R19): not what is looked at here.
    if (!isSpeaking && what !== 'twin') sendAll(endpoint.seal(now, 'all', [{ type: 'BYE', service }]));
    if ((!isSpeaking && what !== 'twin') || SILENT.has(what)) return;
    if (what === 'roster') {
      const parts = ownRoster();
      said += parts.length;
      sendAll(parts);
      return;
    }
    const datagrams = endpoint.seal(now, 'all', lies());
    said += datagrams.length;
    sendAll(datagrams);
  }, 50);
  const steadily = what === 'flood' ? flood : what === 'nuisance' ? complain : null;
  if (steadily !== null) setInterval(() => (isSpeaking ? steadily(rawNowMs()) : undefined), 2);
});
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [order, about = ''] = line.split(' ');
    if (order === 'speak') {
      isSpeaking = true;
      victim = about;
    }
    process.stdout.write(
      `${JSON.stringify({ sessions: endpoint.peers().filter((p) => p.session).length, said })}\n`,
    );
  })
  .on('close', () => process.exit(0));
