/** What an endpoint makes of a datagram, and what it tells of its peers. */
import type { HostName } from '../core/basics.ts';
import type { Message } from '../core/messages.ts';
import type { Handshaken } from './handshake.ts';
import type { ShownHead } from './head.ts';
import type { Refused } from './inbound.ts';
import type { ShownRoster } from './payload.ts';
import type { RosterWord } from './roster-words.ts';
import type { DelayBounds } from './session.ts';
import type { Outgoing } from './speaker.ts';

export type Received =
  | {
      readonly kind: 'messages';
      readonly from: HostName;
      readonly link: number;
      readonly messages: Message[];
      /** The sender's roster. */
      readonly shown: ShownRoster;
      /** The head of its log that it shows, and the COSE_Sign1 that says so; null: it shows none. */
      readonly head: HeardHead | null;
      readonly replies: Outgoing[];
    }
  | {
      readonly kind: 'roster';
      readonly from: HostName;
      readonly link: number;
      readonly word: RosterWord;
      readonly shown: ShownRoster;
      readonly replies: Outgoing[];
    }
  | Handshaken
  /** `from` knows that this run has said more than this process has: it must end (RunEnded). */
  | { readonly kind: 'set-back'; readonly from: HostName; readonly replies: readonly [] }
  | Refused;

/** A head as its host signed it. */
export interface HeardHead {
  readonly head: ShownHead;
  /** The whole COSE_Sign1; shares memory with the datagram. */
  readonly word: Uint8Array;
}

/** A peer as `status` shows it. */
export interface PeerStatus {
  readonly host: HostName;
  readonly session: boolean;
  /** This host's clock; null: nothing of an accepted session was heard. */
  readonly lastHeardMs: number | null;
  /** The roster that it showed last; null before its first word. */
  readonly rosterVersion: number | null;
  /** It shows another roster than ours: another version, or the same with another hash. */
  readonly rosterDiffers: boolean;
  /** When two runs in its name were last proven to be alive at once; null: never. Its grants do not count for a minute. */
  readonly duplicateMs: number | null;
  /** How long its newest answer to a question of ours took, there and back; null without a session. */
  readonly roundTripMs: number | null;
  /** How long its newest word was under way to us, at least and at most, by our clock; null: none was taken. */
  readonly delayMs: DelayBounds | null;
  /** The highest protocol number that its session speaks; null without one. */
  readonly protocol: number | null;
}
