/** Scenarios in which the roster changes while the cluster serves, with the operator's own commands. */
import { always, moved, type Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';

const JOIN_LIMIT_MS = 20_000;

export const MEMBERSHIP: readonly Scenario[] = [
  {
    name: 'add-host',
    summary: 'a host is added to the roster, pushed to the master, started, and joins',
    hosts: 3,
    outside: 1,
    fault: addLast,
    watchMs: 2_000,
    expect: always(moved(0)),
  },
  {
    name: 'added-host-serves',
    summary:
      'the same; then the master loses power while the other is in maintenance, and the new host takes over',
    hosts: 3,
    outside: 1,
    fault: async (stage) => {
      await addLast(stage);
      const [other = ''] = stage.gateways.filter(
        (host) => host !== stage.master && !stage.absent.includes(host),
      );
      await stage.command('standby', other);
      await stage.sleep(2_000); // one promise after its start, and the table
      stage.forget(stage.master);
      await stage.faults.power(stage.master, 'down');
      const heir = await stage.waitForMaster(10_000);
      if (!stage.absent.includes(heir)) stage.seen.push(`${heir} took over, not the new host`);
    },
    watchMs: 3_000,
    expect: always(moved(1)),
  },
  {
    name: 'remove-host',
    summary: 'a backup is removed from the roster, pushed to the master',
    hosts: 3,
    fault: async (stage) => {
      const backup = stage.gateways.filter((host) => host !== stage.master).at(-1) ?? '';
      await stage.cluster.changeMembers('remove', backup, stage.master);
    },
    watchMs: 3_000,
    expect: always(moved(0)),
  },
  {
    name: 'remove-master',
    summary: 'the master itself is removed, by a host that stays; it lets go, another one serves',
    hosts: 3,
    fault: async (stage) => {
      const backup = stage.gateways.find((host) => host !== stage.master) ?? '';
      await stage.cluster.changeMembers('remove', stage.master, backup);
      stage.forget(stage.master);
      const heir = await stage.waitForMaster(10_000);
      if (heir === stage.master) stage.seen.push('the removed host serves');
    },
    watchMs: 3_000,
    expect: always(moved(1)),
  },
];

/** Nothing may move meanwhile: the master is looked for again at the end. */
async function addLast(stage: Stage): Promise<void> {
  for (const host of stage.absent) {
    await stage.cluster.changeMembers('add', host, stage.master);
    stage.cluster.start(host);
  }
  const master = await stage.cluster.settle(stage.gateways, JOIN_LIMIT_MS);
  if (master !== stage.master) stage.seen.push(`the service moved to ${master} when a host was added`);
}
