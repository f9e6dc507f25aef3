/**
 * Minutes in which nothing goes wrong, with nothing else on the machine or with all its processors busy: every takeover in them
 * is a false one. Without the client's traffic and without anybody who asks.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { readEvents } from './events.ts';
import { Lab } from './lab.ts';
import type { LivingOptions } from './living.ts';
import { sleep } from './process.ts';
import { nowMs } from './run.ts';
import { Succession, speakersOf } from './succession.ts';
import { planHosts } from './topology.ts';

export interface Calm {
  readonly seconds: number;
  /** How many busy loops at ordinary priority ran beside it. */
  readonly loops: number;
  /** How often another host than before said on the wire that it serves. */
  readonly takeovers: number;
  /** What the hosts' own logs tell of it, counted: of ours the places that a host came to, of the peer the states. */
  readonly changes: { readonly [place: string]: number };
  /** The machine's load at the end: the mean of the last minute. */
  readonly load: number;
}

const SETTLE_MS = 30_000;
const FIRST_MS = 4_000;
const LOOK_MS = 20_000;
/** What is on its way through the kernel's block of frames. */
const LATE_MS = 1_500;

/** One cluster for so long; `isLoaded`: a busy loop for each processor, started here and ended here. */
export async function measureCalm(options: LivingOptions, seconds: number, isLoaded: boolean): Promise<Calm> {
  const { kind, policy, intervalMs } = options;
  const lab = await Lab.open({
    ...{
      kind,
      hosts: planHosts(options.hosts, kind === 'portcullis' && options.witness),
      policy,
      intervalMs,
    },
    ...{ timing: [], answerBroadcasts: true, askMs: null },
  });
  try {
    const names = lab.options.hosts.map(({ name }) => name);
    for (const name of names) lab.cluster.start(name);
    await lab.cluster.settle(lab.gateways, SETTLE_MS + 20 * intervalMs);
    await sleep(FIRST_MS + 2 * intervalMs);
    const loops = isLoaded ? availableParallelism() : 0;
    for (let i = 0; i < loops; i += 1) lab.household.start([process.execPath, '-e', 'for (;;);']);
    const fromMs = nowMs();
    const endMs = fromMs + seconds * 1_000;
    const succession = new Succession();
    let takeovers = 0;
    const follow = async (untilMs: number): Promise<void> => {
      const { frames } = await lab.capture.take(untilMs);
      takeovers += succession.follow(speakersOf(frames, kind, lab.gateways));
    };
    await follow(fromMs);
    takeovers = 0;
    for (let leftMs = endMs - nowMs(); leftMs > 0; leftMs = endMs - nowMs()) {
      await sleep(Math.min(LOOK_MS, leftMs));
      await follow(nowMs() - LATE_MS);
    }
    await sleep(LATE_MS);
    await follow(endMs);
    const changes = kind === 'portcullis' ? placesOf(lab, fromMs) : statesOf(lab, fromMs);
    return { seconds, loops, takeovers, changes, load: loadavg()[0] ?? 0 };
  } finally {
    await lab.close();
  }
}

/** The places that hosts came to since then, counted, by their event logs. */
export function placesOf(lab: Lab, fromMs: number): { [place: string]: number } {
  const places = lab.gateways.flatMap((host) =>
    readEvents(lab.cluster.directory, host).flatMap(({ kind, to, atMs }) =>
      kind === 'transition' && to !== null && atMs >= fromMs ? [to] : [],
    ),
  );
  return counted(places);
}

/** The states that hosts of the peer's entered since then, by its log: `Sun Nov 29 03:00:00 2026: (gateway) Entering MASTER STATE`. */
function statesOf(lab: Lab, fromMs: number): { [state: string]: number } {
  const states = lab.gateways.flatMap((host) =>
    readFileSync(join(lab.cluster.directory, host, 'daemon.log'), 'utf8')
      .split('\n')
      .flatMap((line) => {
        const match = /^(.*?): .*Entering (\w+) STATE/.exec(line);
        // Whole seconds, cut down: the first one may be from before.
        return match !== null && Date.parse(match[1] ?? '') >= fromMs - 1_000 ? [match[2] ?? ''] : [];
      }),
  );
  return counted(states);
}

function counted(words: readonly string[]): { [word: string]: number } {
  const counts: { [word: string]: number } = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
