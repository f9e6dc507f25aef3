/** The event of a vector as the core takes it: a message, or anything else. */
import type { Event, Message, Procedure, ServiceState, Term, Verdict } from '../../src/core/index.ts';
import { DIGEST, NOW, name, RUN, SERVICE, termOf } from './concrete-cluster.ts';
import type { Vector } from './vector.ts';

/** The link and the age of a master's downlink that are (are not) evidence that it serves well. */
function evidence(v: Vector, variant: number): { link: number; downlinkAgeMs: number | null } {
  if (v.evidence === 1) {
    return variant % 2 === 0 ? { link: 1, downlinkAgeMs: null } : { link: 0, downlinkAgeMs: 99 };
  }
  return { link: 0, downlinkAgeMs: variant % 2 === 0 ? null : 100 };
}

/** The message, and the link that it comes over; null: the event is none. */
export function messageOf(
  v: Vector,
  event: string,
  variant: number,
  s: ServiceState,
): { link: number; message: Message } | null {
  const service = SERVICE;
  const t = termOf(v.mt as number);
  const { link, downlinkAgeMs } = evidence(v, variant);
  const named = t ?? { n: 0, host: name(v.from as number) };
  const status = (phase: 'serving' | 'suspended' | 'handover') =>
    ({ type: 'STATUS', service, id: 9, term: named, phase, digest: DIGEST, tableSeq: 0 }) as const;
  const probed = (activity: 'backup' | 'service' | 'handover', serving: boolean, x: Term | null) =>
    ({ type: 'PROBED', service, id: 9, activity, serving, term: x, downlinkAgeMs }) as const;
  const object = (reason: 'serving' | 'hearing' | 'promise') =>
    ({ type: 'OBJECT', service, id: 9, reason, term: named, restMs: 100, downlinkAgeMs }) as const;
  const plain = (message: Message) => ({ link: 1, message });
  switch (event) {
    case 'E_STATUS':
      return { link: v.evidence === 1 ? 1 : 0, message: status('serving') };
    case 'E_STATUS_SUSPENDED':
      return plain(status('suspended'));
    case 'E_STATUS_HANDOVER':
      return plain(status('handover'));
    case 'E_CLAIM':
      return plain({ type: 'CLAIM', service, id: 9, term: named });
    case 'E_PROBE':
      return plain({ type: 'PROBE', service, id: 9, claim: t, blame: false });
    case 'E_PROBE_BLAME':
      return plain({ type: 'PROBE', service, id: 9, claim: t, blame: true });
    case 'E_PROBED':
      return plain(probed('backup', false, null));
    case 'E_PROBED_SERVING':
      return { link, message: probed('service', true, t) };
    case 'E_PROBED_HANDOVER':
      return plain(probed('handover', false, t));
    case 'E_OBJECT_SERVING':
      return { link, message: object('serving') };
    case 'E_OBJECT_HEARING':
      return plain(object('hearing'));
    case 'E_OBJECT_PROMISE':
      return plain(object('promise'));
    case 'E_ANSWER':
      return plain({
        type: v.attempt === 1 && variant % 2 === 0 ? 'GRANT' : 'ACK',
        service,
        id: 9,
        term: named,
      });
    case 'E_RELEASE':
      return { link: v.evidence === 1 ? 1 : 0, message: { type: 'RELEASE', service, id: 9, term: named } };
    case 'E_RELEASED':
      return plain({
        type: 'RELEASED',
        service,
        term: named,
        successor: v.succ === 0 ? null : name((v.succ as number) - 1),
        id: v.match === 1 ? (s.attempt?.readyId ?? 77) : 78,
        // READY was first sent 20 ms ago: that much of the rest is over.
        restMs: v.lent === 1 ? 21 : 20,
      });
    case 'E_WITHDRAW':
      return plain({ type: 'WITHDRAW', service, term: named });
    case 'E_HANDOVER':
      return plain({ type: 'HANDOVER', service, id: 9, term: named });
    case 'E_READY':
      return plain({ type: 'READY', service, id: 9, term: named });
    case 'E_CHECK':
      return plain({ type: 'CHECK', service, id: 9, insist: false });
    case 'E_CHECK_INSIST':
      return plain({ type: 'CHECK', service, id: 9, insist: true });
    case 'E_WORD':
      return plain(
        variant % 2 === 0 ? { type: 'BYE', service } : { type: 'CHECKED', service, id: 9, ok: true },
      );
    default:
      return null;
  }
}

