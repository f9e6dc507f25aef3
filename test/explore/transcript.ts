/** A way to a violation, as people read it: what happened, to whom, and what that host made of it. */
import { describeEffect, describeEvent, describeMessage, describeState } from '../../src/core/index.ts';
import type { Action, Choices } from './actions.ts';
import { enabled } from './actions.ts';
import { applied } from './apply.ts';
import { masters } from './calm.ts';
import { cost, type Violation } from './search.ts';
import type { Cluster, Node, Work } from './world.ts';

export function transcript(cluster: Cluster, start: Node, choices: Choices, violation: Violation): string {
  const lines = [violation.what];
  const name = (host: number) => cluster.names[host] ?? '?';
  for (const [i, host] of start.hosts.entries()) {
    lines.push(`  ${name(i)}: ${host.state === null ? 'down' : describeState(host.state)}`);
  }
  let node = start;
  violation.path.forEach((action, at) => {
    const calm = enabled(cluster, node, choices)[0] as Action;
    const steps: string[] = [];
    const outcome = applied(cluster, node, action, cost(action, calm, choices), (host, event, effects) => {
      steps.push(`      ${name(host)} < ${describeEvent(event)}`);
      for (const effect of effects) {
        if (effect.type !== 'log' || effect.entry.kind === 'transition') {
          steps.push(`      ${name(host)} > ${describeEffect(effect)}`);
        }
      }
    });
    lines.push(
      `${String(at + 1).padStart(4)}. ${node.nowMs - start.nowMs} ms: ${describeAction(cluster, node, action)}`,
    );
    lines.push(...steps);
    for (const problem of outcome.problems) lines.push(`      !!! ${problem}`);
    node = outcome.node;
  });
  lines.push(`  active at the end: ${masters(node).map(name).join(', ') || 'nobody'}`);
  return lines.join('\n');
}

/** One action in words. */
export function describeAction(cluster: Cluster, node: Node, action: Action): string {
  const name = (host: number) => cluster.names[host] ?? '?';
  switch (action.do) {
    case 'deliver':
    case 'copy':
    case 'lose':
    case 'delay': {
      const flight = node.flights[action.flight];
      if (flight === undefined) return action.do;
      return `${action.do} ${name(flight.from)} > ${name(flight.to)}: ${describeMessage(flight.message)}`;
    }
    case 'finish': {
      const work = node.hosts[action.host]?.work[action.work];
      const what = work === undefined ? 'work' : describeWork(work);
      return `${name(action.host)}: ${what} ends${action.lie === null ? '' : `, falsely: ${action.lie}`}`;
    }
    case 'timer':
      return `${name(action.host)}: a deadline`;
    case 'time':
      return `time passes, ${action.toMs - node.nowMs} ms`;
    case 'mend':
      return `all faults are over${action.restart ? '' : ', but who is down stays down'}`;
    case 'cut':
    case 'heal':
      return `${action.do} ${action.what}`;
    case 'order':
      return `${name(action.host)}: the operator orders ${action.order.kind}`;
    default:
      return `${action.do} ${name(action.host)}`;
  }
}

function describeWork(work: Work): string {
  switch (work.kind) {
    case 'gate':
      return work.untilMs === null ? 'shutting the gate' : 'opening the gate';
    case 'addresses':
      return `probing ${work.side} addresses`;
    case 'news':
      return `news (${describeEvent(work.event)})`;
    default:
      return work.procedure;
  }
}
