/** Why a host is not master of a service now, from its own state: each reason with its rule in spec/state-machine.md. */
import {
  type Hindrance,
  type HostState,
  mainState,
  type ServiceName,
  type ServiceState,
  standing,
} from '../core/index.ts';

const reason = (rule: string, text: string, untilMs: number | null = null): Hindrance => ({
  rule,
  text,
  untilMs,
});
const ms = (value: number): string =>
  value < 10_000 ? `${Math.max(0, Math.round(value))} ms` : `${Math.round(value / 1000)} s`;

/** Empty: it is master, and its gate is open. */
export function whyNotMaster(state: HostState, service: ServiceName, nowMs: number): Hindrance[] {
  const s = state.services[service];
  const judged = standing(state, service, nowMs);
  if (s === undefined || judged === null) return [reason('R23', 'does not have this service')];
  const self = state.config.membership.self;
  const found = ofThePlace(state, s, nowMs);
  if (mainState(s.place) === 'service' || mainState(s.place) === 'handover') return found;
  found.push(...(judged.againstClaim ?? judged.unfit));
  if (nowMs < s.holdUntilMs)
    found.push(
      reason(
        'R17',
        `stands back after a failed handover for ${ms(s.holdUntilMs - nowMs)}: after all others`,
        s.holdUntilMs,
      ),
    );
  if (s.burden.burdened)
    found.push(reason('R25', `is burdened (load ${state.load} of 1000): after those that are not`));
  const before = judged.preferred.slice(0, Math.max(0, judged.preferred.indexOf(self)));
  if (before.length > 0)
    found.push(reason('R25', `${before.join(', ')} would go before it; ${judged.order}`));
  return found;
}

function ofThePlace(state: HostState, s: ServiceState, nowMs: number): Hindrance[] {
  const { known } = s;
  switch (s.place) {
    case 'service.serving':
    case 'service.seeking':
      return [];
    case 'service.suspended':
      return [
        reason(
          'R8',
          'its right to serve ran out: the gate is shut until a majority acknowledges it, or nobody answers',
        ),
      ];
    case 'service.shutting':
    case 'service.releasing':
      return [reason('R12', `lets go${s.handingTo === null ? '' : ` in favour of ${s.handingTo.host}`}`)];
    case 'init.cleaning':
      return [
        reason(
          'R23',
          `is not harmless yet: the ${s.cleaning?.stage ?? 'gate'} has not been read back as off`,
        ),
      ];
    case 'init.linking':
      return [reason('R20', 'has confirmed no downlink yet, and heard no member')];
    case 'decide.listening':
      return [
        reason(
          'R20',
          `listens whether anybody serves, for ${ms((s.timers.listen ?? nowMs) - nowMs)} more`,
          s.timers.listen,
        ),
      ];
    case 'decide.electing':
      return [];
    case 'backup.suspecting':
      if (known === null) return [];
      return [
        reason(
          'R9',
          `has not heard ${known.term.host} for ${ms(nowMs - known.heardAtMs)} and looks whether it lives`,
        ),
      ];
    case 'backup.watching':
      if (known === null) return [];
      if (known.released !== undefined)
        return [
          reason('R12', `${known.term.host} handed over to ${known.released ?? 'whoever claims first'}`),
        ];
      return [
        reason(
          'R13',
          `${known.term.host} serves in term ${known.term.n}, heard ${ms(nowMs - known.heardAtMs)} ago: no claim deposes a sound master`,
        ),
      ];
    default:
      return [inHandover(state, s, nowMs)];
  }
}

function inHandover(state: HostState, s: ServiceState, nowMs: number): Hindrance {
  const since = `for ${ms(nowMs - s.enteredAtMs)}`;
  const voters = state.config.membership.voterSets.map((set) => {
    const granted = set.filter((voter) => (s.right.leases[voter] ?? 0) > nowMs).length;
    return `${granted} of ${Math.floor(set.length / 2) + 1} promises needed`;
  });
  const policy = state.config.services.find(({ name }) => name === s.service)?.policy;
  switch (s.place) {
    case 'handover.claiming':
      return policy === 'quorum' && !s.forced
        ? reason('R4', `claims ${since}, and has ${voters.join(' and ')}`)
        : reason('R18', `claims ${since}: objections are waited for`);
    case 'handover.raising':
      return reason('R11', `raises its uplink ${since}: the next hop has not answered`);
    case 'handover.listening':
      return reason('R11', `listens ${since} whether anybody serves, seen from its uplink`);
    case 'handover.waiting':
      return reason(
        'R19',
        `somebody answers for a roving address, unsigned: waits ${since}, one promise at most`,
      );
    case 'handover.preparing':
      return reason('R11', `prepares the service behind the shut gate ${since}`);
    case 'handover.releasing':
      return reason('R11', `is ready ${since}, and has the old master let go`);
    case 'handover.opening':
      return reason('R4', `is ready ${since}: the right to serve, or the gate, is not there yet`);
    default:
      return reason('R11', `rolls back a takeover ${since}`);
  }
}
