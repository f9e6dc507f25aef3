/*
 * A cluster of two gateways (A, B) that run host.pml, under `available`, or with -DQUORUM and a witness (C) under `quorum`, votes and leases
 * by voter.pml. What it covers and leaves out: cluster.md.
 *
 * Time is discrete: one tick is a word's longest way. In each tick both hosts have one turn, in either order: they hear what was said,
 * see what their procedures did, and serve the timers that are due. What a turn orders is done by the next one; the gate obeys at once.
 *
 * Faults: FAULTS of those in the mask WHICH strike, each at any tick; NOISE words in all are lost, doubled or late by another tick. HEAL: at any
 * later tick all faults end, the dead start again or stay away, and no more faults come. -DBROKEN_x takes one rule away.
 * ALONE (with QUORUM): alone = "serve" (R27); WATCH_ALONE: how long a master that is left alone may be shut.
 */
#ifdef QUORUM
#define HOSTS 3
#else
#define HOSTS 2
#endif
#define NHOSTS 2
#define NP 1
/* Ticks: interval, slack, probe time-out, claim slot, conflict window, lease, promise, uplink limit, pause after a trial, hold-down. */
#define I 2
#define J 1
#ifndef RTO
#define RTO 2                        /* a word there and back */
#endif
#define W 1
#ifndef WINDOW
#define WINDOW 2
#endif
#define L 5
#ifndef P
#define P 6
#endif
#define UPLINK_LIMIT 4
#define SEEK_LIMIT 8
#define PAUSE 4
#ifndef HOLD
#define HOLD 3
#endif
#define LONG (2 * P)
#ifndef FAULTS
#define FAULTS 1
#endif
#ifndef NOISE
#define NOISE 0
#endif
#ifndef WHICH
#define WHICH 65535
#endif
/* Whether activateService is the built-in one (R11). */
#ifndef EARLY
#define EARLY true
#endif
/* Whether the two gateways are all members: who claims waits for no objection then (R10). */
#ifndef TWO
#define TWO (HOSTS == 2)
#endif
/* From the heal on: within so many ticks exactly one host serves, and it stays. */
#ifndef CALM_BOUND
#define CALM_BOUND 60
#endif
/* Both may serve for so long while some way between them carries words: one word's way, and the turns' order. */
#ifndef OVERLAP
#define OVERLAP 2
#endif

#ifdef QUORUM
#include "voter.pml"
#ifdef ALONE
byte ownLeft[2];
byte sinceOther[2];                  /* ticks since any word of the other gateway was heard */
#define RIGHT(h)       (H[h].forced -> ownLeft[h] > 0 : rightRuns(h))
#define RENEW_OWN(h)   ownLeft[h] = L; g.right = true; g.grown = true
#define DROP_RIGHT(h)  noRight(h); ownLeft[h] = 0
#define asksVoters(h)  true
#else
#define RIGHT(h)       rightRuns(h)
#define RENEW_OWN(h)   skip
#define DROP_RIGHT(h)  noRight(h)
#define asksVoters(h)  !H[h].forced
#endif
#define BY_VOTES(h)    skip
#define MAJ(h)         majorityRuns(h)
#define BOUND(h)       bound(h, h)
#define LEND(h)        lentLeft[h] = rest[1 - h]
#else
byte ownLeft[2];
#define RIGHT(h)       (ownLeft[h] > 0)
#define MAJ(h)         false
#define BOUND(h)       false
#define RENEW_OWN(h)   ownLeft[h] = L; g.grown = true
#define DROP_RIGHT(h)  ownLeft[h] = 0
#define BY_VOTES(h)    skip
#define LEND(h)        skip
#endif
#ifdef QUORUM
#define AVAILABLE false
#else
#define AVAILABLE true
#endif
byte taken;
bool moved, paused;
#define FIRED(t)       moved = true; taken = t; if :: (t) == 38 -> paused = true :: else fi
/* Guards of host.pml with a rule taken away. */
#ifdef BROKEN_NO_DOWNLINK_CHECK
#define MAY_CLAIM      (S.rested && VOTE_FREE && !(S.rival != 0 && S.rivalFresh) && (FREE || S.unanswered >= NP))
#endif
#ifdef BROKEN_HOLD_FORBIDS
#define FIT            (!S.standby && !S.stopping && S.sound && S.place > INIT_LINKING && !S.held)
#endif
#ifdef BROKEN_SIGN_FOR_EVER
#define SIGN_OVER      false
#endif
#include "host.pml"

/* ---- the world ---- */
#define GOOD 0
#define MUTE 1                       /* the frames vanish, the carrier stays */
#define CUT  2
byte lan[2], wan[2];                 /* each host's ports */
byte splitLan, splitWan;             /* between the hosts: 0 whole, 1 cluster words are lost, 2 all frames */
byte oneWay;                         /* the cluster words of this host, plus 1, are lost on the downlink */
bool noHop[2];                       /* nobody beyond this host's uplink answers */
bool broken[2];                      /* its rules were flushed */
bool liar;                           /* somebody answers for the roving addresses */
bool lonely;                         /* no host outside the cluster */
#define UP   0
#define DEAD 1                       /* the process; the kernel goes on */
#define OFF  2
byte life[2];
bool frozen[2], stale[2];
bool raised[2], talks[2], addresses[2];
byte gateLeft[2];
byte faults = FAULTS, noise = NOISE;
bool calm;
byte wanted[2];                      /* a start or an order, for the next turn */
bool begun;

#define activeHost(h)  (addresses[h] && gateLeft[h] > 0)
#define onLan(h)       (lan[h] == GOOD && life[h] != OFF)
#define onWan(h)       (wan[h] == GOOD && raised[h] && life[h] != OFF)
#define actsLan(h)     (activeHost(h) && onLan(h))
#define actsWan(h)     (activeHost(h) && onWan(h))
#define servedBy(h)    (activeHost(h) && onLan(h) && onWan(h) && !broken[h] && !noHop[h])
#define wordsLan       (onLan(0) && onLan(1) && splitLan == 0)
#define wordsWan       (onWan(0) && onWan(1) && splitWan == 0)
#ifdef BROKEN_NO_UPLINK_WORDS
#define talking        false
#else
#define talking        (talks[0] && talks[1])
#endif
#define answeredLan(h) (onLan(h) && (liar || (actsLan(1 - h) && splitLan != 2)))
#define answeredWan(h) (onWan(h) && (liar || (actsWan(1 - h) && splitWan != 2)))

