/*
 * The longest outages of spec/timing.md in discrete time: one master (A), one backup (B), and under `quorum` one more
 * voter (C). One tick is I / 8. Every wait has a least and a longest time: a timer fires at its time or up to LATE
 * ticks later, a word takes 0 to DELTA, a procedure 0 to its limit. Ticks pass only while nothing is overdue, so that
 * all combinations are looked at, with the fault at any phase of all the timers.
 *
 * -DTWO: no member but A and B; else a third one could object. -DPROGRAM: activateService is a program.
 * -DFAULT=POWER, KILL, SERVICE or PLANNED; -DQUORUM for the policy (default: available). The property: nobody serves for
 * at most BOUND ticks, the formula of the page, and somebody serves in the end. -DTIGHTER=n takes n ticks away from the bound:
 * with 1 it must fail, which shows the bound to be exact.
 *
 * Left out: loss, a second backup, stalls beyond LATE (which restart a suspicion), and drift (it only scales times).
 */
#define POWER   1
#define KILL    2
#define SERVICE 3
#define PLANNED 4
#ifndef FAULT
#define FAULT POWER
#endif
#ifndef TIGHTER
#define TIGHTER 0
#endif

/* Configured times: I, j, rto, np, w, C, L, P, check interval, fall. P >= 1.01 (L / 0.9 + 0.5) */
#define I 8
#define J 1
#define RTO 2
#define NP 2
#define W 1
#define WINDOW_C 4
#define L 15
#define P 19
#define K 4
#define FALL 2
/* Steps: a word's way, a loop's lateness, gate, uplink, next hop, service, local check, downlink check, address round. */
#define DELTA 1
#define LATE 1
#define GATE 1
#define AU 1
#define N 1
#ifndef AS
#define AS 1
#endif
#define KL 1
#define KD 1
#define ROUND 4

/* The formulas of spec/timing.md. */
#define MAX(a, b) ((a) > (b) -> (a) : (b))
#define SILENT  (DELTA + I + J + LATE)
#define ASKED   MAX(NP * (RTO + LATE), 2 * KD)
#define FREE    (DELTA + P + LATE)
#define CLAIM   (SILENT + ASKED)
#define CLAIM_ALIVE MAX(CLAIM, FREE)
#ifdef QUORUM
#define GRANTED (3 * DELTA + LATE)
#define GRANTED_AT_ONCE MAX(GRANTED, 2 * (RTO + LATE) + 3 * DELTA)
#define CLAIMED CLAIM_ALIVE
#define SHORTEST_LEASE (L - I - LATE)
#elif defined(TWO)                  /* nobody but A could object: B waits for no slot */
#define GRANTED 0
#define GRANTED_AT_ONCE GRANTED
#define CLAIMED CLAIM
#define SHORTEST_LEASE (L - I / 2 - LATE)
#else
#define GRANTED (W + LATE)
#define GRANTED_AT_ONCE GRANTED
#define CLAIMED CLAIM
#define SHORTEST_LEASE (L - I / 2 - LATE)
#endif
#define RAISE   (AU + N)
#define WINDOW  (MAX(WINDOW_C, ROUND) + LATE)
#define PREPARE (AS + KL)
#ifdef PROGRAM                       /* activateService is a program: it runs after the window */
#define AFTER(wait) ((wait) + PREPARE)
#else
#define AFTER(wait) MAX(wait, PREPARE)
#endif
#define FINISH  (RAISE + AFTER(WINDOW) + GATE)
#if FAULT == POWER
#define BOUND (CLAIMED + GRANTED + FINISH)
#elif FAULT == KILL
#define BOUND MAX(CLAIM_ALIVE + GRANTED + FINISH - SHORTEST_LEASE, AFTER(2 * ROUND + RTO + 2 * LATE) + GATE)
#elif FAULT == SERVICE
#define BOUND (K + LATE + FALL * KL + GATE + DELTA + 2 * KD + GRANTED_AT_ONCE + FINISH)
#else
#define BOUND (GATE + DELTA + GATE)
#endif

