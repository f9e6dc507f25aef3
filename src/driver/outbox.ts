/**
 * What the steps of one turn of the loop say, gathered: what goes to the same hosts leaves together, as few datagrams under as few
 * signatures. A word so leaves a moment after its step, never before it: whoever counts from a sending counts from too early.
 */
import type { HostName } from '../core/basics.ts';
import type { Message } from '../core/messages.ts';

type Receiver = HostName | 'all';

export class Outbox {
  #mail = new Map<Receiver, Message[]>();

  add(to: Receiver, message: Message): void {
    const messages = this.#mail.get(to);
    if (messages === undefined) this.#mail.set(to, [message]);
    else messages.push(message);
  }

  /** Everything, in the order in which each receiver was first said something; empty afterwards. */
  take(): ReadonlyMap<Receiver, readonly Message[]> {
    const mail = this.#mail;
    if (mail.size > 0) this.#mail = new Map();
    return mail;
  }
}
