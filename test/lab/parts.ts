/** Scenarios in which one of the master's two processes fails, and the other must not serve on. */
import { always, moved, type Scenario } from './scenario.ts';
import type { Part } from './units.ts';

function killed(part: Part, what: string): Scenario {
  return {
    name: `kill-${part}`,
    timed: 'kill',
    summary: `the master’s ${what} is killed (SIGKILL), and its service manager starts it again`,
    hosts: 2,
    fault: (stage) => stage.faults.signalPart(stage.master, part, 'SIGKILL'),
    watchMs: 8_000,
    expect: always(moved(1)),
  };
}

function hung(part: Part, what: string): Scenario {
  return {
    name: `hang-${part}`,
    // A master whose actuator hangs still speaks: its successor waits for the end of a lease that nobody renews.
    ...(part === 'network' ? { timed: 'kill' as const } : {}),
    summary: `the master’s ${what} is stopped for 5 s, then goes on, if it is there still`,
    hosts: 2,
    fault: async (stage) => {
      await stage.faults.signalPart(stage.master, part, 'SIGSTOP');
      await stage.sleep(5_000);
      await stage.faults.signalPart(stage.master, part, 'SIGCONT').catch(() => undefined);
    },
    watchMs: 5_000,
    expect: always(moved(1)),
  };
}

export const PARTS: readonly Scenario[] = [
  killed('network', 'network process'),
  killed('actuator', 'actuator'),
  hung('network', 'network process'),
  hung('actuator', 'actuator'),
];
