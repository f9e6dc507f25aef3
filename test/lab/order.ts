/** Orders to a daemon over its control socket, as the command would give them. */
import { request } from 'node:http';

/** Throws when the order is refused, and when no whole answer has come within the limit: what became of it is not known then. */
export function giveOrder(socketPath: string, what: string, body: object, limitMs = 2_000): Promise<void> {
  return new Promise((resolve, reject) => {
    const ask = request({ socketPath, path: `/v1/${what}`, method: 'POST' }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () =>
        answer.statusCode === 202 ? resolve() : reject(new Error(`${what}: ${text.trim()}`)),
      );
      answer.on('close', () => reject(new Error(`${what}: the answer broke off`)));
    });
    const timer = setTimeout(
      () => ask.destroy(new Error(`${what}: no answer within ${limitMs} ms`)),
      limitMs,
    );
    ask.on('close', () => clearTimeout(timer));
    ask.on('error', reject);
    ask.end(JSON.stringify(body));
  });
}
