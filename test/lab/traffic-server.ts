/**
 * The server behind the gateway: echoes datagrams, and takes one long TCP transfer, whose length it tells at its end.
 * Arguments: ADDRESS UDP-PORT TCP-PORT. Prints `ready` when it listens.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { setPriority } from 'node:os';

const [address = '', udpPort = '', tcpPort = ''] = process.argv.slice(2);
try {
  setPriority(-15); // the figures are to be the gateway's, not the scheduler's
} catch {
  // not allowed without root: then the figures hold more noise
}

const echo = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
echo.on('message', (datagram, from) => echo.send(datagram, from.port, from.address));
echo.on('error', () => undefined);

const sink = createServer({ allowHalfOpen: true }, (socket) => {
  let bytes = 0;
  socket.on('data', (chunk) => {
    bytes += chunk.length;
  });
  socket.on('end', () => socket.end(String(bytes)));
  socket.on('error', () => socket.destroy());
});

echo.bind(Number(udpPort), address, () => {
  sink.listen(Number(tcpPort), address, () => process.stdout.write('ready\n'));
});
process.stdin.on('end', () => process.exit(0)).resume();
