/*
 * drift: how much longer than a lease a promise must last when clocks run at different rates (R24).
 *
 * Covers: one lease and one promise, both started by the same message or the promise later. The lease is the holder's kernel's to
 * keep, whose time a daemon may slew: it advances up to DRIFT parts in TICKS slower or faster than true time. The promise is counted by the
 * voter's process, whose clock nobody slews: up to RAW parts. Both change at any time within that. The kernel takes up to G
 * true ticks longer to shut a gate than it was told. L, P in ticks of their own clocks; the question is only whether
 * the voter may promise to another while the first gate is open, so that one voter and one holder suffice.
 * What of the lease the holder's process has counted before it told its kernel is within DRIFT, too, as RAW is less.
 * Leaves out: majorities (quorum3.pml), for a second master needs at least one voter of the first, and what holds
 * between each voter and the holder holds for that one; clocks that stop (suspend): spec/model/README.md.
 *
 * True time runs in ticks. A clock's deviation from true time is kept in parts of a tick, TICKS parts each, so that
 * d = DRIFT / TICKS, 10 %, and rho = RAW / TICKS, 1 %.
 */
#ifndef TICKS
#define TICKS 100
#endif
#ifndef DRIFT
#define DRIFT 10
#endif
#ifndef RAW
#define RAW 1
#endif
#ifndef L
#define L 9
#endif
#ifndef G
#define G 1
#endif
/* P >= (1 + rho) (L / (1 - d) + g), in whole ticks upwards. */
#ifndef P
#define P (((TICKS + RAW) * (L * TICKS + G * (TICKS - DRIFT)) + TICKS * (TICKS - DRIFT) - 1) / (TICKS * (TICKS - DRIFT)))
#endif

/* Each clock's reading since the start, in parts. Every true tick adds TICKS - DRIFT to TICKS + DRIFT of them. */
short holderClock, voterClock;
/* The holder's lease began with the sending of its request, the promise with its arrival. */
bool promised;
short promisedAt;
/* True ticks for which the gate stays open after the holder's clock has reached the end. */
byte lateTicks;
bool gateOpen = true;
bool promiseOutlives = true;

inline advance(clock, most) {
  if
  :: clock = clock + TICKS - most
  :: clock = clock + TICKS
  :: clock = clock + TICKS + most
  fi
}

inline mustBeShut() {
  promiseOutlives = !gateOpen;
  if :: !promiseOutlives -> printf("violated: the promise is over while the gate is open\n") :: else fi;
  assert(promiseOutlives)
}

init {
  printf("the holder asks for a lease of %d ticks; a promise is %d ticks\n", L, P);
  do
  :: !promised -> atomic { promised = true; promisedAt = voterClock; printf("the voter promises, its clock is at %d\n", voterClock) }
  :: gateOpen -> /* one true tick */
     atomic {
       advance(holderClock, DRIFT); advance(voterClock, RAW);
       printf("true time goes on: the holder's clock is at %d, the voter's at %d\n", holderClock, voterClock);
       /* Within a tick the voter is the first. */
       if
       :: promised && voterClock - promisedAt >= P * TICKS -> mustBeShut()
       :: else
       fi;
       if
       :: holderClock < L * TICKS
       :: holderClock >= L * TICKS && lateTicks < G -> lateTicks++
       :: holderClock >= L * TICKS -> gateOpen = false; printf("the gate shuts\n")
       fi
     }
  :: !gateOpen -> break
  od
}
