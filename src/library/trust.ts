/** `portcullis/trust`: keys, fingerprints, and the signed list of members. Pure: files are bytes here. */
export { formatSocketAddress, parseSocketAddress, type SocketAddress } from '../trust/address.ts';
export { decodeBundle, encodeBundle } from '../trust/bundle.ts';
export { fingerprint, thumbprint } from '../trust/fingerprint.ts';
export { decodePrivateKey, encodePrivateKey, formatPublicKey, parsePublicKey } from '../trust/keys.ts';
export {
  appendVersion,
  membershipOf,
  type Roster,
  type RosterMember,
  type RosterResult,
  signRosterBody,
  verifyRosterFile,
} from '../trust/roster.ts';
export type { MemberBody, RosterBody } from '../trust/roster-body.ts';
export {
  addMember,
  changeMember,
  firstBody,
  rekeyMember,
  removeMember,
  revokeMember,
  rotateAdmin,
} from '../trust/roster-edit.ts';
export { type Merge, mergeRoster } from '../trust/roster-merge.ts';
export { identityFromSeed, publicKeyOf } from '../wire/ed25519.ts';
