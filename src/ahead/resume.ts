/**
 * What a host had ordered when its state was taken, and what has not come back yet: it comes back in the run, as a test
 * or a kernel there answers. The state tells what is waited for, so nothing is asked of the Linux side.
 */
import { mainState, type ServiceState } from '../core/index.ts';
import type { Machine } from './machine.ts';
import type { Run } from './run.ts';

const TESTS = ['checkDownlink', 'checkUplink', 'checkServiceLocal', 'checkServiceRemote'] as const;
const SIDES = ['downlink', 'uplink'] as const;

/** To be called once for this host, before the run. */
export function resume(run: Run, machine: Machine): void {
  for (const s of Object.values(machine.state?.services ?? {})) resumeService(run, machine, s);
}

function resumeService(run: Run, machine: Machine, s: ServiceState): void {
  const { service, cleaning, gate } = s;
  for (const procedure of TESTS) {
    const { runningId } = s.checks[procedure];
    if (runningId !== 0) run.procedure(machine, service, procedure, runningId);
  }
  const rounds = s.attempt?.probeIds ?? s.suspicion?.probeIds;
  for (const side of SIDES)
    if (rounds !== undefined && rounds[side] !== 0) run.addresses(machine, service, side, rounds[side]);
  // What it was read back as is not told; once more changes nothing, since only the latest order counts.
  if (gate.id !== 0) run.gate(machine, service, gate.untilMs, gate.id);
  if (cleaning?.stage === 'service') run.procedure(machine, service, 'deactivateService', cleaning.id);
  else if (cleaning?.stage === 'uplink') run.procedure(machine, service, 'deactivateUplink', cleaning.id);
  if (mainState(s.place) !== 'handover' || cleaning !== null) return;
  // A switch under way has no number in the state: it is under way when its test has not begun, or is to be made again.
  const isTesting = s.timers.probe !== null;
  if (s.place === 'handover.raising' && s.checks.checkUplink.runningId === 0 && !isTesting)
    run.procedure(machine, service, 'activateUplink', 0);
  const isAgain = s.place === 'handover.preparing' && isTesting;
  if (s.attempt?.prepared === 'ordered' && s.checks.checkServiceLocal.runningId === 0 && !isAgain)
    run.procedure(machine, service, 'activateService', 0);
}
