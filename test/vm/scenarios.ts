/** What goes wrong with a guest that serves, and what must be seen around it. */
import { sleep } from '../lab/process.ts';
import { UPLINK } from './guest-cluster.ts';
import type { GuestLab } from './guest-lab.ts';

export interface Scene {
  readonly lab: GuestLab;
  readonly master: string;
  readonly standby: string;
}

export interface VmScenario {
  readonly name: string;
  readonly summary: string;
  /** Looks at the settled cluster, or prepares the fault; what must not be, in words. */
  readonly before: (scene: Scene) => Promise<string[]>;
  readonly fault: (scene: Scene) => Promise<string[]>;
  /** Within which the standby must serve: no promise of the protocol, but the lab's patience. */
  readonly limitMs: number;
  readonly watchMs: number;
  /** By its last word a crashed host serves on until its lease ends, and nothing at its port says otherwise; whether it acts is judged all the same. */
  readonly mayOutliveItsWord?: boolean;
}

const PATIENCE = { limitMs: 60_000, watchMs: 6_000 } as const;

/** The standby's uplink in its own kernel: absent with `module` and `unbind`, down with `admin`. */
export async function standbyIsDown({ lab, standby }: Scene): Promise<string[]> {
  const { channel } = lab.cluster.guest(standby);
  const { stdout } = await channel.run(['ls', '/sys/class/net']);
  const cards = stdout.split('\n').filter(Boolean);
  if (lab.options.strategy !== 'admin')
    return cards.includes(UPLINK) ? [`${UPLINK} is there on the standby: ${cards.join(' ')}`] : [];
  const flags = Number((await channel.read(`/sys/class/net/${UPLINK}/flags`)) ?? 'NaN');
  return (flags & 1) === 0 ? [] : [`${UPLINK} of the standby is up or not there`];
}

/** That host's card is there, and up. */
export async function uplinkIsUp({ lab, standby }: Scene): Promise<string[]> {
  const carrier = await lab.cluster.guest(standby).channel.read(`/sys/class/net/${UPLINK}/carrier`);
  return carrier?.trim() === '1' ? [] : [`${UPLINK} of the new master has no carrier`];
}

export const SCENARIOS: readonly VmScenario[] = [
  {
    name: 'power',
    summary: 'the master loses its power: its emulator is killed',
    before: standbyIsDown,
    fault: async ({ lab, master }) => {
      await lab.cluster.guest(master).powerOff();
      return [];
    },
    ...PATIENCE,
  },
  {
    name: 'crash',
    summary: 'the master’s kernel crashes (echo c > /proc/sysrq-trigger); its cards keep their carrier',
    before: standbyIsDown,
    fault: async ({ lab, master }) => {
      lab.cluster.guest(master).channel.writeAndForget('/proc/sysrq-trigger', 'c');
      return [];
    },
    ...PATIENCE,
    mayOutliveItsWord: true,
  },
  {
    name: 'kill9',
    summary: 'the master’s daemon and its children are killed; its kernel lives on',
    before: standbyIsDown,
    fault: async ({ lab, master }) => {
      await lab.cluster.signalDaemon(master, 'SIGKILL');
      return [];
    },
    ...PATIENCE,
  },
  {
    name: 'netem',
    summary: 'delay, loss and reordering on the cluster link of both, then the master loses its power',
    before: async (scene) => {
      const rough = ['delay', '8ms', '4ms', 'loss', '3%', 'reorder', '20%', '50%'];
      const { lab } = scene;
      for (const host of lab.gateways)
        await lab.cluster
          .guest(host)
          .channel.must(['tc', 'qdisc', 'add', 'dev', 'eth0', 'root', 'netem', ...rough]);
      await sleep(5_000);
      const master = await lab.cluster.master(lab.gateways);
      return [
        ...(master === scene.master ? [] : [`the service moved for a little loss, to ${master ?? 'nobody'}`]),
        ...(await standbyIsDown(scene)),
      ];
    },
    fault: async ({ lab, master }) => {
      await lab.cluster.guest(master).powerOff();
      return [];
    },
    ...PATIENCE,
  },
];
