/** Metrics: the text format to the letter, the conventions of names, bounded labels, and a port that a flood cannot use up. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { ConfigError, describeProblem } from '../../src/daemon/config/problems.ts';
import { parseSettings } from '../../src/daemon/config/settings.ts';
import { renderMetrics } from '../../src/daemon/metrics.ts';
import { openMetricsPort } from '../../src/daemon/metrics-port.ts';
import { Tally } from '../../src/daemon/tally.ts';
import type { JournalEntry } from '../../src/driver/ports.ts';
import { OperatorError } from '../../src/trust/errors.ts';
import { PROJECT } from '../programs.ts';
import { exampleText } from './cluster-files.ts';
import { FULL } from './status-fixture.ts';
import { readText } from './vectors.ts';

const FIGURES = { cpuSeconds: 1.5, residentBytes: 7e7, heapBytes: 2e7, startedAtSeconds: 1_795_000_000 };
const PAGE = renderMetrics(FULL, FIGURES);
const promtool = spawnSync('promtool', ['--version']).error === undefined;
const skip = promtool || process.env.CI === 'true' ? false : 'needs promtool';

interface Metric {
  readonly type: string;
  readonly samples: Map<string, number>;
}

/** A strict reader of the text format; throws at whatever is not exactly in it. */
function read(page: string): Map<string, Metric> {
  const metrics = new Map<string, Metric>();
  let current = '';
  let helped = '';
  assert.ok(page.endsWith('\n'));
  for (const line of page.slice(0, -1).split('\n')) {
    const help = /^# HELP ([a-z_]+) (\S.*\.)$/.exec(line);
    const type = /^# TYPE ([a-z_]+) (gauge|counter)$/.exec(line);
    const sample =
      /^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,(?=[a-z]))?)+\})? (-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)$/.exec(
        line,
      );
    if (help !== null) helped = help[1] ?? '';
    else if (type !== null) {
      current = type[1] ?? '';
      assert.equal(helped, current, 'help comes first');
      assert.ok(!metrics.has(current), `${current} comes twice`);
      metrics.set(current, { type: type[2] ?? '', samples: new Map() });
    } else {
      assert.ok(sample !== null, `not in the format: ${line}`);
      const [, name = '', labels = '', value] = sample;
      assert.equal(name, current, line);
      const { samples } = metrics.get(name) ?? assert.fail();
      assert.ok(!samples.has(labels), `twice: ${line}`);
      samples.set(labels, Number(value));
    }
  }
  return metrics;
}

test('the page is in the text format; counters end in _total, times and sizes are in base units, all is ours', () => {
  const metrics = read(PAGE);
  assert.ok(metrics.size > 30);
  for (const [name, { type, samples }] of metrics) {
    assert.match(name, /^(portcullis|process)_/);
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    assert.doesNotMatch(name, /_(ms|milliseconds|permille|mib|minutes)\b/, name);
    assert.ok(samples.size > 0, name);
  }
});

test('values are the document’s: states, gate, alarms, ages, counters', () => {
  const metrics = read(PAGE);
  const value = (name: string, labels = ''): number | undefined => metrics.get(name)?.samples.get(labels);
  assert.equal(value('portcullis_service_state', '{service="firewall",state="service"}'), 1);
  assert.equal(value('portcullis_service_state', '{service="firewall",state="backup"}'), 0);
  assert.equal(value('portcullis_service_state', '{service="mail",state="backup"}'), 1);
  assert.equal(value('portcullis_service_serving', '{service="firewall"}'), 1);
  assert.equal(value('portcullis_service_master_known', '{service="mail"}'), 0);
  assert.equal(value('portcullis_service_lease_seconds', '{service="firewall"}'), 0.25);
  assert.equal(value('portcullis_service_state_seconds', '{service="firewall"}'), 65);
  assert.equal(
    value('portcullis_service_check_verdict', '{service="firewall",check="checkDownlink",verdict="lost"}'),
    1,
  );
  assert.equal(value('portcullis_service_host_fit', '{service="firewall",host="fw3"}'), 0);
  assert.equal(value('portcullis_alarm', '{code="uplink-failed",service="firewall"}'), 1);
  assert.equal(value('portcullis_alarm', '{code="stall",service=""}'), 1);
  assert.equal(value('portcullis_alarms'), 2);
  assert.equal(value('portcullis_peer_heard_age_seconds', '{host="fw2"}'), 0.012);
  assert.equal(value('portcullis_peer_heard_age_seconds', '{host="w1"}'), undefined, 'never heard is no age');
  assert.equal(value('portcullis_refused_total', '{code="gate"}'), 7);
  assert.equal(value('portcullis_filtered_total', '{code="stranger"}'), 3);
  assert.equal(value('portcullis_transitions_total', '{service="firewall",cause="gate-open"}'), 1);
  assert.equal(value('portcullis_load_ratio'), 0.12);
  assert.equal(value('process_cpu_seconds_total'), 1.5);
});

test('promtool has nothing to say of the page, and it would', { skip }, () => {
  const check = (input: string) => spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
  const good = check(PAGE);
  assert.deepEqual([good.status, good.stdout + good.stderr], [0, '']);
  assert.notEqual(check(PAGE.replaceAll('portcullis_refused_total', 'portcullis_refused_count')).status, 0);
});

test('promtool takes the alert rules, and each fires for what it is for and for nothing else', {
  skip,
}, () => {
  const run = (...args: string[]) =>
    spawnSync('promtool', args, { encoding: 'utf8', cwd: join(PROJECT, 'test/alerts') });
  const rules = run('check', 'rules', '../../systemd/portcullis.rules.yml');
  assert.equal(rules.status, 0, rules.stdout + rules.stderr);
  const tested = run('test', 'rules', 'portcullis.test.yml');
  assert.equal(tested.status, 0, tested.stdout + tested.stderr);
});

