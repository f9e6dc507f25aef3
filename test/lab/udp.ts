/** Datagrams in captured frames. Pure. */
import type { Frame } from './capture.ts';

/** The UDP header and payload of an IPv4 or IPv6 frame without extension headers; null for all else. */
export function udpOf(
  frame: Frame,
): { from: string; to: string; fromPort: number; toPort: number; payload: Buffer } | null {
  const { data } = frame;
  let header: number;
  let from: string;
  let to: string;
  if (frame.protocol === 0x0800 && data.length >= 28 && data.readUInt8(9) === 17) {
    header = (data.readUInt8(0) & 0xf) * 4;
    from = ipv4(data, 12);
    to = ipv4(data, 16);
  } else if (frame.protocol === 0x86dd && data.length >= 48 && data.readUInt8(6) === 17) {
    header = 40;
    from = data.toString('hex', 8, 24);
    to = data.toString('hex', 24, 40);
  } else return null;
  if (data.length < header + 8) return null;
  const length = data.readUInt16BE(header + 4);
  return {
    from,
    to,
    fromPort: data.readUInt16BE(header),
    toPort: data.readUInt16BE(header + 2),
    payload: data.subarray(header + 8, header + length),
  };
}

export function ipv4(data: Buffer, at: number): string {
  return [...data.subarray(at, at + 4)].join('.');
}
