/** `portcullis/wire`: the cluster's words as bytes. Datagrams by `Endpoint`, and single records by the codec. Pure. */
export { type CborValue, decodeCbor, encodeCbor } from '../wire/cbor.ts';
export { decodeRecord, encodeRecord, messageType, packRecords, typeNumber } from '../wire/codec.ts';
export { readSign1, type Sign1, sigStructure, writeSign1 } from '../wire/cose.ts';
export { identityFromSeed, keyFault, publicKeyOf } from '../wire/ed25519.ts';
export {
  Endpoint,
  type EndpointOptions,
  type Identity,
  type Outgoing,
  type PeerStatus,
  type Received,
} from '../wire/endpoint.ts';
export { DATAGRAM_MAX_BYTES, PROTOCOL, PROTOCOL_LEAST } from '../wire/limits.ts';
export { REJECTION_CODES, type RejectionCode } from '../wire/rejection.ts';
