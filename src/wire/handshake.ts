/**
 * The handshake: HELLO, CHALLENGE, WELCOME. A host is believed to run as a session only when it has signed an answer
 * to a nonce that we drew in this run; what answers none costs no signature (spec/protocol.md, sessions).
 */
import type { HostName } from '../core/basics.ts';
import { fromHex, hex } from './hex.ts';
import { type Opened, type Refused, refused, signatureHolds } from './inbound.ts';
import { BARE_REPLY_PAUSE_MS, NONCE_BYTES } from './limits.ts';
import { type Handshake, readHandshake } from './payload.ts';
import { helloSent, helloSoon, helloTargets, type Peer, sessionMeasured } from './peer.ts';
import type { RejectionCode } from './rejection.ts';
import type { SessionTiming } from './session.ts';
import type { Outgoing, Speaker } from './speaker.ts';

export interface Handshaken {
  readonly kind: 'handshake';
  readonly from: HostName;
  /** A session with that host was accepted now, for the first time or anew. */
  readonly joined: boolean;
  readonly replies: Outgoing[];
}

export class Handshaker {
  readonly #speaker: Speaker;
  readonly #timing: SessionTiming;

  constructor(speaker: Speaker, timing: SessionTiming) {
    this.#speaker = speaker;
    this.#timing = timing;
  }

  /** Steps 4 to 7 of the pipeline for HELLO, CHALLENGE and WELCOME: what answers no nonce of ours costs no signature. */
  judge(nowMs: number, opened: Opened): Handshaken | Refused {
    const { peer, header, sign1 } = opened;
    const { session, member } = peer;
    const refuse = (code: RejectionCode): Refused => refused(member.name, true, code);
    const sid = peer.sids.hex(header.sid);
    if (session.isRetired(sid)) return refuse('retired');
    const handshake = readHandshake(header, sign1.payload);
    if (handshake === null) return refuse('body');
    this.noteCandidate(nowMs, peer, sid);
    if (handshake.kind === 'bare-hello') return this.#answerBare(nowMs, peer, handshake.isReply);
    let askedMs: number | null = null;
    if (handshake.kind === 'hello') {
      if (session.wasAnswered(hex(handshake.nonce))) return refuse('answered');
    } else {
      const echo = hex(handshake.echo);
      askedMs =
        handshake.kind === 'challenge'
          ? session.helloSentMs(echo, nowMs)
          : session.challengeSentMs(echo, nowMs);
      if (askedMs === null) return refuse('nonce');
    }
    if (!peer.handshakeBudget.spend(nowMs, this.#speaker.chance())) return refuse('budget');
    if (!signatureHolds(opened, this.#speaker.ownAad, this.#speaker.allAad)) return refuse('signature');
    peer.roster = { version: header.rosterVersion, hash: peer.rosterHashes.hex(header.rosterHash) };
    return handshake.kind === 'hello'
      ? this.#answerHello(nowMs, peer, header.sid, handshake.nonce)
      : this.#accept(nowMs, opened, handshake, askedMs ?? nowMs);
  }

  #answerBare(nowMs: number, peer: Peer, isReply: boolean): Handshaken | Refused {
    const from = peer.member.name;
    const replies = nowMs >= peer.nextHelloMs ? this.hellos(nowMs, peer) : [];
    if (isReply || nowMs - peer.lastBareReplyMs < BARE_REPLY_PAUSE_MS) {
      return { kind: 'handshake', from, joined: false, replies };
    }
    peer.lastBareReplyMs = nowMs;
    replies.unshift(...this.#speaker.handshake(nowMs, peer, null, { kind: 'bare-hello', isReply: true }));
    return { kind: 'handshake', from, joined: false, replies };
  }

  /** A verified HELLO is answered once; a lost answer is mended by the peer's next, which has another nonce. */
  #answerHello(nowMs: number, peer: Peer, sid: Uint8Array, echo: Uint8Array): Handshaken | Refused {
    const nonce = this.#speaker.nonce(NONCE_BYTES);
    peer.session.noteAnswered(hex(echo));
    peer.session.noteChallengeSent(hex(nonce), nowMs);
    const replies = this.#speaker.handshake(nowMs, peer, sid, { kind: 'challenge', nonce, echo });
    return { kind: 'handshake', from: peer.member.name, joined: false, replies };
  }

  /** A verified CHALLENGE or WELCOME: the peer has proved that it runs now. */
  #accept(nowMs: number, opened: Opened, handshake: Handshake, askedMs: number): Handshaken | Refused {
    const { peer, header } = opened;
    const { session, member } = peer;
    const sid = peer.sids.hex(header.sid);
    const replies: Outgoing[] = [];
    if (handshake.kind === 'challenge') {
      session.spendHelloNonces();
      replies.push(
        ...this.#speaker.handshake(nowMs, peer, header.sid, { kind: 'welcome', echo: handshake.nonce }),
      );
    } else if (handshake.kind === 'welcome') {
      session.spendChallengeNonce(hex(handshake.echo));
    }
    const acceptance = session.accept(nowMs, sid, askedMs, header.sentMs);
    if (acceptance === 'retired' || acceptance === 'duplicate-session')
      return refused(member.name, true, acceptance);
    sessionMeasured(nowMs, peer, this.#timing);
    return { kind: 'handshake', from: member.name, joined: acceptance === 'joined', replies };
  }

  /** A sid seen in a datagram that passed the gate: to be asked, not believed. */
  noteCandidate(nowMs: number, peer: Peer, sid: string): void {
    if (peer.session.noteCandidate(sid, this.#speaker.chance())) helloSoon(nowMs, peer);
  }

  /** The HELLOs to one peer that are due. */
  hellos(nowMs: number, peer: Peer): Outgoing[] {
    const out: Outgoing[] = [];
    const targets = helloTargets(nowMs, peer, this.#timing);
    for (const target of targets) {
      if (target === null) {
        out.push(...this.#speaker.handshake(nowMs, peer, null, { kind: 'bare-hello', isReply: false }));
        continue;
      }
      const nonce = this.#speaker.nonce(NONCE_BYTES);
      peer.session.noteAsked(target);
      peer.session.noteHelloSent(hex(nonce), nowMs);
      out.push(...this.#speaker.handshake(nowMs, peer, fromHex(target), { kind: 'hello', nonce }));
    }
    if (targets.length > 0) helloSent(nowMs, peer, targets);
    else sessionMeasured(nowMs, peer, this.#timing);
    return out;
  }
}
