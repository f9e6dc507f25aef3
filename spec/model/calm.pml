/*
 * Included by quorum3.pml with LIVE: what follows when faults stop, in any state that the hosts can have come to.
 *
 * From some moment on all words arrive within the tick in which they are said, all that was under way is lost (WITHDRAW
 * and RELEASED, too), and nobody starts anew; one of the gateways may be dead from then on. In each tick every live
 * host does what its rules say, A first: that is the order of the claim slots.
 * Property: within CALM ticks somebody is active, and the same host is in every tick after that.
 */
#define CALM (2 * P + 3)
#define WATCHED 5

bool activeAgain = true, sameStays = true;
byte calmTicks;
byte dead = NOBODY, master = NOBODY;
byte h1, v1;

#define alive(h) ((h) != dead)
/* Another live gateway serves; another live one claims in a higher term. With two gateways there is one other. */
#define other(h) (1 - (h))
#define otherServes(h) (alive(other(h)) && phase[other(h)] == holds && active(other(h)))
#define otherClaims(h) (alive(other(h)) && phase[other(h)] == holds && !active(other(h)))

inline tellEnded(h) {
  v1 = 0;
  do
  :: v1 < HOSTS -> if :: alive(v1) && v1 != h -> freed(v1, ownTerm[h]) :: else fi; v1++
  :: else -> break
  od
}

/* CLAIM or STATUS to all, their answers, and OBJECT from who refuses for a higher term. */
inline askAll(h) {
#ifndef BROKEN_NO_RECLAIM
  n = 0; i = 0;
  do
  :: i < HOSTS ->
     if
     :: alive(i) && objects(i, h) && numberOf(voterTerm[i]) > n -> n = numberOf(voterTerm[i])
     :: else
     fi;
     i++
  :: else -> break
  od;
  if
  :: n > 0 -> nextTerm(h, n); ownTerm[h] = newTerm; highestNumber[h] = numberOf(newTerm);
     printf("%c goes on in term %d/%c\n", 65 + h, numberOf(newTerm), 65 + h)
  :: else
  fi;
#endif
  voteForOneself(h, ownTerm[h]);
  v1 = 0;
  do
  :: v1 < HOSTS ->
     if
     :: alive(v1) && v1 != h ->
        promise(v1, ownTerm[h]);
        if :: promised -> printf("%c promises term %d/%c\n", 65 + v1, numberOf(ownTerm[h]), 65 + h); answered(h, v1, 0) :: else fi
     :: else
     fi;
     v1++
  :: else -> break
  od;
  openGate(h)
}

/* One live gateway's doings in one tick. */
inline act(h) {
  if
  :: phase[h] == shutting -> tellEnded(h); gateShut(h)
  :: phase[h] == idle && active(h) -> gateLeft[h] = 0
  :: phase[h] == holds && !rightRuns(h) && (otherServes(h) || (otherClaims(h) && ownTerm[other(h)] > ownTerm[h])) ->
     printf("%c withdraws\n", 65 + h); giveUp(h)
  :: phase[h] == holds && !(!rightRuns(h) && (otherServes(h) || (otherClaims(h) && ownTerm[other(h)] > ownTerm[h]))) ->
     askAll(h)
  :: phase[h] == idle && !active(h) && !bound(h, h) && !otherServes(h) && !otherClaims(h) ->
     nextTerm(h, 0); ownTerm[h] = newTerm; highestNumber[h] = numberOf(newTerm); phase[h] = holds;
     printf("%c claims term %d/%c\n", 65 + h, numberOf(newTerm), 65 + h);
     askAll(h)
  :: else
  fi
}

inline calmTick() {
  tick();
  h1 = 0;
  do
  :: h1 < 2 -> if :: alive(h1) -> act(h1) :: else fi; h1++
  :: else -> break
  od;
  calmTicks++;
  h1 = NOBODY;
  if :: alive(0) && active(0) -> h1 = 0 :: else fi;
  if :: alive(1) && active(1) -> h1 = 1 :: else fi;
  sameStays = (master == NOBODY || h1 == master);
  if :: !sameStays -> printf("violated: the master does not stay\n") :: else fi;
  assert(sameStays);
  if :: calmTicks >= CALM -> master = h1 :: else fi;
  activeAgain = (calmTicks < CALM || master != NOBODY);
  if :: !activeAgain -> printf("violated: nobody serves %d ticks after the last fault\n", CALM) :: else fi;
  assert(activeAgain);
  h1 = 0; v1 = 0
}

proctype faultsEnd() {
  if
  :: atomic { !calm ->
     calm = true;
     if :: dead = NOBODY :: dead = 0 :: dead = 1 fi;
     printf("no more faults; dead is %d of A, B (3: none)\n", dead);
     d_step {
       i = 0;
       do :: i < HOSTS * HOSTS -> answers[i] = 0; i++ :: else -> break od;
       i = 0;
       do :: i < HOSTS -> ended[i] = 0; endedBefore[i] = false; i++ :: else -> break od;
       i = 0
     } }
  fi;
  do
  :: step(calm && calmTicks < CALM + WATCHED, calmTick())
  :: calmTicks >= CALM + WATCHED -> break
  od
}