/* ---- words and orders under way, by receiver ---- */
int inbox[2], viaLan[2], late1[2];   /* bit e - 3 for event e; which of them came over the downlink; late by one more tick */
byte said1[2], saidKnown[2], saidTo[2]; /* with the sender's last words: its term, the term it knows, RELEASED's successor */
#define bit(e)         (1 << ((e) - 3))
int ripe[2], ordered[2];             /* procedures that end in this turn, in the next */
#ifdef QUORUM
byte answers[2], refusals[2];        /* bit v: voter v's answer, its objection (its term: `toldTerm`) */
byte toldTerm[2];
byte asked[2];                       /* ticks since the oldest request that may still be answered was sent */
bool asksWitness[2], tellsWitness[2];/* STATUS or CLAIM, RELEASED or WITHDRAW on its way to C */
byte rest[2];                        /* what RELEASED lends */
byte mine, heir;
bool noWitness;                      /* C has no power */
byte leftAlone, sinceLeft;           /* the master, plus 1, that no other host was left beside; ticks since then, up to WATCH_ALONE */
#define toWitness(h) (asksWitness[h] || tellsWitness[h])
#else
#define toWitness(h) false
#endif

/* ---- clocks: ticks since ... ---- */
byte inPlace[2], sinceHeard[2], sinceRival[2], sinceAdvert[2], sinceClaim[2], sinceSuspect[2], sinceDown[2];
byte toRest[2], toHold[2], toTrial[2];
bool objected[2], blamed1[2], elsewhere[2], lanHeard[2], odd;

/* ---- properties ---- */
bool uplinkOnlyWhenTaking = true, claimsOnlyConfirmed = true, givenUpIsShut = true, neverTwoInOneTerm = true;
bool goesOn = true, obeysMasters = true, neverTwoActive = true, overlapEnds = true, oneMaster = true, stays = true;
byte overlap, quiet;
byte calmTicks, chosen = 2;
bool confirmedNow[2];

byte me, o, e, k, first, both, turn, before, wasSuspect;
int bits;

/* For the traces: the row that was taken and where the host is now. */
inline narrate(h) {
  if
  :: moved ->
     printf("%c, number %d: T%d, now in ", 65 + h, NUM(S.term), taken);
     if
     :: S.place == 0 -> printf("init.cleaning\n")
     :: S.place == 1 -> printf("init.linking\n")
     :: S.place == 2 -> printf("decide.listening\n")
     :: S.place == 3 -> printf("decide.electing\n")
     :: S.place == 4 -> printf("backup.watching\n")
     :: S.place == 5 -> printf("backup.suspecting\n")
     :: S.place == 6 -> printf("handover.claiming\n")
     :: S.place == 7 -> printf("handover.raising\n")
     :: S.place == 8 -> printf("handover.listening\n")
     :: S.place == 9 -> printf("handover.waiting\n")
     :: S.place == 10 -> printf("handover.preparing\n")
     :: S.place == 11 -> printf("handover.releasing\n")
     :: S.place == 12 -> printf("handover.opening\n")
     :: S.place == 13 -> printf("handover.withdrawing\n")
     :: S.place == 14 -> printf("service.serving\n")
     :: S.place == 15 -> printf("service.seeking\n")
     :: S.place == 16 -> printf("service.shutting\n")
     :: S.place == 17 -> printf("service.suspended\n")
     :: S.place == 18 -> printf("service.releasing\n")
     fi
  :: else
  fi
}

/* Words leave for the other host over every way that carries. */
inline post(event) {
  if
  :: (wordsLan && oneWay != 2 - o) || (wordsWan && talking) ->       /* the speaker is 1 - o */
     inbox[o] = inbox[o] | bit(event);
     if :: wordsLan && oneWay != 2 - o -> viaLan[o] = viaLan[o] | bit(event) :: else fi
  :: else
  fi
}
inline speak(h) {
  said1[h] = S.term; saidKnown[h] = S.known; saidTo[h] = S.handTo;
  if :: (said & (S_CLAIM | S_CLAIM_BACK)) != 0 -> post(E_CLAIM) :: else fi;
  if
  :: (said & S_STATUS) != 0 && AT(SERVICE_SUSPENDED) -> post(E_STATUS_SUSPENDED)
  :: (said & S_STATUS) != 0 && !AT(SERVICE_SUSPENDED) && S.place >= SERVICE_SERVING -> post(E_STATUS)
  :: (said & S_STATUS) != 0 && S.place < SERVICE_SERVING -> post(E_STATUS_HANDOVER)
  :: else
  fi;
  if
  :: (said & S_PROBE) != 0 && (S.suspect -> S.downSince : S.down) -> post(E_PROBE_BLAME)
  :: (said & S_PROBE) != 0 && !(S.suspect -> S.downSince : S.down) -> post(E_PROBE)
  :: else
  fi;
  if
  :: (said & S_PROBED) != 0 && SERVING && RIGHT(h) -> post(E_PROBED_SERVING)
  :: (said & S_PROBED) != 0 && S.place >= HANDOVER_CLAIMING && S.place <= HANDOVER_WITHDRAWING -> post(E_PROBED_HANDOVER)
  :: else
  fi;
  if
  :: (said & S_OBJECT) != 0 && IN_SERVICE -> post(E_OBJECT_SERVING)
  :: (said & S_OBJECT) != 0 && !IN_SERVICE -> post(E_OBJECT_HEARING)
  :: else
  fi;
  if :: (said & S_RELEASE) != 0 -> post(E_RELEASE) :: else fi;
  if :: (said & S_RELEASED) != 0 -> post(E_RELEASED) :: else fi;
  if :: (said & S_READY) != 0 -> post(E_READY) :: else fi;
  if :: (said & S_HANDOVER) != 0 -> post(E_HANDOVER) :: else fi;
  if :: (said & S_WITHDRAW) != 0 -> post(E_WITHDRAW) :: else fi;
#ifdef QUORUM
  if
  :: (said & (S_CLAIM | S_STATUS)) != 0 && S.term != 0 && asksVoters(h) ->
     if :: answers[h] == 0 -> asked[h] = 0 :: else fi;
     mine = S.term; voteForOneself(h, mine);
     if :: onLan(h) -> asksWitness[h] = true :: else fi
  :: else
  fi;
  if
  :: (said & (S_RELEASED | S_WITHDRAW)) != 0 && S.stage != 0 ->
     mine = S.term; heir = S.handTo;
     if :: heir == 0 -> freed(h, mine) :: else -> heir--; ownVotePassedOn(h, mine, heir) fi;
     if :: onLan(h) -> tellsWitness[h] = true :: else fi
  :: else
  fi;
  mine = 0; heir = 0; clearResults();
#endif
  /* R15, R16: whoever says that it let go has its gate shut. */
  givenUpIsShut = ((said & S_RELEASED) == 0 && !((said & S_WITHDRAW) != 0 && S.stage != 0)) || !activeHost(h);
  if :: !givenUpIsShut -> printf("violated: %c says that it let go, and is active\n", 65 + h) :: else fi;
  assert(givenUpIsShut)
}
inline obey(h) {
  if
  :: (done & D_GATE_SHUT) != 0 ->
#ifndef BROKEN_GATE_STAYS
     gateLeft[h] = 0;
#endif
     ripe[h] = (ripe[h] | D_GATE_SHUT) & ~D_GATE_OPEN
  :: else
  fi;
  if
  :: (done & D_GATE_OPEN) != 0 ->
#ifdef QUORUM
     majority(h); gateLeft[h] = MAX(majorityLeft, lentLeft[h]); clearResults();
#ifdef ALONE
     if :: S.forced -> gateLeft[h] = ownLeft[h] :: else fi;
#endif
#else
     gateLeft[h] = ownLeft[h];
#endif
     ripe[h] = (ripe[h] | D_GATE_OPEN) & ~D_GATE_SHUT
  :: else
  fi;
  if :: (done & D_TALK) != 0 -> talks[h] = true :: else fi;
  if :: (done & D_HUSH) != 0 -> talks[h] = false :: else fi;
  ordered[h] = ordered[h] | (done & (D_RAISE | D_LOWER | D_SERVICE_UP | D_SERVICE_OFF | D_CHECK_DOWN | D_CHECK_UP | D_CHECK_LOCAL | D_CHECK_REMOTE | D_ASK_DOWN | D_ASK_UP))
}

