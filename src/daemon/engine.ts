/**
 * How V8 is to run a process that works a little, often, for years.
 *
 * Functions are compiled at their first call by the quick compiler, instead of being interpreted for the minutes that they need to
 * count as hot, and those that run each interval are optimised within the first half minute instead of the first minutes: measured at
 * rest, a fifth less of a processor from the second minute on.
 *
 * Memory stays what it was in the first minutes. The space for what is new keeps the mebibyte that it comes to at rest, instead of
 * doubling up to 16 of them, twice, whenever a takeover has made much at once, of which next to nothing lives; and so little is
 * looked through at once by the main thread alone, which else waits for a helper that may have no processor. What is old is looked
 * through when some two mebibytes of it are new, instead of eight and more: the limit is a third above what lives
 * (`--optimize-for-size`, which has a few smaller caches too and no slower code), and it begins at three tenths of the way there.
 */
import { setFlagsFromString } from 'node:v8';

const FLAGS = [
  '--always-sparkplug',
  '--interrupt-budget=6000',
  '--semi-space-growth-factor=1',
  '--optimize-for-size',
  '--no-parallel-scavenge',
  '--incremental-marking-hard-trigger=30',
];
// One by one: after a flag that a newer V8 does not know it reads no other.
for (const flag of FLAGS) setFlagsFromString(flag);
