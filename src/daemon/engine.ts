/**
 * How V8 is to run a process that works a little, often, for years: functions are compiled at their first call by the quick compiler,
 * instead of being interpreted for the minutes that they need to count as hot. A daemon at rest takes a twentieth less of a processor.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--always-sparkplug');
