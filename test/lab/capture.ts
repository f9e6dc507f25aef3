/**
 * Ears at the switch ports: one tcpdump in each switch's namespace hears every port, with the kernel's time stamps;
 * one `ip monitor` tells when a port's carrier comes and goes. Nothing here asks a host.
 * A frame is heard when it enters a port (before any fault drops it) and when it leaves one (after): so `out` means
 * delivered, and `in` means that the host has sent it.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Household } from './process.ts';
import { run, until } from './process.ts';
import type { SwitchName, Topology } from './topology.ts';

export interface Frame {
  /** Milliseconds since the epoch, with fractions. */
  readonly atMs: number;
  readonly side: SwitchName;
  readonly port: string;
  /** `in`: the station sent it into the switch; `out`: the switch delivered it to the station. */
  readonly way: 'in' | 'out';
  /** The sender's hardware address, lower case. */
  readonly mac: string;
  /** EtherType. */
  readonly protocol: number;
  /** All after the link header, as far as it was kept. */
  readonly data: Buffer;
}

export interface CarrierChange {
  readonly atMs: number;
  readonly side: SwitchName;
  readonly port: string;
  readonly up: boolean;
}

const DROPPED = /(\d+) packets? dropped by kernel/;
const SNAP_BYTES = 1_400;
/**
 * tcpdump's buffer: more than ten seconds of the usual traffic. The kernel clears all of it in one go and lets nothing else have
 * that processor meanwhile: with four times as much it was away for a tenth of a second, from whatever else was measured on the machine.
 */
const BUFFER_KIB = 8_192;
const LINKTYPE_SLL2 = 276;
const PACKET_OUTGOING = 4;
const HEADER_BYTES = 24;
/** When so much of a capture file was read, its place on the disk is given back. */
const PUNCH_BYTES = 64 * 1024 * 1024;
/** The kernel hands frames on in blocks, the last one after at most a second. */
const LATE_MS = 3_000;

interface Ear {
  readonly side: SwitchName;
  readonly dump: ChildProcess;
  readonly monitor: ChildProcess;
  /** What tcpdump says, on standard error, since `forget`. */
  readonly words: () => string;
  readonly forget: () => void;
  /** How much of the capture file was read, and of it given back. */
  read: number;
  punched: number;
  /** How many lines of the monitor's were read. */
  lines: number;
}

export class Capture {
  readonly #topology: Topology;
  readonly #household: Household;
  readonly #directory: string;
  readonly #running: Ear[] = [];
  /** Read and not yet taken. */
  #waiting: Frame[] = [];

  constructor(topology: Topology, household: Household, directory: string) {
    this.#topology = topology;
    this.#household = household;
    this.#directory = directory;
  }

