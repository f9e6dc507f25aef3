/**
 * Ears at the switch ports: one tcpdump in each switch's namespace hears every port, with the kernel's time stamps;
 * one `ip monitor` tells when a port's carrier comes and goes. Nothing here asks a host.
 * A frame is heard when it enters a port (before any fault drops it) and when it leaves one (after): so `out` means
 * delivered, and `in` means that the host has sent it.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Household } from './process.ts';
import { until } from './process.ts';
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
const LINKTYPE_SLL2 = 276;
const PACKET_OUTGOING = 4;

export class Capture {
  readonly #topology: Topology;
  readonly #household: Household;
  readonly #directory: string;
  readonly #running: { side: SwitchName; dump: ChildProcess; monitor: ChildProcess; words: () => string }[] =
    [];

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
          ...['--time-stamp-precision=nano', '-B', '32768', '-s', String(SNAP_BYTES), '-w', '-'],
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
      this.#running.push({ side, dump, monitor, words: () => stderr });
      if (!(await until(() => stderr.includes('listening on'), 10_000, 10)))
        throw new Error(`tcpdump did not start: ${stderr.trim() || 'no words from it'}`);
    }
  }

  /** Ends the captures. Throws when a frame was lost on the way: then no judge could be believed. */
  async stop(): Promise<{ frames: Frame[]; carriers: CarrierChange[] }> {
    const frames: Frame[] = [];
    const carriers: CarrierChange[] = [];
    for (const { side, dump, monitor, words } of this.#running) {
      await this.#household.end(dump, 'SIGINT', 5_000);
      await this.#household.end(monitor);
      // Its last words may come after its end.
      await until(() => DROPPED.test(words()), 2_000, 10);
      const dropped = DROPPED.exec(words());
      if (dropped === null || dropped[1] !== '0')
        throw new Error(`the capture on ${side} is not complete: ${words().trim()}`);
      const ports = this.#topology.ports[side];
      for (const frame of parsePcap(readFileSync(join(this.#directory, `${side}.pcap`)), side, ports))
        frames.push(frame);
      const monitored = readFileSync(join(this.#directory, `${side}.links`), 'utf8');
      carriers.push(...parseMonitor(monitored, side, new Set(ports.values())));
    }
    this.#running.length = 0;
    frames.sort((a, b) => a.atMs - b.atMs);
    return { frames, carriers };
  }
}

/** Reads a capture file of nanosecond precision and link type LINUX_SLL2; skips the bridge's own device. */
export function parsePcap(file: Buffer, side: SwitchName, ports: ReadonlyMap<number, string>): Frame[] {
  if (file.length < 24 || file.readUInt32LE(0) !== 0xa1b23c4d)
    throw new Error('not a nanosecond capture file');
  if ((file.readUInt32LE(20) & 0xffff) !== LINKTYPE_SLL2)
    throw new Error('not a capture of link type LINUX_SLL2');
  const frames: Frame[] = [];
  let at = 24;
  while (at + 16 <= file.length) {
    const seconds = file.readUInt32LE(at);
    const nanoseconds = file.readUInt32LE(at + 4);
    const kept = file.readUInt32LE(at + 8);
    const start = at + 16;
    at = start + kept;
    if (at > file.length || kept < 20) break; // the last record may be torn
    const port = ports.get(file.readUInt32BE(start + 4));
    if (port === undefined) continue;
    frames.push({
      atMs: seconds * 1_000 + nanoseconds / 1e6,
      side,
      port,
      way: file.readUInt8(start + 10) === PACKET_OUTGOING ? 'out' : 'in',
      mac: macText(file.subarray(start + 12, start + 18)),
      protocol: file.readUInt16BE(start),
      data: file.subarray(start + 20, at),
    });
  }
  return frames;
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