#ifdef BROKEN_UPLINK_LEFT_UP         /* confirmed without being read back */
#define LEFT_UP true
#else
#define LEFT_UP false
#endif
/* What a procedure's end looks like; the order is what `ripe` has as its lowest bit. */
inline procedureEnds(h) {
  e = 0;
  if
  :: (ripe[h] & D_GATE_SHUT) != 0 -> k = D_GATE_SHUT; e = E_GATE_SHUT
  :: else -> if
  :: (ripe[h] & D_GATE_OPEN) != 0 -> k = D_GATE_OPEN; e = E_GATE_OPEN
  :: else -> if
  :: (ripe[h] & D_RAISE) != 0 -> k = D_RAISE; raised[h] = true; e = E_UPLINK_RAISED
  :: else -> if
  :: (ripe[h] & D_LOWER) != 0 -> k = D_LOWER; raised[h] = LEFT_UP; e = E_OFF_CONFIRMED
  :: else -> if
  :: (ripe[h] & D_SERVICE_UP) != 0 -> k = D_SERVICE_UP; addresses[h] = true; e = E_SERVICE_UP
  :: else -> if
  :: (ripe[h] & D_SERVICE_OFF) != 0 -> k = D_SERVICE_OFF; addresses[h] = false; broken[h] = false; e = E_OFF_CONFIRMED
  :: else -> if
  :: (ripe[h] & D_CHECK_DOWN) != 0 -> k = D_CHECK_DOWN;
     e = (lan[h] == CUT -> E_DOWN_REFUTED : (lan[h] == MUTE || lonely -> E_DOWN_LOST : E_DOWN_CONFIRMED));
     confirmedNow[h] = (e == E_DOWN_CONFIRMED);
     if :: e == E_DOWN_CONFIRMED -> sinceDown[h] = 0 :: else fi
  :: else -> if
  :: (ripe[h] & D_CHECK_UP) != 0 -> k = D_CHECK_UP; e = (onWan(h) && !noHop[h] -> E_UP_CONFIRMED : E_UP_FAILED)
  :: else -> if
  :: (ripe[h] & D_CHECK_LOCAL) != 0 -> k = 0; ripe[h] = ripe[h] - D_CHECK_LOCAL; e = (addresses[h] && !broken[h] -> E_LOCAL_CONFIRMED : E_LOCAL_FAILED)
  :: else -> if
  :: (ripe[h] & D_CHECK_REMOTE) != 0 -> k = 0; ripe[h] = ripe[h] - D_CHECK_REMOTE; e = (answeredLan(h) -> E_REMOTE_CONFIRMED : E_REMOTE_FAILED)
  :: else -> if
  :: (ripe[h] & D_ASK_DOWN) != 0 -> k = 0; ripe[h] = ripe[h] - D_ASK_DOWN; e = (answeredLan(h) -> E_ADDR_DOWN_ANSWER : E_ADDR_DOWN_QUIET)
  :: else -> if
  :: (ripe[h] & D_ASK_UP) != 0 -> k = 0; ripe[h] = ripe[h] - D_ASK_UP; e = (answeredWan(h) -> E_ADDR_UP_ANSWER : E_ADDR_UP_QUIET)
  :: else -> k = 0
  fi fi fi fi fi fi fi fi fi fi fi fi;
  ripe[h] = ripe[h] & ~k; k = 0
}

