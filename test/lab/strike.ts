/**
 * One blow to a host's processes at a chosen instant: a program of its own inside the host's namespace, so that
 * nothing but the kernel lies between what it waits for and the signal. It waits for the host's own word as it leaves
 * the card, or for the renewal of the lease in the host's kernel, then for the delay, and strikes. Argument: a `Blow` as
 * JSON. It looks on for `watchMs`, prints a `Struck` and ends; without a blow within `limitMs` it prints `null`.
 */
import { readFileSync } from 'node:fs';
import { AF_PACKET, bindSocket, openSocket, receive, SOCK_RAW } from '../../src/linux/libc.ts';
import { NETLINK_NETFILTER, openNetlink, parseAttributes, parseMessages } from '../../src/linux/netlink.ts';

export interface Blow {
  readonly pids: readonly number[];
  readonly signal: 'SIGSTOP' | 'SIGKILL';
  /** `word`: a datagram of the cluster that this host sends. `renewal`: its lease set anew in the kernel. */
  readonly after: 'word' | 'renewal';
  readonly delayMs: number;
  /** The downlink card, and the cluster's UDP port. */
  readonly device: string;
  readonly port: number;
  /** Name of the nftables set that holds the lease. */
  readonly set: string;
  readonly limitMs: number;
  readonly watchMs: number;
}

/** All times in milliseconds since the epoch, as captures have them. */
export interface Struck {
  /** When the last signal had been sent. */
  readonly atMs: number;
  /** The host's last word before that. */
  readonly wordMs: number | null;
  /** The last renewal in the kernel before that, and the last one of all: an order under way is still carried out. */
  readonly renewedMs: number | null;
  readonly lastRenewedMs: number | null;
}

const ETH_P_ALL = 0x0003;
const ETH_P_IP = 0x0800;
const UDP = 17;
const GROUP_NFTABLES = 1 << 6;
const NEWSETELEM = (10 << 8) | 12;
const NFGENMSG_BYTES = 4;
const ELEM_LIST_SET = 2;
/** Between two looks while there is time; when the blow may be due at once it looks without a pause. */
const PAUSE_MS = 0.2;
const SPIN_MS = 2;

const blow = JSON.parse(process.argv[2] ?? 'null') as Blow;
const cell = new Int32Array(new SharedArrayBuffer(4));
const buffer = Buffer.alloc(65_536);

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Hears every frame of the card, those that the host itself sends too. */
function packetSocket(device: string): number {
  const fd = openSocket(AF_PACKET, SOCK_RAW, 0);
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(ETH_P_ALL, 2);
  address.writeInt32LE(Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8')), 4);
  bindSocket(fd, address);
  return fd;
}

const mac = Buffer.from(
  readFileSync(`/sys/class/net/${blow.device}/address`, 'utf8').trim().replaceAll(':', ''),
  'hex',
);

function isOwnWord(frame: Buffer): boolean {
  if (frame.length < 42 || frame.readUInt16BE(12) !== ETH_P_IP || frame.readUInt8(23) !== UDP) return false;
  const udp = 14 + (frame.readUInt8(14) & 0xf) * 4;
  return (
    frame.length >= udp + 8 && frame.subarray(6, 12).equals(mac) && frame.readUInt16BE(udp + 2) === blow.port
  );
}

function isRenewal(bytes: Buffer): boolean {
  return parseMessages(bytes).some(({ type, body }) => {
    if (type !== NEWSETELEM) return false;
    const set = parseAttributes(body, NFGENMSG_BYTES).get(ELEM_LIST_SET);
    return set?.toString('latin1').replace(/\0$/, '') === blow.set;
  });
}

const packets = packetSocket(blow.device);
const changes = openNetlink(NETLINK_NETFILTER, GROUP_NFTABLES);
let wordMs: number | null = null;
let renewedMs: number | null = null;

/** Reads what has come. The instant is taken before the reading, so that it is never later than it was. */
function look(): void {
  for (let at = nowMs(), got = receive(packets, buffer); got > 0; got = receive(packets, buffer))
    if (isOwnWord(buffer.subarray(0, got))) wordMs = at;
  for (let at = nowMs(), got = receive(changes, buffer); got > 0; got = receive(changes, buffer))
    if (isRenewal(buffer.subarray(0, got))) renewedMs = at;
}

/** Looks until `done`, without a pause while `isUrgent`; false at the limit. */
function lookUntil(done: () => boolean, isUrgent: () => boolean, limitMs: number): boolean {
  const endMs = nowMs() + limitMs;
  for (;;) {
    look();
    if (done()) return true;
    if (nowMs() > endMs) return false;
    if (!isUrgent()) Atomics.wait(cell, 0, 0, PAUSE_MS);
  }
}

const heardMs = (): number | null => (blow.after === 'word' ? wordMs : renewedMs);

function strike(): Struck | null {
  // The first one may be old, or come before all is warm: the one after it counts.
  if (
    !lookUntil(
      () => heardMs() !== null,
      () => false,
      blow.limitMs,
    )
  )
    return null;
  const first = heardMs();
  const isAtOnce = (): boolean => blow.delayMs === 0;
  // Copies of one word to several hosts leave within a millisecond: they are one.
  const isNext = (): boolean => (heardMs() ?? 0) - (first ?? 0) > 5;
  if (!lookUntil(isNext, isAtOnce, blow.limitMs)) return null;
  const dueMs = (heardMs() ?? 0) + blow.delayMs;
  lookUntil(
    () => nowMs() >= dueMs,
    () => dueMs - nowMs() < SPIN_MS,
    blow.limitMs,
  );
  for (const pid of blow.pids) {
    try {
      process.kill(pid, blow.signal);
    } catch {
      // a tool that has ended since the list was read
    }
  }
  const atMs = nowMs();
  const before = { wordMs, renewedMs };
  lookUntil(
    () => false,
    () => false,
    blow.watchMs,
  );
  return { atMs, ...before, lastRenewedMs: renewedMs };
}

process.stdout.write(`${JSON.stringify(strike())}\n`);
