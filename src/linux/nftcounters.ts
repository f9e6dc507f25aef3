/** The named counters of an nftables table, read by netlink: what `nft list counters` prints, without starting it. */
import {
  message,
  NETLINK_NETFILTER,
  NetlinkSocket,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  parseAttributes,
  text,
} from './netlink.ts';

const NFNL_SUBSYS_NFTABLES = 10;
const NEWOBJ = (NFNL_SUBSYS_NFTABLES << 8) | 18;
const GETOBJ = (NFNL_SUBSYS_NFTABLES << 8) | 19;
/** NFPROTO_INET (linux/netfilter.h). */
const INET = 1;
const OBJ_TABLE = 1;
const OBJ_NAME = 2;
const OBJ_DATA = 4;
const COUNTER_PACKETS = 2;

/** Packets by the counter's name, of a table of the family inet; empty when it is not there. Throws `SystemCallError`. */
export function tableCounters(table: string): Map<string, number> {
  const socket = new NetlinkSocket(NETLINK_NETFILTER);
  try {
    const head = Buffer.from([INET, 0, 0, 0]);
    const ask = message(GETOBJ, NLM_F_REQUEST | NLM_F_DUMP, socket.nextSeq(), head, text(OBJ_TABLE, table));
    const out = new Map<string, number>();
    for (const { type, body } of socket.exchange(ask)) {
      const told = type === NEWOBJ && body.length >= 4 ? parseAttributes(body, 4) : null;
      // A kernel may tell of other tables, too.
      if (told === null || stringOf(told.get(OBJ_TABLE)) !== table) continue;
      const packets = parseAttributes(told.get(OBJ_DATA) ?? Buffer.alloc(0), 0).get(COUNTER_PACKETS);
      if (packets?.length === 8) out.set(stringOf(told.get(OBJ_NAME)), Number(packets.readBigUInt64BE(0)));
    }
    return out;
  } finally {
    socket.close();
  }
}

function stringOf(data: Buffer | undefined): string {
  return data?.toString('latin1').replace(/\0.*$/, '') ?? '';
}
