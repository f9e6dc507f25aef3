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

function element(key: Buffer, timeoutMs: number): Buffer {
  const ends: Buffer[] = [];
  if (timeoutMs !== Number.POSITIVE_INFINITY) {
    const timeout = Buffer.alloc(8);
    timeout.writeBigUInt64BE(BigInt(timeoutMs), 0);
    ends.push(attribute(SET_ELEM_TIMEOUT, timeout));
  }
  return nested(LIST_ELEM, ...ends, nested(SET_ELEM_KEY, attribute(DATA_VALUE, key)));
}

/** Talks to nf_tables over one socket. Calls return within tens of microseconds. */
export class LeaseSocket {
  private readonly socket = new NetlinkSocket(NETLINK_NETFILTER);
  private readonly table: string;
  private commits = 0;

  constructor(table: string) {
    this.table = table;
  }

  /**
   * Sets the lease of one set to end `timeoutMs` (a whole number, at least 1) from now; 0 removes it, infinity: it does not end.
   * Returns 0, or the errno of the refused transaction; ENOENT: the table is not there.
   */
  setLease(set: string, timeoutMs: number): number {
    const parts = [
      message(NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST | NLM_F_ECHO, 0, nfgenmsg(0, NFNL_SUBSYS_NFTABLES)),
    ];
    const asked = new Set<number>();
    for (const { family, keys } of FAMILIES) {
      const where = [nfgenmsg(family, 0), text(ELEM_LIST_TABLE, this.table), text(ELEM_LIST_SET, set)];
      // It or the batch's begin says for all whether we are to be told of a new generation.
      parts.push(this.ask(asked, DELSETELEM, asked.size === 0 ? NLM_F_ECHO : 0, ...where));
      if (timeoutMs > 0) {
        const elements = keys.map((key) => element(key, timeoutMs));
        parts.push(
          this.ask(asked, NEWSETELEM, NLM_F_CREATE, ...where, nested(ELEM_LIST_ELEMENTS, ...elements)),
        );
      }
    }
    parts.push(message(NFNL_MSG_BATCH_END, NLM_F_REQUEST, 0, nfgenmsg(0, NFNL_SUBSYS_NFTABLES)));
    const answers = this.socket.exchange(Buffer.concat(parts));
    let refused = 0;
    for (const answer of answers) {
      const errno = errnoOf(answer);
      if (errno === 0) asked.delete(answer.seq);
      else if (errno !== null) refused ||= errno;
    }
    // An acknowledgement that is missing means that we do not know: never report such a lease as set.
    const result = refused || (asked.size > 0 ? -1 : 0);
    // What takes away what was gone already changes nothing, and makes no generation.
    if ((result === 0 && timeoutMs > 0) || answers.some(({ type }) => type === NEWGEN)) this.commits++;
    return result;
  }

  /**
   * Which generation of the rules the kernel has, without our own transactions: it changes exactly when somebody
   * else changed rules (or an own nft child did). null: not told.
   */
  foreignGeneration(): number | null {
    const seq = this.socket.nextSeq();
    const answers = this.socket.exchange(message(GETGEN, NLM_F_REQUEST, seq, nfgenmsg(0, 0)));
    for (const { body } of answers) {
      // nfgenmsg (4 bytes), then the attribute's header (4 bytes) and a big-endian number.
      if (body.length >= 12 && (body.readUInt16LE(6) & 0x3fff) === NFTA_GEN_ID)
        return (body.readUInt32BE(8) - this.commits) >>> 0;
    }
    return null;
  }

  close(): void {
    this.socket.close();
  }

  private ask(asked: Set<number>, type: number, flags: number, ...parts: Buffer[]): Buffer {
    const seq = this.socket.nextSeq();
    asked.add(seq);
    return message(type, NLM_F_REQUEST | NLM_F_ACK | flags, seq, ...parts);
  }
}
