/*
 * snapshot: a voter that comes back from a snapshot, and a second copy of a voter (security H6, H8).
 *
 * Covers: gateways A and B, witness C. C's memory is saved at any time and restored at any later one, with its clock
 * and its promise as they were; its words then carry old numbers and sessions, so that nobody hears it until it has
 * noticed, begun a new session and abstained like after a start (R3). With COPY: a second C is started from C's disk
 * and key while the first may run on; whoever has heard both counts neither (an alarm says so).
 * Leaves out: late words (quorum3.pml); a snapshot of a gateway with its kernel: its gate is then open for the rest of
 * the old lease, which no rule of ours can know of; copies that are parted from each other, so that A hears one and
 * B the other: the variant COPIES_PARTED shows what that does. One key on two running hosts is two voters.
 */
#define HOSTS 4
#define VOTERS 7
#define L 2
#define P 2
#ifndef NUMBERS
#define NUMBERS 2
#endif
#include "voter.pml"
#define C 2
#define COPY_OF_C 3

byte ownTerm[2];
/* C: what was saved, whether it is; that it was restored and has not noticed. */
byte savedTerm, savedHolder, savedLeft;
bool saved, restored;
bool copyRuns;
/* C's copy that a gateway has a session with. */
byte session[2] = C;
bool neverTwoActive = true;

#define step(guard, doing) d_step { guard -> doing; clearResults() }

inline judge() {
  neverTwoActive = !(majorityRuns(0) && majorityRuns(1));
  if :: !neverTwoActive -> printf("violated: two hosts have a majority\n") :: else fi;
  assert(neverTwoActive)
}

/* A gateway asks v, whose vote counts as voter `as`. */
inline asks(who, v, as) {
  promise(v, ownTerm[who]);
  if
  :: promised -> printf("%c promises term %d/%c\n", (v == COPY_OF_C -> 'c' : 65 + v), numberOf(ownTerm[who]), 65 + who);
     answered(who, as, 0); judge()
  :: else
  fi
}

#ifdef BROKEN_OLD_NUMBERS_HEARD
#define isHeard true
#else
#define isHeard (!restored)
#endif
#ifdef COPIES_PARTED
#define counts(h) true
#else
#define counts(h) (!copyRuns)
#endif

proctype gateway(byte h) {
end:
  do
  :: step(ownTerm[h] == 0 && !bound(h, h),
          nextTerm(h, 0);
          if :: numberOf(newTerm) <= NUMBERS -> ownTerm[h] = newTerm; highestNumber[h] = numberOf(newTerm);
                printf("%c claims term %d/%c\n", 65 + h, numberOf(newTerm), 65 + h); asks(h, h, h) :: else fi)
  :: step(ownTerm[h] > 0, asks(h, h, h))
  :: step(ownTerm[h] > 0, asks(h, 1 - h, 1 - h))
  :: step(ownTerm[h] > 0 && session[h] == C && isHeard && counts(h), asks(h, C, C))
  :: step(ownTerm[h] > 0 && session[h] == COPY_OF_C && counts(h), asks(h, COPY_OF_C, C))
  /* The other copy is a new session for h, for it has not heard the present one for long, or is new itself. */
  :: step(copyRuns && session[h] == C && leaseOf(h, C) == 0, session[h] = COPY_OF_C; printf("%c has a session with the copy of C\n", 65 + h))
  :: step(ownTerm[h] > 0 && !majorityRuns(h), ownTerm[h] = 0; noRight(h); printf("%c gives up\n", 65 + h))
  od
}

proctype faults() {
end:
  do
  :: step(!saved, savedTerm = voterTerm[C]; savedHolder = voterHolder[C]; savedLeft = voterLeft[C]; saved = true;
          printf("C's memory is saved\n"))
  :: step(saved, voterTerm[C] = savedTerm; voterHolder[C] = savedHolder; voterLeft[C] = savedLeft;
          saved = false; savedTerm = 0; savedHolder = 0; savedLeft = 0; restored = true; printf("C is restored from it\n"))
  :: step(restored, restored = false; abstain(C); printf("C notices, and abstains\n"))
#ifdef COPY
  :: step(!copyRuns, copyRuns = true; abstain(COPY_OF_C); printf("a copy of C starts (c)\n"))
#endif
  od
}

proctype clock() {
end:
  do
  :: step(true, clockTick(0); clockTick(1); clockTick(2); clockTick(3); printf("tick\n"))
  od
}

init {
  atomic {
    savedHolder = 0;
    run gateway(0); run gateway(1); run faults(); run clock()
  }
}
