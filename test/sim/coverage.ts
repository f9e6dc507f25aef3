/** Which rows of the transition table fired, and with which effects: what the specification's table is held against. */

import type { Place } from '../../src/core/index.ts';
import { type Effect, TRANSITIONS } from '../../src/core/index.ts';
import { covers } from '../../src/core/transitions.ts';

/** Per row (`from cause`): how often it fired, and the effects that were there each time. */
export interface RowUse {
  fired: number;
  always: Set<string>;
}

/** An effect as the specification's table names it. */
export function effectName(effect: Effect): string | null {
  switch (effect.type) {
    case 'send':
      return effect.message.type;
    case 'run':
      return effect.procedure;
    case 'gate':
      return effect.untilMs === null ? 'gate shut' : 'gate open';
    case 'uplink-talk':
      return effect.open ? 'uplink socket open' : 'uplink socket closed';
    case 'probe-addresses':
      return `probe ${effect.side} addresses`;
    case 'alarm':
      return `${effect.on ? 'alarm' : 'clear'} ${effect.code}`;
    default:
      return null;
  }
}

export class Coverage {
  readonly rows = new Map<string, RowUse>();

  /** Takes the effects of one step in. */
  take(effects: readonly Effect[]): void {
    const names = new Set(effects.map(effectName).filter((name) => name !== null));
    const changes = effects.flatMap((e) =>
      e.type === 'log' && e.entry.kind === 'transition' ? [e.entry.data] : [],
    );
    for (const data of changes) {
      const row = TRANSITIONS.find(
        ([from, cause]) => cause === data?.cause && covers(from, data?.from as Place),
      );
      if (row === undefined) throw new Error(`no row for ${data?.from} ${data?.cause}`);
      const key = `${row[0]} ${row[1]}`;
      const use = this.rows.get(key);
      if (use === undefined) this.rows.set(key, { fired: 1, always: new Set(names) });
      else {
        use.fired++;
        for (const name of use.always) if (!names.has(name)) use.always.delete(name);
      }
    }
  }
}
