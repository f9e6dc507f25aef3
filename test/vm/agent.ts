/**
 * Runs inside a guest, and does there what the host asks for over a virtio port: a JSON line a question, a JSON line an answer.
 * It knows no protocol and no daemon. Small on purpose: in an emulated machine Node alone takes seconds to start.
 * Argument: the port's device.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, createReadStream, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { request } from 'node:http';

/** What the host may ask. Every answer has the question's `id`. */
export type Question =
  /** Runs a program to its end. Answer: code, stdout, stderr. */
  | { readonly id: number; readonly do: 'run'; readonly argv: readonly string[]; readonly input: string }
  /** Starts a program that lives on, its output appended to a file. Answer: pid. */
  | { readonly id: number; readonly do: 'start'; readonly argv: readonly string[]; readonly log: string }
  /** GET over a Unix socket. Answer: body, or null. */
  | { readonly id: number; readonly do: 'get'; readonly socket: string; readonly path: string }
  /** Answer: text, or null. */
  | { readonly id: number; readonly do: 'read'; readonly path: string }
  | { readonly id: number; readonly do: 'write'; readonly path: string; readonly text: string }
  /** A signal to what `start` started, and its group. */
  | { readonly id: number; readonly do: 'signal'; readonly pid: number; readonly signal: NodeJS.Signals }
  /** Whether it has not ended. Answer: alive. */
  | { readonly id: number; readonly do: 'alive'; readonly pid: number }
  /** Answer: wallMs, the guest's clock at this moment. */
  | { readonly id: number; readonly do: 'clock' };

const OUTPUT_LIMIT = 1024 * 1024;
const started = new Map<number, ChildProcess>();
const device = process.argv[2] ?? '';
// A port can be opened once only.
const port = openSync(device, 'r+');

function answer(id: number, content: object): void {
  let rest = Buffer.from(`${JSON.stringify({ id, ...content })}\n`);
  while (rest.length > 0) rest = rest.subarray(writeSync(port, rest));
}

function runToEnd(id: number, argv: readonly string[], input: string): void {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    if (stdout.length < OUTPUT_LIMIT) stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    if (stderr.length < OUTPUT_LIMIT) stderr += chunk;
  });
  child.stdin.on('error', () => undefined); // what does not read its input has closed it
  child.stdin.end(input);
  child.on('error', (error) => answer(id, { code: null, stdout, stderr: error.message }));
  child.on('close', (code) => answer(id, { code, stdout, stderr }));
}

function startAndKeep(id: number, argv: readonly string[], log: string): void {
  const [file = '', ...args] = argv;
  const sink = openSync(log, 'a', 0o600);
  const child = spawn(file, args, { stdio: ['ignore', sink, sink], detached: true });
  closeSync(sink);
  child.on('error', (error) => answer(id, { pid: null, error: error.message }));
  child.on('spawn', () => {
    const pid = child.pid ?? 0;
    started.set(pid, child);
    answer(id, { pid });
  });
  child.on('exit', () => started.delete(child.pid ?? 0));
}

function get(id: number, socketPath: string, path: string): void {
  const ask = request({ socketPath, path, timeout: 2_000 }, (reply) => {
    let body = '';
    reply.on('data', (chunk) => {
      body += chunk;
    });
    reply.on('end', () => answer(id, { body }));
  });
  ask.on('timeout', () => ask.destroy(new Error('late')));
  ask.on('error', () => answer(id, { body: null }));
  ask.end();
}

function read(id: number, path: string): void {
  let text: string | null = null;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // it is not there
  }
  answer(id, { text });
}

function serve(question: Question): void {
  const { id } = question;
  switch (question.do) {
    case 'run':
      runToEnd(id, question.argv, question.input);
      break;
    case 'start':
      startAndKeep(id, question.argv, question.log);
      break;
    case 'get':
      get(id, question.socket, question.path);
      break;
    case 'read':
      read(id, question.path);
      break;
    case 'write':
      writeFileSync(question.path, question.text);
      answer(id, {});
      break;
    case 'signal':
      if (started.has(question.pid)) process.kill(-question.pid, question.signal);
      answer(id, {});
      break;
    case 'alive':
      answer(id, { alive: started.has(question.pid) });
      break;
    case 'clock':
      answer(id, { wallMs: performance.timeOrigin + performance.now() });
      break;
  }
}

/** A question that cannot be done is answered too, so that the host does not wait for its limit. */
function heed(line: string): void {
  const question = JSON.parse(line) as Question;
  try {
    serve(question);
  } catch (error) {
    answer(question.id, { failed: error instanceof Error ? error.message : String(error) });
  }
}

let waiting = '';
createReadStream('', { fd: port, encoding: 'utf8' }).on('data', (chunk) => {
  waiting += chunk;
  for (let end = waiting.indexOf('\n'); end !== -1; end = waiting.indexOf('\n')) {
    const line = waiting.slice(0, end);
    waiting = waiting.slice(end + 1);
    if (line !== '') heed(line);
  }
});
answer(0, { ready: true });
