/**
 * One deterministic line for every state, event and effect: the transcripts' and the logs' words.
 */
import { termText } from './context.ts';
import type { Effect } from './effects.ts';
import type { Event } from './events.ts';
import type { Message } from './messages.ts';
import type { HostState } from './state.ts';

export function describeMessage(m: Message): string {
  const { type, service, ...rest } = m;
  const fields = Object.entries(rest).map(([key, value]) => `${key}=${describeValue(key, value)}`);
  return [type, service, ...fields].join(' ');
}

function describeValue(key: string, value: unknown): string {
  if (key === 'table') return 'yes';
  if (typeof value === 'object' && value !== null && 'n' in value && 'host' in value) {
    return `${value.n}/${value.host}`;
  }
  return String(value);
}

export function describeEvent(event: Event): string {
  switch (event.type) {
    case 'message':
      return `from ${event.from} on ${event.link}: ${describeMessage(event.message)}`;
    case 'procedure-ended':
      return `${event.procedure} ended: ${event.verdict}`;
    case 'addresses-probed':
      return `${event.side} addresses ${event.answered ? 'answered' : 'unanswered'}`;
    case 'gate-set':
      return event.openUntilMs === null ? 'gate shut' : 'gate open';
    case 'operator':
      return `operator: ${event.order.kind}`;
    case 'round-trip':
      return `${event.host} answered within ${event.tripMs} ms`;
    case 'peer-joined':
      return `${event.host} joined`;
    case 'refused':
      return `refused a word in the name of ${event.host}`;
    case 'link-changed':
      return `${event.side} changed`;
    default:
      return event.type;
  }
}

export function describeEffect(effect: Effect): string {
  switch (effect.type) {
    case 'send':
      return `to ${effect.to}: ${describeMessage(effect.message)}`;
    case 'run':
      return `run ${effect.procedure}`;
    case 'probe-addresses':
      return `probe ${effect.side} addresses`;
    case 'gate':
      return effect.untilMs === null ? 'shut the gate' : 'open the gate';
    case 'uplink-talk':
      return `${effect.open ? 'open' : 'close'} the uplink socket`;
    case 'log':
      return `log ${effect.entry.text}`;
    case 'alarm':
      return `alarm ${effect.code} ${effect.on ? 'on' : 'off'}`;
    default:
      return effect.type;
  }
}

/** The host's services, places, terms and masters. */
export function describeState(state: HostState): string {
  return Object.values(state.services)
    .map((s) => `${s.service}: ${s.place} term ${termText(s.term)} master ${termText(s.known?.term ?? null)}`)
    .join('; ');
}
