/** The core's door: what the driver, the simulator and the checker use of it. */
export * from './basics.ts';
export { describeEffect, describeEvent, describeMessage, describeState } from './describe.ts';
export { ALARMS, type AlarmCode, type Effect, type LogEntry } from './effects.ts';
export type { Event, Order, Side } from './events.ts';
export { type Hindrance, type Standing, standing } from './hindrance.ts';
export { brokenInvariants } from './invariants.ts';
export { rightUntil } from './lease.ts';
export type * from './messages.ts';
export { refusal, TRY_AGAIN } from './orders.ts';
export * from './procedures.ts';
export type { HostState, ServiceState } from './state.ts';
export { initialState, nextDeadline, refusalCounts, type Step, step } from './step.ts';
export {
  type Bound,
  type Bounds,
  FAULTS,
  type Fault,
  type StepTimes,
  takeoverBounds,
  usualSteps,
} from './times.ts';
export { mainState, PLACES, type Place, TRANSITIONS } from './transitions.ts';
