/**
 * `npm run -s lab -- attack [NAME...] [--json] [--runs K]`: each attack against a build without the defence, where it must do
 * damage, and against the real one, where it must not.
 */
import { type AttackResult, runAttack } from './attack-run.ts';
import { ATTACKS, type Attack } from './attacks.ts';
import { UsageError } from './usage.ts';

const CONTROL_TRIES = 3;

export interface Trial {
  readonly attack: Attack;
  readonly control: AttackResult | null;
  readonly real: AttackResult;
  /** What is not as it must be; empty when the defence holds and its control shows that it is the defence. */
  readonly problems: readonly string[];
}

export async function tryAttack(attack: Attack): Promise<Trial> {
  const control = await runControl(attack);
  const real = await runAttack(attack, null);
  const problems: string[] = [];
  if (control !== null && control.damage === null)
    problems.push(
      `without the defence (${attack.without}) the attack did no damage: the control shows nothing`,
    );
  if (real.damage !== null) problems.push(`damage: ${real.damage}`);
  if (!attack.seenAs.some((name) => (real.counters[name] ?? 0) > 0))
    problems.push(`no operator sees it: none of ${attack.seenAs.join(', ')} in status`);
  return { attack, control, real, problems };
}

/**
 * Without the defence, until it does damage: once shows that it can. On a busy machine the attacker may be kept from running, and what
 * it sends then comes too late.
 */
async function runControl(attack: Attack): Promise<AttackResult | null> {
  if (attack.without === null) return null;
  let control = await runAttack(attack, attack.without);
  for (let tries = 1; tries < CONTROL_TRIES && control.damage === null; tries++)
    control = await runAttack(attack, attack.without);
  return control;
}

/** Prints a trial; whether all was as it must be. */
export function show({ attack, control, real, problems }: Trial, json: boolean): boolean {
  if (json) {
    process.stdout.write(`${JSON.stringify({ attack: attack.name, control, real, problems })}\n`);
    return problems.length === 0;
  }
  const seen = attack.seenAs.map((name) => `${name} ${real.counters[name] ?? 0}`).join(', ');
  const lines = [
    `${attack.name}: ${problems.length === 0 ? 'ok' : problems.join('; ')}`,
    `  without ${attack.without ?? '-'}: ${control?.damage ?? 'no damage'}`,
    `  real build: ${real.damage ?? 'no damage'}; takeover ${real.takeoverMs ?? '-'} ms, ${real.cores} cores, ${real.sent} sent; ${seen}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return problems.length === 0;
}

/** The attacks of those names; all without names. Throws UsageError on a name that is not there. */
export function attacksNamed(names: readonly string[]): readonly Attack[] {
  if (names.length === 0) return ATTACKS;
  return names.map((name) => {
    const found = ATTACKS.find((attack) => attack.name === name);
    if (found === undefined) throw new UsageError(`there is no attack ${name}`);
    return found;
  });
}
