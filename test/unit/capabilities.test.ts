/** What the actuator must be able to do, and that it says what it cannot. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { effectiveCapabilities, requireCapabilities } from '../../src/linux/capabilities.ts';
import type { ActuatorConfig } from '../../src/linux/config.ts';

function configOf(...activations: string[]): ActuatorConfig {
  return {
    services: activations.map((activation) => ({ uplink: { activation } })),
  } as unknown as ActuatorConfig;
}

/** CAP_NET_ADMIN, CAP_NET_RAW. */
const NET = 0x3000n;
const MODULE = 0x10000n;

test('the effective set is read from /proc, and from nothing else', () => {
  assert.equal(effectiveCapabilities('CapPrm:\t0000000000013000\nCapEff:\t0000000000003000\n'), NET);
  assert.equal(effectiveCapabilities(''), null);
  assert.equal(typeof effectiveCapabilities(), 'bigint');
});

test('what is missing is named with the remedy; a witness, who touches nothing, needs none', () => {
  requireCapabilities(configOf('admin', 'unbind'), NET);
  requireCapabilities(configOf('admin', 'module'), NET | MODULE);
  requireCapabilities(configOf(), 0n);
  requireCapabilities(configOf('admin'), null);
  assert.throws(() => requireCapabilities(configOf('admin'), 0n), /lacks CAP_NET_ADMIN and CAP_NET_RAW/);
  assert.throws(() => requireCapabilities(configOf('admin'), NET & ~0x2000n), /lacks CAP_NET_RAW/);
  assert.throws(() => requireCapabilities(configOf('admin', 'module'), NET), {
    message: /lacks CAP_SYS_MODULE/,
    hint: /uplink provision/,
  });
});
