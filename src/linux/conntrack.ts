/**
 * Forgets tracked connections (linux/netfilter/nfnetlink_conntrack.h). A host that gave the service away knows its
 * connections only as they were: their windows move on without it. If the service came back, it would call their packets invalid,
 * translate none of them, and take for established what has long been closed.
 */
import { closeFd, receive, SystemCallError, send } from './libc.ts';
import {
  errnoOf,
  message,
  NETLINK_NETFILTER,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  openNetlink,
  parseAttributes,
  parseMessages,
} from './netlink.ts';

const NFNL_SUBSYS_CTNETLINK = 1;
const NEW = (NFNL_SUBSYS_CTNETLINK << 8) | 0;
const GET = (NFNL_SUBSYS_CTNETLINK << 8) | 1;
const DELETE = (NFNL_SUBSYS_CTNETLINK << 8) | 2;
const NLMSG_DONE = 3;
const NFGENMSG_BYTES = 4;
const TUPLE_ORIG = 1;
const TUPLE_REPLY = 2;
const ID = 12;
const ZONE = 18;
const TUPLE_IP = 1;
/** Source and destination, IPv4 and IPv6. */
const IP_ATTRIBUTES = [1, 2, 3, 4];
/** Some hundred connections; after so many reads other work has its turn. */
const READS_A_TURN = 4;
/** A table that is larger than any kernel's default: then the rest is left to its time-outs. */
const READS_MAX = 20_000;
const COPIED = [TUPLE_ORIG, ID, ZONE];

/**
 * Deletes each tracked connection for which `isStale` says so of its addresses: source and destination of both directions.
 * Takes turns with other work; resolves to how many were found. Throws `SystemCallError` when the kernel refuses.
 */
export async function forgetConnections(isStale: (ends: readonly Buffer[]) => boolean): Promise<number> {
  const reading = openNetlink(NETLINK_NETFILTER);
  const deleting = openNetlink(NETLINK_NETFILTER);
  const buffer = Buffer.alloc(65_536);
  let found = 0;
  try {
    order(reading, message(GET, NLM_F_REQUEST | NLM_F_DUMP, 1, Buffer.alloc(NFGENMSG_BYTES)));
    for (let reads = 1; reads <= READS_MAX; reads++) {
      const got = receive(reading, buffer);
      if (got < 0) throw new SystemCallError('reading tracked connections', -got);
      const messages = parseMessages(buffer.subarray(0, got));
      const orders = messages
        .filter((m) => m.type === NEW && isStale(endsOf(m.body)))
        .map((m) => deletion(m.body));
      found += orders.length;
      if (orders.length > 0) order(deleting, Buffer.concat(orders));
      // What it refuses is gone by itself meanwhile; unread, the answers would fill the socket.
      while (receive(deleting, buffer) > 0);
      const refused = messages.map(errnoOf).find((errno) => errno !== null && errno !== 0);
      if (refused !== undefined && refused !== null)
        throw new SystemCallError('listing tracked connections', refused);
      if (messages.length === 0 || messages.some(({ type }) => type === NLMSG_DONE)) break;
      if (reads % READS_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    closeFd(reading);
    closeFd(deleting);
  }
  return found;
}

function order(fd: number, bytes: Buffer): void {
  const errno = send(fd, bytes, null);
  if (errno !== 0) throw new SystemCallError('netlink send', errno);
}

/** The addresses of a connection's two directions, as they are on the wire. */
function endsOf(body: Buffer): Buffer[] {
  const attributes = parseAttributes(body, NFGENMSG_BYTES);
  return [TUPLE_ORIG, TUPLE_REPLY].flatMap((direction) => {
    const tuple = attributes.get(direction);
    const ip = tuple === undefined ? undefined : parseAttributes(tuple, 0).get(TUPLE_IP);
    if (ip === undefined) return [];
    const addresses = parseAttributes(ip, 0);
    return IP_ATTRIBUTES.flatMap((type) => addresses.get(type) ?? []);
  });
}

/** The order that deletes exactly the connection of that body: its own family, first tuple, number and zone. */
function deletion(body: Buffer): Buffer {
  const parts = [body.subarray(0, NFGENMSG_BYTES)];
  for (let at = NFGENMSG_BYTES; at + 4 <= body.length; ) {
    const length = body.readUInt16LE(at);
    if (length < 4 || at + length > body.length) break;
    const end = Math.min((at + length + 3) & ~3, body.length);
    if (COPIED.includes(body.readUInt16LE(at + 2) & 0x3fff)) parts.push(body.subarray(at, end));
    at = (at + length + 3) & ~3;
  }
  return message(DELETE, NLM_F_REQUEST, 0, ...parts);
}
