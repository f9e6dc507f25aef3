/** Netlink requests against the kernel: a dump that was cut stands in nobody's way. */
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import test from 'node:test';
import { NetlinkSocket } from '../../src/linux/netlink.ts';

/** sock_diag(7): needs no rights, and has as much to tell as there are sockets. */
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const AF_INET = 2;
const IPPROTO_UDP = 17;
const SOCKETS = 200;

/** struct inet_diag_req_v2: UDP over IPv4, in every state. */
function allUdpSockets(): Buffer {
  const out = Buffer.alloc(56);
  out.writeUInt8(AF_INET, 0);
  out.writeUInt8(IPPROTO_UDP, 1);
  out.writeUInt32LE(0xffffffff, 4);
  return out;
}

function bound(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4').once('error', reject);
    socket.bind(0, '127.0.0.1', () => resolve(socket));
  });
}

test('after a dump that was cut the next one answers, too', async (t) => {
  const sockets = await Promise.all(Array.from({ length: SOCKETS }, bound));
  const whole = new NetlinkSocket(NETLINK_SOCK_DIAG);
  const cut = new NetlinkSocket(NETLINK_SOCK_DIAG, 1);
  try {
    const dump = (from: NetlinkSocket): number => from.dump(SOCK_DIAG_BY_FAMILY, allUdpSockets()).length;
    const all = dump(whole);
    if (all === 0) return t.skip('this kernel tells nothing of UDP sockets');
    assert.ok(all >= SOCKETS);
    const first = dump(cut);
    assert.ok(first > 0 && first < all, `${first} of ${all}: it was cut`);
    for (let i = 0; i < 3; i++) assert.ok(dump(cut) > 0, 'the next one');
    assert.ok(dump(whole) >= SOCKETS, 'one that is not cut is whole');
  } finally {
    whole.close();
    cut.close();
    for (const socket of sockets) socket.close();
  }
});
