/** One blow of a long life. Whatever becomes of it is a record: that one failed is a finding, and no reason to lose the hour after it. */
import { blowNamed } from '../lab/blows.ts';
import { type Living, NotStruck } from '../lab/living.ts';
import type { Mix } from './endurance-mix.ts';
import type { EnduranceRecord } from './endurance-verdict.ts';

type Lived = Pick<Living, 'master' | 'survive' | 'uncaused'>;

/** `elder`: the host that is never killed. `atS`: seconds since the beginning, asked when it is over. Throws when nobody can be heard any more. */
export async function oneBlow(
  living: Lived,
  mix: Mix,
  elder: string | undefined,
  atS: () => number,
): Promise<Exclude<EnduranceRecord, { record: 'sample' | 'calm' | 'end' }>> {
  let fault = 'no blow';
  try {
    fault = mix.next((await living.master()) === elder);
    const survived = await living.survive(blowNamed(fault));
    const { struck, outageMs, lost, changes, uncaused, problems } = survived;
    return { record: 'blow', atS: atS(), fault, struck, outageMs, lost, changes, uncaused, problems };
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return { record: 'failed', atS: atS(), fault, what, uncaused: await movesOf(living, fault, error) };
  }
}

/** Moves that the blow did not cause. One is its own, if it was done. */
async function movesOf(living: Lived, fault: string, error: unknown): Promise<number> {
  if (error instanceof NotStruck) return error.uncaused;
  const moves = await living.uncaused();
  return fault === 'no blow' ? moves : Math.max(0, moves - 1);
}