/* The next timer after number `turn` that is due; e = 0 when none is. */
inline timerDue(h) {
  e = 0;
  do
  :: e == 0 && turn < 13 ->
     turn++;
     if
     :: turn == 1 && ((AT(HANDOVER_RAISING) || AT(HANDOVER_PREPARING)) && inPlace[h] >= UPLINK_LIMIT || AT(HANDOVER_OPENING) && inPlace[h] >= P || AT(HANDOVER_CLAIMING) && inPlace[h] >= LONG - 1
          || AT(HANDOVER_RELEASING) && inPlace[h] >= P
          || AT(SERVICE_SUSPENDED) && inPlace[h] >= LONG - 1 || AT(SERVICE_SEEKING) && inPlace[h] >= SEEK_LIMIT) -> e = E_T_STEP
     :: turn == 2 && AT(BACKUP_WATCHING) && sinceHeard[h] >= I + J -> e = E_T_SILENCE
     :: turn == 3 && AT(DECIDE_LISTENING) && S.rested && inPlace[h] >= 2 * I + RTO -> e = E_T_LISTEN
     :: turn == 4 && inPlace[h] > 0 && inPlace[h] % RTO == 0 && (SEARCHING || AT(DECIDE_LISTENING) || AT(HANDOVER_RAISING) || AT(HANDOVER_LISTENING)
          || AT(HANDOVER_WAITING) || AT(HANDOVER_PREPARING) || AT(HANDOVER_OPENING)) -> e = E_T_PROBE
     :: turn == 5 && (SEARCHING || AT(HANDOVER_CLAIMING) && sinceClaim[h] >= (objected[h] -> P : W)) -> e = E_T_CLAIM;
        if :: AT(HANDOVER_CLAIMING) -> S.due = true :: else fi
     :: turn == 6 && (AT(HANDOVER_LISTENING) && inPlace[h] >= WINDOW && !S.windowOver
          || AT(HANDOVER_WAITING) && inPlace[h] >= P
          || AVAIL && AT(SERVICE_SUSPENDED) && inPlace[h] >= WINDOW && !(S.suspect && S.windowOver)) ->
        e = E_T_WINDOW
     :: turn == 7 && AVAIL && SERVING -> e = E_T_RENEW
     :: turn == 8 && (IN_SERVICE || S.attempt && !PLANNED && S.place >= HANDOVER_RAISING) && sinceAdvert[h] >= I -> e = E_T_ADVERT; sinceAdvert[h] = 0
     :: turn == 9 && AT(HANDOVER_CLAIMING) && inPlace[h] > 0 && inPlace[h] % RTO == 0 -> e = E_T_RETRY
     :: turn == 10 && inPlace[h] > 0 && inPlace[h] % RTO == 0 && (S.stage != 0 && S.copies < 3 && S.stage != GATE_STAGE || AT(SERVICE_SEEKING) || AT(HANDOVER_RELEASING)) -> e = E_T_REPEAT
     :: turn == 11 && AT(SERVICE_SERVING) && (S.uplinkBad || S.standby || S.stopping) && toTrial[h] == 0 -> e = E_T_TRIAL
     :: turn == 12 && odd && S.place >= INIT_LINKING -> e = E_T_CHECKS
     :: else
     fi
  :: else -> break
  od
}

/* The next thing that happens in me's turn: words first, then ends of procedures, then timers. `bits`: words still to be looked at. */
inline next(h) {
  o = 1 - h; e = 0; from = o; mt = 0; succ = 0; k = 0;
  g.evidence = false;
  if
  :: !begun -> begun = true; e = E_NONE
  :: begun && wanted[h] != 0 -> e = wanted[h]; wanted[h] = 0
  :: else
  fi;
#ifdef QUORUM
  if
  :: e == 0 && answers[h] != 0 ->
     k = (answers[h] % 2 == 1 -> 0 : ((answers[h] / 2) % 2 == 1 -> 1 : 2));
     answers[h] = answers[h] - (1 << k); answered(h, k, asked[h]); from = k; mt = S.term; e = E_ANSWER
  :: else -> if
  :: e == 0 && refusals[h] != 0 -> k = (refusals[h] % 2 == 1 -> 0 : ((refusals[h] / 2) % 2 == 1 -> 1 : 2));
     refusals[h] = refusals[h] - (1 << k); from = k; mt = toldTerm[h]; e = E_OBJECT_PROMISE
  :: else -> skip
  fi fi;
  k = 0;
#endif
  if
  :: e == 0 && bits != 0 ->
     e = 3;
     do :: (bits & bit(e)) == 0 -> e++ :: else -> break od;
     bits = bits - bit(e);
#ifdef ALONE
     sinceOther[h] = 0;
#endif
     mt = (e == E_OBJECT_SERVING || e == E_OBJECT_HEARING || e == E_HANDOVER -> saidKnown[o] : said1[o]);
     succ = saidTo[o];
     if :: e == E_RELEASED && mt == 0 -> mt = saidKnown[o] :: else fi;
     if :: e == E_WITHDRAW && mt == 0 -> mt = TERM(NUM(S.known) + 1, o) :: else fi;
     g.evidence = (viaLan[h] & bit(e)) != 0 || (e != E_STATUS && e != E_RELEASE && sinceDown[o] < sinceSuspect[h]);
     if
     :: (viaLan[h] & bit(e)) != 0 -> lanHeard[h] = true; elsewhere[h] = false; blamed1[h] = false
     :: else -> elsewhere[h] = true;
        if :: e == E_PROBE_BLAME || e == E_CLAIM || e == E_RELEASE -> blamed1[h] = true :: else fi
     fi;
     viaLan[h] = viaLan[h] & ~bit(e);
#ifdef BROKEN_CLAIM_DEMOTES
     if :: e == E_CLAIM && IN_SERVICE && mt > S.term -> e = E_STATUS :: else fi;
#endif
#ifdef QUORUM
     g.promised = false;
     if
     :: e == E_STATUS || e == E_STATUS_SUSPENDED || e == E_STATUS_HANDOVER || e == E_CLAIM ->
        promise(h, mt); g.promised = promised; heardNumber(h, NUM(mt));
        if :: promised -> answers[o] = answers[o] | (1 << h) :: else -> refusals[o] = refusals[o] | (1 << h); toldTerm[o] = voterTerm[h] fi
     :: e == E_RELEASED && succ == 0 || e == E_WITHDRAW -> freed(h, mt)
     :: e == E_RELEASED && succ != 0 -> heir = succ - 1; passedOn(h, mt, heir); heir = 0
     :: else
     fi;
     clearResults();
#endif
  :: else
  fi;
  if :: e == 0 -> procedureEnds(h) :: else fi;
  if :: e == 0 && bits == 0 -> timerDue(h) :: else fi
}

