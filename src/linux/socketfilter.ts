/**
 * The classic BPF program of our packet sockets (socket(7), SO_ATTACH_FILTER): the kernel hands us ARP, neighbour
 * discovery, echo replies, and others' broadcast and multicast frames; a gateway's traffic never wakes us.
 */

import {
  assembled,
  JUMP_EQUAL,
  JUMP_GREATER_EQUAL,
  JUMP_SET,
  LOAD_BYTE,
  LOAD_BYTE_INDEXED,
  LOAD_HALF,
  LOAD_INDEX_IP_HEADER,
  RETURN,
} from './bpf.ts';

/** SKF_AD_OFF + SKF_AD_PKTTYPE (linux/filter.h). */
const PACKET_TYPE = 0xfffff004;
const PACKET_OUTGOING = 4;
/** Enough for every header that is read. */
const SNAP_BYTES = 128;

/** As the kernel takes it. */
export function earFilter(): Buffer {
  return assembled([
    [LOAD_BYTE, 0, 0, PACKET_TYPE],
    [JUMP_EQUAL, 16, 0, PACKET_OUTGOING], // -> drop
    [LOAD_BYTE, 0, 0, 0],
    [JUMP_SET, 13, 0, 1], // group bit of the destination -> take
    [LOAD_HALF, 0, 0, 12],
    [JUMP_EQUAL, 11, 0, 0x0806], // ARP -> take
    [JUMP_EQUAL, 0, 4, 0x86dd], // not IPv6 -> 11
    [LOAD_BYTE, 0, 0, 20],
    [JUMP_EQUAL, 0, 9, 58], // not ICMPv6 -> drop
    [LOAD_BYTE, 0, 0, 54],
    [JUMP_GREATER_EQUAL, 6, 7, 129], // echo reply, router and neighbour discovery -> take; else drop
    [JUMP_EQUAL, 0, 6, 0x0800], // not IPv4 -> drop
    [LOAD_BYTE, 0, 0, 23],
    [JUMP_EQUAL, 0, 4, 1], // not ICMP -> drop
    [LOAD_INDEX_IP_HEADER, 0, 0, 14],
    [LOAD_BYTE_INDEXED, 0, 0, 14],
    [JUMP_EQUAL, 0, 1, 0], // echo reply -> take
    [RETURN, 0, 0, SNAP_BYTES],
    [RETURN, 0, 0, 0],
  ]);
}