/* What is under way: lo ticks until it may happen, hi until it must; OFF: it is not under way. */
#define OFF 255
#define ADVERT   0      /* A: the next STATUS */
#define RENEW    1      /* A, available: the own right */
#define TO_B     2      /* STATUS on its way */
#define TO_C     3
#define ACKED    4      /* quorum: a majority's answers to it */
#define CHECK    5      /* A: the next periodic check */
#define A_STEP   6      /* A: local check, or the gate being shut */
#define WORD     7      /* HANDOVER, READY or RELEASED between A and B */
#define FREED_C  8      /* RELEASED on its way to C */
#define SILENCE  9      /* B */
#define PROBE    10
#define DOWN     11     /* B: the downlink check that counts */
#define B_STEP   12     /* B: the step that its place waits for */
#define ADDRESS  13     /* B: a round of address probes */
#define LIMIT    14     /* B: one promise since it began to wait */
#define COPY     15     /* A: the second RELEASED; a third is not needed where nothing is lost */
#define PREPARED 16     /* B: the service behind the shut gate, and its test */
#define THINGS   17
byte lo[THINGS]; byte hi[THINGS] = OFF;
#define START(x, least, longest) lo[x] = least; hi[x] = longest
#define STOP(x)  lo[x] = 0; hi[x] = OFF
#define NOW(x)   (hi[x] != OFF && lo[x] == 0)
#define EASY(x)  (hi[x] != 0)

mtype = { watching, suspecting, cleared, claiming, granting, objecting, refused, raising, asking, listening, waiting,
          preparing, opening, serving, ready, checking, shutting, gone, askedFor, dead };
mtype a = serving;       /* A: serving, checking (serving), askedFor (serving), shutting, gone, dead */
mtype b = watching;
byte gateA = L;          /* ticks until A's gate shuts by itself */
byte age;                /* since the STATUS that is being acknowledged was sent */
byte boundB, boundC;     /* ticks until the last advert's promise is over */
byte rest;               /* in an OBJECT */
byte probed;             /* unanswered */
byte gap;                /* ticks without service */
byte bad;                /* local checks that failed in a row */
bool withinBound = true;
bool struck, broken, begunBad, sign, released, planned, answered, windowOver, prepared;
#define A_SERVES ((a == serving || a == checking || a == askedFor || a == shutting || (FAULT == KILL && a == dead)) && gateA > 0 && !broken)
#define SERVED   (A_SERVES || b == serving)

inline status() {        /* A says STATUS */
  START(ADVERT, I, I + LATE); START(TO_B, 0, DELTA);
#ifdef QUORUM
  START(TO_C, 0, DELTA); START(ACKED, 0, 2 * DELTA); age = 0
#endif
}
inline suspect() { b = suspecting; printf("B: no advert in time, or RELEASED; gap %d\n", gap); probed = 0; STOP(SILENCE); START(DOWN, 0, 2 * KD);
  if :: !released -> START(PROBE, RTO, RTO + LATE) :: else fi;
#ifndef QUORUM
  if :: A_SERVES && !released -> if :: sign = true :: sign = false fi :: else -> sign = false fi   /* an answer may be lost */
#endif
}
#ifdef QUORUM
#define NOT_BEFORE (released -> 0 : boundB)
#else
#define NOT_BEFORE (sign && !released -> boundB : 0)
#endif
inline consider() {      /* R10 */
  if
  :: hi[DOWN] == OFF && (released || probed >= NP) ->
     STOP(PROBE); b = cleared; START(B_STEP, NOT_BEFORE, (NOT_BEFORE > 0 -> NOT_BEFORE + LATE : 0))
  :: else
  fi
}
inline prepare() { START(PREPARED, 0, PREPARE) }
inline round() { answered = A_SERVES; START(ADDRESS, 0, ROUND) }
inline considerWindow() {
  if
  :: b == listening && windowOver && hi[ADDRESS] == OFF && !answered -> quiet()
  :: b == listening && windowOver && hi[ADDRESS] == OFF && answered -> b = waiting; round(); START(PROBE, RTO, RTO + LATE); START(LIMIT, P, P + LATE)
  :: b == waiting && hi[ADDRESS] == OFF && !answered -> quiet()
  :: else
  fi
}
inline quiet() {
  b = preparing; printf("B waits for nobody any more; gap %d\n", gap); STOP(ADDRESS); STOP(PROBE); STOP(LIMIT); answered = false; windowOver = false;
#ifdef PROGRAM
  prepare();
#endif
  if :: prepared -> isPrepared() :: else fi
}
inline isPrepared() {
  prepared = false;
  if
  :: planned -> b = ready; START(WORD, 0, DELTA)                            /* READY */
  :: else -> b = opening; START(B_STEP, 0, GATE)                            /* T27: A let go, or was not heard */
  fi
}
inline raise() { b = raising; printf("B raises its uplink; gap %d\n", gap); START(B_STEP, 0, AU) }

