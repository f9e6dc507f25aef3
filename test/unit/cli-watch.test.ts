/** `status` for people: the table, colours only where they are seen, and the live page on a real terminal. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { columns, widthOf } from '../../src/cli/columns.ts';
import { clipped, keysOf, windowOf } from '../../src/cli/screen.ts';
import { renderStatus } from '../../src/cli/status-text.ts';
import { COLOURED, PLAIN, styleFor, takesOrders } from '../../src/cli/style.ts';
import { pageOf, ratesOf } from '../../src/cli/watch.ts';
import { misfits } from '../json-schema.ts';
import { exampleText, temporaryDir } from './cluster-files.ts';
import { FULL, SERVING } from './status-fixture.ts';
import { TerminalSession } from './terminal-session.ts';
import { readJson } from './vectors.ts';

const ESCAPE = '\u001b';

test('the document fits its schema, and the schema tells a wrong one', () => {
  const schema: unknown = readJson('spec/status.schema.json');
  assert.deepEqual(misfits(schema, FULL), []);
  assert.match(misfits(schema, { ...FULL, schema: 2 }).join(), /is not 1/);
  assert.match(misfits(schema, { ...FULL, pid: '1' }).join(), /\/pid: is not integer/);
  const [service] = FULL.services;
  assert.match(misfits(schema, { ...FULL, services: [{ ...service, state: 'idle' }] }).join(), /is none of/);
});

test('a row a service, a row a peer, a row an alarm; what is wrong stands out in words, too', () => {
  const text = renderStatus(FULL);
  assert.match(text, /^cluster dmz, host fw1, roster version 3, protocol 2$/m);
  assert.match(
    text,
    /^firewall +service \(serving\) +1 min 5 s +fw1 +3 of fw1 +250 ms +open +fw1 master, fw2 burdened, fw3 standby, fw4 unheard$/m,
  );
  assert.match(text, /^mail +backup \(watching\) .* unknown +- +- +shut /m);
  assert.match(text, /^ {2}mail: held down for 2\.5 s/m);
  assert.match(text, /^ {2}firewall: checkDownlink: lost$/m);
  assert.doesNotMatch(text, /asked/);
  const [mail = assert.fail('no second one')] = FULL.services.slice(1);
  const seeking = { ...FULL, services: [{ ...SERVING, successor: 'fw2' }, mail] };
  assert.match(renderStatus(seeking), /^ {2}firewall: fw2 is asked to take over$/m);
  assert.match(text, /^w1 +witness +never, no session/m);
  assert.match(text, /^uplink-failed +firewall +2026-\S+ +the next hop does not answer$/m);
  assert.doesNotMatch(text, / +$/m, 'nothing behind the last word');
});

test('that a backup’s uplink does not answer is as it shall be, and no remark; while it is raised, it is one', () => {
  const checks = { ...SERVING.checks, checkUplink: 'refuted' as const };
  const told = (state: 'backup' | 'handover' | 'service'): boolean =>
    renderStatus({ ...FULL, services: [{ ...SERVING, state, checks }] }).includes('checkUplink: refuted');
  assert.deepEqual([told('backup'), told('handover'), told('service')], [false, true, true]);
});

test('what comes from elsewhere gives the terminal no orders, with and without colours', () => {
  assert.ok(!renderStatus(FULL).includes(ESCAPE));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are looked for
  const others = renderStatus(FULL, COLOURED).replace(/\u001b\[(0|1|2|1;31|32|33)m/g, '');
  assert.equal(others, renderStatus(FULL), 'colours change nothing but colours');
});

test('colours: on a terminal, and there only without NO_COLOR', () => {
  assert.equal(styleFor({ isTTY: true }, { TERM: 'xterm' }), COLOURED);
  assert.equal(styleFor({ isTTY: true }, { TERM: 'xterm', NO_COLOR: '' }), COLOURED);
  assert.equal(styleFor({ isTTY: true }, { TERM: 'xterm', NO_COLOR: '1' }), PLAIN);
  assert.equal(styleFor({ isTTY: true }, { TERM: 'dumb' }), PLAIN);
  assert.equal(styleFor({}, { TERM: 'xterm' }), PLAIN);
  assert.ok(!takesOrders({ isTTY: true }, { TERM: 'dumb' }), 'no live page and no progress there');
  assert.ok(takesOrders({ isTTY: true }, { TERM: 'xterm', NO_COLOR: '1' }));
});

test('keys that come together are told apart, so that none hides Ctrl-C or q', () => {
  assert.deepEqual(keysOf(`j${ESCAPE}[B${ESCAPE}[5~${ESCAPE}OAq\u0003`), [
    'j',
    `${ESCAPE}[B`,
    `${ESCAPE}[5~`,
    `${ESCAPE}OA`,
    'q',
    '\u0003',
  ]);
  assert.deepEqual(keysOf(`${ESCAPE}\u0003`), [ESCAPE, '\u0003']);
});

test('columns and lines are measured without their styling; what does not fit is cut and said to be', () => {
  assert.equal(widthOf(COLOURED.bad('abc')), 3);
  assert.deepEqual(columns([[COLOURED.good('a'), 'b'], ['ccc']]), [`${COLOURED.good('a')}    b`, 'ccc']);
  assert.equal(clipped('abcdef', 6), 'abcdef');
  assert.equal(clipped('abcdef', 4), 'abc…');
  assert.equal(widthOf(clipped(COLOURED.warn('abcdef'), 4)), 4);
  const lines = Array.from({ length: 10 }, (_, i) => String(i));
  assert.deepEqual(windowOf(lines, 10, 5).lines, lines);
  assert.deepEqual(windowOf(lines, 4, 2), {
    lines: ['2', '3', '4', '… lines 3 to 5 of 10: arrows move'],
    from: 2,
  });
  assert.equal(windowOf(lines, 4, 99).from, 7);
  assert.equal(windowOf(lines, 4, -1).from, 0);
});

test('rates need two answers of one daemon; one that is gone is told above what it last said', () => {
  const seen = { status: FULL, heardAtMs: 1000, trouble: null, rates: null };
  const counters = { ...FULL.counters, received: 150, sent: 300, 'refused:gate': 8 };
  assert.deepEqual(ratesOf(seen, { ...FULL, counters }, 1500), { received: 100, sent: 200, refused: 2 });
  assert.equal(ratesOf(seen, { ...FULL, counters, pid: 1 }, 1500), null);
  assert.equal(ratesOf({ ...seen, trouble: 'x' }, FULL, 1500), null);
  const page = pageOf({ ...seen, trouble: 'no daemon answers there' }, 13_000, PLAIN);
  assert.match(page[0] ?? '', /^no answer, trying on: no daemon answers there; what follows is 12 s old$/);
  assert.ok(page.includes('cluster dmz, host fw1, roster version 3, protocol 2'));
});

/** Something that answers as a daemon would, until it is ended. */
async function pretended(t: TestContext, dir: string): Promise<Server> {
  const server = createServer((_request, response) => response.end(JSON.stringify(FULL)));
  await new Promise<void>((resolve) => server.listen(join(dir, 'control.sock'), resolve));
  t.after(() => server.close());
  return server;
}

