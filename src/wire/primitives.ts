/**
 * The cryptographic primitives as a port. There is one real set, and it is what an endpoint uses when nothing else
 * is handed in; only the simulator, which has millions of messages to judge, hands in cheap stand-ins. No
 * configuration key, argument or environment variable leads here, and a test holds the daemon to that.
 * The signing half is `Identity`, which is a port already.
 */
import { importVerifyKey, type VerifyKey } from './ed25519.ts';
import { type GateKey, type GateTag, gateKey, hmacTag } from './gate.ts';

export interface Primitives {
  /** An admitted public key that judges signatures; throws RangeError on one that may not be admitted. */
  importVerifyKey(publicKey: Uint8Array): VerifyKey;
  readonly gateKey: GateKey;
  readonly gateTag: GateTag;
}

/** Ed25519 by node:crypto, HKDF and HMAC with SHA-256. */
export const REAL_PRIMITIVES: Primitives = { importVerifyKey, gateKey, gateTag: hmacTag };
