/**
 * A checkpoint: where a log stood, in one line and one short block, signed by its host; small enough for paper. The
 * block holds a single entry that says nothing else, so that nothing of the log is given away with it.
 */
import type { VerifyKey } from '../wire/ed25519.ts';
import { hex } from '../wire/hex.ts';
import { blockHolds, type ReadBlock, readBlock } from './block.ts';
import { decodeEntry, type Entry } from './entry.ts';

export interface Checkpoint {
  /** Where it was read. */
  readonly path: string;
  /** Hex, as are run and hash. */
  readonly kid: string;
  readonly run: string;
  readonly n: number;
  readonly hash: string;
  /** The host's wall clock. */
  readonly wallMs: number;
}

const BEGIN = 'portcullis-checkpoint-1';
const WIDTH = 64;

/** Whether a block is a checkpoint. */
export function isCheckpoint(block: ReadBlock): boolean {
  const [bytes] = block.entries;
  return block.entries.length === 1 && bytes !== undefined && decodeEntry(bytes)?.kind === 'checkpoint';
}

/** The text of a checkpoint. `bytes`: the block as it stands in the log. */
export function formatCheckpoint(cluster: string, host: string, block: ReadBlock, bytes: Uint8Array): string {
  const [entry] = block.entries;
  const wallMs = entry === undefined ? 0 : (decodeEntry(entry)?.wallMs ?? 0);
  const time = new Date(wallMs).toISOString();
  const base64 = Buffer.from(bytes).toString('base64');
  const lines = base64.match(new RegExp(`.{1,${WIDTH}}`, 'g')) ?? [];
  return [`${BEGIN} ${cluster} ${host} ${block.last} ${hex(block.hash)} ${time}`, ...lines, ''].join('\n');
}

/** The checkpoint in a text, its signature judged; or why it is none. The first line is for people: the block decides. */
export function parseCheckpoint(
  path: string,
  text: string,
  clusterId: Uint8Array,
  keys: ReadonlyMap<string, VerifyKey>,
): Checkpoint | string {
  const [head = '', ...lines] = text.trim().split('\n');
  const words = head.split(' ');
  if (words[0] !== BEGIN || words.length !== 6) return 'not a checkpoint';
  const base64 = lines.map((line) => line.trim()).join('');
  if (base64.length > 4096 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return 'its block is not base64';
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  const block = readBlock(bytes, 0);
  if (block === null || block.sign1.end !== bytes.length || !isCheckpoint(block))
    return 'holds no checkpoint block';
  const kid = hex(block.sign1.kid);
  const key = keys.get(kid);
  if (key === undefined) return 'signed by a key that no host of the roster has had';
  if (!blockHolds(block, clusterId, key)) return 'its signature does not hold';
  const hash = hex(block.hash);
  if (words[3] !== String(block.last) || words[4] !== hash)
    return 'its first line is not what its block says';
  const entry = decodeEntry(block.entries[0] ?? new Uint8Array()) as Entry;
  return { path, kid, run: hex(block.run), n: block.last, hash, wallMs: entry.wallMs };
}
