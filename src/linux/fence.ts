/**
 * Makes this host harmless without any daemon: gate shut, roving addresses gone, nothing forwarded, uplink down.
 * Every step is tried, whatever became of the one before.
 */
import type { ActuatorConfig, GatewayService } from './config.ts';
import { procedureProgram } from './external.ts';
import { Kernel } from './kernel.ts';
import { rawNowMs, requireLibc } from './libc.ts';
import { confirmed, type Outcome, unknown } from './outcome.ts';
import { TOOL_LIMIT_MS, textOf } from './tools.ts';

export interface FenceStep {
  /** Null: a step of the host as a whole. */
  readonly service: string | null;
  readonly step: 'gate' | 'rules' | 'deactivateService' | 'deactivateUplink';
  readonly ok: boolean;
  readonly detail: string;
}
export interface FenceReport {
  /** All steps were confirmed by reading back. */
  readonly ok: boolean;
  readonly steps: readonly FenceStep[];
}

/** Never throws for what the kernel refuses: the report says it. Throws `OperatorError` on an unusable configuration. */
export async function fence(config: ActuatorConfig): Promise<FenceReport> {
  requireLibc();
  const kernel = new Kernel(config, rawNowMs, () => {});
  const steps: FenceStep[] = [];
  const attempt = async (service: string | null, step: FenceStep['step'], task: () => Promise<Outcome>) => {
    const outcome = await task().catch((error) => unknown(textOf(error)));
    steps.push({ service, step, ok: outcome.verdict === 'confirmed', detail: outcome.detail });
  };
  try {
    // The gate first: it silences the host at once, whatever the rest takes.
    await attempt(null, 'gate', async () => {
      await kernel.gate.install();
      return confirmed('shut');
    });
    await attempt(null, 'rules', async () => {
      // Uplink and addresses wait for this one: no longer than for any other program.
      await kernel.rules.prepare(config, true, TOOL_LIMIT_MS);
      return confirmed('rule files are sound');
    });
    for (const { service, place } of kernel.services.values()) {
      await attempt(service.name, 'deactivateService', () =>
        orProgram(config, service, 'deactivateService', () => place.deactivate()),
      );
      await place.forgotten();
      await attempt(service.name, 'deactivateUplink', () =>
        orProgram(config, service, 'deactivateUplink', () => kernel.uplinks.deactivate(service)),
      );
    }
  } finally {
    kernel.close();
  }
  return { ok: steps.every((s) => s.ok), steps };
}

function orProgram(
  config: ActuatorConfig,
  service: GatewayService,
  procedure: 'deactivateService' | 'deactivateUplink',
  builtIn: () => Promise<Outcome>,
): Promise<Outcome> {
  const program = service.procedures[procedure];
  if (program === undefined) return builtIn();
  return procedureProgram(config, service, procedure, program, service.limits.switchMs);
}
