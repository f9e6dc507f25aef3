/**
 * The attacker's own process, in its namespace on the hub: it records every datagram of the cluster that it sees and
 * sends whatever frames it likes. Takes orders as JSON lines, answers each with one.
 */
import { createInterface } from 'node:readline';
import { AF_PACKET, bindSocket, openSocket, receive, SOCK_RAW, send } from '../../src/linux/libc.ts';
import {
  type ClusterFrame,
  forged,
  fragmented,
  overheard,
  readdressed,
  readFrame,
  reflected,
  withPayload,
} from './attack-frames.ts';

/** What to send again and again, until told to stop. Addresses choose among what was recorded. */
export interface Sending {
  /** `replay`: as it was; `forge`: the newest word to all, moved on; `mutate`: one bit of each changed. */
  /** `delay`: what is heard is passed on `holdMs` later; `arp`: every question for `asked` is answered. */
  /** `reflect`: what is heard goes back to its sender at once; `relay`: between two hosts and those of another cluster. */
  readonly kind: 'replay' | 'reflect' | 'relay' | 'forge' | 'mutate' | 'junk' | 'delay' | 'arp';
  readonly perSecond: number;
  readonly from?: string;
  readonly to?: string;
  /** Of `replay`: sent in two fragments each. */
  readonly isCut?: boolean;
  /** Of `replay`: addresses that are written into the frames. Of `relay`: of `from` and `to` in the other cluster. */
  readonly as?: { readonly from: string; readonly to: string };
  /** Of forged frames; a recorded member's otherwise. */
  readonly sourceAddress?: string;
  /** Hex; null: none is known. */
  readonly gateKey?: string | null;
  /** Of `delay`: for how long. */
  readonly holdMs?: number;
  /** Of `arp`: the address. */
  readonly asked?: string;
  /** Size of junk, bytes. */
  readonly bytes?: number;
}
export type Order = { readonly op: 'count' } | { readonly op: 'stop' } | ({ readonly op: 'send' } & Sending);

const ETH_P_ALL = 0x0003;
const RECORDED_MAX = 20_000;
const STATUS = 5;
const FORGE_EVERY_MS = 100;
const STEP_MS = 2;
/** Kinds that only answer what they hear. */
const LISTENERS: ReadonlySet<Sending['kind']> = new Set(['arp', 'delay', 'reflect', 'relay']);

const fd = openSocket(AF_PACKET, SOCK_RAW, 0);
const address = Buffer.alloc(20);
address.writeUInt16LE(AF_PACKET, 0);
address.writeUInt16BE(ETH_P_ALL, 2);
address.writeInt32LE(Number(process.argv[2]), 4);
bindSocket(fd, address);

const recorded: (ClusterFrame & { readonly atMs: number })[] = [];
const buffer = Buffer.alloc(2048);
let sending: Sending | null = null;
let sent = 0;
let next: () => Buffer | null = () => null;
let owed = 0;
let lastMs = performance.now();

function listen(): void {
  for (let i = 0; i < 5000; i++) {
    const length = receive(fd, buffer);
    if (length < 0) return;
    if (sending?.kind === 'arp') answer(sending.asked ?? '', buffer.subarray(0, length));
    if (sending?.kind === 'delay') hold(sending, buffer.subarray(0, length));
    if (sending?.kind === 'reflect') reflect(buffer.subarray(0, length));
    if (sending?.kind === 'relay') relay(sending, buffer.subarray(0, length));
    // While it sends, what it hears may be an answer to itself: it has heard enough.
    if (sending !== null || recorded.length >= RECORDED_MAX) continue;
    const frame = readFrame(buffer.subarray(0, length));
    if (frame !== null)
      recorded.push({ ...frame, payload: Buffer.from(frame.payload), atMs: performance.now() });
  }
}

const held: { readonly frame: Buffer; readonly dueMs: number }[] = [];

/** A frame of the cluster between those two that the switch did not pass on to its receiver. */
function hold(order: Sending, bytes: Buffer): void {
  const heard = readFrame(bytes);
  if (heard === null || heard.from !== order.from || heard.to !== order.to) return;
  held.push({ frame: heard.frame, dueMs: performance.now() + (order.holdMs ?? 0) });
}

function reflect(bytes: Buffer): void {
  const heard = readFrame(bytes);
  if (heard !== null && send(fd, reflected(heard.frame), null) === 0) sent += 1;
}

/** What `to` says to `from` goes to that host in the other cluster, and its answers come back in the name of `from`. */
function relay({ from = '', to = '', as }: Sending, bytes: Buffer): void {
  answer(from, bytes);
  const heard = readFrame(bytes);
  if (heard === null || as === undefined) return;
  let frame: Buffer | null = null;
  if (heard.from === to && heard.to === from) frame = readdressed(heard.frame, as.to, as.from);
  if (heard.from === as.from && heard.to === as.to) frame = readdressed(heard.frame, from, to);
  if (frame !== null && send(fd, frame, null) === 0) sent += 1;
}

