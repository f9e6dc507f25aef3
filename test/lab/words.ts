/**
 * What the hosts say about themselves, read from their signed messages as they entered the switch ports. The messages
 * are signed, not secret; the lab's judges read them with the project's own codec. Which host speaks is taken from
 * the port, not from the message.
 */
import type { Message } from '../../src/core/messages.ts';
import { decodeRecords, messageType } from '../../src/wire/codec.ts';
import { readSign1 } from '../../src/wire/cose.ts';
import { decodeBody, readHeader } from '../../src/wire/payload.ts';
import type { Frame } from './capture.ts';
import { udpOf, type Word } from './judge.ts';
import { CLUSTER_PORT } from './topology.ts';

const GATE_BYTES = 16;

/** All words in the captured frames, in their order. Copies (one a receiver) are kept: they say the same. */
export function wordsOf(frames: readonly Frame[], hosts: readonly string[]): Word[] {
  const members = new Set(hosts);
  const words: Word[] = [];
  for (const frame of frames) {
    if (!members.has(frame.port) || (frame.way === 'out' && frame.side === 'wan')) continue;
    const udp = udpOf(frame);
    if (udp === null || udp.toPort !== CLUSTER_PORT) continue;
    for (const message of readMessages(udp.payload)) {
      if (frame.way === 'out') {
        // The master's order reached its successor, which is in Handover from here on.
        if (message.type === 'HANDOVER')
          words.push({
            atMs: frame.atMs,
            host: frame.port,
            type: 'HANDOVER',
            serving: null,
            active: true,
            serves: false,
          });
        continue;
      }
      const word = meaning(message, frame.port);
      words.push({ atMs: frame.atMs, host: frame.port, type: message.type, ...word });
    }
  }
  return words;
}

/** The messages in a datagram; none when it is not one of ours, or a handshake's. */
export function readMessages(datagram: Uint8Array): Message[] {
  const envelope = readSign1(datagram, GATE_BYTES);
  const header = envelope === null ? null : readHeader(envelope.payload);
  const type = header === null ? undefined : messageType(header.type);
  if (envelope === null || type === undefined) return [];
  return decodeRecords(type, decodeBody(envelope.payload) ?? null) ?? [];
}

/** What a message says about its sender: whether it serves, and whether it is in Handover or Service. */
function meaning(message: Message, sender: string): Pick<Word, 'serving' | 'active' | 'serves'> {
  const about = (serving: boolean | null, active: boolean | null, serves = false) => ({
    serving,
    active,
    serves,
  });
  switch (message.type) {
    case 'STATUS':
      return about(message.phase === 'serving', true, message.phase !== 'handover');
    case 'CLAIM':
    case 'READY':
    case 'RELEASE':
      return about(null, true);
    case 'REPORT':
    case 'PROBED':
      if (message.activity === 'service') return about(null, true, true);
      return about(false, message.activity === 'handover');
    case 'RELEASED':
      // The gate is shut; the uplink is lowered next, and that is the tail the judge allows.
      return about(false, message.successor === sender ? null : false);
    case 'WITHDRAW':
    case 'BYE':
      return about(false, false);
    default:
      return about(null, null);
  }
}