/* One event at host h, with what time and world say. */
inline happens(h) {
  o = 1 - h; ev = e; taken = 0; before = S.place; wasSuspect = S.suspect; moved = false; paused = false; heardNow = false;
  g.right = RIGHT(h); g.maj = MAJ(h); g.grown = true; g.bound = false; g.renewed = false; g.slot = true; g.trustHeld = false;
  g.sinceP = sinceSuspect[h] >= P; g.claimP = sinceClaim[h] >= P; g.limitOver = false; g.began = true; g.risen = true; g.fallen = true;
  g.match = true; g.lent = true; g.early = EARLY; g.two = TWO && S.known != 0 && HOST(S.known) != h;
  g.blamed = blamed1[h] && elsewhere[h];
  g.disputed = false; g.counts = false; g.pausing = toTrial[h] > 0; g.better = false; g.stalled = stale[h]; stale[h] = false;
  g.candidate = (S.trialTo == 0 && life[o] == UP && H[o].sound && H[o].place >= BACKUP_WATCHING && H[o].place <= BACKUP_SUSPECTING -> o + 1 : 0);
  if :: ev == E_OBJECT_HEARING && AT(HANDOVER_CLAIMING) -> objected[h] = true :: else fi;
  g.alone = false;
#ifdef ALONE
  g.alone = sinceOther[h] >= P;
#endif
  available = AVAILABLE
}
inline happened(h) {
  if :: heardNow || ev == E_RELEASED && S.fresh || ev == E_STARTED || moved && S.place >= SERVICE_SERVING -> sinceHeard[h] = 0 :: else fi;
  if :: ev == E_CLAIM || ev == E_STATUS_HANDOVER || ev == E_PROBED_HANDOVER -> sinceRival[h] = 0 :: else fi;
  if :: S.place != before || moved -> inPlace[h] = 0; turn = 0 :: else fi;
  if :: moved && before == SERVICE_RELEASING -> sinceHeard[h] = 0 :: else fi;
  if :: S.suspect && (!wasSuspect || moved) || g.stalled && S.suspect -> sinceSuspect[h] = 0; confirmedNow[h] = false :: else fi;
  /* R13: only a host that serves in a higher term makes a master release; a claim never does. */
  obeysMasters = !(moved && taken == 43 && (before == SERVICE_SERVING || before == SERVICE_SEEKING)) || H[o].place >= SERVICE_SERVING || life[o] != UP || S.forced;   /* R13: a forced one lets go on a RELEASE */
  if :: !obeysMasters -> printf("violated: %c lets go, and the other host does not serve\n", 65 + h) :: else fi;
  assert(obeysMasters);
  if
  :: moved && AT(HANDOVER_CLAIMING) ->
     sinceClaim[h] = 0; objected[h] = false;
     claimsOnlyConfirmed = confirmedNow[h] || S.forced;
     if :: !claimsOnlyConfirmed -> printf("violated: %c claims, and its downlink was not confirmed since the silence\n", 65 + h) :: else fi;
     assert(claimsOnlyConfirmed)
  :: moved && AT(HANDOVER_RAISING) && PLANNED -> sinceClaim[h] = 0; sinceSuspect[h] = 0
  :: else
  fi;
  if :: moved && AT(HANDOVER_RAISING) || moved && AT(SERVICE_SERVING) || moved && AT(SERVICE_SUSPENDED) -> sinceAdvert[h] = 0 :: else fi;
  if :: !S.rested && (toRest[h] == 0 || moved && AT(SERVICE_RELEASING)) -> toRest[h] = P :: else fi;
  if :: S.held && moved && AT(HANDOVER_WITHDRAWING) -> toHold[h] = HOLD :: else fi;
  if :: paused -> toTrial[h] = PAUSE :: else fi;
#ifdef QUORUM
  if :: AT(SERVICE_SHUTTING) && moved -> majority(h); rest[h] = MAX(majorityLeft, lentLeft[h]); clearResults() :: else fi;
#endif
  narrate(h);
  speak(h); obey(h);
  said = 0; done = 0; why = 0; phase = 0; row = 0; ev = 0; from = 0; mt = 0; succ = 0; heardNow = false; moved = false; taken = 0; before = 0; wasSuspect = 0;
  g.right = false; g.maj = false; g.grown = false; g.bound = false; g.renewed = false; g.slot = false; g.sinceP = false; g.claimP = false;
  g.began = false; g.risen = false; g.fallen = false; g.match = false; g.lent = false; g.early = false; g.two = false; g.blamed = false; g.pausing = false; g.stalled = false;
  g.candidate = 0; g.evidence = false; g.promised = false; o = 0; k = 0; e = 0;
  /* An uplink is up only in Handover and Service, but for what a dead process left behind. */
  uplinkOnlyWhenTaking = !raised[h] || S.place >= HANDOVER_CLAIMING || AT(INIT_CLEANING);
  if :: !uplinkOnlyWhenTaking -> printf("violated: the uplink of %c is up, and it is neither in Handover nor in Service\n", 65 + h) :: else fi;
  assert(uplinkOnlyWhenTaking)
}

/* me's turn. */
inline takeTurn() {
  if
  :: life[me] == UP && !frozen[me] ->
     d_step {
       bits = inbox[me]; inbox[me] = late1[me]; late1[me] = 0; turn = 0;
       ripe[me] = ripe[me] | ordered[me]; ordered[me] = 0; e = 0
     }
     if
     :: bits != 0 && noise > 0 ->                                    /* a word is lost, late, or doubled */
        if
        :: skip
        :: k = 0;
           do
           :: k < 19 && (bits & (1 << k)) != 0 ->
              if
              :: noise--; bits = bits - (1 << k); break
              :: noise--; bits = bits - (1 << k); inbox[me] = inbox[me] | (1 << k); break
              :: noise--; inbox[me] = inbox[me] | (1 << k); break
              :: k++
              fi
           :: k < 19 && (bits & (1 << k)) == 0 -> k++
           :: k >= 19 -> break
           od;
           k = 0
        fi
     :: else
     fi;
     /* First the own right, before any word leaves. Three steps, since Spin's d_step has its limits. */
     begun = false;
     do
     :: true -> d_step { next(me); if :: e != 0 -> happens(me) :: else fi };
        if
        :: e == 0 -> break
        :: else -> d_step { host_step(me) }; d_step { happened(me) }; skip
        fi
     od;
     skip;
     d_step { begun = false; turn = 0; bits = 0; k = 0; from = 0; o = 0; e = 0; succ = 0; mt = 0 }
  :: else
  fi
}

#ifdef QUORUM
inline witness() {
  k = 0;
  do
  :: k < 2 ->
     if
     :: asksWitness[k] -> asksWitness[k] = false;
        if
        :: said1[k] != 0 && HOST(said1[k]) == k && !noWitness ->
           mine = said1[k]; promise(2, mine);
           if :: promised -> if :: onLan(k) -> answers[k] = answers[k] | 4 :: else fi
              :: else -> refusals[k] = refusals[k] | 4; toldTerm[k] = voterTerm[2] fi
        :: else
        fi
     :: else
     fi;
     if
     :: tellsWitness[k] -> tellsWitness[k] = false;
        mine = said1[k]; heir = saidTo[k];
        if :: heir == 0 -> freed(2, mine) :: else -> heir--; passedOn(2, mine, heir) fi
     :: else
     fi;
     k++
  :: else -> break
  od;
  k = 0; mine = 0; heir = 0; clearResults()
}
#endif

