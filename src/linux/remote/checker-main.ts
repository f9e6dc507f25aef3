/**
 * The checker: a process without rights, keys and files that carries out the remote checks which need a conversation
 * (tcp, http, https, dns), so that nobody with rights reads what the network answers. It ends with its standard input.
 */
import { randomInt } from 'node:crypto';
import { createInterface } from 'node:readline';
import { closeFd } from '../libc.ts';
import { textOf } from '../tools.ts';
import { dnsQuestion, judgeDns } from './dns.ts';
import { askUdp, connectTcp } from './sockets.ts';
import { askWeb } from './web.ts';
import { type Asked, formatReply, type Reply } from './words.ts';

// Without a listener any process of the same user could open Node's debugger in this one.
process.on('SIGUSR1', () => undefined);

/** What was seen; rejects with what is wrong. */
async function carryOut({ way, check, limitMs }: Asked): Promise<string> {
  if (check.kind === 'dns') {
    const question = { id: randomInt(0x10000), name: check.name, type: check.type };
    const judge = (datagram: Buffer) => judgeDns(question, check.answer, datagram);
    const { ok, why } = await askUdp(way, check, dnsQuestion(question), judge, limitMs);
    if (!ok) throw new Error(why);
    return why;
  }
  const startMs = performance.now();
  const fd = await connectTcp(way, check.address, check.port, limitMs);
  if (check.kind !== 'tcp') return askWeb(check, fd, limitMs - (performance.now() - startMs));
  closeFd(fd);
  return 'it takes connections';
}

function tell(reply: Reply): void {
  process.stdout.write(formatReply(reply));
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const asked = JSON.parse(line) as Asked;
    carryOut(asked).then(
      (text) => tell({ id: asked.id, ok: true, text }),
      (error: unknown) => tell({ id: asked.id, ok: false, text: textOf(error) }),
    );
  })
  .on('close', () => process.exit());
