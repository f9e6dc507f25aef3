/**
 * The client: numbered datagrams to the server, one each PERIOD-MS (2 if not given), and one long TCP transfer, both through the gateway.
 * Arguments: SERVER UDP-PORT TCP-PORT [PERIOD-MS]. Commands on standard input, a line each:
 *   begin   forget all until now, and start to count; opens the transfer, if there is none that lives, and prints {"begun":true}
 *   report  prints {"answered":N,"lost":N,"recent":N} so far (recent: answered within the last 500 ms)
 *   take    waits for late answers and prints the result until now, while sending goes on; counting starts anew there. tcpSurvived
 *           then says that the transfer is not broken
 *   pause   sends nothing more and drops the transfer; prints {"paused":true}
 *   resume  sends again; prints {"resumed":true}
 *   end     stop, wait for late answers and the end of the transfer, print the result and exit
 *
 * outageMs: the longest time between the sending of two answered datagrams with at least one lost between them.
 * A pause of this process itself (nothing was sent, so nothing was lost) is no outage; it is told as stallMs.
 */
import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';

const LATE_MS = 500;
const CHUNK = Buffer.alloc(1_024, 0x70);

const [server = '', udpPort = '', tcpPort = '', period = '2'] = process.argv.slice(2);
const PERIOD_MS = Number(period);
try {
  setPriority(-15);
} catch {
  // as in the server
}

const sentMs: number[] = [];
const answered: boolean[] = [];
let first = 0;
let nextMs = performance.now();
let sending = true;

const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
socket.on('error', () => undefined);
socket.on('message', (datagram) => {
  if (datagram.length >= 4) answered[datagram.readUInt32BE(0)] = true;
});

function beat(): void {
  if (!sending) return;
  const nowMs = performance.now();
  if (nowMs - nextMs > 100) nextMs = nowMs; // after a long stall do not burst
  while (nextMs <= nowMs) {
    const datagram = Buffer.alloc(64);
    datagram.writeUInt32BE(sentMs.length);
    sentMs.push(performance.now());
    socket.send(datagram, () => undefined);
    nextMs += PERIOD_MS;
  }
  setTimeout(beat, 1);
}

let transfer: Socket | null = null;
let written = 0;
let told = '';
let broken = false;
function openTransfer(): void {
  if (transfer !== null && !broken) return;
  const mine = connect({ host: server, port: Number(tcpPort), allowHalfOpen: true });
  transfer = mine;
  [written, told, broken] = [0, '', false];
  mine.setNoDelay(true);
  mine.on('data', (chunk) => {
    if (transfer === mine) told += chunk;
  });
  mine.on('error', () => {
    if (transfer === mine) broken = true;
  });
  const timer = setInterval(() => {
    if (!sending || broken || transfer !== mine) clearInterval(timer);
    else if (mine.writableLength < 262_144) {
      mine.write(CHUNK);
      written += CHUNK.length;
    }
  }, 10);
}

interface Gap {
  readonly atMs: number;
  readonly ms: number;
  readonly lost: number;
}
/** Of the datagrams from `first` on, before `end`. */
function gaps(end: number): Gap[] {
  const found: Gap[] = [];
  let last = -1;
  for (let i = first; i < end; i += 1) {
    if (answered[i] !== true && i < end - 1) continue;
    const start = sentMs[last === -1 ? first : last] ?? 0;
    const lost = i - (last === -1 ? first : last + 1) + (answered[i] === true ? 0 : 1);
    if (lost > 0) found.push({ atMs: performance.timeOrigin + start, ms: (sentMs[i] ?? 0) - start, lost });
    last = i;
  }
  return found;
}

/** Half-closes the transfer; true when the server has told that all of it arrived. */
async function endTransfer(limitMs: number): Promise<boolean> {
  if (transfer === null || broken) return false;
  transfer.end();
  const endMs = performance.now() + limitMs;
  while (performance.now() < endMs && !broken && told === '')
    await new Promise((resolve) => setTimeout(resolve, 20));
  return !broken && told === String(written);
}

const late = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LATE_MS));

/** The result for the datagrams from `first` on, before `end`, without what became of the transfer. */
function figures(end: number): { outageMs: number; [figure: string]: unknown } {
  const all = gaps(end);
  const outageMs = all.reduce((longest, gap) => Math.max(longest, gap.ms), 0);
  let stallMs = 0;
  for (let i = first + 1; i < end; i += 1)
    stallMs = Math.max(stallMs, (sentMs[i] ?? 0) - (sentMs[i - 1] ?? 0));
  return {
    sent: end - first,
    lost: all.reduce((sum, gap) => sum + gap.lost, 0),
    outageMs: Math.round(outageMs * 10) / 10,
    stallMs: Math.round(stallMs * 10) / 10,
    gaps: all.sort((a, b) => b.ms - a.ms).slice(0, 10),
  };
}

async function finish(): Promise<void> {
  sending = false;
  await late();
  const result = figures(sentMs.length);
  const tcpSurvived = await endTransfer(4_000 + result.outageMs);
  process.stdout.write(`${JSON.stringify({ ...result, tcpSurvived })}\n`, () => process.exit(0));
}

async function take(): Promise<void> {
  const end = sentMs.length;
  await late();
  process.stdout.write(`${JSON.stringify({ ...figures(end), tcpSurvived: transfer !== null && !broken })}\n`);
  first = end;
}

function pause(): void {
  sending = false;
  transfer?.destroy();
  transfer = null;
  process.stdout.write('{"paused":true}\n');
}

function resume(): void {
  if (!sending) {
    sending = true;
    nextMs = performance.now();
    beat();
  }
  process.stdout.write('{"resumed":true}\n');
}

function report(): void {
  let recent = 0;
  let got = 0;
  const nowMs = performance.now();
  let end = sentMs.length;
  while (end > first && (sentMs[end - 1] ?? 0) > nowMs - 100) end -= 1; // the newest may still be answered
  for (let i = first; i < end; i += 1) {
    if (answered[i] !== true) continue;
    got += 1;
    if ((sentMs[i] ?? 0) > nowMs - 600) recent += 1;
  }
  process.stdout.write(
    `${JSON.stringify({ answered: got, lost: Math.max(0, end - first) - got, recent })}\n`,
  );
}

socket.connect(Number(udpPort), server, beat);
createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (line === 'begin') {
      first = sentMs.length;
      openTransfer();
      process.stdout.write('{"begun":true}\n');
    } else if (line === 'report') report();
    else if (line === 'take') void take();
    else if (line === 'pause') pause();
    else if (line === 'resume') resume();
    else if (line === 'end') void finish();
  })
  .on('close', () => process.exit(0));
