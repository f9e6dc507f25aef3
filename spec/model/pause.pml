/*
 * pause: the time between reading the clock and the kernel's call that opens the gate (R6, src/linux/gate.ts).
 *
 * Covers: the actuator's steps for one order: the end of the right is an absolute time, the clock is read, the kernel
 * is told the rest, which counts from that call; the clock is read again; if the call came late the gate is shut and
 * all is done anew, TRIES times, then it stays shut. The process may be frozen between any two steps, for any time or
 * for ever; the daemon renews the right while it likes.
 * Leaves out: the kernel's own granularity, which is G in drift.pml; a second freeze in the few microseconds from the
 * kernel's call to the reading and the correction after it. The variant FROZEN_AT_THE_CALL shows what that would do:
 * the kernel knows no absolute time-outs, so nothing can be done about it.
 *
 * Property: the kernel shuts the gate at the latest SLACK after the right's end.
 */
#ifndef L
#define L 5
#endif
#ifndef SLACK
#define SLACK 1
#endif
#define TRIES 2
#define END 14

byte now;
byte right = L;
/* The kernel's element: the gate is open before this time; 0: shut. */
byte gateEnds;
bool atTheCall;
bool shutInTime = true;

proctype time() {
  do
  :: atomic {
#ifdef FROZEN_AT_THE_CALL
       now < END ->
#else
       now < END && !atTheCall ->
#endif
       now++;
       printf("it is %d\n", now);
       shutInTime = !(gateEnds > now && now > right + SLACK);
       if :: !shutInTime -> printf("violated: the gate is open after the right to serve\n") :: else fi;
       assert(shutInTime)
     }
  :: now == END -> break
  od
}

/* Answers from voters make the right longer, up to a lease from now, while it has not lapsed. */
proctype voters() {
end:
  do
  :: atomic { now < right && right < now + L -> right = now + L; printf("the right now ends at %d\n", right) }
  od
}

proctype actuator() {
  byte until, before, tries;
end:
  do
  :: atomic { now < right -> until = right; tries = TRIES; printf("order: open until %d\n", until) };
again:
     atomic { before = now; printf("the clock says %d\n", before) };
     if
     :: before >= until -> atomic { gateEnds = 0; printf("too late: shut\n") }
     :: before < until ->
        atomic {
#ifdef BROKEN_FULL_LEASE
          gateEnds = now + L;
#else
          gateEnds = now + (until - before);
#endif
          atTheCall = true;
          printf("the kernel is told %d: open before %d\n", until - before, gateEnds)
        };
        if
#if defined(BROKEN_NOT_READ_AGAIN)
        :: atTheCall = false
#elif defined(BROKEN_ONLY_IF_OVER)
        :: atomic { now >= until -> gateEnds = 0; atTheCall = false; printf("over already: shut\n") }
        :: atomic { now < until -> atTheCall = false }
#else
        :: atomic { now <= before + SLACK -> atTheCall = false }
        :: atomic { now > before + SLACK -> gateEnds = 0; atTheCall = false; printf("the call came late: shut\n") };
           if
           :: tries > 0 -> tries--; goto again
           :: else
           fi
#endif
        fi
     fi;
     until = 0; before = 0; tries = 0
  od
}

init {
  atomic { run time(); run voters(); run actuator() }
}