#define grow(x, most) if :: x < (most) -> x++ :: else fi
#define shrink(x)     if :: x > 0 -> x-- :: else fi
inline age(h) {
#ifdef BROKEN_NO_KERNEL_LEASE
  if :: life[h] == UP && !frozen[h] -> shrink(gateLeft[h]) :: else fi;
#else
  shrink(gateLeft[h]);
#endif
#ifdef QUORUM
  clockTick(h); grow(asked[h], L);
#ifdef ALONE
  shrink(ownLeft[h]); grow(sinceOther[h], P);
#endif
#else
  shrink(ownLeft[h]);
#endif
  if :: inPlace[h] < LONG -> inPlace[h]++ :: else -> inPlace[h] = LONG - 1 fi;
  grow(sinceHeard[h], P); if :: sinceHeard[h] > I + J -> S.fresh = false :: else fi; if :: sinceHeard[h] >= P -> S.heardP = false :: else fi;
  grow(sinceRival[h], I + J + 1); if :: sinceRival[h] > I + J -> S.rivalFresh = false :: else fi;
  grow(sinceAdvert[h], I); grow(sinceClaim[h], P); grow(sinceSuspect[h], P); grow(sinceDown[h], P);
  if :: toRest[h] > 0 -> toRest[h]--; if :: toRest[h] == 0 -> S.rested = true :: else fi :: else fi;
  if :: toHold[h] > 0 -> toHold[h]--; if :: toHold[h] == 0 -> S.held = false :: else fi :: else fi;
  shrink(toTrial[h])
}

/* What is not looked at any more is forgotten, so that states that do the same are the same. */
inline forget(h) {
  if :: !S.suspect && !S.attempt -> sinceSuspect[h] = P :: else fi;
  if :: !S.attempt -> sinceClaim[h] = P; objected[h] = false :: else fi;
  if :: S.rival == 0 -> sinceRival[h] = I + J + 1 :: else fi;
  if :: !S.suspect -> confirmedNow[h] = false :: else fi;
  if :: !IN_SERVICE && !S.attempt -> sinceAdvert[h] = 0 :: else fi;
  if :: inbox[h] == 0 && late1[h] == 0 && !toWitness(1 - h) -> viaLan[h] = 0; said1[1 - h] = 0; saidKnown[1 - h] = 0; saidTo[1 - h] = 0 :: else fi;
  if :: !IN_SERVICE -> blamed1[h] = false; elsewhere[h] = false; toTrial[h] = 0 :: else fi;
  lanHeard[h] = false;
  if
  :: life[h] == OFF -> sinceHeard[h] = P; sinceDown[h] = P; inPlace[h] = 0; ripe[h] = 0; ordered[h] = 0; inbox[h] = 0; viaLan[h] = 0; toRest[h] = 0
  :: life[h] == DEAD -> sinceHeard[h] = P; sinceDown[h] = P; inPlace[h] = 0; ripe[h] = 0; ordered[h] = 0; inbox[h] = 0; viaLan[h] = 0
  :: else
  fi
}

/*
 * Only the order of term numbers matters, and which is the next one: gaps of more than two are squeezed to two, or else
 * repeated claims would make endlessly many states. `usesNumber(n)`, `usesAbove(n)`: of all that anybody remembers or says.
 */
#ifdef QUORUM
#define votesUse(n)   (NUM(voterTerm[0]) == (n) || NUM(voterTerm[1]) == (n) || NUM(voterTerm[2]) == (n) || NUM(toldTerm[0]) == (n) || NUM(toldTerm[1]) == (n) || highestNumber[0] == (n) || highestNumber[1] == (n))
#define votesAbove(n) (NUM(voterTerm[0]) > (n) || NUM(voterTerm[1]) > (n) || NUM(voterTerm[2]) > (n) || NUM(toldTerm[0]) > (n) || NUM(toldTerm[1]) > (n) || highestNumber[0] > (n) || highestNumber[1] > (n))
#else
#define votesUse(n)   false
#define votesAbove(n) false
#endif
#define usesNumber(n) (NUM(H[0].term) == (n) || NUM(H[1].term) == (n) || NUM(H[0].known) == (n) || NUM(H[1].known) == (n) || NUM(H[0].rival) == (n) || NUM(H[1].rival) == (n) || NUM(H[0].plannedBy) == (n) || NUM(H[1].plannedBy) == (n) || NUM(said1[0]) == (n) || NUM(said1[1]) == (n) || NUM(saidKnown[0]) == (n) || NUM(saidKnown[1]) == (n) || H[0].highest == (n) || H[1].highest == (n) || votesUse(n))
#define usesAbove(n)  (NUM(H[0].term) > (n) || NUM(H[1].term) > (n) || NUM(H[0].known) > (n) || NUM(H[1].known) > (n) || NUM(H[0].rival) > (n) || NUM(H[1].rival) > (n) || NUM(H[0].plannedBy) > (n) || NUM(H[1].plannedBy) > (n) || NUM(said1[0]) > (n) || NUM(said1[1]) > (n) || NUM(saidKnown[0]) > (n) || NUM(saidKnown[1]) > (n) || H[0].highest > (n) || H[1].highest > (n) || votesAbove(n))
inline squeeze() {
  k = 0;
  do
  :: k < 12 && !usesNumber(k + 1) && !usesNumber(k + 2) && usesAbove(k + 2) ->
#ifdef QUORUM
     if :: NUM(voterTerm[0]) > k + 2 -> voterTerm[0] = voterTerm[0] - HOSTS :: else fi;
     if :: NUM(voterTerm[1]) > k + 2 -> voterTerm[1] = voterTerm[1] - HOSTS :: else fi;
     if :: NUM(voterTerm[2]) > k + 2 -> voterTerm[2] = voterTerm[2] - HOSTS :: else fi;
     if :: NUM(toldTerm[0]) > k + 2 -> toldTerm[0] = toldTerm[0] - HOSTS :: else fi;
     if :: NUM(toldTerm[1]) > k + 2 -> toldTerm[1] = toldTerm[1] - HOSTS :: else fi;
     if :: highestNumber[0] > k + 2 -> highestNumber[0]-- :: else fi;
     if :: highestNumber[1] > k + 2 -> highestNumber[1]-- :: else fi;
#endif
     if :: NUM(H[0].term) > k + 2 -> H[0].term = H[0].term - HOSTS :: else fi;
     if :: NUM(H[1].term) > k + 2 -> H[1].term = H[1].term - HOSTS :: else fi;
     if :: NUM(H[0].known) > k + 2 -> H[0].known = H[0].known - HOSTS :: else fi;
     if :: NUM(H[1].known) > k + 2 -> H[1].known = H[1].known - HOSTS :: else fi;
     if :: NUM(H[0].rival) > k + 2 -> H[0].rival = H[0].rival - HOSTS :: else fi;
     if :: NUM(H[1].rival) > k + 2 -> H[1].rival = H[1].rival - HOSTS :: else fi;
     if :: NUM(H[0].plannedBy) > k + 2 -> H[0].plannedBy = H[0].plannedBy - HOSTS :: else fi;
     if :: NUM(H[1].plannedBy) > k + 2 -> H[1].plannedBy = H[1].plannedBy - HOSTS :: else fi;
     if :: NUM(said1[0]) > k + 2 -> said1[0] = said1[0] - HOSTS :: else fi;
     if :: NUM(said1[1]) > k + 2 -> said1[1] = said1[1] - HOSTS :: else fi;
     if :: NUM(saidKnown[0]) > k + 2 -> saidKnown[0] = saidKnown[0] - HOSTS :: else fi;
     if :: NUM(saidKnown[1]) > k + 2 -> saidKnown[1] = saidKnown[1] - HOSTS :: else fi;
     if :: H[0].highest > k + 2 -> H[0].highest-- :: else fi;
     if :: H[1].highest > k + 2 -> H[1].highest-- :: else fi;
     skip
  :: k < 12 && !(!usesNumber(k + 1) && !usesNumber(k + 2) && usesAbove(k + 2)) -> k++
  :: else -> break
  od;
  assert(!usesAbove(30)); k = 0
}

