/**
 * A child process for tests: what stands behind a gateway. HTTP on port 80, HTTPS on 443 (certificate and key are named
 * by the arguments), DNS on UDP port 53, each with good and bad answers. Prints a line when all of them listen.
 */
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecure } from 'node:https';

const [, , cert = '', key = '', address = ''] = process.argv;

const answer: RequestListener = (request, response) => {
  const { url = '', headers } = request;
  if (url === '/hung') return;
  if (url === '/slow') {
    // A head, and then a body that does not end.
    response.writeHead(200).write('not yet');
    return;
  }
  if (url === '/elsewhere') response.writeHead(302, { location: '/' }).end();
  else if (url === '/broken') response.writeHead(500).end('all is ready');
  else if (url === '/endless') {
    response.writeHead(200);
    const more = (): void => {
      while (response.write('x'.repeat(65_536)));
      response.once('drain', more);
    };
    more();
  } else response.writeHead(200).end(`all is ready for ${headers.host}`);
};

const head = (id: number, flags: number, answers: number): Buffer => {
  const out = Buffer.alloc(12);
  out.writeUInt16BE(id, 0);
  out.writeUInt16BE(flags, 2);
  out.writeUInt16BE(1, 4);
  out.writeUInt16BE(answers, 6);
  return out;
};
const record = Buffer.concat([Buffer.from('c00c00010001000000050004', 'hex'), Buffer.from([192, 0, 2, 7])]);

const dns = createSocket('udp4');
dns.on('message', (asked, { address: host, port }) => {
  const question = asked.subarray(12);
  const id = asked.readUInt16BE(0);
  const name = question.toString('latin1');
  const say = (...parts: Buffer[]): void => dns.send(Buffer.concat(parts), port, host);
  if (name.includes('silent')) return;
  // Of another question: whoever forges an answer does not know the number.
  if (name.includes('forged')) say(head(id ^ 1, 0x8180, 1), question, record);
  else if (name.includes('nobody')) say(head(id, 0x8183, 0), question);
  else if (name.includes('empty')) say(head(id, 0x8180, 0), question);
  else say(head(id, 0x8180, 1), question, record);
});

const listening = (start: (done: () => void) => void): Promise<void> =>
  new Promise((resolve) => start(resolve));
await Promise.all([
  listening((done) => createServer(answer).listen(80, done)),
  listening((done) =>
    createSecure({ cert: readFileSync(cert), key: readFileSync(key) }, answer).listen(443, done),
  ),
  listening((done) => dns.bind(53, address, done)),
]);
process.stdout.write('listening\n');
