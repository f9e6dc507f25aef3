/**
 * `npm run -s bench -- audit [--entries N] [--json]`: writes a log of so many entries in bursts, as the daemon's writer does, then
 * verifies it with the real command in a process of its own, on all cores; peak memory as the kernel saw it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Members } from '../../src/audit/members.ts';
import { EventLog } from '../../src/daemon/event-log.ts';
import { nodeDisk } from '../../src/daemon/log-disk.ts';
import type { JournalEntry } from '../../src/driver/ports.ts';
import { thumbprint } from '../../src/trust/fingerprint.ts';
import { seededBytes, testIdentity, testRoster } from '../unit/wire-fixture.ts';

const MIB = 1024 * 1024;
const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** What a busy host says: tests that change their minds, words, alarms, now and then a change of place. */
function sample(i: number): JournalEntry {
  if (i % 200 === 0) {
    const [from, to] =
      i % 400 === 0 ? ['backup.watching', 'backup.suspecting'] : ['backup.suspecting', 'backup.watching'];
    const data = { from, to, cause: 'silence', detail: '', term: '7/fw2' };
    return {
      service: 'firewall',
      kind: 'transition',
      text: `${from} -> ${to}: silence`,
      event: 'timer',
      data,
    };
  }
  if (i % 5 === 0)
    return {
      service: 'firewall',
      kind: 'message',
      text: `from fw2 on 1: CLAIM firewall id=${i} term=${i}/fw2`,
      data: { type: 'CLAIM', from: 'fw2' },
    };
  return {
    service: 'firewall',
    kind: 'procedure',
    text: 'checkDownlink: confirmed',
    event: `checkDownlink ended: confirmed after ${i % 40} ms`,
    data: { procedure: 'checkDownlink', verdict: 'confirmed', sound: true, tookMs: i % 40 },
  };
}

interface Figures {
  readonly entries: number;
  readonly megabytes: number;
  readonly signatures: number;
  readonly writeSeconds: number;
  readonly lostInBurst: number;
  /** At 5,000 entries a second for five seconds: how many were lost, and how late the event loop was at most. */
  readonly burst: { readonly perSecond: number; readonly lost: number; readonly loopLateMs: number };
  readonly verifySeconds: number;
  /** Of all threads, user and system: what a machine that does nothing else needs, over its cores. */
  readonly verifyCpuSeconds: number;
  readonly verifyPeakMegabytes: number;
  readonly cores: number;
}

async function bench(entries: number): Promise<Figures> {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
  try {
    const roster = testRoster(['fw1', 'fw2']);
    writeFileSync(join(directory, 'roster.cose'), Buffer.concat(roster.versions));
    const identity = testIdentity('fw1');
    let signatures = 0;
    const log = new EventLog({
      disk: nodeDisk(join(directory, 'log')),
      clusterId: roster.clusterId,
      kid: thumbprint(identity.publicKey),
      sign: (message) => {
        signatures++;
        return identity.sign(message);
      },
      keys: new Members(roster).keys,
      run: seededBytes('run')(16),
      roster,
      limits: { segmentBytes: 16 * MIB, segmentAgeMs: 86_400_000, keepBytes: 4096 * MIB, keepAgeMs: null },
      now: () => performance.now(),
      wall: Date.now,
      onTrouble: (error) => {
        if (error !== null) throw new Error(error);
      },
    });
    await log.open();
    const burst = await steadily(log, 5000, 5);
    const start = performance.now();
    for (let i = 25_000; i < entries; ) {
      for (const end = Math.min(entries, i + 10_000); i < end; i++) log.append(sample(i));
      await log.flush();
    }
    await log.close(60_000);
    const writeSeconds = (performance.now() - start) / 1000;
    const files = await nodeDisk(join(directory, 'log')).list();
    const megabytes = files.reduce((sum, file) => sum + file.bytes, 0) / MIB;
    const verified = await verify(directory);
    return {
      entries,
      megabytes: round(megabytes),
      signatures,
      writeSeconds: round(writeSeconds),
      lostInBurst: log.status().lost,
      burst,
      verifySeconds: round(verified.seconds),
      verifyCpuSeconds: round(verified.cpuSeconds),
      verifyPeakMegabytes: round(verified.peakMegabytes),
      cores: availableParallelism(),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function steadily(log: EventLog, perSecond: number, seconds: number): Promise<Figures['burst']> {
  const before = log.status().lost;
  let [i, loopLateMs] = [0, 0];
  const start = performance.now();
  while (i < perSecond * seconds) {
    const due = Math.floor(((performance.now() - start) / 1000) * perSecond);
    for (; i < Math.min(due, perSecond * seconds); i++) log.append(sample(i));
    const slept = performance.now();
    await sleep(5);
    loopLateMs = Math.max(loopLateMs, performance.now() - slept - 5);
  }
  await log.flush();
  return { perSecond, lost: log.status().lost - before, loopLateMs: round(loopLateMs) };
}

/** The real command; its peak memory is VmHWM, read until it ends. */
async function verify(
  directory: string,
): Promise<{ seconds: number; cpuSeconds: number; peakMegabytes: number }> {
  const start = performance.now();
  const words = ['audit', 'verify', join(directory, 'log'), '--roster', join(directory, 'roster.cose')];
  const child = spawn(process.execPath, [MAIN, ...words], { stdio: ['ignore', 'ignore', 'inherit'] });
  let [peakMegabytes, cpuSeconds] = [0, 0];
  const timer = setInterval(() => {
    try {
      const [, kib = '0'] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
      peakMegabytes = Math.max(peakMegabytes, Number(kib) / 1024);
      // utime and stime, in hundredths of a second: fields 14 and 15 of proc(5), the name cut off.
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      cpuSeconds = (Number(fields[11]) + Number(fields[12])) / 100;
    } catch {
      // it has ended between two looks
    }
  }, 20);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(timer);
  if (code !== 0) throw new Error(`audit verify ended with ${code}`);
  return { seconds: (performance.now() - start) / 1000, cpuSeconds, peakMegabytes };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const words = process.argv.slice(3);
const at = words.indexOf('--entries');
const figures = await bench(at < 0 ? 1_000_000 : Number(words[at + 1]));
process.stdout.write(
  words.includes('--json') ? `${JSON.stringify(figures)}\n` : `${JSON.stringify(figures, null, 2)}\n`,
);
