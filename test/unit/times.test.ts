/** The formulas of spec/timing.md: the page's tables are the code's, and each term moves what it should. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { FAULTS, takeoverBounds, usualSteps } from '../../src/core/index.ts';
import { listening } from '../../src/core/listening.ts';
import { boundRows, renderBounds } from '../../src/daemon/config/bounds.ts';
import { fullTiming } from '../../src/daemon/config/timing.ts';

const timing = fullTiming({ interval: 200 } as Parameters<typeof fullTiming>[0]);
const SERVICE = { checkIntervalMs: 200, fall: 2, uplinkLimitMs: 1000, preparesEarly: true };

test('the tables in the specification are what the code computes', () => {
  const page = readFileSync('spec/timing.md', 'utf8');
  for (const policy of ['available', 'quorum'] as const)
    assert.ok(page.includes(renderBounds(policy, [1000, 200, 100, 50, 20, 10])), policy);
});

test('a bound is the sum of its parts', () => {
  const steps = usualSteps(timing);
  const { power } = takeoverBounds(timing, { ...SERVICE, policy: 'available' });
  // δ + I + j + e, np (rto' + e), w' + e, Au + N, the longer of C + e and As + Kl, G
  const parts = [1 + 200 + 10 + 2, 3 * 6, 6, 15, 53, 2];
  assert.equal(
    power.worstMs,
    parts.reduce((sum, ms) => sum + ms, 0),
  );
  assert.equal(power.medianMs, power.worstMs - 100);
  const program = { ...SERVICE, policy: 'available', preparesEarly: false } as const;
  assert.equal(takeoverBounds(timing, program).power.worstMs, power.worstMs + 13, 'C + e, then As + Kl');
  const loading = { ...steps, activateServiceMs: 60, checkServiceLocalMs: 5 };
  const slow = takeoverBounds(timing, { ...SERVICE, policy: 'available' }, loading);
  assert.equal(slow.power.worstMs, power.worstMs - 53 + 65, 'As + Kl, with C + e beside it');
  const touched = takeoverBounds(timing, { ...SERVICE, policy: 'available' }, { ...steps, rereadMs: 50 });
  assert.equal(
    touched.service.worstMs - takeoverBounds(timing, { ...SERVICE, policy: 'available' }).service.worstMs,
    2 * 10,
  );
  const later = takeoverBounds(
    timing,
    { ...SERVICE, policy: 'available' },
    { ...steps, activateUplinkMs: 3000 },
  );
  assert.equal(later.power.worstMs, power.worstMs + 2990);
  assert.equal(
    later.handover.worstMs,
    5,
    'an uplink that is slow to come up costs a planned handover nothing',
  );
});

test('R11: the conflict window is short under quorum alone, where it is no second opinion', () => {
  for (const intervalMs of [10, 20, 50, 100, 200, 1000, 10_000]) {
    const times = fullTiming({ interval: intervalMs } as Parameters<typeof fullTiming>[0]);
    const { probeTimeoutMs, conflictWindowMs } = times;
    assert.deepEqual(listening(times, 'available'), { windowMs: conflictWindowMs, askMs: probeTimeoutMs });
    const { windowMs, askMs } = listening(times, 'quorum');
    assert.ok(askMs >= 2 && askMs <= probeTimeoutMs && windowMs <= conflictWindowMs, `${intervalMs}`);
    assert.equal(windowMs, 3 * askMs);
  }
  assert.deepEqual(listening({ ...timing, probes: 1 }, 'quorum'), { windowMs: 8.5, askMs: 4.25 });
});

test('under quorum the promise decides; wrong clocks and further ranks only lengthen', () => {
  for (const policy of ['available', 'quorum'] as const) {
    const service = { ...SERVICE, policy };
    const right = takeoverBounds(timing, service);
    const wrong = takeoverBounds(timing, service, usualSteps(timing), 0, 0.1);
    const second = takeoverBounds(timing, service, usualSteps(timing), 1);
    for (const fault of FAULTS) {
      // A slow check timer may fit a check that a right one misses.
      if (fault !== 'disputed') assert.ok(wrong[fault].worstMs >= right[fault].worstMs, `${policy} ${fault}`);
      assert.ok(second[fault].worstMs >= right[fault].worstMs, `${policy} ${fault}`);
      assert.ok(
        right[fault].medianMs <= right[fault].worstMs && right[fault].medianMs > 0,
        `${policy} ${fault}`,
      );
    }
    const more = takeoverBounds({ ...timing, promiseMs: timing.promiseMs + 100 }, service);
    assert.equal(more.power.worstMs - right.power.worstMs, policy === 'quorum' ? 100 : 0);
    assert.equal(more.attacker.worstMs - right.attacker.worstMs, 200);
  }
});

test('rows are whole milliseconds, one for each fault', () => {
  const rows = boundRows(timing, { ...SERVICE, policy: 'quorum' });
  assert.deepEqual(
    rows.map((row) => row.fault),
    [...FAULTS],
  );
  for (const row of rows) assert.ok(Number.isInteger(row.worstMs) && row.anyClockMs >= row.worstMs);
});
