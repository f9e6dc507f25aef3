/** Scenarios in which the gateway finds nothing wrong with itself, and only who asks as its clients do sees that it fails. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './process.ts';
import { always, moved, type Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';
import { SERVER } from './topology.ts';
import { TCP_PORT } from './traffic.ts';

const DISPUTE_LIMIT_MS = 20_000;

export const CLIENTS_VIEW: readonly Scenario[] = [
  {
    name: 'clients-view',
    summary:
      'one backup alone does not reach the server behind the gateway, and moves nothing; then a rule of the master forwards nothing, and the service moves',
    hosts: 3,
    more: () => [
      '[service.remote]',
      `checks = ["gateway", "through:icmp:${SERVER.address}", "through:tcp:${SERVER.address}:${TCP_PORT}"]`,
      '[service.limits]',
      'test = "300ms"',
      '[load]',
      'sources = ["conntrack", "cpu", "link"]',
      'every = "1s"',
    ],
    fault: async (stage) => {
      const backups = stage.gateways.filter((host) => host !== stage.master);
      const [lone = ''] = backups;
      await stage.faults.cutTo('lan', lone, SERVER.address);
      if (!(await disputes(stage, [lone]))) stage.seen.push(`${lone} says nothing of what it sees`);
      await stage.sleep(2_000);
      const master = await stage.waitForMaster(5_000);
      if (master !== stage.master) stage.seen.push(`one complainer alone moved the service to ${master}`);
      await stage.faults.heal('lan');
      if (!(await disputes(stage, []))) stage.seen.push('the dispute does not end with its cause');
      await stage.faults.forwardNothing(stage.master);
      for (const host of stage.gateways) {
        const load = (await stage.cluster.status(host))?.load;
        if (!/^conntrack=\d+ cpu=\d+ link=\d+$/.test(load?.sources ?? ''))
          stage.seen.push(`the load of ${host} is ${JSON.stringify(load)}`);
      }
      const moves = await until(
        async () => ![null, stage.master].includes(await stage.cluster.master(stage.gateways)),
        DISPUTE_LIMIT_MS,
        50,
      );
      if (!moves) stage.seen.push('what both backups see moves nothing');
    },
    watchMs: 3_000,
    expect: always(moved(1)),
  },
  {
    name: 'burdened',
    summary:
      'a program says that a backup has too much to do, then that the master has, then that all have: the service goes to the third, and stays',
    hosts: 3,
    head: ['preempt_delay = "1s"'],
    more: (home) => [
      ...['[service.feedback]', 'high = 800', 'low = 500', 'after = "1s"'],
      ...['[load]', 'sources = ["program"]', `program = "${home}/load"`, 'every = "1s"'],
    ],
    programs: { load: '#!/bin/sh\ncat "$(dirname "$0")/burden" 2>/dev/null || echo 100\n' },
    fault: async (stage) => {
      const burden = (host: string): Promise<void> =>
        writeFile(join(stage.cluster.directory, host, 'burden'), '900\n', { mode: 0o644 });
      // By now the preferred host serves: a preemption would be a move of its own.
      const [other = '', heir = ''] = stage.gateways.filter((host) => host !== stage.master);
      await burden(other);
      if (!(await until(() => isBurdened(stage, other), DISPUTE_LIMIT_MS, 50)))
        stage.seen.push(`the master does not hear that ${other} is burdened`);
      await burden(stage.master);
      const follows = async (): Promise<boolean> => (await stage.cluster.master(stage.gateways)) === heir;
      if (!(await until(follows, DISPUTE_LIMIT_MS, 50))) stage.seen.push(`${heir} does not get the service`);
      await burden(heir);
      await stage.sleep(4_000);
      if (!(await follows())) stage.seen.push('the service moves on among burdened hosts');
    },
    watchMs: 500,
    expect: always(moved(1, 2)),
  },
];

/** Whether the master's table says so of that host. */
async function isBurdened(stage: Stage, host: string): Promise<boolean> {
  const table = (await stage.cluster.status(stage.master))?.services[0]?.table ?? [];
  return table.some((row) => row.host === host && row.burdened === true);
}

/** Waits until exactly these hosts have the alarm that their view of the service is not the master's. */
function disputes(stage: Stage, hosts: readonly string[]): Promise<boolean> {
  return until(
    async () => {
      const found = await Promise.all(
        stage.gateways.map(async (host) => {
          const alarms = (await stage.cluster.status(host))?.services[0]?.alarms ?? [];
          return alarms.some(({ code }) => code === 'service-disputed') ? [host] : [];
        }),
      );
      return JSON.stringify(found.flat()) === JSON.stringify(hosts);
    },
    DISPUTE_LIMIT_MS,
    50,
  );
}
