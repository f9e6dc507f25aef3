/**
 * Ed25519 keys as OpenSSH keeps them: the private file (openssh-key-v1, PROTOCOL.key of openssh-portable) and the
 * public line (RFC 8709, RFC 4253 section 6.6). Pure and bounded: any text gives a key or a fault, and what is
 * accepted is written again to the same bytes. Files under a pass phrase (bcrypt) are told apart and not opened.
 */
import { publicKeyOf } from '../wire/ed25519.ts';
import { formatPem, pemBlock, strictBase64 } from './pem.ts';

const SSH_TYPE = 'ssh-ed25519';
const LABEL = 'OPENSSH PRIVATE KEY';
const MAGIC = Buffer.from('openssh-key-v1\0');
/** Of the cipher `none`: the private section is padded to a multiple of it. */
const BLOCK_BYTES = 8;
const LINE_WIDTH = 70;
/** Implementation: a longer remark is no remark. */
const COMMENT_MAX_BYTES = 1024;

export type OpensshFault =
  | 'form'
  | 'encrypted'
  /** A key of another type, or more than one. */
  | 'not-ed25519'
  /** The two halves of the file are not of one key. */
  | 'halves-differ';

export type OpensshPrivateKey =
  | { readonly ok: true; readonly seed: Uint8Array; readonly comment: string }
  | { readonly ok: false; readonly fault: OpensshFault };

export function isOpensshPrivateKey(text: string): boolean {
  return text.includes(`-----BEGIN ${LABEL}-----`);
}

/** The seed of an OpenSSH private key file without a pass phrase. The caller wipes it when done. */
export function parseOpensshPrivateKey(text: string): OpensshPrivateKey {
  const bytes = pemBlock(text, LABEL);
  if (bytes === null) return { ok: false, fault: 'form' };
  try {
    return parseEnvelope(bytes);
  } finally {
    bytes.fill(0);
  }
}

function parseEnvelope(bytes: Uint8Array): OpensshPrivateKey {
  const fault = (name: OpensshFault): OpensshPrivateKey => ({ ok: false, fault: name });
  if (Buffer.compare(bytes.subarray(0, MAGIC.length), MAGIC) !== 0) return fault('form');
  const reader = new SshReader(bytes, MAGIC.length);
  const cipher = reader.text();
  const kdf = reader.text();
  const kdfOptions = reader.string();
  const count = reader.uint32();
  const publicBlob = reader.string();
  const section = reader.string();
  // More keys in one file would be more public blobs here; nothing writes such a file.
  if (count > 1) return fault('not-ed25519');
  if (reader.failed || count === 0 || !reader.atEnd()) return fault('form');
  if (cipher !== 'none') return fault('encrypted');
  if (kdf !== 'none' || kdfOptions.length !== 0) return fault('form');
  const outer = parseBlob(publicBlob);
  if (outer === null) return fault('not-ed25519');

  const inner = new SshReader(section, 0);
  const checks = [inner.uint32(), inner.uint32()];
  const type = inner.text();
  if (inner.failed || checks[0] !== checks[1]) return fault('form');
  if (type !== SSH_TYPE) return fault('not-ed25519');
  const publicKey = inner.string();
  const secret = inner.string(); // the seed, then the public key once more
  const comment = inner.string();
  if (inner.failed || secret.length !== 64 || comment.length > COMMENT_MAX_BYTES) return fault('form');
  const padding = inner.rest();
  if (section.length % BLOCK_BYTES !== 0 || padding.length >= BLOCK_BYTES) return fault('form');
  if (!padding.every((byte, i) => byte === i + 1)) return fault('form');
  const seed = Uint8Array.from(secret.subarray(0, 32));
  const own = publicKeyOf(seed);
  const same = [outer, publicKey, secret.subarray(32)].every((half) => Buffer.compare(half, own) === 0);
  if (!same) seed.fill(0);
  return same ? { ok: true, seed, comment: Buffer.from(comment).toString('utf8') } : fault('halves-differ');
}

/** An OpenSSH private key file without a pass phrase. `check`: any 32-bit number, fresh for each file. */
export function formatOpensshPrivateKey(seed: Uint8Array, comment: string, check: number): string {
  const publicKey = publicKeyOf(seed);
  const parts = [
    uint32(check),
    uint32(check),
    sshString(Buffer.from(SSH_TYPE)),
    sshString(publicKey),
    sshString(Buffer.concat([seed, publicKey])),
    sshString(Buffer.from(comment)),
  ];
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const padding = Uint8Array.from(
    { length: (BLOCK_BYTES - (length % BLOCK_BYTES)) % BLOCK_BYTES },
    (_, i) => i + 1,
  );
  const none = sshString(Buffer.from('none'));
  const blob = sshString(encodeBlob(publicKey));
  const section = sshString(Buffer.concat([...parts, padding]));
  const bytes = Buffer.concat([MAGIC, none, none, sshString(new Uint8Array()), uint32(1), blob, section]);
  return formatPem(bytes, LABEL, LINE_WIDTH);
}

/** The public line, with its line end, as ssh-keygen writes it. */
export function formatOpensshPublicKey(publicKey: Uint8Array, comment: string): string {
  return `${SSH_TYPE} ${Buffer.from(encodeBlob(publicKey)).toString('base64')} ${comment}\n`;
}

/** The 32 bytes and the remark of a line `ssh-ed25519 BASE64 REMARK`, not yet admitted; null for any other text. */
export function parseOpensshPublicKey(text: string): { publicKey: Uint8Array; comment: string } | null {
  const parts = /^ssh-ed25519 ([A-Za-z0-9+/]{68})(?: ([^\r\n]{0,1024}))?\r?\n?$/.exec(text);
  const blob = parts?.[1] === undefined ? null : strictBase64(parts[1]);
  const publicKey = blob === null ? null : parseBlob(blob);
  return publicKey === null ? null : { publicKey, comment: parts?.[2] ?? '' };
}

/** The SSH blob of a key, of which fingerprints are made. */
export function encodeBlob(publicKey: Uint8Array): Uint8Array {
  return Uint8Array.from(Buffer.concat([sshString(Buffer.from(SSH_TYPE)), sshString(publicKey)]));
}

function parseBlob(blob: Uint8Array): Uint8Array | null {
  const reader = new SshReader(blob, 0);
  const type = reader.text();
  const publicKey = reader.string();
  const whole = !reader.failed && reader.atEnd() && type === SSH_TYPE && publicKey.length === 32;
  return whole ? Uint8Array.from(publicKey) : null;
}

/** A string of RFC 4251, section 5: four bytes of length, then the bytes. */
function sshString(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(Buffer.concat([uint32(bytes.length), bytes]));
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return Uint8Array.from(bytes);
}

/** Reads the types of RFC 4251 one after another; once something is missing, `failed` and nothing but empty values. */
class SshReader {
  failed = false;
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  uint32(): number {
    const bytes = this.#take(4);
    return this.failed ? 0 : Buffer.from(bytes).readUInt32BE();
  }

  /** A view. */
  string(): Uint8Array {
    return this.#take(this.uint32());
  }

  text(): string {
    return Buffer.from(this.string()).toString('latin1');
  }

  rest(): Uint8Array {
    return this.#take(this.#bytes.length - this.#at);
  }

  atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  #take(length: number): Uint8Array {
    if (this.failed || length > this.#bytes.length - this.#at) {
      this.failed = true;
      return new Uint8Array();
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