inline clearHost(h) {
  S.place = INIT_CLEANING; S.term = 0; S.known = 0; S.rival = 0; S.highest = 0; S.rel = NOT_SAID; S.fresh = false; S.heardP = false; S.rivalFresh = false;
  S.heard = false; S.rested = false; S.held = false; S.down = false; S.sound = false; S.suspect = false; S.downSince = false; S.sign = false; S.unanswered = 0;
  S.attempt = false; S.plannedBy = 0; S.granted = false; S.due = false; S.masterLives = false; S.letGo = false; S.pend = 0; S.answ = 0; S.prep = 0; S.windowOver = false;
  S.stage = 0; S.copies = 0; S.gate = false; S.forced = false; S.trialTo = 0; S.cause = 0; S.only = false; S.handTo = 0; S.uplinkBad = false;
  S.standby = false; S.stopping = false;
  inbox[h] = 0; viaLan[h] = 0; late1[h] = 0; ripe[h] = 0; ordered[h] = 0; talks[h] = false; toRest[h] = P; toHold[h] = 0; toTrial[h] = 0; inPlace[h] = 0;
  stale[h] = false; frozen[h] = false;
#ifdef QUORUM
#ifdef ALONE
  ownLeft[h] = 0; sinceOther[h] = P;
#endif
  noRight(h); abstain(h); answers[h] = 0; refusals[h] = 0; asked[h] = 0; highestNumber[h] = 0; asksWitness[h] = false; tellsWitness[h] = false; clearResults();
#else
  ownLeft[h] = 0;
#endif
}
inline start(h) { clearHost(h); life[h] = UP; sinceHeard[h] = P; wanted[h] = E_STARTED }

#define KILL     1
#define POWER    2
#define FREEZE   4
#define LAN_CUT  8
#define LAN_MUTE 16
#define WAN_CUT  32
#define WAN_MUTE 64
#define SPLIT_LAN 128
#define SPLIT_WAN 256
#define SPLIT_ALL 512
#define LIAR     1024
#define LONELY   2048
#define FLUSH    4096
#define ORDER    8192                /* the operator: hand over */
#define RESTART  16384
#define ONE_WAY  32768
#define WITNESS  65536
#define can(f) ((WHICH & (f)) != 0)
#define strikes(text, h) faults--; printf(text, 65 + h)

/* One fault, at one host or between them. */
inline fault() {
  if :: me = 0 :: me = 1 fi;
  if
  :: can(KILL) && life[me] == UP -> strikes("fault at %c: killed\n", me); life[me] = DEAD; talks[me] = false; d_step { clearHost(me); toRest[me] = 0 }
  :: can(POWER) && life[me] != OFF -> strikes("fault at %c: no power\n", me); life[me] = OFF; gateLeft[me] = 0; raised[me] = false; addresses[me] = false;
     d_step { clearHost(me); toRest[me] = 0 }
  :: can(RESTART) && life[me] == UP -> strikes("fault at %c: started again\n", me); d_step { start(me) }
  :: can(FREEZE) && life[me] == UP && !frozen[me] -> strikes("fault at %c: frozen\n", me); frozen[me] = true
  :: can(LAN_CUT) && lan[me] == GOOD -> strikes("fault at %c: downlink cut\n", me); lan[me] = CUT; ordered[me] = ordered[me] | D_CHECK_DOWN
  :: can(LAN_MUTE) && lan[me] == GOOD -> strikes("fault at %c: downlink mute\n", me); lan[me] = MUTE
  :: can(WAN_CUT) && wan[me] == GOOD -> strikes("fault at %c: uplink cut\n", me); wan[me] = CUT;
     if :: H[me].place >= SERVICE_SERVING -> ordered[me] = ordered[me] | D_CHECK_UP :: else fi
  :: can(WAN_MUTE) && wan[me] == GOOD -> strikes("fault at %c: uplink mute\n", me); wan[me] = MUTE
  :: can(SPLIT_LAN) && splitLan == 0 -> strikes("fault at %c: downlink split\n", me); if :: splitLan = 1 :: splitLan = 2 fi
  :: can(SPLIT_WAN) && splitWan == 0 -> strikes("fault at %c: uplink split\n", me); if :: splitWan = 1 :: splitWan = 2 fi
  :: can(SPLIT_ALL) && splitLan == 0 && splitWan == 0 -> strikes("fault at %c: split on both sides\n", me); if :: splitLan = 1; splitWan = 1 :: splitLan = 2; splitWan = 2 fi
  :: can(ONE_WAY) && oneWay == 0 -> strikes("fault at %c: its words on the downlink are lost\n", me); oneWay = me + 1
  :: can(LIAR) && !liar -> strikes("fault at %c: somebody answers for the addresses\n", me); liar = true
  :: can(LONELY) && !lonely -> strikes("fault at %c: no neighbour answers\n", me); lonely = true
  :: can(FLUSH) && addresses[me] && life[me] == UP && !broken[me] -> strikes("fault at %c: rules flushed\n", me); broken[me] = true
#ifdef QUORUM
  :: can(WITNESS) && !noWitness && me == 0 -> strikes("fault at %c: its witness has no power\n", me); noWitness = true
#endif
  :: can(ORDER) && life[me] == UP && !frozen[me] && H[me].place == SERVICE_SERVING -> strikes("fault at %c: ordered to hand over\n", me);
     wanted[me] = E_OP_HANDOVER
  :: else -> skip
  fi;
#ifdef WATCH_ALONE
  if
  :: leftAlone == 0 && noWitness && life[1] == OFF && H[0].place == SERVICE_SERVING -> leftAlone = 1
  :: leftAlone == 0 && noWitness && life[0] == OFF && H[1].place == SERVICE_SERVING -> leftAlone = 2
  :: else
  fi;
#endif
  me = 0
}
/* The end of all faults: the dead start again, but one that may stay away while the other lives. */
inline heal() {
  printf("all faults end\n");
  calm = true; faults = 0; noise = 0;
  lan[0] = GOOD; lan[1] = GOOD; wan[0] = GOOD; wan[1] = GOOD; splitLan = 0; splitWan = 0; liar = false; lonely = false;
#ifdef QUORUM
  leftAlone = 0; sinceLeft = 0;
  if :: noWitness -> noWitness = false; abstain(2); clearResults() :: else fi;
#endif
  me = 0;
  do
  :: me < 2 ->
     if :: frozen[me] -> frozen[me] = false; stale[me] = true :: else fi;
     if
     :: life[me] != UP -> if :: life[1 - me] == UP -> life[me] = OFF; gateLeft[me] = 0; raised[me] = false; addresses[me] = false :: d_step { start(me) } fi
     :: else
     fi;
     me++
  :: else -> break
  od;
  me = 0
}