  async start(): Promise<void> {
    for (const side of ['lan', 'wan'] as const) {
      const file = openSync(join(this.#directory, `${side}.pcap`), 'w', 0o600);
      const monitorFile = openSync(join(this.#directory, `${side}.links`), 'w', 0o600);
      // Not -i any in promiscuous mode: bridge ports already are. -Z root: stay, the files are ours.
      const dump = this.#household.start(
        this.#topology.inside(side, [
          ...['tcpdump', '-Z', 'root', '-i', 'any', '-y', 'LINUX_SLL2', '-n', '-U'],
          ...['--time-stamp-precision=nano', '-B', String(BUFFER_KIB), '-s', String(SNAP_BYTES), '-w', '-'],
        ]),
        { stdout: file, stderr: 'pipe' },
      );
      const monitor = this.#household.start(
        ['ip', '-n', this.#topology.ns(side), '-ts', '-o', 'monitor', 'link'],
        { stdout: monitorFile },
      );
      closeSync(file);
      closeSync(monitorFile);
      let stderr = '';
      dump.stderr?.on('data', (chunk) => {
        if (stderr.length < 65_536) stderr += chunk;
      });
      const forget = (): void => {
        stderr = '';
      };
      const unread = { read: 0, punched: 0, lines: 0 };
      this.#running.push({ side, dump, monitor, words: () => stderr, forget, ...unread });
      if (!(await until(() => stderr.includes('listening on'), 10_000, 10)))
        throw new Error(`tcpdump did not start: ${stderr.trim() || 'no words from it'}`);
    }
  }

  /**
   * What was heard since the last taking and until `untilMs`; the captures go on. Waits until all of that is there. Throws when a
   * frame was lost on the way: then no judge could be believed.
   */
  async take(untilMs: number): Promise<{ frames: Frame[]; carriers: CarrierChange[] }> {
    const carriers: CarrierChange[] = [];
    for (const ear of this.#running) {
      ear.forget();
      ear.dump.kill('SIGUSR1'); // tell the counts
      if (!(await until(() => DROPPED.test(ear.words()), LATE_MS, 5)))
        throw new Error(`tcpdump on ${ear.side} does not tell its counts: ${ear.words().trim()}`);
      needComplete(ear);
      let newestMs = 0;
      const isThere = (): boolean => {
        for (const frame of this.#more(ear)) {
          this.#waiting.push(frame);
          newestMs = Math.max(newestMs, frame.atMs);
        }
        return newestMs >= untilMs;
      };
      // Where nothing more is said nothing more will come.
      await until(isThere, LATE_MS, 20);
      await this.#giveBack(ear);
      carriers.push(...this.#moreCarriers(ear));
    }
    const frames = this.#waiting.filter(({ atMs }) => atMs <= untilMs);
    this.#waiting = this.#waiting.filter(({ atMs }) => atMs > untilMs);
    frames.sort((a, b) => a.atMs - b.atMs);
    return { frames, carriers };
  }

  /** Ends the captures; what was not taken yet. Throws when a frame was lost on the way: then no judge could be believed. */
  async stop(): Promise<{ frames: Frame[]; carriers: CarrierChange[] }> {
    const frames = this.#waiting;
    this.#waiting = [];
    const carriers: CarrierChange[] = [];
    for (const ear of this.#running) {
      ear.forget();
      await this.#household.end(ear.dump, 'SIGINT', 5_000);
      await this.#household.end(ear.monitor);
      // Its last words may come after its end.
      await until(() => DROPPED.test(ear.words()), 2_000, 10);
      needComplete(ear);
      for (const frame of this.#more(ear)) frames.push(frame);
      carriers.push(...this.#moreCarriers(ear));
    }
    this.#running.length = 0;
    frames.sort((a, b) => a.atMs - b.atMs);
    return { frames, carriers };
  }

  /** What the capture file has that was not read yet. */
  #more(ear: Ear): Frame[] {
    const file = openSync(join(this.#directory, `${ear.side}.pcap`), 'r');
    try {
      if (ear.read === 0) {
        const header = readUpTo(file, 0, HEADER_BYTES);
        if (header.length < HEADER_BYTES) return [];
        checkHeader(header);
        ear.read = HEADER_BYTES;
      }
      const bytes = readUpTo(file, ear.read, fstatSync(file).size - ear.read);
      const { frames, used } = parseRecords(bytes, ear.side, this.#topology.ports[ear.side]);
      ear.read += used;
      return frames;
    } finally {
      closeSync(file);
    }
  }

  /** A capture that goes on for hours keeps on the disk only what was not read. */
  async #giveBack(ear: Ear): Promise<void> {
    const length = ear.read - ear.punched;
    if (length < PUNCH_BYTES) return;
    const file = join(this.#directory, `${ear.side}.pcap`);
    await run(['fallocate', '--punch-hole', '--offset', '0', '--length', String(ear.read), file]);
    ear.punched = ear.read;
  }

  #moreCarriers(ear: Ear): CarrierChange[] {
    const text = readFileSync(join(this.#directory, `${ear.side}.links`), 'utf8');
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
    const fresh = lines.slice(ear.lines);
    ear.lines = Math.max(0, lines.length - 1);
    return parseMonitor(fresh.join('\n'), ear.side, new Set(this.#topology.ports[ear.side].values()));
  }
}

function needComplete({ side, words }: Ear): void {
  const dropped = DROPPED.exec(words());
  if (dropped === null || dropped[1] !== '0')
    throw new Error(`the capture on ${side} is not complete: ${words().trim()}`);
}

function readUpTo(file: number, from: number, length: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, length));
  return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, from));
}

function checkHeader(file: Buffer): void {
  if (file.length < HEADER_BYTES || file.readUInt32LE(0) !== 0xa1b23c4d)
    throw new Error('not a nanosecond capture file');
  if ((file.readUInt32LE(20) & 0xffff) !== LINKTYPE_SLL2)
    throw new Error('not a capture of link type LINUX_SLL2');
}

/** Reads a capture file of nanosecond precision and link type LINUX_SLL2; skips the bridge's own device. */
export function parsePcap(file: Buffer, side: SwitchName, ports: ReadonlyMap<number, string>): Frame[] {
  checkHeader(file);
  return parseRecords(file.subarray(HEADER_BYTES), side, ports).frames;
}

/** Reads whole records; `used`: so many bytes of them there are, the rest is the beginning of one. */
export function parseRecords(
  bytes: Buffer,
  side: SwitchName,
  ports: ReadonlyMap<number, string>,
): { frames: Frame[]; used: number } {
  const frames: Frame[] = [];
  let used = 0;
  while (used + 16 <= bytes.length) {
    const seconds = bytes.readUInt32LE(used);
    const nanoseconds = bytes.readUInt32LE(used + 4);
    const kept = bytes.readUInt32LE(used + 8);
    const start = used + 16;
    const end = start + kept;
    if (end > bytes.length || kept < 20) break;
    used = end;
    const port = ports.get(bytes.readUInt32BE(start + 4));
    if (port === undefined) continue;
    frames.push({
      atMs: seconds * 1_000 + nanoseconds / 1e6,
      side,
      port,
      way: bytes.readUInt8(start + 10) === PACKET_OUTGOING ? 'out' : 'in',
      mac: macText(bytes.subarray(start + 12, start + 18)),
      protocol: bytes.readUInt16BE(start),
      data: bytes.subarray(start + 20, end),
    });
  }
  return { frames, used };
}

/** Reads what `ip -ts -o monitor link` wrote: a line a change, with local time and the interface's flags. */
export function parseMonitor(text: string, side: SwitchName, ports: ReadonlySet<string>): CarrierChange[] {
  const changes: CarrierChange[] = [];
  for (const line of text.split('\n')) {
    const match = /^\[([0-9T:.-]+)\]\s*(Deleted )?\d+: ([^:@]+)(?:@[^:]*)?: <([^>]*)>/.exec(line);
    if (match === null) continue;
    const [, time = '', deleted, port = '', flags = ''] = match;
    if (!ports.has(port)) continue;
    const [whole = '', fraction = '0'] = time.split('.');
    const atMs = new Date(whole).getTime() + Number(`0.${fraction}`) * 1_000;
    changes.push({ atMs, side, port, up: deleted === undefined && flags.split(',').includes('LOWER_UP') });
  }
  return changes;
}

function macText(bytes: Buffer): string {
  return bytes.toString('hex').replace(/(..)(?=.)/g, '$1:');
}
