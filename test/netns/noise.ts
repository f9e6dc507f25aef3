/**
 * A child process for tests: many other hosts on eth0 of a namespace, who ask for each other by broadcast, so many times a second (the
 * argument). Says a line once it has begun.
 */
import { readFileSync } from 'node:fs';
import { arpRequest } from '../../src/linux/frames.ts';
import { send } from '../../src/linux/libc.ts';
import { openPacketSocket } from '../../src/linux/packetsocket.ts';
import { earFilter } from '../../src/linux/socketfilter.ts';

const ETH_P_ALL = 3;
const HOSTS = 100;
const BURST_MAX = 500;

const perSecond = Number(process.argv[2]);
const fd = openPacketSocket(
  Number(readFileSync('/sys/class/net/eth0/ifindex', 'utf8')),
  ETH_P_ALL,
  earFilter(),
);
const beganMs = performance.now();
let sent = 0;
function burst(): void {
  const dueBy = ((performance.now() - beganMs) * perSecond) / 1_000;
  for (let i = 0; i < BURST_MAX && sent < dueBy; i++) {
    const host = 110 + (sent++ % HOSTS);
    const mac = Buffer.from([2, 9, 9, 9, 9, host]);
    send(fd, arpRequest(mac, Buffer.from([10, 77, 1, host]), Buffer.from([10, 77, 1, 220])), null);
  }
  setTimeout(burst, 1);
}
burst();
process.stdout.write('begun\n');
