/**
 * A child process for tests: holds a host's rules inside the namespace it was started in. One word a line on standard input is
 * carried out, and answered by a JSON line: what came of it, the generation without our own transactions, and how many
 * programs were started meanwhile.
 */
import { channel } from 'node:diagnostics_channel';
import { createInterface } from 'node:readline';
import type { ActuatorConfig } from '../../src/linux/config.ts';
import { Gate } from '../../src/linux/gate.ts';
import { Generations } from '../../src/linux/generations.ts';
import { rawNowMs } from '../../src/linux/libc.ts';
import { confirmed, type Outcome } from '../../src/linux/outcome.ts';
import { Rules } from '../../src/linux/rules.ts';

const config = JSON.parse(process.argv[2] ?? '') as ActuatorConfig;
const [service] = config.services;
if (service === undefined) throw new Error('no service');
const generations: Generations = new Generations(() => gate.foreignGeneration());
const gate = new Gate(config, rawNowMs, generations);
const rules = new Rules(config, generations, (isOn) => gate.forward(isOn));
let started = 0;
channel('child_process').subscribe(() => started++);

const WORDS: { readonly [word: string]: () => Promise<Outcome> } = {
  serving: () => rules.load(service, 'serving'),
  standby: () => rules.load(service, 'standby'),
  check: () => rules.check(service),
  look: async () => {
    await rules.keepPortOpen();
    return confirmed('');
  },
  forward: async () => {
    gate.keepForwarding();
    return confirmed('');
  },
};

async function obey(word: string): Promise<void> {
  started = 0;
  const beganMs = performance.now();
  const outcome = (await WORDS[word]?.()) ?? confirmed('unknown word');
  const tookMs = performance.now() - beganMs;
  const said = { ...outcome, started, tookMs, generation: generations.foreign(), isDue: rules.isDue };
  process.stdout.write(`${JSON.stringify(said)}\n`);
}

await gate.install();
await rules.prepare(config);
rules.keepWarm();
createInterface({ input: process.stdin })
  .on('line', (word) => void obey(word))
  .on('close', () => {
    rules.close();
    process.exit(0);
  });
