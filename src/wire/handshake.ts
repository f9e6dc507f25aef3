/**
 * The handshake: HELLO, CHALLENGE, WELCOME. A host is believed to run as a session only when it has signed an answer
 * to a nonce that we drew in this run; what answers none costs no signature (spec/protocol.md, sessions).
 */
import type { HostName } from '../core/basics.ts';
import type { Head } from './head.ts';
import { hex } from './hex.ts';
import { type Opened, type Refused, refused, signatureHolds } from './inbound.ts';
import { BARE_REPLY_PAUSE_MS, NONCE_BYTES } from './limits.ts';
import { type Handshake, readHandshake, type ShownRoster, shownIn } from './payload.ts';
import { helloSent, helloSoon, helloTargets, measureAt, type Peer, sessionMeasured } from './peer.ts';
import type { RejectionCode } from './rejection.ts';
import type { Outgoing, Speaker } from './speaker.ts';

export interface Handshaken {
  readonly kind: 'handshake';
  readonly from: HostName;
  /** A session with that host was accepted now, for the first time or anew. */
  readonly joined: boolean;
  /** The sender's roster, where it proved that it runs now; else null. */
  readonly shown: ShownRoster | null;
  /** The head that the sender holds of our log, where it proved that it runs now and holds one; else absent. */
  readonly held?: Head;
  /** How long the answer to a question of ours took, there and back; absent where there was none. */
  readonly tripMs?: number;
  readonly replies: Outgoing[];
}

export class Handshaker {
  readonly #speaker: Speaker;
  /** Does not change in a run. */
  readonly #ownKid: string;

  constructor(speaker: Speaker) {
    this.#speaker = speaker;
    this.#ownKid = hex(speaker.kid);
  }

  /** Steps 4 to 7 of the pipeline for HELLO, CHALLENGE and WELCOME: what answers no nonce of ours costs no signature. */
  judge(nowMs: number, opened: Opened): Handshaken | Refused {
    const { peer, header, sign1 } = opened;
    const { session, member } = peer;
    const refuse = (code: RejectionCode): Refused => refused(member.name, true, code);
    const sid = hex(header.sid);
    const handshake = readHandshake(header, sign1.payload);
    if (handshake === null) return refuse('body');
    this.noteCandidate(nowMs, peer, sid);
    if (handshake.kind === 'bare-hello') return this.#answerBare(nowMs, opened, handshake.isReply);
    let askedMs: number | null = null;
    if (handshake.kind === 'hello') {
      if (session.wasAnswered(sid, header.seq)) return refuse('answered');
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
    peer.roster = { version: header.rosterVersion, hash: hex(header.rosterHash) };
    session.noteHeard(sid, header);
    return handshake.kind === 'hello'
      ? this.#answerHello(nowMs, opened, handshake.nonce)
      : this.#accept(nowMs, opened, handshake, askedMs ?? nowMs);
  }

  #answerBare(nowMs: number, { peer, key }: Opened, isReply: boolean): Handshaken | Refused {
    const from = peer.member.name;
    const replies = nowMs >= peer.nextHelloMs ? this.hellos(nowMs, peer) : [];
    const answer = { kind: 'handshake', from, joined: false, shown: null, replies } as const;
    if (isReply || nowMs - peer.lastBareReplyMs < BARE_REPLY_PAUSE_MS) return answer;
    peer.lastBareReplyMs = nowMs;
    const bare = { kind: 'bare-hello', isReply: true } as const;
    replies.unshift(...this.#speaker.handshake(nowMs, peer, key, null, bare));
    return answer;
  }

  /** A verified HELLO is answered once; a lost answer is mended by the peer's next, which has another nonce. */
  #answerHello(nowMs: number, opened: Opened, echo: Uint8Array): Handshaken | Refused {
    const { peer, key, header } = opened;
    const nonce = this.#speaker.nonce(NONCE_BYTES);
    peer.session.noteAnswered(hex(header.sid), header.seq);
    peer.session.noteChallengeSent(hex(nonce), nowMs);
    const held = this.#speaker.heldOf(peer.member.name);
    const challenge = { kind: 'challenge', nonce, echo, held } as const;
    const replies = this.#speaker.handshake(nowMs, peer, key, hex(header.sid), challenge);
    return { kind: 'handshake', from: peer.member.name, joined: false, shown: null, replies };
  }

  /** A verified CHALLENGE or WELCOME: the peer has proved that it runs now. */
  #accept(nowMs: number, opened: Opened, handshake: Handshake, askedMs: number): Handshaken | Refused {
    const { peer, key, header } = opened;
    const { session, member } = peer;
    const sid = hex(header.sid);
    const replies: Outgoing[] = [];
    if (handshake.kind === 'challenge') {
      session.spendHelloNonces();
      const held = this.#speaker.heldOf(member.name);
      const welcome = { kind: 'welcome', echo: handshake.nonce, held } as const;
      replies.push(...this.#speaker.handshake(nowMs, peer, key, sid, welcome));
    } else if (handshake.kind === 'welcome') {
      session.spendChallengeNonce(hex(handshake.echo));
    }
    const acceptance = session.accept(nowMs, sid, askedMs, header.sentMs);
    if (acceptance === 'duplicate-session') return refused(member.name, true, acceptance);
    session.noteHeard(sid, header);
    peer.key = key;
    sessionMeasured(nowMs, peer, this.#ownKid);
    const joined = acceptance === 'joined';
    const held = 'held' in handshake && handshake.held ? { held: handshake.held } : {};
    const tripMs = nowMs - askedMs;
    return { kind: 'handshake', from: member.name, joined, shown: shownIn(header), ...held, tripMs, replies };
  }

  /** A sid seen in a datagram that passed the gate: to be asked, not believed. */
  noteCandidate(nowMs: number, peer: Peer, sid: string): void {
    if (peer.session.noteCandidate(sid, this.#speaker.chance())) helloSoon(nowMs, peer);
  }

  /** The HELLOs to one peer that are due. */
  hellos(nowMs: number, peer: Peer): Outgoing[] {
    const out: Outgoing[] = [];
    const targets = helloTargets(nowMs, peer);
    // One nonce for all that are asked now: the answer says, signed, whose it is.
    const nonce = targets.some((target) => target !== null) ? this.#speaker.nonce(NONCE_BYTES) : null;
    if (nonce !== null) peer.session.noteHelloSent(hex(nonce), nowMs);
    for (const target of targets) {
      const hello: Handshake =
        nonce === null ? { kind: 'bare-hello', isReply: false } : { kind: 'hello', nonce };
      if (target !== null) peer.session.noteAsked(target);
      // Which of two keys a run speaks with is known of the accepted one alone.
      const keys = target !== null && target === peer.session.sid ? [peer.key] : peer.keys;
      for (const key of keys) out.push(...this.#speaker.handshake(nowMs, peer, key, target, hello));
    }
    if (targets.length > 0) helloSent(nowMs, peer, targets, this.#speaker.chance());
    else measureAt(peer, peer.measureAtMs);
    return out;
  }
}
