/**
 * Random faults from one seed, then none: never two hosts serving under `quorum`, and one master within a bound once the
 * faults have stopped. The judge is the world's, not the hosts' own word.
 */
import type { Policy } from '../../src/core/index.ts';
import { type Host, World } from './world.ts';

export interface Outcome {
  readonly seed: number;
  readonly policy: Policy;
  readonly hosts: number;
  readonly overlapMs: number;
  readonly masters: readonly string[];
  readonly places: string;
  readonly faults: readonly string[];
}

const CALM_MS = 12_000;

/** One run: `faultMs` of faults, then calm. */
export function chaos(seed: number, policy: Policy, faultMs = 25_000): Outcome {
  const hosts = 2 + (seed % 3);
  const w = new World({ hosts, policy, seed, witnesses: policy === 'quorum' && hosts === 2 ? 1 : 0 });
  const faults: string[] = [];
  const pick = <T>(list: readonly T[]): T => list[Math.floor(w.random() * list.length)] as T;
  w.startAll();
  w.pass(1000 + w.random() * 3000);
  w.resetFigures();
  for (const endMs = w.nowMs + faultMs; w.nowMs < endMs; w.pass(w.random() * w.random() * 3000)) {
    const host = pick(w.hosts);
    const [name, fault] = pick(Object.entries(FAULTS));
    faults.push(`${w.nowMs.toFixed(0)} ${name} ${host.name}`);
    fault(w, host);
  }
  const { overlapMs } = w;
  heal(w);
  w.pass(CALM_MS);
  const places = w.hosts.map((h) => `${h.name} ${w.place(h)}`).join(', ');
  const overlap = policy === 'quorum' ? w.overlapMs : overlapMs;
  return { seed, policy, hosts, overlapMs: overlap, masters: w.masters(), places, faults };
}

const FAULTS: { readonly [name: string]: (w: World, h: Host) => void } = {
  power: (w, h) => w.powerOff(h),
  'kill -9': (w, h) => w.kill(h),
  start: (w, h) => {
    if (h.frozen) return;
    h.lan = h.wan = true;
    if (!h.up) w.start(h);
  },
  freeze: (w, h) => w.freeze(h),
  thaw: (w, h) => w.thaw(h),
  'lan off': (w, h) => {
    h.lan = false;
    w.linkChanged(h, 'downlink');
  },
  'wan off': (w, h) => {
    h.wan = false;
    w.linkChanged(h, 'uplink');
  },
  'links on': (w, h) => {
    h.lan = h.wan = true;
    h.lanMute = h.wanMute = false;
    w.linkChanged(h, 'downlink');
    w.linkChanged(h, 'uplink');
  },
  'lan mute': (_w, h) => {
    h.lanMute = true;
  },
  'wan mute': (_w, h) => {
    h.wanMute = true;
  },
  loss: (w) => {
    w.loss = w.random() * 0.4;
  },
  'one way': (w, h) => {
    w.oneWay.add(`${h.name}>${w.hosts[0]?.name}`);
  },
  'deaf pair': (w, h) => {
    const other = w.hosts[Math.floor(w.random() * w.hosts.length)] ?? h;
    w.deaf.add(`${h.name}>${other.name}`);
    w.deaf.add(`${other.name}>${h.name}`);
  },
  'deaf no more': (w) => w.deaf.clear(),
  'cut lan': (w) => {
    w.cutLan = !w.cutLan;
  },
  'cut wan': (w) => {
    w.cutWan = !w.cutWan;
  },
  'rules flushed': (_w, h) => {
    h.rulesFlushed = true;
  },
  handover: (_w, h) => {
    if (h.up && !h.frozen) h.driver?.order({ kind: 'handover', service: null, to: null, force: false });
  },
};

function heal(w: World): void {
  w.loss = 0;
  w.cutLan = w.cutWan = false;
  w.oneWay.clear();
  w.deaf.clear();
  for (const h of w.hosts) {
    if (h.frozen) w.thaw(h);
    h.lan = h.wan = true;
    h.lanMute = h.wanMute = false;
    if (!h.up) w.start(h);
    w.linkChanged(h, 'downlink');
    w.linkChanged(h, 'uplink');
  }
}
