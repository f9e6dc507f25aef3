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
import type { Word } from './judge.ts';
import { CLUSTER_PORT } from './topology.ts';
import { udpOf } from './udp.ts';

const GATE_BYTES = 16;

/**
 * All words in the captured frames, in the order in which they came. `saidMs` is when the sender made it, by the signed
 * time in it: a word may wait in the sender's kernel for an ARP answer. The sender's clock is set against the
 * capture's by the quickest of its messages. Copies (one a receiver) are kept.
 */
export function wordsOf(frames: readonly Frame[], hosts: readonly string[]): Word[] {
  const members = new Set(hosts);
  const heard: { readonly word: Omit<Word, 'saidMs'>; readonly sentMs: number; readonly clock: string }[] =
    [];
  const lags = new Map<string, number>();
  for (const frame of frames) {
    if (!members.has(frame.port) || (frame.way === 'out' && frame.side === 'wan')) continue;
    const udp = udpOf(frame);
    if (udp === null || udp.toPort !== CLUSTER_PORT) continue;
    const datagram = readDatagram(udp.payload);
    if (datagram === null) continue;
    const { sentMs } = datagram;
    const clock = `${frame.port} ${datagram.session}`;
    if (frame.way === 'in')
      lags.set(clock, Math.min(lags.get(clock) ?? Number.POSITIVE_INFINITY, frame.atMs - sentMs));
    for (const message of datagram.messages) {
      const about = frame.way === 'in' ? meaning(message, frame.port) : delivered(message);
      if (about === null) continue;
      heard.push({
        word: {
          ...{ atMs: frame.atMs, host: frame.port, type: message.type, service: message.service },
          ...about,
        },
        sentMs,
        clock,
      });
    }
  }
  return heard.map(({ word, sentMs, clock }) => {
    const saidMs = sentMs + (lags.get(clock) ?? Number.POSITIVE_INFINITY);
    return { ...word, saidMs: Math.min(word.atMs, saidMs) };
  });
}

/** The type of what a datagram of the cluster says: a message's, or `session` for all that sets up and measures sessions. */
export function typeOf(datagram: Uint8Array): string {
  const envelope = readSign1(datagram, GATE_BYTES);
  const header = envelope === null ? null : readHeader(envelope.payload);
  return header === null ? 'unreadable' : (messageType(header.type) ?? 'session');
}

interface Datagram {
  readonly session: string;
  /** The sender's monotonic clock, whole milliseconds. */
  readonly sentMs: number;
  readonly messages: readonly Message[];
}

/** A datagram's messages; null when it is not one of ours. A handshake's has none. */
function readDatagram(bytes: Uint8Array): Datagram | null {
  const envelope = readSign1(bytes, GATE_BYTES);
  const header = envelope === null ? null : readHeader(envelope.payload);
  if (envelope === null || header === null) return null;
  const type = messageType(header.type);
  const body = decodeBody(envelope.payload) ?? null;
  const messages = type === undefined ? [] : (decodeRecords(type, body) ?? []);
  return { session: Buffer.from(header.sid).toString('hex'), sentMs: header.sentMs, messages };
}

type Meaning = Pick<Word, 'serving' | 'active' | 'serves'>;

/** What the delivery of another's message makes of a host: the master's HANDOVER puts it into Handover. */
function delivered(message: Message): Meaning | null {
  return message.type === 'HANDOVER' ? { serving: null, active: true, serves: false } : null;
}

/** What a message says about its sender: whether it serves, and whether it is in Handover or Service. */
function meaning(message: Message, sender: string): Meaning {
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
    case 'PROBE':
      return about(null, message.claim === null ? null : true);
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
