/**
 * Segments summarized on all cores of the machine: each worker thread takes one segment after the other, so that memory
 * is bounded by a segment a core, however long the log. With one segment or one core this thread does it itself.
 */
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { LogFiles } from '../audit/chain.ts';
import type { Members } from '../audit/members.ts';
import { type Summary, summarize } from '../audit/summary.ts';
import { importVerifyKey, type VerifyKey } from '../wire/ed25519.ts';
import { type LogPath, segmentBytes, segmentLabel } from './audit-files.ts';
import { withProgress } from './progress.ts';

/** What a worker needs of the roster. */
interface Order {
  readonly audit: true;
  readonly clusterId: Uint8Array;
  readonly keys: readonly (readonly [kid: string, publicKey: Uint8Array])[];
}

type Answer = { readonly summary: Summary } | { readonly failed: string };

const WORKERS_MAX = 16;
/** Worker threads load what is compiled: from the sources, as tests run, this thread does all. */
const IS_COMPILED = import.meta.url.endsWith('.js');

/** The summaries of all segments of all logs. Throws OperatorError when one cannot be read. */
export async function summarizeAll(
  logs: readonly LogPath[],
  members: Members,
  workers = availableParallelism(),
): Promise<LogFiles[]> {
  const paths = logs.flatMap(({ segments }) => segments);
  const count = IS_COMPILED ? Math.min(workers, WORKERS_MAX, paths.length) : 1;
  const summaries =
    count > 1
      ? await withProgress('reading the logs', () => inWorkers(paths, members, count))
      : paths.map((path) => here(path, members));
  let at = 0;
  return logs.map(({ path, segments }) => {
    const own = summaries.slice(at, at + segments.length);
    at += segments.length;
    return { path, segments: own };
  });
}

function here(path: string, { roster, keys }: Members): Summary {
  return summarize(segmentLabel(path), segmentBytes(path), roster.clusterId, keys);
}

async function inWorkers(paths: readonly string[], members: Members, count: number): Promise<Summary[]> {
  const order: Order = {
    audit: true,
    clusterId: members.roster.clusterId,
    keys: [...members.keys].map(([kid, { bytes }]) => [kid, bytes]),
  };
  const summaries = new Array<Summary | undefined>(paths.length);
  let next = 0;
  const workers = Array.from(
    { length: count },
    () =>
      new Worker(new URL(import.meta.url), {
        workerData: order,
        resourceLimits: { maxOldGenerationSizeMb: 128 },
      }),
  );
  try {
    await Promise.all(
      workers.map(async (worker) => {
        for (let i = next++; i < paths.length; i = next++) summaries[i] = await ask(worker, paths[i] ?? '');
      }),
    );
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return summaries.flatMap((summary) => summary ?? []);
}

function ask(worker: Worker, path: string): Promise<Summary> {
  return new Promise((resolve, reject) => {
    // Each by itself: a Worker has listeners of its own, without which it delivers nothing any more.
    const settle = (act: () => void): void => {
      worker.off('message', onAnswer).off('error', onError).off('exit', onExit);
      act();
    };
    const onAnswer = (answer: Answer): void =>
      settle(() => ('summary' in answer ? resolve(answer.summary) : reject(new Error(answer.failed))));
    const onError = (error: Error): void => settle(() => reject(error));
    const onExit = (): void => settle(() => reject(new Error('a worker ended')));
    worker.on('message', onAnswer).on('error', onError).on('exit', onExit);
    worker.postMessage(path);
  });
}

/** This file in a worker: one segment for each message. */
function serve({ clusterId, keys }: Order): void {
  const admitted: ReadonlyMap<string, VerifyKey> = new Map(
    keys.map(([kid, publicKey]) => [kid, importVerifyKey(Uint8Array.from(publicKey))]),
  );
  const port = parentPort;
  port?.on('message', (path: string) => {
    try {
      const bytes = segmentBytes(path);
      const summary = summarize(segmentLabel(path), bytes, Uint8Array.from(clusterId), admitted);
      const { ends, hashes } = summary;
      port.postMessage({ summary }, [ends.buffer as ArrayBuffer, hashes.buffer as ArrayBuffer]);
    } catch (error) {
      port.postMessage({ failed: error instanceof Error ? error.message : String(error) });
    }
  });
}

if (!isMainThread && (workerData as Partial<Order> | null)?.audit === true) serve(workerData as Order);
