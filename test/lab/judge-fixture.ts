/** Made-up frames and words for the judges' tests: what each means is known. */
import type { Frame } from './capture.ts';
import type { Evidence, Word } from './judge.ts';

const MACS = new Map([
  ['02:00:00:00:00:01', 'fw1'],
  ['02:00:00:00:00:02', 'fw2'],
]);
const macOf = (host: string): string => `02:00:00:00:00:0${host.slice(2)}`;

/** An ARP answer of that host for the roving address of the lan, as the asker gets it. */
export function answer(host: string, atMs: number, roving = '0a4d0101'): Frame {
  const data = Buffer.from(`0001080006040002020000000000${roving}020000000099${'0a4d0165'}`, 'hex');
  return { atMs, side: 'lan', port: 'asker', way: 'out', mac: macOf(host), protocol: 0x0806, data };
}
/** One of the client's datagrams, as the server gets it from that host. */
export function forwarded(host: string, atMs: number): Frame {
  const data = Buffer.from('4500002000000000401100000a4d02010a4d02fe1f901b58000c000000000001', 'hex');
  return { atMs, side: 'wan', port: 'server', way: 'out', mac: macOf(host), protocol: 0x0800, data };
}
/** Any frame that the host sends into its uplink's port. */
export function uplinkFrame(host: string, atMs: number): Frame {
  return {
    atMs,
    side: 'wan',
    port: host,
    way: 'in',
    mac: macOf(host),
    protocol: 0x0806,
    data: Buffer.alloc(28),
  };
}
export function status(host: string, atMs: number): Word {
  return { atMs, saidMs: atMs, host, type: 'STATUS', serving: true, active: true, serves: true };
}
/** It is neither in Handover nor in Service, and says so. */
export function idle(host: string, atMs: number): Word {
  return { atMs, saidMs: atMs, host, type: 'REPORT', serving: false, active: false, serves: false };
}
export function every(stepMs: number, fromMs: number, toMs: number, make: (atMs: number) => Frame): Frame[] {
  const frames: Frame[] = [];
  for (let atMs = fromMs; atMs <= toMs; atMs += stepMs) frames.push(make(atMs));
  return frames;
}
export function evidence(parts: Partial<Evidence>): Evidence {
  return {
    ...{ frames: [], carriers: [], words: [], macs: MACS, gateways: ['fw1', 'fw2'] },
    ...{ leaseMs: 300, handoverSilenceMs: 1_600, fromMs: 0, endMs: 10_000 },
    ...parts,
  };
}
