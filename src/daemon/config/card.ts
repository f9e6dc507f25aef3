/** How the keys of an uplink's card, module and driver hang together, within a service and among services. Pure. */
import type { GatewayService } from '../../linux/config.ts';
import { cardText, moduleName } from '../../linux/uplink/sysfs.ts';
import type { ServiceSettings } from './settings.ts';

interface CardProblem {
  readonly key: 'activation' | 'card' | 'module' | 'driver' | 'speculative' | 'device';
  readonly what: string;
  readonly remedy: string;
}

type Uplink = GatewayService['uplink'];
type Sharing = Pick<GatewayService, 'uplink' | 'procedures'>;

/** `others`: the services before this one in the file. */
export function cardProblems(
  { uplink, procedures }: GatewayService,
  others: readonly ServiceSettings[],
): readonly CardProblem[] {
  const before = others.map((other) => other.gateway);
  return [...keyProblems(uplink), ...before.flatMap((other) => pairProblems({ uplink, procedures }, other))];
}

const NEEDED = { module: ['card', 'module'], unbind: ['card', 'driver'], admin: [], command: [] } as const;
const ALLOWED = {
  module: ['card', 'module', 'speculative'],
  unbind: ['card', 'module', 'driver', 'speculative'],
  admin: [],
  command: [],
} as const satisfies { [activation: string]: readonly CardProblem['key'][] };

function keyProblems(uplink: Uplink): CardProblem[] {
  const { activation, device } = uplink;
  const out: CardProblem[] = [];
  for (const key of NEEDED[activation])
    if (uplink[key] === undefined) {
      const remedy = `portcullis uplink plan ${device} prints the lines to be written`;
      out.push({ key, what: `is missing: activation "${activation}" needs it`, remedy });
    }
  const allowed: readonly string[] = ALLOWED[activation];
  for (const key of ['card', 'module', 'driver', 'speculative'] as const)
    if (uplink[key] !== undefined && !allowed.includes(key))
      out.push({ key, what: `is of no use with activation "${activation}"`, remedy: 'remove it' });
  return out;
}

/** What two services mean by one device, card or module must not differ. */
function pairProblems(mine: Sharing, its: Sharing): CardProblem[] {
  const [uplink, other] = [mine.uplink, its.uplink];
  const described = ({ uplink: u, procedures: p }: Sharing): string =>
    JSON.stringify([
      [u.activation, u.card, u.module, u.driver, u.speculative ?? false],
      [p.activateUplink, p.deactivateUplink],
    ]);
  if (uplink.device === other.device) {
    if (described(mine) === described(its)) return [];
    const what = `differs from that of another service with the same device ${uplink.device}`;
    const remedy =
      'services that share an uplink must say the same of it: activation, card, module, driver, speculative, and its two programs';
    return [{ key: 'activation', what, remedy }];
  }
  const out: CardProblem[] = [];
  if (uplink.card !== undefined && other.card !== undefined && cardText(uplink.card) === cardText(other.card))
    out.push({
      key: 'card',
      what: `is that of ${other.device} too: ${cardText(uplink.card)}`,
      remedy: 'each device has a card of its own; see `portcullis uplink plan`',
    });
  const isModule = uplink.activation === 'module' && other.activation === 'module';
  if (isModule && moduleName(uplink.module ?? '') === moduleName(other.module ?? ' '))
    out.push({
      key: 'module',
      what: `is that of ${other.device} too, which would go with it: ${uplink.module}`,
      remedy: 'use activation "unbind" for both',
    });
  return out;
}