/* B's present step is done. */
inline bStep() {
  STOP(B_STEP);
  if
  :: b == cleared -> printf("B claims; gap %d\n", gap);
#ifdef QUORUM
     boundB = P; b = claiming; START(B_STEP, 0, DELTA);                  /* CLAIM on its way */
     START(PROBE, RTO, RTO + LATE)                                        /* and said again */
#else
#ifdef TWO
     raise()
#else
     b = claiming; START(B_STEP, W, W + LATE)
#endif
#endif
  :: b == claiming ->
#ifdef QUORUM
     if
     :: boundC == 0 -> b = granting; START(B_STEP, 0, DELTA)
     :: else -> b = objecting; rest = boundC; START(B_STEP, 0, DELTA)
     fi
  :: b == objecting -> b = refused;                                      /* said again after the rest, or each rto */
     if :: rest < RTO -> START(B_STEP, MAX(1, rest), MAX(1, rest) + LATE) :: else fi;
     rest = 0
  :: b == refused -> b = claiming; START(B_STEP, 0, DELTA)
  :: b == granting -> STOP(PROBE); raise()
#else
     raise()
#endif
  :: b == raising -> b = asking; START(B_STEP, 0, N)
  :: b == asking && planned -> b = preparing; prepare()
  :: b == asking && !planned -> b = listening; windowOver = false; round(); START(B_STEP, WINDOW_C, WINDOW_C + LATE);
#ifndef PROGRAM
     prepare()
#endif
  :: b == listening -> windowOver = true; considerWindow()
  :: b == opening -> b = serving
  fi
}

/* A's present step is done. */
inline aStep() {
  STOP(A_STEP);
  if
  :: a == checking && !begunBad -> bad = 0; a = serving
  :: a == checking && begunBad && bad + 1 < FALL -> bad++; START(A_STEP, 0, KL)
  :: a == checking && begunBad && bad + 1 >= FALL -> a = shutting; bad = 0; START(A_STEP, 0, GATE); STOP(ADVERT); STOP(RENEW); STOP(CHECK); STOP(ACKED)
  :: a == shutting -> a = gone; gateA = 0; printf("A: RELEASED; gap %d\n", gap); START(WORD, 0, DELTA);         /* RELEASED */
#ifdef QUORUM
     START(FREED_C, 0, DELTA); START(COPY, RTO, RTO + LATE)
#endif
  fi
}

inline fault() {
  struck = true; printf("the fault\n");
#if FAULT == POWER || FAULT == KILL
  a = dead; STOP(ADVERT); STOP(RENEW); STOP(ACKED);
  if :: FAULT == POWER -> gateA = 0 :: else fi
#elif FAULT == SERVICE
  broken = true
#else
  a = askedFor; START(WORD, 0, DELTA)                                     /* HANDOVER */
#endif
}

inline tick() {
  gap = (SERVED -> 0 : gap + 1);
  withinBound = (gap <= BOUND - TIGHTER);
  if :: !withinBound -> printf("violated: nobody serves for %d ticks, the bound is %d\n", gap, BOUND - TIGHTER) :: else fi;
  assert(withinBound);
  i = 0;
  do
  :: i < THINGS ->
     if :: hi[i] != OFF -> hi[i]--; if :: lo[i] > 0 -> lo[i]-- :: else fi :: else fi;
     i++
  :: else -> break
  od;
  i = 0;
  if :: gateA > 0 -> gateA-- :: else fi;
  if :: boundB > 0 -> boundB-- :: else fi;
  if :: boundC > 0 -> boundC-- :: else fi;
  if :: age < L -> age++ :: else fi
}
#define CALM (EASY(0) && EASY(1) && EASY(2) && EASY(3) && EASY(4) && EASY(5) && EASY(6) && EASY(7) && EASY(8) \
              && EASY(9) && EASY(10) && EASY(11) && EASY(12) && EASY(13) && EASY(14) && EASY(15) && EASY(16))

