/**
 * Every bound of the wire, in one place. "Specification" constants are part of the protocol: two hosts that
 * differ in one of them do not understand each other. "Implementation" constants only bound what a host spends.
 */

/** Specification: the highest protocol number that this software speaks, and the lowest. A roster may ask for more (its floor). */
export const PROTOCOL = 2;
export const PROTOCOL_LEAST = 1;
/** Specification: the longest datagram, gate included; fits IPv6's smallest MTU with room for UDP (bytes). */
export const DATAGRAM_MAX_BYTES = 1232;
/** Specification: the truncated HMAC in front of every datagram (bytes). */
export const GATE_BYTES = 16;
export const KID_BYTES = 32;
export const SID_BYTES = 16;
export const NONCE_BYTES = 16;
export const ROSTER_HASH_BYTES = 8;
export const SIGNATURE_BYTES = 64;
/** Specification: the mark beside a number (bytes). */
export const MARK_BYTES = 8;
/** Specification: a sequence number is below this; a session ends before it would wrap. */
export const SEQ_LIMIT = 2 ** 48;
/** Specification: how deep CBOR may nest, the outermost array or map counted. */
export const CBOR_DEPTH_MAX = 16;
export const MEMBERS_MAX = 16;
/** Specification: addresses of one member, which is also the highest link number. */
export const ADDRESSES_MAX = 4;
/** Specification: the uplink's link number; the n-th address of a member is link n. */
export const UPLINK = 0;
/** Specification: records in the body of one datagram. */
export const RECORDS_MAX = 64;
/** Specification: the longest version of the roster, signature included (bytes). */
export const ROSTER_VERSION_MAX_BYTES = 16 * 1024;
/** Specification: bytes of a version in one ROSTER message; only the last chunk is shorter. */
export const ROSTER_CHUNK_BYTES = 960;
/** Implementation: chunks that answer one question. */
export const ROSTER_BURST = 8;
/** Implementation: questions of one member that are answered in a second. */
export const ROSTER_ASKS_PER_S = 50;
/** Specification: how many versions above one's own are believed at once. */
export const ROSTER_LEAP_MAX = 1000;

/** Implementation: sequence numbers that the replay window of one sender and link remembers. */
export const WINDOW_BITS = 1024;
/** Implementation: sessions of a peer that ended in this run and may never return. */
export const RETIRED_MAX = 64;
/**
 * Implementation: own HELLO nonces, and own CHALLENGE nonces, that may be outstanding to one peer. At a HELLO each 10 ms, the mean,
 * a question stands for 1.28 s: whoever makes us ask in vain must not push out what a distant peer is about to answer.
 */
export const NONCES_MAX = 128;
/** Implementation: sessions of a peer of which a HELLO was answered in this run. */
export const ANSWERED_MAX = 1024;
/** Implementation: sessions of a peer seen but not proven. */
export const CANDIDATES_MAX = 8;
/** Implementation: signatures of one member that are checked in a second: data, and handshake. */
export const DATA_BUDGET_PER_S = 2000;
export const HANDSHAKE_BUDGET_PER_S = 40;
/** Implementation: (type, service) pairs of one session whose newest number is remembered: 64 services and two types, twice. */
export const NEWEST_MAX = 256;
/** Implementation: after two live runs of one host were proven, its grants do not count for so long. */
export const DUPLICATE_MS = 60_000;
/** Implementation: a bare HELLO of one peer is answered at most once in this time. */
export const BARE_REPLY_PAUSE_MS = 50;