function passOn(): void {
  for (let next = held[0]; next !== undefined && next.dueMs <= performance.now(); next = held[0]) {
    held.shift();
    if (send(fd, next.frame, null) === 0) sent += 1;
  }
}

const OWN_MAC = Buffer.from('026666666666', 'hex');

/** An ARP question for that address is answered with the attacker's own card: "it is mine". */
function answer(asked: string, bytes: Buffer): void {
  if (bytes.length < 42 || bytes.readUInt32BE(12) !== 0x08060001 || bytes.readUInt16BE(20) !== 1) return;
  const address = Buffer.from(asked.split('.').map(Number));
  if (!bytes.subarray(38, 42).equals(address)) return;
  const asker = bytes.subarray(22, 32);
  const head = Buffer.from('08060001080006040002', 'hex');
  const reply = Buffer.concat([
    asker.subarray(0, 6),
    OWN_MAC,
    head,
    OWN_MAC,
    address,
    asker,
    Buffer.alloc(18),
  ]);
  if (send(fd, reply, null) === 0) sent += 1;
}

/** The frames in turn, for ever. */
function inTurn(frames: readonly Buffer[]): () => Buffer | null {
  let at = 0;
  return () => frames[at++ % Math.max(1, frames.length)] ?? null;
}

function flipped(frame: Buffer, i: number): Buffer {
  const copy = Buffer.from(frame);
  const at = 42 + ((i * 31) % (copy.length - 42));
  copy.writeUInt8((copy[at] ?? 0) ^ (1 << (i % 8)), at);
  return copy;
}

function maker(order: Sending): () => Buffer | null {
  const chosen = recorded.filter(({ from, to }) => (order.from ?? from) === from && (order.to ?? to) === to);
  if (order.kind === 'replay') {
    const { as, isCut } = order;
    const frames = chosen.map(({ frame }) => (as === undefined ? frame : readdressed(frame, as.from, as.to)));
    return inTurn(isCut === true ? frames.flatMap((frame, i) => fragmented(frame, i + 1)) : frames);
  }
  if (order.kind === 'mutate') return inTurn(chosen.map(({ frame }, i) => flipped(frame, i)));
  const template = chosen.at(-1);
  if (template === undefined) return () => null;
  const source = (frame: Buffer): Buffer => {
    if (order.sourceAddress === undefined) return frame;
    Buffer.from(order.sourceAddress.split('.').map(Number)).copy(frame, 26);
    return withPayload(frame, Buffer.from(frame.subarray(42)));
  };
  if (order.kind === 'junk') {
    const frame = source(withPayload(template.frame, Buffer.alloc(order.bytes ?? 420, 0x5a)));
    return () => frame;
  }
  const key = order.gateKey == null ? null : Buffer.from(order.gateKey, 'hex');
  const word = [...chosen].reverse().find(({ payload }) => overheard(payload)?.header.type === STATUS);
  const said = word === undefined ? null : overheard(word.payload);
  if (word === undefined || said === null) return () => null;
  let seq = said.header.seq + 100_000;
  let madeMs = Number.NEGATIVE_INFINITY;
  let frame: Buffer = word.frame;
  return () => {
    const now = performance.now();
    if (now - madeMs < FORGE_EVERY_MS && order.perSecond > 1000) return frame;
    madeMs = now;
    seq += 1;
    const sentMs = Math.floor(said.header.sentMs + now - word.atMs);
    frame = source(withPayload(word.frame, forged(said, { seq, sentMs }, key)));
    return frame;
  };
}

function step(): void {
  listen();
  const now = performance.now();
  passOn();
  if (sending !== null && !LISTENERS.has(sending.kind)) {
    // What a busy machine did not let us send is made good, within a tenth of a second.
    owed = Math.min(owed + ((now - lastMs) * sending.perSecond) / 1000, sending.perSecond / 10);
    for (; owed >= 1; owed -= 1) {
      const frame = next();
      if (frame !== null && send(fd, frame, null) === 0) sent += 1;
    }
  }
  lastMs = now;
}

function obey(order: Order): void {
  listen();
  if (order.op === 'send' && LISTENERS.has(order.kind)) sending = order;
  else if (order.op === 'send') {
    next = maker(order);
    if (next() === null) {
      process.stdout.write(`${JSON.stringify({ error: 'nothing of that kind was recorded' })}\n`);
      return;
    }
    sending = order;
  } else if (order.op === 'stop') sending = null;
  process.stdout.write(`${JSON.stringify({ recorded: recorded.length, sent })}\n`);
}

setInterval(step, STEP_MS);
createInterface({ input: process.stdin })
  .on('line', (line) => obey(JSON.parse(line) as Order))
  .on('close', () => process.exit(0));
