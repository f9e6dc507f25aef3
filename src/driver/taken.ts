/** What the core hears of a datagram that was taken. */
import type { Event } from '../core/index.ts';
import type { Received } from '../wire/endpoint.ts';

/** A datagram that was not refused. */
export type Taken = Exclude<Received, { kind: 'set-back' | 'refused' }>;

/** `outdated`: its sender counts votes by a roster that is over (R21). */
export function eventsOf(received: Taken, outdated: boolean): Event[] {
  if (received.kind === 'messages') {
    const { from, link } = received;
    const mark = outdated ? { outdated } : {};
    return received.messages.map((message) => ({ type: 'message', from, link, message, ...mark }));
  }
  if (received.kind === 'roster') return [];
  const { from: host, tripMs, joined } = received;
  return [
    ...(tripMs === undefined ? [] : [{ type: 'round-trip', host, tripMs } as const]),
    ...(joined ? [{ type: 'peer-joined', host } as const] : []),
  ];
}