byte i;
active proctype cluster() {
  d_step {
    START(ADVERT, 0, I); START(SILENCE, I + J, I + J + LATE); boundB = P; boundC = P;
#ifndef QUORUM
    START(RENEW, 0, I / 2);
#endif
    if :: FAULT == SERVICE -> START(CHECK, 0, K) :: else fi
  }
  do
  :: atomic { !struck && a == serving && b == watching -> fault() }
  :: atomic { NOW(ADVERT) -> status() }
  :: atomic { NOW(RENEW) -> gateA = L; START(RENEW, I / 2, I / 2 + LATE) }
  :: atomic { NOW(ACKED) -> STOP(ACKED); gateA = L - age; age = 0 }
  :: atomic { NOW(TO_B) -> STOP(TO_B);
       if
       :: (b == watching || b == suspecting || b == cleared) && !released ->
          b = watching; STOP(PROBE); STOP(DOWN); STOP(B_STEP); sign = false; probed = 0;
          boundB = P; START(SILENCE, I + J, I + J + LATE)
       :: else
       fi }
  :: atomic { NOW(TO_C) -> STOP(TO_C); boundC = P }
  :: atomic { NOW(CHECK) -> START(CHECK, K, K + LATE);
       if :: a == serving -> a = checking; begunBad = broken; START(A_STEP, 0, KL) :: else fi }
  :: atomic { NOW(A_STEP) -> aStep() }
  :: atomic { a == shutting && gateA > 0 -> gateA = 0 }                    /* the kernel shuts before it is read back */
  :: atomic { NOW(FREED_C) -> STOP(FREED_C); boundC = 0 }
  :: atomic { NOW(COPY) -> STOP(COPY); START(FREED_C, 0, DELTA) }
  :: atomic { NOW(WORD) -> STOP(WORD);
       if
       :: FAULT == SERVICE -> released = true; boundB = 0;
          if :: b == watching || b == suspecting || b == cleared -> STOP(PROBE); STOP(B_STEP); suspect() :: else fi
       :: FAULT == PLANNED && a == askedFor && b != ready -> planned = true; STOP(SILENCE); STOP(PROBE); STOP(DOWN); sign = false; probed = 0; raise()
       :: FAULT == PLANNED && b == ready && a == askedFor ->
          a = shutting; STOP(ADVERT); STOP(RENEW); STOP(ACKED); START(A_STEP, 0, GATE)
       :: FAULT == PLANNED && a == gone -> b = opening; START(B_STEP, 0, GATE)
       fi }
  :: atomic { NOW(SILENCE) && b == watching -> suspect() }
  :: atomic { NOW(PROBE) ->
       if
       :: b == suspecting -> probed++; START(PROBE, RTO, RTO + LATE); consider()
       :: b == refused || b == objecting -> START(PROBE, RTO, RTO + LATE); b = claiming; rest = 0; START(B_STEP, 0, DELTA)
       :: b == claiming || b == granting -> START(PROBE, RTO, RTO + LATE)
       :: b == waiting -> START(PROBE, RTO, RTO + LATE); if :: hi[ADDRESS] == OFF -> round() :: else fi
       fi }
  :: atomic { NOW(DOWN) -> STOP(DOWN); if :: b == suspecting -> consider() :: else fi }
  :: atomic { NOW(B_STEP) -> bStep() }
  :: atomic { NOW(ADDRESS) -> STOP(ADDRESS); considerWindow() }
  :: atomic { NOW(LIMIT) -> STOP(LIMIT); if :: b == waiting -> quiet() :: else fi }
  :: atomic { NOW(PREPARED) -> STOP(PREPARED); prepared = true; if :: b == preparing -> isPrepared() :: else fi }
  :: atomic { CALM && !(struck && b == serving) -> tick() }
  :: struck && b == serving -> break
  od
}
