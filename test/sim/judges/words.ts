/**
 * What hosts say on the wire against what is true: one host a term; who says RELEASED or WITHDRAW has its gate shut;
 * who claims had a living downlink at some time since it began to suspect. Decodes the frames itself.
 */
import type { Message, Term } from '../../../src/core/index.ts';
import { decodeRecords, messageType, typeNumber } from '../../../src/wire/codec.ts';
import { readSign1 } from '../../../src/wire/cose.ts';
import { GATE_BYTES, KID_BYTES, SIGNATURE_BYTES } from '../../../src/wire/limits.ts';
import { decodeBody, readHeader } from '../../../src/wire/payload.ts';
import type { Host } from '../host.ts';
import type { Frame } from '../network.ts';
import type { World } from '../world.ts';
import type { Judge } from './judge.ts';

const HEARD: ReadonlySet<number> = new Set(
  (['STATUS', 'CLAIM', 'RELEASED', 'WITHDRAW'] as const).map(typeNumber),
);
/** Where the payload's byte string begins in a datagram. */
const PAYLOAD_AT = GATE_BYTES + 10 + KID_BYTES + 1;

/** The message type number, read at its place without decoding; every payload begins with its field 1. */
export function typeAt(datagram: Uint8Array): number {
  const head = datagram[PAYLOAD_AT];
  const heads = head === 0x59 ? 3 : head === 0x58 ? 2 : 1;
  return datagram[PAYLOAD_AT + heads + 2] ?? -1;
}

/** The core's messages in a frame; none in what is not one of theirs. */
export function messagesOf(datagram: Uint8Array): readonly Message[] {
  const sign1 = readSign1(datagram, GATE_BYTES);
  const header = sign1 === null ? null : readHeader(sign1.payload);
  const type = header === null ? undefined : messageType(header.type);
  if (sign1 === null || type === undefined) return [];
  return decodeRecords(type, decodeBody(sign1.payload) ?? null) ?? [];
}

export class WordsJudge implements Judge {
  /** Who served in a term, by `n/host`. */
  readonly #served = new Map<string, string>();
  /** The last signature of each host: copies of one envelope are judged once. */
  readonly #last = new Map<string, number>();
  /** Since when a host's downlink is dead without a break; absent while it lives. */
  readonly #deadSinceMs = new Map<string, number>();

  changed(w: World): void {
    for (const host of w.hosts) {
      if (host.lanPort && w.foreigners) this.#deadSinceMs.delete(host.name);
      else if (!this.#deadSinceMs.has(host.name)) this.#deadSinceMs.set(host.name, w.nowMs);
    }
  }

  sent(w: World, from: Host, frame: Frame): void {
    const { datagram } = frame;
    if (!HEARD.has(typeAt(datagram))) return;
    const at = datagram.length - SIGNATURE_BYTES;
    const signature = new DataView(datagram.buffer, datagram.byteOffset + at).getUint32(0);
    if (this.#last.get(from.name) === signature) return;
    this.#last.set(from.name, signature);
    for (const message of messagesOf(datagram)) this.#judge(w, from, message);
  }

  #judge(w: World, from: Host, m: Message): void {
    if (m.type === 'STATUS' && m.phase === 'serving') this.#serves(w, from, m.term);
    else if (m.type === 'RELEASED' || m.type === 'WITHDRAW') {
      if (from.gateOpen(w.nowMs)) {
        w.violation('released', from.name, `says ${m.type} of ${m.term.n}/${m.term.host} with its gate open`);
      }
    } else if (m.type === 'CLAIM') this.#claims(w, from);
  }

  #serves(w: World, from: Host, term: Term): void {
    const key = `${term.n}/${term.host}`;
    const before = this.#served.get(key);
    if (before === undefined) this.#served.set(key, from.name);
    if ((before ?? from.name) !== from.name || term.host !== from.name) {
      w.violation('terms', from.name, `serves in term ${key}, in which ${before ?? term.host} is master`);
    }
  }

  #claims(w: World, from: Host): void {
    const deadMs = this.#deadSinceMs.get(from.name);
    const forced = Object.values(from.driver?.state.services ?? {}).some((s) => s.forced);
    if (deadMs === undefined || forced || from.actuator.liedAtMs >= from.startedMs) return;
    // Whom the master asked (T10) was fit then; what it claims in that attempt is the master's decision, not its own.
    const since = from.places.findLast((p) => !p.place.startsWith('handover.'));
    if (since?.place !== 'backup.suspecting' && since?.place !== 'decide.electing') return;
    if (deadMs >= since.atMs) return;
    w.violation('claims', from.name, `claims, but its downlink is dead since before it began to suspect`);
  }
}