test('each alert names metrics that there are, has words, and is tried', () => {
  const text = readText('systemd/portcullis.rules.yml');
  const tried = readText('test/alerts/portcullis.test.yml');
  const names = new Set(read(PAGE).keys());
  for (const [name] of text.matchAll(/\b(?:portcullis|process)_[a-z_]+/g)) assert.ok(names.has(name), name);
  const alerts = [...text.matchAll(/^ +- alert: (\w+)$/gm)].map(([, name = '']) => name);
  assert.ok(alerts.length >= 10);
  assert.equal(new Set(alerts).size, alerts.length);
  for (const part of ['expr:', 'severity:', 'summary:', 'description:'])
    assert.equal(text.split(part).length - 1, alerts.length, part);
  for (const name of alerts) assert.match(tried, new RegExp(`alertname: ${name}$`, 'm'), name);
});

test('transitions are counted by service and cause; everything is handed on', () => {
  const tally = new Tally();
  const seen: JournalEntry[] = [];
  const journal = tally.before({ append: (entry) => seen.push(entry) });
  const entry = (kind: JournalEntry['kind'], cause?: string): JournalEntry => ({
    service: 'firewall',
    kind,
    text: '',
    ...(cause === undefined ? {} : { data: { cause } }),
  });
  for (const one of [
    entry('transition', 'gate-open'),
    entry('note'),
    entry('transition', 'gate-open'),
    entry('alarm', 'x'),
  ])
    journal.append(one);
  assert.equal(seen.length, 4);
  assert.deepEqual(tally.transitions, { 'firewall:gate-open': 2 });
});

test('other hosts reach the port only where the file says so', () => {
  const at = (lines: string): ReturnType<typeof parseSettings> =>
    parseSettings(exampleText('/etc/p').replace('[timing]', `[metrics]\n${lines}\n[timing]`), 'f');
  assert.equal(parseSettings(exampleText('/etc/p'), 'f').metrics, null);
  for (const good of ['"127.0.0.1:9469"', '"127.9.9.9:1"', '"[::1]:9469"'])
    assert.equal(at(`listen = ${good}`).metrics?.family, good.startsWith('"[') ? 6 : 4);
  for (const bad of ['"10.77.1.11:9469"', '"[fd00::1]:9469"'])
    assert.throws(
      () => at(`listen = ${bad}`),
      (error) => {
        assert.ok(error instanceof ConfigError);
        const [problem] = error.problems;
        assert.match(
          describeProblem(problem ?? assert.fail()),
          /metrics\.listen can be reached by other hosts/,
        );
        return problem?.remedy.includes('anywhere = true') === true;
      },
    );
  assert.equal(at('listen = "10.77.1.11:9469"\nanywhere = true').metrics?.ip, '10.77.1.11');
  assert.throws(() => at('anywhere = true'), ConfigError);
});

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function opened(t: TestContext, metrics = () => PAGE): Promise<number> {
  const port = await freePort();
  const socket = await openMetricsPort({ family: 4, ip: '127.0.0.1', port }, metrics);
  t.after(() => socket.close());
  return port;
}

function ask(
  port: number,
  path: string,
  method = 'GET',
): Promise<{ status: number; type: string; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ port, path, method, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      const { statusCode = 0, headers } = response;
      response.on('end', () => resolve({ status: statusCode, type: headers['content-type'] ?? '', body }));
    });
    call.on('error', reject);
    call.end();
  });
}

test('the port answers GET /metrics and nothing else, one request a connection', async (t) => {
  const port = await opened(t);
  const page = await ask(port, '/metrics');
  assert.deepEqual([page.status, page.body], [200, PAGE]);
  assert.match(page.type, /^text\/plain; version=0\.0\.4/);
  for (const path of ['/', '/v1/status', '/v1/standby', '/metrics/', '/metrics?x'])
    assert.equal((await ask(port, path)).status, 404, path);
  assert.equal((await ask(port, '/metrics', 'POST')).status, 405);
  const both = await new Promise<string>((resolve) => {
    let text = '';
    const get = 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n';
    const socket = connect(port, '127.0.0.1', () => socket.write(get + get));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('close', () => resolve(text));
    socket.on('error', () => undefined);
  });
  assert.equal(both.split('HTTP/1.1 200').length - 1, 1);
});

test('a flood of requests is not even read, and does not keep others out for good', async (t) => {
  let rendered = 0;
  const port = await opened(t, () => {
    rendered++;
    return PAGE;
  });
  const startMs = performance.now();
  const answers = await Promise.all(
    Array.from({ length: 200 }, () =>
      ask(port, '/metrics').then(
        () => 1,
        () => 0,
      ),
    ),
  );
  const served = answers.filter((answer) => answer === 1).length;
  // Twenty at once, and one more each 200 ms.
  const most = 40 + (performance.now() - startMs) / 200;
  assert.ok(served >= 10 && served <= most && rendered <= most, `${served} answered, ${rendered} rendered`);
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.equal((await ask(port, '/metrics')).status, 200);
});

test('an address that cannot be had is an error with its key and the remedy', async (t) => {
  const port = await opened(t);
  await assert.rejects(
    openMetricsPort({ family: 4, ip: '127.0.0.1', port }, () => PAGE),
    (error) => {
      assert.ok(error instanceof OperatorError);
      assert.match(error.message, /^metrics\.listen: 127\.0\.0\.1:\d+ cannot be listened at: .*EADDRINUSE/);
      return (error.hint ?? '') !== '';
    },
  );
});
