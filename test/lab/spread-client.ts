/**
 * Many clients in one process, each an address of its own: numbered datagrams to the server, one each PERIOD-MS and client.
 * Arguments: SERVER UDP-PORT PERIOD-MS ADDRESS... Commands on standard input, a line each:
 *   begin   forget all until now, and start to count; prints {"begun":true}
 *   report  prints a list, for each client in turn {"recent":N}: answered within the last 500 ms
 *   take    waits for late answers and prints the results until now, while sending goes on
 *   end     stop, wait for late answers, print the results and exit
 * outageMs of a client: the longest time between the sending of two answered datagrams with one lost between them.
 */
import { createSocket } from 'node:dgram';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';

const LATE_MS = 500;
const [server = '', port = '', period = '20', ...addresses] = process.argv.slice(2);
const PERIOD_MS = Number(period);
try {
  setPriority(-15);
} catch {
  // not allowed without root: then the figures hold more noise
}

interface Sent {
  readonly atMs: number;
  answered: boolean;
}

class Client {
  sent: Sent[] = [];
  first = 0;
  readonly #socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });

  constructor(address: string) {
    this.#socket.on('error', () => undefined);
    this.#socket.on('message', (datagram) => {
      const found = datagram.length >= 4 ? this.sent[datagram.readUInt32BE(0)] : undefined;
      if (found !== undefined) found.answered = true;
    });
    this.#socket.bind({ address });
  }

  say(): void {
    const datagram = Buffer.alloc(64);
    datagram.writeUInt32BE(this.sent.length);
    this.sent.push({ atMs: performance.now(), answered: false });
    this.#socket.send(datagram, Number(port), server, () => undefined);
  }

  get recent(): number {
    const fromMs = performance.now() - 500;
    return this.sent.slice(-2_000).filter((sent) => sent.answered && sent.atMs > fromMs).length;
  }

  result(untilMs = Number.POSITIVE_INFINITY): { sent: number; lost: number; outageMs: number } {
    const counted = this.sent.slice(this.first).filter(({ atMs }) => atMs <= untilMs);
    let lastMs = counted[0]?.atMs ?? 0;
    let isGap = false;
    let outageMs = 0;
    for (const { atMs, answered } of counted) {
      if (answered && isGap) outageMs = Math.max(outageMs, atMs - lastMs);
      if (answered) lastMs = atMs;
      isGap = !answered;
    }
    if (isGap) outageMs = Math.max(outageMs, (counted.at(-1)?.atMs ?? 0) - lastMs);
    const lost = counted.filter(({ answered }) => !answered).length;
    return { sent: counted.length, lost, outageMs: Math.round(outageMs * 10) / 10 };
  }
}

const clients = addresses.map((address) => new Client(address));
const timer = setInterval(() => {
  for (const client of clients) client.say();
}, PERIOD_MS);

function print(value: unknown, then: () => void = () => undefined): void {
  process.stdout.write(`${JSON.stringify(value)}\n`, then);
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (line === 'begin') {
      for (const client of clients) client.first = client.sent.length;
      print({ begun: true });
    } else if (line === 'report') print(clients.map(({ recent }) => ({ recent })));
    else if (line === 'take') {
      const untilMs = performance.now();
      setTimeout(() => print(clients.map((client) => client.result(untilMs))), LATE_MS);
    } else if (line === 'end') {
      clearInterval(timer);
      setTimeout(
        () =>
          print(
            clients.map((client) => client.result()),
            () => process.exit(0),
          ),
        LATE_MS,
      );
    }
  })
  .on('close', () => process.exit(0));
