/**
 * The peers of one endpoint: a record for each other member, found by name and by each of its key ids. A host whose
 * key is being exchanged has two key ids and one record: one session, one vote.
 */
import type { HostName } from '../core/basics.ts';
import type { Roster, RosterMember } from '../trust/roster.ts';
import { createPeer, type KeyMaker, keysOf, type Peer, type PeerKey } from './peer.ts';
import type { SessionTiming } from './session-timing.ts';

export class PeerTable {
  readonly #maker: KeyMaker;
  readonly #timing: SessionTiming;
  #byName = new Map<HostName, Peer>();
  #all: readonly Peer[] = [];
  #byKid = new Map<string, { readonly peer: Peer; readonly key: PeerKey }>();

  constructor(maker: KeyMaker, timing: SessionTiming) {
    this.#maker = maker;
    this.#timing = timing;
  }

  /** In the roster's order. */
  all(): readonly Peer[] {
    return this.#all;
  }

  /** By key id in hex. */
  get byKid(): ReadonlyMap<string, { readonly peer: Peer; readonly key: PeerKey }> {
    return this.#byKid;
  }

  /** A newer roster: records of hosts whose key stays are kept, with their sessions. */
  follow(nowMs: number, roster: Roster, self: HostName): void {
    const peers = new Map<HostName, Peer>();
    for (const member of roster.members) {
      if (member.name === self) continue;
      const peer = this.#kept(member) ?? createPeer(nowMs, member, this.#maker, this.#timing);
      peers.set(member.name, peer);
    }
    this.#byName = peers;
    this.#all = [...peers.values()];
    const named = this.all().flatMap((peer) => peer.keys.map((key) => ({ peer, key })));
    this.#byKid = new Map(named.map((entry) => [entry.key.kid, entry]));
  }

  /** The record of a member that we know already, while the key that it speaks with stays. */
  #kept(member: RosterMember): Peer | null {
    const known = this.#byName.get(member.name);
    if (known === undefined) return null;
    const keys = keysOf(member, this.#maker, known.keys);
    const [newest] = keys;
    if (known.session.sid === null && newest !== undefined) known.key = newest;
    else if (!keys.includes(known.key)) return null;
    known.member = member;
    known.keys = keys;
    return known;
  }
}
