/** Who serves, by what the hosts say on the wire, and how often that changes: of ours by STATUS, of the peer by its adverts. */
import type { Frame } from './capture.ts';
import type { GatewayKind } from './gateway.ts';
import { VRRP } from './keepalived.ts';
import { wordsOf } from './words.ts';

export class Succession {
  #holder: string | null = null;

  /** How often another host than before said that it serves; `speakers` in the order in which they said so. */
  follow(speakers: readonly string[]): number {
    let moves = 0;
    for (const host of speakers) {
      if (host === this.#holder) continue;
      if (this.#holder !== null) moves += 1;
      this.#holder = host;
    }
    return moves;
  }

  forget(): void {
    this.#holder = null;
  }
}

/** The hosts that say in these frames that they serve, in order, once for each time. */
export function speakersOf(frames: readonly Frame[], kind: GatewayKind, hosts: readonly string[]): string[] {
  if (kind === 'portcullis')
    return wordsOf(frames, hosts).flatMap(({ host, serving }) => (serving === true ? [host] : []));
  return frames.filter((frame) => hosts.includes(frame.port) && isAdvert(frame)).map(({ port }) => port);
}

/** A VRRP advert as its sender's card let it out; one of priority 0 is a farewell (RFC 9568, 5.2.4). */
function isAdvert({ side, way, protocol, data }: Frame): boolean {
  if (side !== 'lan' || way !== 'in' || protocol !== 0x0800 || data.length < 20) return false;
  const header = (data.readUInt8(0) & 0xf) * 4;
  return data.readUInt8(9) === VRRP && data.length > header + 2 && data.readUInt8(header + 2) > 0;
}
