/** The state machine's own state, for whoever runs it ahead (`explain`): GET /v1/state. Nothing secret is in it. */
import type { HostState } from '../core/state.ts';
import type { Group } from './config/groups.ts';

export interface StateReport {
  readonly schema: 1;
  /** On the clock that all times in `state` are of. */
  readonly nowMs: number;
  /** All services, in the file's order, and which of them stand together: the state has the first of each alone. */
  readonly names: readonly string[];
  readonly groups: readonly Group[];
  readonly state: HostState;
}
