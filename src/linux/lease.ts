/**
 * The lease elements in the kernel: one transaction of nf_tables messages sets a service's right to serve to end
 * by itself. Invariant: when `setLease` has returned, either the kernel acknowledged exactly what was asked, or an
 * errno says that nothing changed.
 *
 * A set holds one element for each value that its rule can look up, so that the rule is a plain lookup:
 * `meta nfproto` in inet, `arp operation` in arp. Flush and add in one transaction replace the elements; the
 * packet path sees the old ones or the new ones, never none.
 */
import {
  attribute,
  errnoOf,
  message,
  NETLINK_NETFILTER,
  NetlinkSocket,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_ECHO,
  NLM_F_REQUEST,
  nested,
  text,
} from './netlink.ts';

const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;
const NFNL_SUBSYS_NFTABLES = 10;
const NEWSETELEM = (NFNL_SUBSYS_NFTABLES << 8) | 12;
const DELSETELEM = (NFNL_SUBSYS_NFTABLES << 8) | 14;
const NEWGEN = (NFNL_SUBSYS_NFTABLES << 8) | 15;
const GETGEN = (NFNL_SUBSYS_NFTABLES << 8) | 16;
const NFTA_GEN_ID = 1;
const ELEM_LIST_TABLE = 1;
const ELEM_LIST_SET = 2;
const ELEM_LIST_ELEMENTS = 3;
const LIST_ELEM = 1;
const SET_ELEM_KEY = 1;
const SET_ELEM_TIMEOUT = 4;
const DATA_VALUE = 1;

/** Where a message's number stands. */
const SEQ_AT = 8;
/** In place of a time-out that is to be put in. */
const PLACEHOLDER_MS = 1;
/** Services and uplinks of one configuration; more came with others, and are made anew. */
const TRANSACTIONS_MAX = 256;

/** The two tables' families and the keys that an open lease holds in each (linux/netfilter.h, RFC 826). */
const FAMILIES = [
  { family: 1, keys: [Buffer.from([2]), Buffer.from([10])] },
  { family: 3, keys: [Buffer.from([0, 1]), Buffer.from([0, 2])] },
] as const;

function nfgenmsg(family: number, resource: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt8(family, 0);
  out.writeUInt16BE(resource, 2);
  return out;
}

function timeoutOf(timeoutMs: number): Buffer {
  const timeout = Buffer.alloc(8);
  timeout.writeBigUInt64BE(BigInt(timeoutMs), 0);
  return timeout;
}

function element(key: Buffer, timeoutMs: number): Buffer {
  const ends: Buffer[] = [];
  if (timeoutMs !== Number.POSITIVE_INFINITY) {
    ends.push(attribute(SET_ELEM_TIMEOUT, timeoutOf(timeoutMs)));
  }
  return nested(LIST_ELEM, ...ends, nested(SET_ELEM_KEY, attribute(DATA_VALUE, key)));
}

/** A transaction's bytes; where the numbers of its orders stand, in their order, and its time-outs. */
interface Transaction {
  readonly bytes: Buffer;
  readonly numbersAt: readonly number[];
  readonly timeoutsAt: readonly number[];
}

/**
 * The kernel carries it out whole or not at all, acknowledges the last order, and names whichever it refuses. What becomes of one
 * that takes away is told as well: only what was there makes a new generation.
 */
