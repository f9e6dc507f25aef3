/** A program of somebody else, by its imports from the package: it compiles, or the types of the library have changed. */
import {
  type Actuator,
  type ClusterTiming,
  type CoreConfig,
  type Driver,
  type HostState,
  initialState,
  type mainState,
  nextDeadline,
  step,
  usualTiming,
} from 'portcullis';
import { type Forecast, forecast, type WhatIf } from 'portcullis/ahead';
import { entriesOf, type Verdict, verify } from 'portcullis/audit';
import { type Event, TRANSITIONS, takeoverBounds } from 'portcullis/core';
import { addMember, fingerprint, type Roster, verifyRosterFile } from 'portcullis/trust';
import { type CborValue, decodeCbor, Endpoint } from 'portcullis/wire';

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
/** Fails to compile when the two differ. */
const holds = <_T extends true>(): void => undefined;

/** Never called: what counts is that it compiles. */
export function used(config: CoreConfig, driver: Driver, bytes: Uint8Array, actuator: Actuator): unknown {
  const timing: ClusterTiming = usualTiming(200);
  const state: HostState = initialState(config, 0);
  const event: Event = { type: 'timer' };
  const next: HostState = step(state, event, 1).state;
  const due: number | null = nextDeadline(next);
  const what: WhatIf = { kind: 'power', host: 'a' };
  const ahead: Forecast = forecast(next, 'web', what, 1);
  const result = verifyRosterFile(bytes, bytes);
  const roster: Roster | null = result.ok ? result.roster : null;
  const verdict: Verdict | null = roster === null ? null : verify([], roster);
  const value: CborValue | undefined = decodeCbor(bytes);
  const of = { checkIntervalMs: 1, fall: 2, uplinkLimitMs: 1, preparesEarly: true };
  const bounds = takeoverBounds(timing, { policy: 'quorum', ...of });
  // @ts-expect-error: a policy must be one of two words.
  takeoverBounds(timing, { policy: 'both', ...of });
  // @ts-expect-error: the state is a value, and stays as it is.
  state.nextId = 7;
  holds<Same<ReturnType<typeof mainState>, 'init' | 'decide' | 'backup' | 'handover' | 'service'>>();
  return [
    due,
    ahead,
    verdict,
    value,
    bounds,
    driver,
    actuator,
    Endpoint,
    entriesOf,
    addMember,
    fingerprint,
    TRANSITIONS,
  ];
}
