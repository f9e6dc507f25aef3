/**
 * A member's key in the attacker's hands: speaks the whole protocol with it from that member's namespace and says
 * what no honest host says. Arguments: configuration file, what to say. Every change of it waits for a line on standard input.
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';
import type { Term } from '../../src/core/basics.ts';
import type { Message } from '../../src/core/messages.ts';
import { loadConfig } from '../../src/daemon/config/read.ts';
import { rawNowMs } from '../../src/linux/libc.ts';
import { Endpoint, type Outgoing } from '../../src/wire/endpoint.ts';

/** `serves`: that it is master in the next higher term; `absurd`: claims terms near the end of numbers. */
export type Insider = 'serves' | 'absurd';

const [file = '', what = 'serves'] = process.argv.slice(2);
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
  const term = { n: highest.n + 1, host: settings.host };
  return [{ type: 'STATUS', service, id, term, phase: 'serving', digest, tableSeq: id }];
}

socket.on('message', (datagram) => {
  const got = endpoint.receive(rawNowMs(), 1, datagram);
  if ('replies' in got) sendAll(got.replies);
  if (got.kind !== 'messages') return;
  for (const message of got.messages)
    if ('term' in message && message.term !== null && message.term.host !== settings.host)
      if (message.term.n > highest.n) highest = message.term;
});
socket.bind(link.listen.port, link.listen.ip, () => {
  socket.setTTL(255);
  setInterval(() => {
    const now = rawNowMs();
    sendAll(endpoint.tick(now));
    if (!isSpeaking) return;
    const datagrams = endpoint.seal(now, 'all', lies());
    said += datagrams.length;
    sendAll(datagrams);
  }, 50);
});
createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (line === 'speak') isSpeaking = true;
    process.stdout.write(
      `${JSON.stringify({ sessions: endpoint.peers().filter((p) => p.session).length, said })}\n`,
    );
  })
  .on('close', () => process.exit(0));
