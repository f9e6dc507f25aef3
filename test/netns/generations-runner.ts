/** A child process for tests: how many foreign transactions each step of the gate's passes for, as a list. */
import { execFileSync } from 'node:child_process';
import type { ActuatorConfig } from '../../src/linux/config.ts';
import { Gate } from '../../src/linux/gate.ts';
import { Generations } from '../../src/linux/generations.ts';
import { rawNowMs } from '../../src/linux/libc.ts';

const side = (device: string) => ({ device, addresses: [] });
const firewall = { rules: '/r', rules6: null, standbyRules: null, standbyRules6: null };
const services = [{ name: 's', downlink: side('eth0'), uplink: side('up0'), firewall }];
const config = { cluster: 'test', leaseMs: 300, services } as unknown as ActuatorConfig;
const generations: Generations = new Generations(() => gate.foreignGeneration());
const gate = new Gate(config, rawNowMs, generations);

const steps: readonly (() => unknown)[] = [
  () => gate.install(),
  () => gate.set('s', null),
  () => gate.forward(false),
  () => gate.set('s', rawNowMs() + 200),
  // What has run out is taken away.
  () => new Promise((resolve) => setTimeout(resolve, 400)).then(() => gate.set('s', null)),
  () => gate.forward(true),
  () => execFileSync('/usr/sbin/nft', ['add', 'table', 'inet', 'another']),
];
const passed: number[] = [];
for (const step of steps) {
  const before = generations.foreign() ?? Number.NaN;
  await step();
  passed.push(((generations.foreign() ?? Number.NaN) - before) >>> 0);
}
process.stdout.write(JSON.stringify(passed));
process.exit(0);
