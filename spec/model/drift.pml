/*
 * drift: how much longer than a lease a promise must last when clocks run at different rates (R24).
 *
 * Covers: one lease and one promise, both started by the same message or the promise later; each host's clock advances
 * DRIFT parts in TICKS slower or faster than true time, changing at any time within that; the kernel takes up to G
 * true ticks longer to shut a gate than it was told. L, P in ticks of their own clocks; the question is only whether
 * the voter may promise to another while the first gate is open, so that one voter and one holder suffice.
 * Leaves out: majorities (quorum3.pml), for a second master needs at least one voter of the first, and what holds
 * between each voter and the holder holds for that one; clocks that stop (suspend): spec/model/README.md.
 *
 * True time runs in ticks. A clock's deviation from true time is kept in parts of a tick, TICKS parts each, so that
 * d = DRIFT / TICKS: with DRIFT 1 and TICKS 10 that is 10 %.
 */
#ifndef TICKS
#define TICKS 10
#endif
#ifndef DRIFT
#define DRIFT 1
#endif
#ifndef L
#define L 9
#endif
#ifndef G
#define G 1
#endif
/* P >= L (1 + d) / (1 - d) + g, in whole ticks upwards. */
#ifndef P
#define P (((L * (TICKS + DRIFT)) + (TICKS - DRIFT) - 1) / (TICKS - DRIFT) + (G * (TICKS + DRIFT) + TICKS - 1) / TICKS)
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

inline advance(clock) {
  if
  :: clock = clock + TICKS - DRIFT
  :: clock = clock + TICKS
  :: clock = clock + TICKS + DRIFT
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
       advance(holderClock); advance(voterClock);
       printf("true time goes on: the holder's clock is at %d, the voter's at %d\n", holderClock, voterClock);
       if
       :: holderClock < L * TICKS
       :: holderClock >= L * TICKS && lateTicks < G -> lateTicks++
       :: holderClock >= L * TICKS -> gateOpen = false; printf("the gate shuts\n")
       fi;
       if
       :: promised && voterClock - promisedAt >= P * TICKS -> mustBeShut()
       :: else
       fi
     }
  :: !gateOpen -> break
  od
}
