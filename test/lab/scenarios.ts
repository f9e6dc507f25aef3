/**
 * The scenarios: what goes wrong, how long the lab looks, and what must hold; the runner does the rest.
 * In the comments: what keepalived does under the same fault, measured on this network.
 */
import { CLIENTS_VIEW } from './clients-view.ts';
import { MEMBERSHIP } from './membership.ts';
import { PARTS } from './parts.ts';
import { always, moved, restless, type Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';

async function frozenFor({ faults, master, sleep }: Stage, ms: number): Promise<void> {
  await faults.signal(master, 'SIGSTOP');
  await sleep(ms);
  await faults.signal(master, 'SIGCONT');
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'idle',
    summary: 'nothing goes wrong',
    hosts: 3,
    fault: async () => undefined,
    watchMs: 5_000,
    expect: always(moved(0)),
  },
  {
    // keepalived at 200 ms: about 3.4 intervals without service.
    name: 'power',
    timed: 'power',
    summary: 'both cables of the master are dead at once',
    hosts: 2,
    fault: (stage) => stage.faults.power(stage.master, 'down'),
    watchMs: 4_000,
    expect: always(moved(1)),
  },
  {
    // keepalived: the known flow goes on through the retired host, newcomers wait 0.8 intervals.
    name: 'stop',
    timed: 'handover',
    summary: 'the master is told to end (SIGTERM)',
    hosts: 2,
    fault: (stage) => stage.cluster.stop(stage.master),
    watchMs: 3_000,
    expect: always(moved(1)),
  },
  {
    // keepalived: two hosts answer for the gateway until somebody mends it.
    name: 'kill9',
    timed: 'kill',
    summary: 'the master’s daemon and all its children are killed (SIGKILL)',
    hosts: 2,
    fault: (stage) => stage.cluster.kill(stage.master, stage.faults),
    watchMs: 5_000,
    expect: always(moved(1)),
  },
  {
    // keepalived: two masters for the whole time, then the resumed one goes on as if nothing had been.
    name: 'hang',
    timed: 'kill',
    summary: 'the master’s processes are stopped for 10 s, then go on (SIGSTOP, SIGCONT)',
    hosts: 2,
    fault: (stage) => frozenFor(stage, 10_000),
    watchMs: 4_000,
    expect: always(moved(1)),
  },
  {
    name: 'hang-alone',
    summary:
      'the same for 3 s, while the other host is off: it serves again, when nobody answers for its addresses',
    hosts: 2,
    absent: 1,
    fault: (stage) => frozenFor(stage, 3_000),
    watchMs: 4_000,
    // What it asks on its uplink before it serves again is seen there.
    expect: always({ ...moved(0), standby: 'any' }),
  },
  {
    name: 'downcut',
    timed: 'downlink-cut',
    summary: 'the master’s downlink cable is pulled',
    hosts: 2,
    fault: (stage) => stage.faults.port('lan', stage.master, 'down'),
    watchMs: 4_000,
    expect: always(moved(1)),
  },
  {
    // ucarp: never mended.
    name: 'upcut',
    timed: 'uplink-cut',
    summary: 'the master’s uplink cable is pulled',
    hosts: 2,
    fault: (stage) => stage.faults.port('wan', stage.master, 'down'),
    watchMs: 4_000,
    expect: always(moved(1)),
  },
  {
    // keepalived: both masters to the end, in most runs no service to the end.
    name: 'downmute',
    timed: 'downlink-mute',
    summary: 'the frames of the master’s downlink vanish, the carrier stays',
    hosts: 2,
    fault: (stage) => stage.faults.mute('lan', stage.master),
    watchMs: 6_000,
    expect: always(moved(1)),
  },
  {
    // keepalived: never noticed.
    name: 'upmute',
    timed: 'uplink-mute',
    summary: 'the frames of the master’s uplink vanish, the carrier stays',
    hosts: 2,
    fault: (stage) => stage.faults.mute('wan', stage.master),
    watchMs: 6_000,
    expect: always(moved(1)),
  },
  {
    // keepalived: two masters to the end.
    name: 'split',
    summary: 'on the downlink the cluster’s own frames from and to the master are cut for 5 s',
    hosts: 2,
    fault: async (stage) => {
      await stage.faults.cutCluster('lan', stage.master);
      await stage.sleep(5_000);
      await stage.faults.heal('lan');
    },
    watchMs: 3_000,
    expect: ({ policy }) => (policy === 'available' ? moved(0) : restless(4)),
  },
  {
    // With policy `available` two masters are the stated limit; they must end at the first word heard.
    name: 'split-both',
    summary: 'the same on both sides, for 4 s',
    hosts: 2,
    fault: async (stage) => {
      await Promise.all([
        stage.faults.cutCluster('lan', stage.master),
        stage.faults.cutCluster('wan', stage.master),
      ]);
      await stage.sleep(4_000);
      await Promise.all([stage.faults.heal('lan'), stage.faults.heal('wan')]);
    },
    watchMs: 4_000,
    expect: ({ policy }) =>
      policy === 'available'
        ? { endMasters: 'one', overlap: 'any', tcp: 'any', changes: [0, 1_000] }
        : restless(4),
  },
  {
    name: 'one-way',
    summary: 'what the master says on the downlink is lost for 5 s, it still hears all',
    hosts: 2,
    fault: async (stage) => {
      await stage.faults.cutClusterFrom('lan', stage.master);
      await stage.sleep(5_000);
      await stage.faults.heal('lan');
    },
    watchMs: 3_000,
    expect: always(restless(4)),
  },
  {
    // keepalived: never noticed.
    name: 'service',
    timed: 'service',
    summary: 'the master’s rules are flushed behind its back',
    hosts: 2,
    fault: (stage) => stage.faults.flushRules(stage.master),
    watchMs: 5_000,
    expect: always(restless(2)),
  },
  {
    name: 'loss10',
    summary: 'each cluster message is lost with 10 % for 10 s',
    hosts: 3,
    fault: (stage) => lossFor(stage, 10),
    watchMs: 2_000,
    expect: always(restless(5)),
  },
  {
    // keepalived at 100 ms: about 13 false takeovers a minute, and two masters for 0.8 s of it.
    name: 'loss30',
    summary: 'each cluster message is lost with 30 % for 10 s',
    hosts: 3,
    fault: (stage) => lossFor(stage, 30),
    watchMs: 2_000,
    expect: always(restless(20)),
  },
  {
    name: 'flap',
    summary: 'the first master’s downlink cable is pulled and put back ten times',
    hosts: 2,
    fault: async (stage) => {
      for (let i = 0; i < 10; i += 1) {
        await stage.faults.port('lan', stage.master, 'down');
        await stage.sleep(300);
        await stage.faults.port('lan', stage.master, 'up');
        await stage.sleep(300);
      }
    },
    watchMs: 4_000,
    expect: always({ ...restless(20), changes: [1, 20] }),
  },
  {
    name: 'restart-all',
    summary: 'all daemons are killed and started again at once',
    hosts: 3,
    fault: async (stage) => {
      await Promise.all(stage.hosts.map((host) => stage.cluster.kill(host, stage.faults)));
      for (const host of stage.hosts) stage.cluster.start(host);
    },
    watchMs: 6_000,
    expect: always(restless(1)),
  },
  {
    name: 'old-master-returns',
    summary: 'the master loses power, and starts anew 4 s later',
    hosts: 2,
    fault: async (stage) => {
      await stage.cluster.powerOff(stage.master);
      await stage.sleep(4_000);
      await stage.cluster.powerOn(stage.master);
    },
    watchMs: 5_000,
    expect: always(moved(1)),
  },
  {
    name: 'cut-off-returns',
    summary: 'both cables of the master are out for 4 s, its daemon lives on',
    hosts: 2,
    fault: async (stage) => {
      await stage.faults.power(stage.master, 'down');
      await stage.sleep(4_000);
      await stage.faults.power(stage.master, 'up');
    },
    watchMs: 5_000,
    expect: always(moved(1)),
  },
  {
    name: 'late-host',
    summary: 'a member that starts later joins as a backup',
    hosts: 3,
    absent: 1,
    fault: async (stage) => {
      for (const host of stage.absent) stage.cluster.start(host);
      await stage.cluster.settle(stage.gateways, 20_000);
    },
    watchMs: 2_000,
    expect: always(moved(0)),
  },
  {
    name: 'cascade',
    summary: 'each new master loses power at once, as many as the policy can bear',
    hosts: 5,
    fault: async (stage) => {
      for (let died = 0; died < bearable(stage); died += 1) {
        const master = await stage.waitForMaster(15_000);
        await stage.faults.power(master, 'down');
        stage.forget(master);
      }
    },
    watchMs: 5_000,
    expect: (stage) => ({ ...moved(bearable(stage)), tcp: 'any' }),
  },
  {
    name: 'bad-uplink',
    timed: 'successor-failed',
    summary: 'the master loses power, and the first successor’s uplink is dead',
    hosts: 3,
    fault: async (stage) => {
      const first = stage.gateways.find((host) => host !== stage.master);
      if (first !== undefined) await stage.faults.mute('wan', first);
      await stage.faults.power(stage.master, 'down');
    },
    watchMs: 6_000,
    expect: always(moved(1)),
  },
  {
    name: 'dead-next-hop',
    summary: 'nobody’s uplink works for 20 s; the service must not go round',
    hosts: 3,
    fault: async (stage) => {
      await stage.faults.mute('wan', 'server');
      await stage.sleep(20_000);
      await stage.faults.unmute('wan', 'server');
    },
    watchMs: 4_000,
    expect: always(restless(1)),
  },
  {
    // A stated limit: without a neighbour no backup can confirm its link, until one speaks.
    name: 'lonely',
    summary: 'no other host on the downlink; the master dies; after 3 s a client comes back',
    hosts: 2,
    fault: async (stage) => {
      await Promise.all(['client', 'asker'].map((port) => stage.faults.port('lan', port, 'down')));
      await stage.sleep(3_000);
      await stage.faults.power(stage.master, 'down');
      await stage.sleep(3_000);
      await Promise.all(['client', 'asker'].map((port) => stage.faults.port('lan', port, 'up')));
    },
    watchMs: 5_000,
    expect: always({ ...moved(1), tcp: 'any' }),
  },
  {
    name: 'handover',
    timed: 'handover',
    summary: 'the operator has the master hand over',
    hosts: 3,
    fault: (stage) => stage.command('handover', stage.master),
    watchMs: 3_000,
    expect: always(moved(1)),
  },
  {
    name: 'there-and-back',
    summary: 'the operator hands over, and 2 s later back again',
    hosts: 3,
    fault: async (stage) => {
      await stage.command('handover', stage.master);
      await stage.sleep(2_000);
      const heir = await stage.waitForMaster(5_000);
      await stage.waitForFit(heir, stage.master);
      await stage.command('handover', heir, '--to', stage.master);
    },
    watchMs: 3_000,
    expect: always(moved(2)),
  },
  {
    name: 'standby',
    summary: 'the operator takes the master out, and brings it back 3 s later',
    hosts: 3,
    fault: async (stage) => {
      await stage.command('standby', stage.master);
      await stage.sleep(3_000);
      await stage.command('resume', stage.master);
    },
    watchMs: 3_000,
    expect: always(moved(1)),
  },
  ...PARTS,
  ...MEMBERSHIP,
  ...CLIENTS_VIEW,
];

/** How many masters may die one after the other, so that there still is one. */
function bearable(stage: Pick<Stage, 'policy' | 'gateways' | 'hosts'>): number {
  return stage.policy === 'quorum' ? Math.floor((stage.hosts.length - 1) / 2) : stage.gateways.length - 1;
}

async function lossFor(stage: Stage, percent: number): Promise<void> {
  await stage.faults.loseCluster('lan', percent);
  await stage.sleep(10_000);
  await stage.faults.heal('lan');
}