/* Some way between the hosts carries cluster words. */
#ifdef BOTH_CUT_TOO
#define TOGETHER true
#else
#define TOGETHER (wordsLan || wordsWan)
#endif

#ifdef BROKEN_NUMBERS_ALONE          /* as if a term were its number */
#define ID(t) NUM(t)
#else
#define ID(t) (t)
#endif
inline judge() {
  neverTwoInOneTerm = !(H[0].place >= SERVICE_SERVING && H[0].place <= SERVICE_SUSPENDED && H[1].place >= SERVICE_SERVING && H[1].place <= SERVICE_SUSPENDED && ID(H[0].term) == ID(H[1].term));
  if :: !neverTwoInOneTerm -> printf("violated: two masters in one term\n") :: else fi;
  assert(neverTwoInOneTerm);
#ifdef QUORUM
  neverTwoActive = !(activeHost(0) && activeHost(1));
  if :: !neverTwoActive -> printf("violated: two hosts are active\n") :: else fi;
  assert(neverTwoActive);
#ifdef WATCH_ALONE
  if :: leftAlone != 0 && sinceLeft < WATCH_ALONE -> sinceLeft++ :: else fi;
  goesOn = (sinceLeft < WATCH_ALONE || activeHost(leftAlone - 1));
  if :: !goesOn -> printf("violated: the master that was left alone does not go on\n") :: else fi;
  assert(goesOn);
#endif
#else
  if
  :: (actsLan(0) && actsLan(1) && splitLan != 2 || actsWan(0) && actsWan(1) && splitWan != 2) && TOGETHER -> overlap++
  :: else -> overlap = 0
  fi;
  overlapEnds = (overlap <= OVERLAP);
  if :: !overlapEnds -> printf("violated: two hosts are active for longer than a word needs\n") :: else fi;
  assert(overlapEnds);
#endif
  if
  :: calm ->
     if :: calmTicks < CALM_BOUND -> calmTicks++ :: else fi;
     if
     :: calmTicks == CALM_BOUND && chosen == 2 ->
        oneMaster = (servedBy(0) != servedBy(1));
        if :: !oneMaster -> printf("violated: there is not one host that serves\n") :: else fi;
        assert(oneMaster);
        chosen = (servedBy(0) -> 0 : 1)
     :: calmTicks == CALM_BOUND && chosen != 2 ->
        stays = servedBy(chosen) && !activeHost(1 - chosen);
        if :: !stays -> printf("violated: the master did not stay\n") :: else fi;
        assert(stays)
     :: else
     fi
  :: else
  fi
}
init {
  d_step {
#ifdef BOOT
    start(0); start(1);
#else
    /* A serves in term 1/A, B watches; B is next in the order of claims. */
    H[0].place = SERVICE_SERVING; H[0].term = TERM(1, 0); H[0].known = TERM(1, 0); H[0].highest = 1; H[0].gate = true;
    raised[0] = true; talks[0] = true; addresses[0] = true; gateLeft[0] = L;
    H[1].place = BACKUP_WATCHING; H[1].known = TERM(1, 0); H[1].highest = 1;
    me = 0;
    do
    :: me < 2 -> H[me].fresh = true; H[me].heardP = true; H[me].heard = true; H[me].rested = true; H[me].down = true; H[me].sound = true; me++
    :: else -> break
    od;
    me = 0;
#ifdef QUORUM
    voterTerm[0] = TERM(1, 0); voterTerm[1] = TERM(1, 0); voterTerm[2] = TERM(1, 0);
    voterHolder[0] = 0; voterHolder[1] = 0; voterHolder[2] = 0; voterLeft[0] = P; voterLeft[1] = P; voterLeft[2] = P;
    leaseOf(0, 0) = L; leaseOf(0, 1) = L; leaseOf(0, 2) = L;
#else
    ownLeft[0] = L;
#endif
#endif
  }
  do
  :: atomic {
       if
       :: faults > 0 && !calm -> fault()
       :: skip
#ifdef HEAL
       :: faults == 0 && noise == 0 && !calm -> heal()
#endif
       fi;
       if :: frozen[0] || frozen[1] -> if :: d_step { if :: frozen[0] -> frozen[0] = false; stale[0] = true :: else -> frozen[1] = false; stale[1] = true fi } :: skip fi :: else fi;
       if :: first = 0 :: first = 1 fi;
       me = first; both = 0;
       do
       :: both < 2 ->
          takeTurn();
#ifdef QUORUM
          if :: both == 0 -> d_step { witness() } :: else fi;
#endif
          me = 1 - me; both++
       :: else -> break
       od;
       first = 0; both = 0;
       d_step { me = 0; o = 0; judge(); age(0); age(1);
#ifdef QUORUM
         clockTick(2);
#endif
         forget(0); forget(1); squeeze(); odd = !odd }
     }
  od
}
