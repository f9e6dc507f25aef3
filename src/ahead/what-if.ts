/**
 * What may happen next, in an operator's words: `HOST` or `HOST.PART` fails, or an order is given. Applied to a run it
 * changes what is true there, and nothing in any core: that finds out by itself, or not.
 */
import type { Fault, HostName, HostState, ServiceName } from '../core/index.ts';
import { mainState } from '../core/index.ts';
import { DARK, kernelOf, type Machine } from './machine.ts';
import type { Run } from './run.ts';

/** What of a host can fail. `daemon`: the process is killed, the kernel goes on until the lease ends. */
export const PARTS = ['power', 'daemon', 'downlink', 'uplink', 'service'] as const;
export type Part = (typeof PARTS)[number];

/** Without a host of its own. */
const WORDS = ['witness', 'next-hop', 'handover', 'stop'] as const;

export type WhatIf =
  | { readonly kind: Part; readonly host: HostName }
  | { readonly kind: 'witness'; readonly hosts: readonly HostName[] }
  | { readonly kind: 'next-hop' }
  /** An operator's order on the master. */
  | { readonly kind: 'handover' | 'stop'; readonly host: HostName };

/** What a text asks for; a string: why it is nothing that can be asked, with what can. */
export function parseWhatIf(text: string, state: HostState, service: ServiceName): WhatIf | string {
  const { members, self } = state.config.membership;
  const s = state.services[service];
  const serving = s !== undefined && mainState(s.place) === 'service';
  const master = serving ? self : (s?.known?.term.host ?? self);
  const names = members.map(({ name }) => name);
  const [first = '', part, more] = text.split('.');
  if (part === undefined) {
    if (first === 'witness') {
      const hosts = members.filter(({ role }) => role === 'witness').map(({ name }) => name);
      return hosts.length > 0 ? { kind: 'witness', hosts } : 'the roster has no witness';
    }
    if (first === 'next-hop') return { kind: 'next-hop' };
    if (first === 'handover' || first === 'stop') return { kind: first, host: master };
    const alone = PARTS.find((one) => one === first);
    if (alone !== undefined) return { kind: alone, host: master };
  }
  const host = first === 'this' ? self : first;
  const kind = part === undefined ? 'power' : PARTS.find((one) => one === part);
  if (!names.includes(host) || kind === undefined || more !== undefined)
    return `nothing of the cluster is called ${text}; there are ${[...WORDS, ...PARTS, 'this', ...names].join(', ')}, and HOST.PART as in ${names[0] ?? self}.uplink`;
  return { kind, host };
}

/** For people. */
export function whatIfText(what: WhatIf): string {
  switch (what.kind) {
    case 'power':
      return `${what.host} lost its power`;
    case 'daemon':
      return `the daemon of ${what.host} was killed`;
    case 'downlink':
      return `${what.host} lost the carrier of its downlink`;
    case 'uplink':
      return `${what.host} lost the carrier of its uplink`;
    case 'service':
      return `the service on ${what.host} failed its own test`;
    case 'witness':
      return `${what.hosts.join(' and ')} lost ${what.hosts.length > 1 ? 'their' : 'its'} power`;
    case 'next-hop':
      return 'the next hop answered nobody';
    case 'handover':
      return `an operator on ${what.host} said handover`;
    case 'stop':
      return `the daemon of ${what.host} was stopped`;
  }
}

/** The row of spec/timing.md that bounds it where the master is hit; null: none does. */
export function boundedBy(what: WhatIf): Fault | null {
  const rows: { readonly [K in WhatIf['kind']]: Fault | null } = {
    power: 'power',
    daemon: 'kill',
    downlink: 'downlink-cut',
    uplink: 'uplink-cut',
    service: 'service',
    handover: 'handover',
    stop: 'handover',
    witness: null,
    'next-hop': null,
  };
  return rows[what.kind];
}

/** It happens now. */
export function strike(run: Run, what: WhatIf, service: ServiceName, linkEventMs: number): void {
  if (what.kind === 'witness') {
    for (const host of what.hosts) strike(run, { kind: 'power', host }, service, linkEventMs);
    return;
  }
  if (what.kind === 'next-hop') {
    run.nextHop = false;
    return;
  }
  const machine = run.machines.find(({ name }) => name === what.host);
  if (machine === undefined) return;
  switch (what.kind) {
    case 'power':
    case 'daemon':
      machine.state = null;
      if (what.kind === 'power') for (const kernel of machine.kernels.values()) Object.assign(kernel, DARK);
      else for (const kernel of machine.kernels.values()) kernel.talking = false;
      return;
    case 'downlink':
      cutDownlink(run, machine, service, linkEventMs);
      return;
    case 'uplink':
      kernelOf(machine, service).uplinkCut = true;
      run.at(linkEventMs, () => run.step(machine, { type: 'link-changed', service, side: 'uplink' }));
      return;
    case 'service':
      kernelOf(machine, service).broken = true;
      return;
    case 'handover':
    case 'stop': {
      const order =
        what.kind === 'stop'
          ? ({ kind: 'stop' } as const)
          : ({ kind: 'handover', service, to: null, force: false } as const);
      run.step(machine, { type: 'operator', order });
    }
  }
}

/** Services whose downlink carries the same link of the cluster have one cable. */
function cutDownlink(run: Run, machine: Machine, service: ServiceName, linkEventMs: number): void {
  const configs = machine.state?.config.services ?? [];
  const link = configs.find(({ name }) => name === service)?.downlinkLink ?? null;
  if (link !== null) machine.links.delete(link);
  for (const { name, downlinkLink } of configs) {
    if (name !== service && (link === null || downlinkLink !== link)) continue;
    kernelOf(machine, name).downlink = 'refuted';
    run.at(linkEventMs, () => run.step(machine, { type: 'link-changed', service: name, side: 'downlink' }));
  }
}