function transaction(table: string, set: string, timeoutMs: number): Transaction {
  const echo = timeoutMs > 0 ? 0 : NLM_F_ECHO;
  const orders = FAMILIES.flatMap(({ family, keys }): { type: number; flags: number; body: Buffer[] }[] => {
    const where = [nfgenmsg(family, 0), text(ELEM_LIST_TABLE, table), text(ELEM_LIST_SET, set)];
    const flush = { type: DELSETELEM, flags: 0, body: where };
    if (timeoutMs <= 0) return [flush];
    const elements = nested(ELEM_LIST_ELEMENTS, ...keys.map((key) => element(key, timeoutMs)));
    return [flush, { type: NEWSETELEM, flags: NLM_F_CREATE, body: [...where, elements] }];
  });
  const batch = nfgenmsg(0, NFNL_SUBSYS_NFTABLES);
  const parts = [message(NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST | echo, 0, batch)];
  for (const [i, { type, flags, body }] of orders.entries()) {
    const told = (i === 0 ? echo : 0) | (i === orders.length - 1 ? NLM_F_ACK : 0);
    parts.push(message(type, NLM_F_REQUEST | flags | told, 0, ...body));
  }
  const numbersAt: number[] = [];
  let at = 0;
  for (const { length } of parts) {
    if (at > 0) numbersAt.push(at + SEQ_AT);
    at += length;
  }
  parts.push(message(NFNL_MSG_BATCH_END, NLM_F_REQUEST, 0, batch));
  const bytes = Buffer.concat(parts);
  // Only where they are to be put in: neither names nor keys hold these bytes.
  const head = attribute(SET_ELEM_TIMEOUT, timeoutOf(PLACEHOLDER_MS));
  const timeoutsAt: number[] = [];
  for (let i = bytes.indexOf(head); i >= 0; i = bytes.indexOf(head, i + 1)) timeoutsAt.push(i + 4);
  return { bytes, numbersAt, timeoutsAt };
}

/** Talks to nf_tables over one socket. Calls return within tens of microseconds. */
export class LeaseSocket {
  private readonly socket = new NetlinkSocket(NETLINK_NETFILTER);
  private readonly table: string;
  private readonly transactions = new Map<string, Transaction>();
  private commits = 0;

  constructor(table: string) {
    this.table = table;
  }

  /**
   * Sets the lease of one set to end `timeoutMs` (a whole number, at least 1) from now; 0 removes it, infinity: it does not end.
   * Returns 0, or the errno of the refused transaction; ENOENT: the table is not there.
   */
  setLease(set: string, timeoutMs: number): number {
    const { bytes, numbersAt, timeoutsAt } = this.prepared(set, timeoutMs);
    const asked = numbersAt.map((at) => {
      const seq = this.socket.nextSeq();
      bytes.writeUInt32LE(seq, at);
      return seq;
    });
    for (const at of timeoutsAt) bytes.writeBigUInt64BE(BigInt(timeoutMs), at);
    const last = asked.at(-1);
    const answers = this.socket.exchange(bytes, (a) => a.seq === last && errnoOf(a) !== null);
    // An acknowledgement that is missing means that we do not know: never report such a lease as set.
    let result = -1;
    for (const answer of answers) {
      const errno = errnoOf(answer);
      // Number 0 is the batch itself. Whatever is refused is refused before the last is answered.
      if (errno === null || (answer.seq !== 0 && !asked.includes(answer.seq))) continue;
      if (errno !== 0 || answer.seq === last) result = errno;
      if (errno !== 0) break;
    }
    // What takes away what was gone already changes nothing, and makes no generation.
    if ((result === 0 && timeoutMs > 0) || answers.some(({ type }) => type === NEWGEN)) this.commits++;
    return result;
  }

  /** Made once for each set and kind of order: it is the same each time but for its numbers and time-outs. */
  private prepared(set: string, timeoutMs: number): Transaction {
    const kind = timeoutMs > 0 ? (Number.isFinite(timeoutMs) ? 'opens' : 'stays open') : 'shuts';
    const key = `${kind} ${set}`;
    let made = this.transactions.get(key);
    if (made === undefined) {
      if (this.transactions.size >= TRANSACTIONS_MAX) this.transactions.clear();
      made = transaction(this.table, set, kind === 'opens' ? PLACEHOLDER_MS : timeoutMs);
      this.transactions.set(key, made);
    }
    return made;
  }

  /**
   * Which generation of the rules the kernel has, without our own transactions: it changes exactly when somebody
   * else changed rules (or an own nft child did). null: not told.
   */
  foreignGeneration(): number | null {
    const seq = this.socket.nextSeq();
    const asked = message(GETGEN, NLM_F_REQUEST, seq, nfgenmsg(0, 0));
    for (const { seq: of, body } of this.socket.exchange(asked, (answer) => answer.seq === seq)) {
      if (of !== seq) continue;
      // nfgenmsg (4 bytes), then the attribute's header (4 bytes) and a big-endian number.
      if (body.length >= 12 && (body.readUInt16LE(6) & 0x3fff) === NFTA_GEN_ID)
        return (body.readUInt32BE(8) - this.commits) >>> 0;
    }
    return null;
  }

  close(): void {
    this.socket.close();
  }
}