test('on a terminal: a page of its own, live; q, ^C and a signal give the terminal back; a dead daemon is said to be one', async (t) => {
  const dir = temporaryDir(t);
  const config = join(dir, 'p.toml');
  writeFileSync(config, exampleText(dir));
  const server = await pretended(t, dir);
  const words = ['status', '--watch', '--config', config];
  const quit = new TerminalSession(words);
  const killed = new TerminalSession(words);
  await quit.answer('cluster ', '');
  await killed.answer('q quits', 'j\u0003');
  server.close();
  server.closeAllConnections();
  await quit.answer('no answer, trying on: ', 'q');
  for (const [session, status] of [
    [quit, 0],
    [killed, 130],
  ] as const) {
    const end = await session.end();
    assert.equal(end.status, status, session.seen);
    assert.ok(end.echoes, `the terminal was not put back: ${session.seen}`);
    assert.ok(session.seen.includes(`${ESCAPE}[?1049h`), 'the alternate screen');
    const back = session.seen.lastIndexOf(`${ESCAPE}[?1049l`);
    assert.ok(back > session.seen.lastIndexOf(`${ESCAPE}[?1049h`), 'is left at last');
    assert.ok(session.seen.includes(`${ESCAPE}[?25h`), 'and the cursor is seen');
  }
});

/** Says who it is and on which terminal, then becomes the command. */
const TELLING = ['sh', '-c', 'echo "pid=$$ tty=$(tty)"; exec "$0" "$@"'];

test('stopped and continued, by key and by signal, also on a terminal of another size; a quit gives it back', async (t) => {
  const dir = temporaryDir(t);
  const config = join(dir, 'p.toml');
  writeFileSync(config, exampleText(dir));
  await pretended(t, dir);
  // A shell with jobs: each stop lets it look at the terminal, and wait for a word before it goes on.
  const stopped = 'stty -a; echo "was stopped"; read go; fg';
  const session = new TerminalSession(
    ['status', '--watch', '--config', config],
    TELLING,
    (command) => `set -m; ${command}; ${stopped}; ${stopped}`,
  );
  const told = (): RegExpExecArray | null => /pid=(\d+) tty=(\/dev\/\S+)/.exec(session.seen);
  await session.answer('q quits', '');
  const [, pid = '', tty = ''] = told() ?? [];
  const sized = (rows: number): string =>
    String(spawnSync('stty', ['-F', tty, 'rows', String(rows), 'cols', '60']).stderr);
  for (const stop of [
    () => session.answer('', '\u001a'),
    async () => void process.kill(Number(pid), 'SIGTSTP'),
  ]) {
    const from = session.seen.length;
    await stop();
    await session.answer(' icanon ', '');
    await session.answer('was stopped', '');
    assert.match(session.seen.slice(from), / echo /);
    assert.ok(session.seen.slice(from).includes(`${ESCAPE}[?1049l`), 'the alternate screen is left');
    assert.equal(sized(6), '');
    await session.answer('', '\n');
    await session.answer(`${ESCAPE}[?1049h`, '');
    await session.answer('lines 1 to 4 of', '');
    await session.answer('q quits', '');
    // And while it runs.
    assert.equal(sized(8), '');
    await session.answer('lines 1 to 6 of', '');
  }
  process.kill(Number(pid), 'SIGQUIT');
  const end = await session.end();
  assert.equal(end.status, 131, session.seen);
  assert.ok(end.echoes, session.seen);
  assert.ok(session.seen.lastIndexOf(`${ESCAPE}[?1049l`) > session.seen.lastIndexOf(`${ESCAPE}[?1049h`));
});
