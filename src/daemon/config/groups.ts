/**
 * `together`: services that are on one host, all or none. A group is one service to the core, under the name of its
 * member that sorts first, whatever the order of a host's file; what must be alike for that is checked here. Pure.
 */
import type { ServiceName } from '../../core/basics.ts';
import type { ServiceProblem } from './service.ts';
import type { ServiceSettings } from './settings.ts';

/** The members in the order of their names; the first is the name by which the core and other hosts know them. */
export type Group = readonly [ServiceName, ...ServiceName[]];

type Named = Pick<ServiceSettings, 'together'> & { readonly gateway: { readonly name: ServiceName } };

/** Every service stands in exactly one group, most alone. In the file's order of those that they are named by. */
export function groupsOf(services: readonly Named[]): Group[] {
  const names = services.map(({ gateway }) => gateway.name);
  const leader = new Map(names.map((name) => [name, name]));
  const join = (a: ServiceName, b: ServiceName): void => {
    const [one, other] = [leader.get(a), leader.get(b)];
    if (one === undefined || other === undefined || one === other) return;
    const [first, second] = one < other ? [one, other] : [other, one];
    for (const [name, led] of leader) if (led === second) leader.set(name, first);
  };
  for (const { gateway, together } of services) for (const other of together) join(gateway.name, other);
  return names.flatMap((name) => {
    if (leader.get(name) !== name) return [];
    const others = names.filter((other) => other !== name && leader.get(other) === name);
    return [[name, ...others.sort()] as const];
  });
}

/** By member: the group's name. */
export function leaders(services: readonly Named[]): ReadonlyMap<ServiceName, ServiceName> {
  return new Map(groupsOf(services).flatMap((group) => group.map((name) => [name, group[0]] as const)));
}

/** Whether `activateService` is the built-in one for all that stand together with that service (spec/state-machine.md, R11). */
export function preparesEarly({ gateway }: ServiceSettings, all: readonly ServiceSettings[]): boolean {
  const group = groupsOf(all).find((names) => names.includes(gateway.name)) ?? [gateway.name];
  const members = all.filter((service) => group.includes(service.gateway.name));
  return members.every((member) => member.gateway.procedures.activateService === undefined);
}

/** What is wrong with that service's group; told where a member stands that the group is not named by. */
export function groupProblems(service: ServiceSettings, all: readonly ServiceSettings[]): ServiceProblem[] {
  const { name } = service.gateway;
  const problems: ServiceProblem[] = [];
  for (const other of service.together) {
    if (all.some(({ gateway }) => gateway.name === other) && other !== name) continue;
    const what =
      other === name ? 'names the service itself' : `names a service that is not there: "${other}"`;
    problems.push({ path: ['together'], what, remedy: 'name other services of this file' });
  }
  const first = leaders(all).get(name);
  const leader = first === name ? undefined : all.find(({ gateway }) => gateway.name === first);
  if (leader === undefined) return problems;
  const [mine, its] = [commonOf(service), commonOf(leader)];
  for (const key of Object.keys(its)) {
    if (mine[key] === its[key]) continue;
    const what = `differs from that of ${first}, with which it stands together`;
    problems.push({ path: key.split('.'), what, remedy: `say the same in all services of the group` });
  }
  return problems;
}

/** What a group has one of, by the file's keys: all that the core is told of a service. */
function commonOf({ gateway, together: _, ...rest }: ServiceSettings): { [key: string]: string } {
  const out: { [key: string]: string } = {
    'limits.test': String(gateway.limits.testMs),
    'limits.switch': String(gateway.limits.switchMs),
  };
  for (const [key, value] of Object.entries(rest)) out[keyOf(key)] = JSON.stringify(value);
  return out;
}

/** `checkIntervalMs` → `check_interval`. */
function keyOf(setting: string): string {
  if (setting === 'uplinkLimitMs') return 'uplink.limit';
  return setting.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
