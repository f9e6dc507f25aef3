/**
 * Why a datagram is refused: a closed list. A refusal is counted, never answered, and never an exception.
 * spec/protocol.md lists the same codes; a test holds the two together.
 */

/** In the order in which the checks are made. */
export const REJECTION_CODES = [
  'size', // longer than 1,232 bytes, or too short to be an envelope
  'envelope', // not gate and COSE_Sign1 in the one form that is sent
  'unknown-sender', // the key id is in no member's name
  'own-echo', // this host's own key id
  'unknown-link', // arrived on a link that is not present
  'gate', // the HMAC of that pair of hosts does not hold
  'overheard', // the same on the uplink, where all hear all, or while the own key is exchanged: meant for another host or key, or forged
  'encoding', // the payload is not deterministic CBOR within the bounds
  'header', // the payload's fields are not those of its type
  'unknown-type', // a type number that is not in the table
  'role', // the sender's role may not send this
  'wrong-session', // meant for an earlier run of this host
  'protocol', // a message of a run that speaks no protocol number as high as the roster's floor
  'no-session', // of a run of the sender that is not accepted (yet)
  'replayed', // this number came before on this link, or is older than the window
  'too-old', // may have been held back for longer than max_age
  'answered', // a HELLO whose nonce was answered before
  'nonce', // a CHALLENGE or WELCOME that answers none of our outstanding nonces
  'retired', // of a session that another one displaced in this run
  'duplicate-session', // a second run of a host whose first is still heard, or a vote of a host that runs twice
  'budget', // more signatures than this member may cost
  'signature', // Ed25519 does not hold
  'body', // types or ranges of the body are wrong
  'overtaken', // every record in it is older than one of its kind that was taken
] as const;
export type RejectionCode = (typeof REJECTION_CODES)[number];

/**
 * Codes that honest hosts cause among themselves: copies, delays, a restart, a handshake under way. The others
 * mean a wrong key, a wrong roster, a fault or an attack. Neither is ever a sign of life or of death.
 */
export const BENIGN_CODES: ReadonlySet<RejectionCode> = new Set<RejectionCode>([
  'unknown-link',
  'overheard',
  'wrong-session',
  'protocol',
  'no-session',
  'replayed',
  'too-old',
  'answered',
  'nonce',
  'retired',
  'overtaken',
]);
