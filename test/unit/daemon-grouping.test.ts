/** Groups of services: one order to all members, one result of all. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Verdict } from '../../src/core/procedures.ts';
import { groupsOf } from '../../src/daemon/config/groups.ts';
import { Grouping } from '../../src/daemon/grouping.ts';
import type { Actuator, ActuatorEvents } from '../../src/driver/ports.ts';

const service = (name: string, ...together: string[]) => ({ gateway: { name }, together });
const SERVICES = [service('dns', 'mail'), service('alone'), service('mail'), service('web', 'mail')];

/** A Linux side that only takes orders, and a core that only hears. */
function world() {
  const ordered: string[] = [];
  const told: string[] = [];
  const actuator: Actuator = {
    run: (name, procedure, id) => ordered.push(`${id} ${procedure} ${name}`),
    probeAddresses: (name, side, id, waitMs) => ordered.push(`${id} ${side} ${name} ${waitMs}`),
    gate: (name, untilMs, id) => ordered.push(`${id} gate ${untilMs} ${name}`),
    prepareUplink: (name, wanted) => ordered.push(`prepare ${wanted} ${name}`),
  };
  const events: ActuatorEvents = {
    procedureEnded: (name, procedure, id, verdict, detail) =>
      told.push(`${id} ${procedure} ${name} ${verdict}: ${detail}`),
    addressesProbed: (name, side, id, answered) => told.push(`${id} ${side} ${name} ${answered}`),
    gateSet: (name, id, untilMs) => told.push(`${id} gate ${name} ${untilMs}`),
    linkChanged: (name, side) => told.push(`${side} of ${name}`),
    foreignerHeard: (name) => told.push(`foreigner ${name}`),
    rivalHeard: (name, side, detail) => told.push(`rival ${name} ${side} ${detail}`),
  };
  const grouping = new Grouping(SERVICES, events);
  grouping.over(actuator);
  return { grouping, linux: grouping.memberEvents, said: (list: string[]) => list.splice(0), ordered, told };
}

test('groups: named by one is enough, joined through others, led by the name that sorts first, whatever the file’s order', () => {
  const group = ['dns', 'mail', 'web'];
  assert.deepEqual(groupsOf(SERVICES), [group, ['alone']]);
  assert.deepEqual(groupsOf(SERVICES.toReversed()), [['alone'], group]);
  assert.deepEqual(groupsOf([service('b'), service('a', 'b')]), [['a', 'b']]);
});

test('procedures: every member is asked, the worst verdict is the group’s, once', () => {
  const { grouping, linux, said, ordered, told } = world();
  grouping.run('dns', 'checkUplink', 7);
  grouping.run('alone', 'checkUplink', 8);
  assert.deepEqual(said(ordered), [
    ...['7 checkUplink dns', '7 checkUplink mail', '7 checkUplink web', '8 checkUplink alone'],
  ]);
  const end = (name: string, verdict: Verdict): void =>
    linux.procedureEnded(name, 'checkUplink', 7, verdict, `said by ${name}`);
  end('web', 'confirmed');
  end('dns', 'refuted');
  linux.procedureEnded('alone', 'checkUplink', 8, 'confirmed', 'fine');
  assert.deepEqual(said(told), ['8 checkUplink alone confirmed: fine']);
  end('mail', 'unknown');
  end('mail', 'confirmed');
  assert.deepEqual(said(told), ['7 checkUplink dns refuted: dns: said by dns']);
});

test('probes: silent only when nobody answers for any member', () => {
  for (const answered of [false, true]) {
    const { grouping, linux, said, told } = world();
    grouping.probeAddresses('dns', 'uplink', 3, 8);
    linux.addressesProbed('dns', 'uplink', 3, false, '');
    linux.addressesProbed('mail', 'uplink', 3, answered, '');
    linux.addressesProbed('web', 'uplink', 3, false, '');
    assert.deepEqual(said(told), [`3 uplink dns ${answered}`]);
  }
});

test('gate: open until the first end, and only if all are; what is open alone is shut before it is told', () => {
  const { grouping, linux, said, ordered, told } = world();
  const set = (id: number, ...untils: (number | null)[]): void =>
    ['dns', 'mail', 'web'].forEach((name, i) => {
      linux.gateSet(name, id, untils[i] ?? null);
    });
  grouping.gate('dns', 900, 1);
  set(1, 900, 880, 895);
  assert.deepEqual(said(told), ['1 gate dns 880']);
  said(ordered);
  grouping.gate('dns', 1000, 2);
  said(ordered);
  set(2, 1000, null, 1000);
  assert.deepEqual(said(told), [], 'neither open nor shut');
  assert.deepEqual(said(ordered), ['2 gate null dns', '2 gate null mail', '2 gate null web']);
  set(2, null, null, null);
  assert.deepEqual(said(told), ['2 gate dns null']);
});

test('gate: shut only when all are; an order that a later one has overtaken decides nothing', () => {
  const { grouping, linux, said, ordered, told } = world();
  grouping.gate('dns', null, 4);
  linux.gateSet('dns', 4, null);
  linux.gateSet('mail', 4, null);
  assert.deepEqual(said(told), []);
  linux.gateSet('web', 4, 700);
  assert.deepEqual(said(told), ['4 gate dns 700'], 'one could not be shut');
  grouping.gate('dns', 900, 5);
  grouping.gate('dns', 1000, 6);
  said(ordered);
  linux.gateSet('dns', 5, 900);
  linux.gateSet('mail', 5, null);
  linux.gateSet('web', 5, 900);
  assert.deepEqual([...said(ordered), ...said(told)], [], 'what it opened, the later order has opened too');
  for (const name of ['dns', 'mail', 'web']) linux.gateSet(name, 6, 1000);
  assert.deepEqual(said(told), ['6 gate dns 1000']);
});

test('what is heard of a member, and what an operator orders for one, is the group’s', () => {
  const { grouping, linux, said, told } = world();
  linux.linkChanged('web', 'uplink');
  linux.foreignerHeard('mail');
  linux.rivalHeard('alone', 'downlink', 'x');
  assert.deepEqual(said(told), ['uplink of dns', 'foreigner dns', 'rival alone downlink x']);
  const order = { kind: 'handover', service: 'web', to: null, force: false } as const;
  assert.deepEqual(grouping.ofGroup(order), { ...order, service: 'dns' });
  assert.deepEqual(grouping.ofGroup({ kind: 'stop' }), { kind: 'stop' });
});