/** An event that is no message. */
export function otherEvent(v: Vector, event: string, variant: number, s: ServiceState): Event {
  const service = SERVICE;
  const ended = (procedure: Procedure, verdict: Verdict, id = RUN): Event => ({
    type: 'procedure-ended',
    service,
    procedure,
    id,
    verdict,
  });
  const off = s.cleaning?.stage === 'uplink' ? 'deactivateUplink' : 'deactivateService';
  const failed: Verdict = v.fallen === 1 && variant % 2 === 1 ? 'refuted' : 'unknown';
  const addresses = (side: 'downlink' | 'uplink', answered: boolean): Event => ({
    type: 'addresses-probed',
    service,
    side,
    id: s.attempt === null || s.attempt.probeIds[side] !== 0 ? (side === 'downlink' ? 101 : 102) : 999,
    answered,
  });
  const order = (force: boolean): Event => ({
    type: 'operator',
    order: { kind: 'handover', service: variant % 2 === 0 ? null : service, to: null, force },
  });
  switch (event) {
    case 'E_STARTED':
      return { type: 'started' };
    case 'E_DOWN_CONFIRMED':
      return ended('checkDownlink', 'confirmed');
    case 'E_DOWN_LOST':
      return ended('checkDownlink', v.blamed === 1 || variant % 4 < 2 ? 'lost' : 'unknown');
    case 'E_DOWN_REFUTED':
      return ended('checkDownlink', 'refuted');
    case 'E_UP_CONFIRMED':
      return ended('checkUplink', 'confirmed');
    case 'E_UP_FAILED':
      return ended('checkUplink', failed);
    case 'E_LOCAL_CONFIRMED':
      return ended('checkServiceLocal', 'confirmed');
    case 'E_LOCAL_FAILED':
      return ended('checkServiceLocal', 'unknown');
    case 'E_REMOTE_CONFIRMED':
      return ended('checkServiceRemote', 'confirmed');
    case 'E_REMOTE_FAILED':
      return ended('checkServiceRemote', 'unknown');
    case 'E_UPLINK_RAISED':
      return ended('activateUplink', variant % 2 === 0 ? 'confirmed' : 'unknown');
    case 'E_SERVICE_UP':
      return ended('activateService', variant % 2 === 0 ? 'confirmed' : 'unknown');
    case 'E_OFF_CONFIRMED':
      return ended(off, 'confirmed', 55);
    case 'E_OFF_UNKNOWN':
      return ended(off, 'unknown', 55);
    case 'E_ADDR_DOWN_QUIET':
      return addresses('downlink', false);
    case 'E_ADDR_DOWN_ANSWER':
      return addresses('downlink', true);
    case 'E_ADDR_UP_QUIET':
      return addresses('uplink', false);
    case 'E_ADDR_UP_ANSWER':
      return addresses('uplink', true);
    case 'E_GATE_OPEN':
      return { type: 'gate-set', service, id: 60, openUntilMs: NOW + 40 };
    case 'E_GATE_SHUT':
      return { type: 'gate-set', service, id: 60, openUntilMs: null };
    case 'E_LINK_DOWNLINK':
      return variant % 2 === 0
        ? { type: 'link-changed', service, side: 'downlink' }
        : { type: 'foreigner-heard', service };
    case 'E_LINK_UPLINK':
      return { type: 'link-changed', service, side: 'uplink' };
    case 'E_RIVAL_ADDRESS':
      return { type: 'rival-heard', service, side: variant % 2 === 0 ? 'downlink' : 'uplink' };
    case 'E_JOINED':
      return { type: 'peer-joined', host: 'h2' };
    case 'E_OP_HANDOVER':
      return order(false);
    case 'E_OP_FORCE':
      return order(true);
    case 'E_OP_STANDBY':
      return { type: 'operator', order: { kind: 'standby' } };
    case 'E_OP_RESUME':
      return { type: 'operator', order: { kind: 'resume' } };
    case 'E_OP_STOP':
      return { type: 'operator', order: { kind: 'stop' } };
    default:
      return { type: 'timer' };
  }
}
