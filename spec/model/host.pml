/*
 * One host's main state machine for one service (spec/state-machine.md) as Promela inlines, to be included by slices.
 * A test prints this relation and that of src/core's `step`, line by line: see conformance.md.
 *
 * How to use it: a slice sets the event (ev, from, mt, succ), the guard bits `g` that only time, votes and the world
 * know, and calls `host_step(h)` from one place (the inlines are long). Afterwards `said` holds the messages to send,
 * `done` the procedures to run, gate orders and alarms, and H[h] the new state. Time is not in here: the slice ages
 * the bits of Host that are marked "until", and fires the timer events. Votes are not in here either: `said & S_VOTE`
 * asks the slice to let the voter (voter.pml) judge the term `mt` of `from`; RIGHT, MAJ and BOUND are its results.
 */
#ifndef HOSTS
#define HOSTS 4                      /* all hosts, witnesses too; as in voter.pml */
#endif
#ifndef NHOSTS
#define NHOSTS HOSTS                 /* those with a state machine of their own: 0 .. NHOSTS-1 */
#endif
#ifndef NP
#define NP 3                         /* probes that must stay unanswered */
#endif

/* ---- terms: number and host in one value, as in voter.pml, ordered as R1 orders them; 0 is none ---- */
#define TERM(n, host)  ((n) * HOSTS + (host))
#define NUM(t)         ((t) / HOSTS)
#define HOST(t)        ((t) % HOSTS)

/* ---- places, in the order of the specification's table ---- */
#define INIT_CLEANING        0
#define INIT_LINKING         1
#define DECIDE_LISTENING     2
#define DECIDE_ELECTING      3
#define BACKUP_WATCHING      4
#define BACKUP_SUSPECTING    5
#define HANDOVER_CLAIMING    6
#define HANDOVER_RAISING     7
#define HANDOVER_LISTENING   8
#define HANDOVER_WAITING     9
#define HANDOVER_PREPARING   10
#define HANDOVER_RELEASING   11
#define HANDOVER_OPENING     12
#define HANDOVER_WITHDRAWING 13
#define SERVICE_SERVING      14
#define SERVICE_SEEKING      15
#define SERVICE_SHUTTING     16
#define SERVICE_SUSPENDED    17
#define SERVICE_RELEASING    18

/* ---- what a host remembers ---- */
typedef Host {
  byte place;
  byte term;         /* own, while claiming or serving */
  byte known;        /* the established master's (R1) */
  byte rival;        /* of a claim heard from another host (R11, R16) */
  byte highest;      /* the highest number heard of or tried */
  byte rel;          /* the known master said RELEASED: */
  bool fresh;        /* until I + j after the known master's last word */
  bool heardP;       /* until P after it */
  bool rivalFresh;   /* until I + j after the rival's last word */
  bool heard;        /* some member was heard since the start */
  bool rested;       /* false until P since the start (R3) and since an own release (R15) */
  bool held;         /* until the hold-down is over (R17) */
  bool down;         /* the last downlink check: confirmed */
  bool sound;        /* the downlink is good after `rise` and `fall` */
  bool suspect;      /* a suspicion is open, since some moment: */
  bool downSince;    /* a downlink check begun after it was confirmed */
  bool sign;         /* an unsigned sign of life was seen after it */
  byte unanswered;   /* probes unanswered after it, up to NP */
  bool attempt;      /* a takeover is under way: */
  byte plannedBy;    /* the term of the master that asked for it; 0: nobody did */
  bool granted;
  bool due;          /* the slot and all objections' time are over (false until) */
  bool masterLives;  /* a signed word of a master was heard in it, without sound evidence */
  bool letGo;        /* the old master said RELEASED */
  byte pend;         /* address rounds under way: 1 downlink, 2 uplink; of an attempt, or of a suspended host */
  byte answ;         /* address rounds that were answered */
  byte prep;         /* the service behind the shut gate: */
  bool windowOver;   /* false until the end of the window, of the wait for one promise, or of a suspended host's round */
  byte stage;        /* making harmless: */
  byte copies;       /* of RELEASED or WITHDRAW that were said */
  bool gate;         /* the gate is ordered open */
  bool forced;       /* serves without a majority, by order */
  byte trialTo;      /* the successor that is tried, plus 1 */
  byte cause;        /* why one is sought: */
  bool only;         /* that one or none */
  byte handTo;       /* to whom RELEASED hands over, plus 1 */
  bool uplinkBad;    /* the alarm uplink-failed */
  bool standby;
  bool stopping
}
#define NOT_SAID 0                   /* rel */
#define TO_NOBODY 1
#define TO_ME     2
#define TO_ANOTHER 3
#define ORDERED       1              /* prep; 0: it is not ordered (any more) */
#define TESTED        2
#define GATE_STAGE    1              /* stage */
#define SERVICE_STAGE 2
#define UPLINK_STAGE  3
#define WORDS_STAGE   4              /* all is off; copies are left to say */
#define BY_OPERATOR 1                /* cause */
#define BY_STOP     2
#define BY_STANDBY  3
#define BY_UPLINK   4
#define BY_PREEMPT  5
#define BY_DISPUTE  6

/* ---- what only time, votes and the world know, at the moment of an event ---- */
typedef Guards {
  bool right;        /* the right to serve runs */
  bool maj;          /* a majority's promises run */
  bool grown;        /* the right ends later than the gate was ordered to */
  bool bound;        /* the own vote binds to another host; after this event's vote */
  bool promised;     /* R2: the voter promises the term of this CLAIM or STATUS */
  bool renewed;      /* every voter has renewed its lease in this interval */
  bool slot;         /* the own slot in the order of claims is reached */
  bool trustHeld;    /* R19 */
  bool sinceP;       /* P since the suspicion began */
  bool claimP;       /* P since the claim */
  bool two;          /* no member but this host and the known master */
  bool limitOver;    /* the limit of the whole attempt is over */
  bool began;        /* this check began after the suspicion */
  bool risen;        /* this check makes the downlink good */
  bool fallen;       /* this check failed `fall` times */
  bool evidence;     /* this word of a master comes over the downlink, or names a downlink confirmed after the silence */
  bool match;        /* this RELEASED names our READY */
  bool lent;         /* and lends a rest of the lease that still runs (R12) */
  bool blamed;       /* a fit host, heard another way, confirms its own downlink */
  bool disputed;     /* the clients' view failed `fall` times beside a confirmed downlink */
  bool counts;       /* the complainer is the only fit backup, or another one complains, too; and no pause runs */
  bool pausing;      /* the pause after a trial */
  bool better;       /* a preferred host is fit for preempt_delay */
  bool alone;        /* R27: "serve", and no other gateway was heard for P */
  bool early;        /* activateService is the built-in one: it may run beside the conflict window */
  bool stalled;      /* this step came late by more than max(I/4, 10 ms) */
  byte candidate     /* the next fit host that was not tried, plus 1; 0 none */
}
Host H[NHOSTS];
Guards g;
bool available;                      /* the policy: available, else quorum */
byte ev, from, mt, succ;             /* event, sender, its term, successor named by RELEASED plus 1 */
int said, done;
byte why, phase, row;
bool heardNow;

#ifndef RIGHT
#define RIGHT(h)       g.right
#define MAJ(h)         g.maj
#define BOUND(h)       g.bound
#define RENEW_OWN(h)   g.right = true; g.grown = true    /* R5 */
#define DROP_RIGHT(h)  g.right = false; g.maj = false
#define LEND(h)        g.right = g.right || g.lent       /* R12 */
#define BY_VOTES(h)    g.right = true                    /* R27 */
#endif
#ifndef FIRED
#define FIRED(t)       skip          /* row t was taken */
#endif

/* ---- events ---- */
#define E_STARTED           1
#define E_NONE              2        /* nothing but time: a stall, a lapse */
#define E_STATUS            3        /* messages: phase serving */
#define E_STATUS_SUSPENDED  4
#define E_STATUS_HANDOVER   5
#define E_CLAIM             6
#define E_PROBE             7        /* mt: the term that the sender claims, or 0 */
#define E_PROBE_BLAME       8        /* its own downlink is confirmed */
#define E_PROBED            9        /* says nothing of a term */
#define E_PROBED_SERVING    10
#define E_PROBED_HANDOVER   11
#define E_OBJECT_SERVING    12
#define E_OBJECT_HEARING    13
#define E_OBJECT_PROMISE    14
#define E_ANSWER            15       /* ACK or GRANT, taken in by the lease */
#define E_RELEASE           16
#define E_RELEASED          17
#define E_WITHDRAW          18
#define E_HANDOVER          19
#define E_READY             20
#define E_CHECK             21
#define E_CHECK_INSIST      22
#define E_WORD              23       /* REPORT, CHECKED, BYE: says nothing here */
#define E_DOWN_CONFIRMED    24       /* procedures */
#define E_DOWN_LOST         25
#define E_DOWN_REFUTED      26
#define E_UP_CONFIRMED      27
#define E_UP_FAILED         28
#define E_LOCAL_CONFIRMED   29
#define E_LOCAL_FAILED      30
#define E_REMOTE_CONFIRMED  31
#define E_REMOTE_FAILED     32
#define E_UPLINK_RAISED     33       /* activateUplink ended */
#define E_SERVICE_UP        34       /* activateService ended */
#define E_OFF_CONFIRMED     35       /* the deactivation of this stage */
#define E_OFF_UNKNOWN       36
#define E_ADDR_DOWN_QUIET   37       /* address rounds */
#define E_ADDR_DOWN_ANSWER  38
#define E_ADDR_UP_QUIET     39
#define E_ADDR_UP_ANSWER    40
#define E_GATE_OPEN         41       /* read back, after the latest order */
#define E_GATE_SHUT         42
#define E_LINK_DOWNLINK     43       /* changed, or a foreigner was heard */
#define E_LINK_UPLINK       44
#define E_RIVAL_ADDRESS     45       /* somebody announced a roving address */
#define E_JOINED            46
#define E_OP_HANDOVER       47       /* orders */
#define E_OP_FORCE          48
#define E_OP_STANDBY        49
#define E_OP_RESUME         50
#define E_OP_STOP           51
#define E_T_STEP            52       /* timers */
#define E_T_SILENCE         53
#define E_T_LISTEN          54
#define E_T_PROBE           55
#define E_T_CLAIM           56
#define E_T_WINDOW          57
#define E_T_RENEW           58
#define E_T_ADVERT          59
#define E_T_RETRY           60
#define E_T_REPEAT          61
#define E_T_CLEAN           62
#define E_T_TRIAL           63
#define E_T_CHECKS          64
#define IS_MESSAGE  (ev >= E_STATUS && ev <= E_WORD)
#define IS_TIMER    (ev >= E_T_STEP)
/* ---- messages to send: `said` ---- */
#define S_CLAIM      1
#define S_CLAIM_BACK 2               /* to a lower rival alone */
#define S_STATUS     4
#define S_PROBE      8
#define S_PROBED     16              /* answers go to `from` */
#define S_OBJECT     32              /* "I serve" from a master, else "I hear the master" */
#define S_VOTE       64              /* R2 judges */
#define S_RELEASE    128
#define S_RELEASED   256
#define S_READY      512             /* to HOST(plannedBy) */
#define S_HANDOVER   1024            /* to trialTo - 1 */
#define S_WITHDRAW   2048            /* to all; as a "no" to HANDOVER to `from` */
#define S_CHECK      4096            /* to the known master */
/* ---- orders: `done` ---- */
#define D_GATE_SHUT        1
#define D_GATE_OPEN        2
#define D_RAISE            4         /* activateUplink */
#define D_LOWER            8         /* deactivateUplink */
#define D_SERVICE_UP       16
#define D_SERVICE_OFF      32
#define D_CHECK_DOWN       64
#define D_CHECK_UP         128
#define D_CHECK_LOCAL      256
#define D_CHECK_REMOTE     512
#define D_ANNOUNCE         1024      /* takeover, both sides (one side: E_RIVAL_ADDRESS) */
#define D_ANNOUNCE_RELEASE 2048
#define D_ASK_DOWN         4096      /* address rounds */
#define D_ASK_UP           8192
#define D_TALK             16384     /* the cluster's socket on the uplink */
#define D_HUSH             32768
#define A_FORCED           65536     /* alarms */
#define A_SUSPENDED        131072
#define A_RESUMED          262144    /* suspended cleared */
#define A_CONFLICT         524288    /* address-conflict */
#define A_FAILED           1048576   /* handover-failed */
#define A_NO_SUCCESSOR     2097152
#define A_NOT_HARMLESS     4194304
#define A_TWO_MASTERS      8388608
#define SAY(m)  said = said | (m)
#define DO(o)   done = done | (o)

/* ---- questions that events raise; the rows T1..T48 answer them ---- */
#define Q_HARMLESS  1
#define Q_LINKED    2
#define Q_MASTER    3
#define Q_LISTENED  4
#define Q_CLAIM     5
#define Q_FORCED    6
#define Q_SILENCE   7
#define Q_RELEASED  8
#define Q_ASKED     9
#define Q_GRANTED   10
#define Q_NEXT_HOP  11
#define Q_WINDOW    12
#define Q_STALLED   13
#define Q_PREPARED  14
#define Q_LET_GO    15
#define Q_GATE_OPEN 16
#define Q_WORD      17
#define Q_RIVAL     18
#define Q_LIMIT     19
#define Q_DOWN_LOST 20
#define Q_ORDERED   21
#define Q_WANTED    22
#define Q_NOBODY    23
#define Q_READY     24
#define Q_LAPSED    25
#define Q_RENEWED   26
#define Q_SHUT      27
#define Q_DEPOSED   28
#define Q_FAILED    29
#define Q_DOWN_BAD  30
#define Q_ROUND     31               /* R8, no rows: is a suspended host's round over? */
#define Q_ANEW      32               /* it begins anew */
#define Q_EXTEND    33               /* has the right grown? */

/* ---- conditions ---- */
#define S              H[h]
#define AT(p)          (S.place == p)
#define IN_DECIDE      (AT(DECIDE_LISTENING) || AT(DECIDE_ELECTING))
#define IN_BACKUP      (AT(BACKUP_WATCHING) || AT(BACKUP_SUSPECTING))
#define IN_HANDOVER    (S.place >= HANDOVER_CLAIMING && S.place <= HANDOVER_OPENING)     /* handover.* */
#define IN_SERVICE     (S.place >= SERVICE_SERVING && S.place <= SERVICE_SUSPENDED)      /* service.* */
#define SERVING        (AT(SERVICE_SERVING) || AT(SERVICE_SEEKING))
#define SEARCHING      (AT(BACKUP_SUSPECTING) || AT(DECIDE_ELECTING))
#define AVAIL          (available || S.forced)
#ifndef FIT
#define FIT            (!S.standby && !S.stopping && S.sound && S.place > INIT_LINKING)
#endif
#define FROM_MASTER    (S.known != 0 && HOST(S.known) == from)
#define PLANNED        (S.plannedBy != 0)
#define MAX(a, b)      ((a) > (b) -> (a) : (b))
#define STRONGER       (!AVAIL && S.granted && MAJ(h))               /* a running majority beats another's word */
#define FREE           (S.rel == TO_NOBODY && S.heardP)                 /* R15: RELEASED without successor, for P */
#ifndef SIGN_OVER
#define SIGN_OVER      (S.known != 0 -> !S.heardP : g.sinceP)
#endif
#define VOTE_FREE      (AVAIL -> (FREE || !S.sign || SIGN_OVER) : !BOUND(h))
#ifndef MAY_CLAIM
#define MAY_CLAIM      (S.rested && VOTE_FREE && !(S.rival != 0 && S.rivalFresh) && FIT && !(AVAIL && g.trustHeld) \
                        && S.downSince && (FREE || S.unanswered >= NP) && g.slot)        /* R10 */
#endif
#define NOBODY_TO_ASK  (S.known == 0 || HOST(S.known) == h || S.letGo || !S.masterLives)
#define OTHERS_MAY_SERVE (S.suspect && S.sign || S.rival != 0 && S.rivalFresh)   /* R8, available */
#define WINDOW_DONE    (S.pend == 0 && S.windowOver)
/* what the sender claims with this message */
#define CLAIMS         (mt != 0 && (ev == E_CLAIM || ev == E_STATUS_HANDOVER || ev == E_PROBED_HANDOVER || ev == E_PROBE || ev == E_PROBE_BLAME))
/* R1: nobody serves in the highest known term any more, as it seems: a lower one counts too */
#define OVERCOME       (S.known != 0 && S.place < SERVICE_SERVING && (HOST(S.known) == h || S.rel != NOT_SAID || !S.fresh))
/* R13: while a majority's promises run for this host nobody else serves, whatever a member says of itself */
#define SECURE(h)      (SERVING && !AVAIL && RIGHT(h))
#define SERVES         (ev == E_STATUS || ev == E_PROBED_SERVING)

/* ---- small acts ---- */
inline order_gate(h) { S.gate = true; DO(D_GATE_OPEN) }              /* R6: to the end of the right, never longer */
inline shut_gate(h) { S.gate = false; DO(D_GATE_SHUT) }
inline ask_addresses(h) { S.pend = 3; S.answ = 0; DO(D_ASK_DOWN | D_ASK_UP) }
inline end_trial(h) { S.trialTo = 0; S.cause = 0; S.only = false }
inline begin_suspicion(h) {                                          /* R9 */
  S.suspect = true; S.downSince = false; S.sign = false; S.unanswered = 0
}
inline begin_round(h) {              /* R8, available */
  SAY(S_PROBE); begin_suspicion(h); S.pend = 3; S.windowOver = false; DO(D_ASK_DOWN | D_ASK_UP)
}
inline end_suspicion(h) { S.suspect = false; S.downSince = false; S.sign = false; S.unanswered = 0 }
inline round_over(h) {               /* R8: its time and both address rounds have ended: a round with an answer begins anew */
  if
  :: S.suspect && !WINDOW_DONE -> why = 0
  :: (!S.suspect || WINDOW_DONE) && OTHERS_MAY_SERVE -> why = Q_ANEW
  :: else -> end_suspicion(h); S.windowOver = false; RENEW_OWN(h); order_gate(h); why = 0
  fi
}
inline prepare(h) { DO(D_SERVICE_UP); S.prep = ORDERED }
inline end_attempt(h) {
  S.attempt = false; S.plannedBy = 0; S.granted = false; S.due = false; S.masterLives = false; S.letGo = false;
  S.pend = 0; S.answ = 0; S.prep = 0; S.windowOver = false
}
inline extend(h) {                   /* the right may have grown: the gate follows; a term taken in place is established */
  if
  :: IN_SERVICE && RIGHT(h) ->
     if :: S.term > S.known -> S.known = S.term; S.rel = NOT_SAID; S.fresh = true; S.heardP = true :: else fi;
     if
     :: SERVING && (!S.gate || g.grown) -> order_gate(h)
     :: AT(SERVICE_SUSPENDED) && !AVAIL && (!S.gate || g.grown) -> order_gate(h)
     :: else
     fi
  :: else
  fi
}
inline advert(h) { SAY(S_STATUS); extend(h) }                        /* R7 */
inline go_on_alone(h) {              /* R27: forced, and R8's round decides */
  if
  :: AT(SERVICE_SUSPENDED) && !AVAIL && !RIGHT(h) && g.alone ->
     S.forced = true; DO(A_FORCED); why = Q_ANEW
  :: else
  fi
}
inline regained(h) {                 /* R27: a majority acknowledges a forced master: its gate follows that right */
  if
  :: (SERVING || AT(SERVICE_SUSPENDED)) && S.forced && MAJ(h) ->
     S.forced = false; BY_VOTES(h); end_suspicion(h); S.pend = 0; S.windowOver = false; order_gate(h)
  :: else
  fi
}
inline reclaim(h) {                                                  /* R7: the next number, in place */
  S.highest = MAX(S.highest, NUM(mt)) + 1; S.term = TERM(S.highest, h);
  if :: AT(HANDOVER_CLAIMING) -> SAY(S_CLAIM) :: else -> SAY(S_STATUS) fi
}
inline seek(h, because, alone) {                                     /* a successor is wanted (R12, R14) */
  if
  :: AT(SERVICE_SERVING) && g.candidate != 0 ->
     S.trialTo = g.candidate; S.cause = because; S.only = alone; why = Q_WANTED
  :: AT(SERVICE_SERVING) && g.candidate == 0 && because == BY_STOP -> why = Q_ORDERED
  :: AT(SERVICE_SERVING) && g.candidate == 0 && because != BY_STOP -> DO(A_NO_SUCCESSOR)
  :: else
  fi
}
inline succession(h) {                                               /* does something call for a successor now? */
  if
  :: !AT(SERVICE_SERVING) -> skip
  :: AT(SERVICE_SERVING) && S.stopping -> seek(h, BY_STOP, false)
  :: AT(SERVICE_SERVING) && !S.stopping && (g.pausing && ev != E_T_TRIAL) -> skip
  :: AT(SERVICE_SERVING) && !S.stopping && !(g.pausing && ev != E_T_TRIAL) && S.uplinkBad -> seek(h, BY_UPLINK, false)
  :: AT(SERVICE_SERVING) && !S.stopping && !(g.pausing && ev != E_T_TRIAL) && !S.uplinkBad && S.standby -> seek(h, BY_STANDBY, false)
  :: else -> if :: g.better && g.candidate != 0 -> seek(h, BY_PREEMPT, true) :: else fi
  fi
}
inline try_next(h) {                                                 /* the one being tried failed or is silent */
  if
  :: !S.only && g.candidate != 0 -> S.trialTo = g.candidate; SAY(S_HANDOVER)
  :: else ->
     S.trialTo = 0; S.only = false;
     if
     :: S.cause == BY_STOP -> why = Q_ORDERED; S.cause = 0
     :: else ->
        if :: S.cause != BY_PREEMPT && S.cause != BY_DISPUTE -> DO(A_NO_SUCCESSOR) :: else fi;
        why = Q_NOBODY; S.cause = 0
     fi
  fi
}
inline say_what_ended(h) {                                           /* R15, R16: three times, after the gate is shut */
  if
  :: S.term != 0 && S.copies < 3 ->
     if :: AT(SERVICE_RELEASING) -> SAY(S_RELEASED) :: else -> SAY(S_WITHDRAW) fi;
     S.copies++;
     if :: S.stage == WORDS_STAGE && S.copies == 3 -> why = Q_HARMLESS :: else fi
  :: else
  fi
}
inline gate_is_shut(h) {                                             /* nothing is served from here on */
  S.copies = 0; say_what_ended(h);
  if :: AT(SERVICE_RELEASING) -> DO(D_ANNOUNCE_RELEASE) :: else fi;
  S.stage = SERVICE_STAGE; DO(D_SERVICE_OFF)
}
inline make_harmless(h) {
  DROP_RIGHT(h); end_attempt(h); end_suspicion(h); end_trial(h); S.stage = GATE_STAGE; S.copies = 0;
  if :: why == Q_SHUT -> gate_is_shut(h) :: else -> shut_gate(h) fi
}

/* ---- R1, R2, R11, R15, R16: what every host makes of a message, whatever its place ---- */
inline hear(h) {
  heardNow = false; S.heard = true;
  if
  :: SERVES && (mt > S.known || mt == S.known && S.rel == NOT_SAID || mt < S.known && OVERCOME) && !SECURE(h) ->
     S.known = mt; S.rel = NOT_SAID; S.fresh = true; S.heardP = true; heardNow = true; S.highest = MAX(S.highest, NUM(mt));
     if :: S.rival <= mt -> S.rival = 0; S.rivalFresh = false :: else fi
  :: ev == E_STATUS_SUSPENDED && FROM_MASTER -> S.fresh = true; S.heardP = true; heardNow = true
  :: ev == E_STATUS_SUSPENDED && !FROM_MASTER || ev == E_STATUS_HANDOVER || ev == E_CLAIM || ev == E_PROBED_HANDOVER ->
     S.rival = mt; S.rivalFresh = true
  :: ev == E_RELEASED && FROM_MASTER && mt >= S.known ->
     S.rel = (succ == 0 -> TO_NOBODY : (succ == h + 1 -> TO_ME : TO_ANOTHER)); S.fresh = true; S.heardP = true
  :: ev == E_WITHDRAW && S.rival != 0 && HOST(S.rival) == HOST(mt) -> S.rival = 0; S.rivalFresh = false
  :: else
  fi;
  if
  :: !available && (ev == E_STATUS || ev == E_STATUS_SUSPENDED || ev == E_STATUS_HANDOVER || ev == E_CLAIM) ->
     SAY(S_VOTE); if :: g.promised -> S.highest = MAX(S.highest, NUM(mt)) :: else fi
  :: available && ev == E_CLAIM && S.known != 0 && S.fresh && S.rel == NOT_SAID && !FROM_MASTER && HOST(S.known) != h ->
     SAY(S_OBJECT)                                                   /* R18 */
  :: else
  fi
}

/* ---- messages in the place where the host is ---- */
inline react_message(h) {
  if :: ev == E_PROBE || ev == E_PROBE_BLAME -> SAY(S_PROBED) :: else fi;
  if
  :: IN_HANDOVER ->
     if
     :: CLAIMS -> why = Q_RIVAL
     :: SERVES || ev == E_OBJECT_SERVING -> why = Q_WORD
     :: ev == E_OBJECT_HEARING && AT(HANDOVER_CLAIMING) -> S.due = S.due && g.claimP           /* R18 */
     :: ev == E_OBJECT_PROMISE && AT(HANDOVER_CLAIMING) && mt > S.term -> reclaim(h)
     :: ev == E_RELEASED && mt >= S.known && FROM_MASTER -> why = Q_RELEASED
     :: ev == E_ANSWER && AT(HANDOVER_CLAIMING) -> why = Q_GRANTED
     :: ev == E_ANSWER && AT(HANDOVER_OPENING) && RIGHT(h) -> order_gate(h)
     :: else
     fi
  :: IN_SERVICE ->
     if
     :: SERVES && FROM_MASTER -> why = Q_DEPOSED                                                /* R13 */
     :: SERVES && !FROM_MASTER && S.forced -> why = Q_DEPOSED
     :: SERVES && !FROM_MASTER && !S.forced ->
        DO(A_TWO_MASTERS); if :: SERVING -> DO(D_ANNOUNCE); advert(h) :: else fi
     :: ev == E_OBJECT_PROMISE && mt > S.term -> reclaim(h)
     :: ev == E_CLAIM ->                                                                        /* R13 */
        if :: SERVING -> DO(D_CHECK_LOCAL); SAY(S_OBJECT); advert(h) :: else fi;
        DO(D_CHECK_DOWN)
     :: ev == E_PROBE_BLAME -> DO(D_CHECK_DOWN)
     :: ev == E_RELEASE && (AT(SERVICE_SUSPENDED) || S.forced) -> why = Q_DEPOSED
     :: ev == E_RELEASE && !(AT(SERVICE_SUSPENDED) || S.forced) ->
        SAY(S_OBJECT); if :: !g.evidence -> DO(D_CHECK_DOWN) :: else fi
     :: ev == E_RELEASED && SERVING && succ != h + 1 -> DO(D_ANNOUNCE)                          /* R13 */
     :: ev == E_CHECK || ev == E_CHECK_INSIST ->
        DO(D_CHECK_LOCAL);
        if :: ev == E_CHECK_INSIST && g.counts && g.candidate == from + 1 -> seek(h, BY_DISPUTE, true) :: else fi
     :: ev == E_READY && AT(SERVICE_SEEKING) && S.trialTo == from + 1 -> S.handTo = from + 1; why = Q_READY
     :: ev == E_WITHDRAW && AT(SERVICE_SEEKING) && S.trialTo == from + 1 -> try_next(h)
     :: ev == E_ANSWER -> regained(h); why = Q_EXTEND
     :: else
     fi
  :: AT(INIT_LINKING) -> why = Q_LINKED
  :: IN_DECIDE || AT(BACKUP_SUSPECTING) ->
     if
     :: ev == E_HANDOVER && FROM_MASTER && S.rel == NOT_SAID -> S.fresh = true; S.heardP = true; heardNow = true
     :: else
     fi;
     why = Q_MASTER
  :: else
  fi
}
/* after it: a watching host hears its master, a searching one looks whether it may claim now */
inline after_message(h) {
  if
  :: AT(BACKUP_WATCHING) && FROM_MASTER && ev == E_RELEASED -> why = Q_RELEASED
  :: AT(BACKUP_WATCHING) && FROM_MASTER && ev == E_HANDOVER -> why = Q_ASKED
  :: SEARCHING -> why = Q_CLAIM
  :: else
  fi
}

/* ---- procedures, address rounds, the gate, links ---- */
inline react_world(h) {
  if
  :: ev == E_DOWN_CONFIRMED ->
     S.down = true; S.sound = S.sound || g.risen; S.downSince = S.suspect && g.began;
     if :: AT(INIT_LINKING) -> why = Q_LINKED :: SEARCHING -> why = Q_CLAIM :: else fi
  :: ev == E_DOWN_LOST || ev == E_DOWN_REFUTED ->
     S.down = false; S.downSince = false; S.sound = S.sound && ev == E_DOWN_LOST && !g.fallen;
     if
     :: SEARCHING -> S.unanswered = 0
     :: AT(INIT_LINKING) -> why = Q_LINKED
     :: IN_HANDOVER && ev == E_DOWN_REFUTED -> why = Q_DOWN_LOST
     :: IN_SERVICE -> why = Q_DOWN_BAD
     :: else
     fi
  :: ev == E_UP_CONFIRMED ->
     if :: AT(HANDOVER_RAISING) -> why = Q_NEXT_HOP :: IN_SERVICE -> S.uplinkBad = false; succession(h) :: else fi
  :: ev == E_UP_FAILED ->
     if
     :: IN_SERVICE -> S.uplinkBad = g.fallen; if :: !g.fallen -> DO(D_CHECK_UP) :: else fi; succession(h)
     :: else
     fi
  :: ev == E_LOCAL_CONFIRMED ->                                      /* with a stall: of an older order than the one just now */
     if :: S.prep == ORDERED && row == 0 -> S.prep = TESTED; why = Q_PREPARED :: else fi
  :: ev == E_LOCAL_FAILED ->
     if
     :: IN_SERVICE -> why = Q_FAILED
     :: !IN_SERVICE && S.prep == ORDERED && !AT(HANDOVER_PREPARING) && row == 0 -> S.prep = 0         /* preparing orders it again */
     :: else
     fi
  :: ev == E_REMOTE_CONFIRMED -> if :: !AT(BACKUP_WATCHING) && !IN_SERVICE && S.suspect -> S.sign = true :: else fi
  :: ev == E_REMOTE_FAILED ->
     if :: AT(BACKUP_WATCHING) && S.known != 0 && HOST(S.known) != h && g.disputed -> SAY(S_CHECK) :: else fi
  :: ev == E_UPLINK_RAISED -> if :: AT(HANDOVER_RAISING) -> DO(D_TALK | D_CHECK_UP) :: else fi
  :: ev == E_SERVICE_UP -> if :: S.prep == ORDERED -> DO(D_CHECK_LOCAL) :: else fi
  :: ev == E_OFF_CONFIRMED ->
     if
     :: S.stage == SERVICE_STAGE -> S.stage = UPLINK_STAGE; DO(D_HUSH | D_LOWER)
     :: S.stage == UPLINK_STAGE -> S.stage = WORDS_STAGE; if :: S.term == 0 || S.copies == 3 -> why = Q_HARMLESS :: else fi
     :: else
     fi
  :: ev == E_OFF_UNKNOWN -> if :: S.stage == SERVICE_STAGE || S.stage == UPLINK_STAGE -> DO(A_NOT_HARMLESS) :: else fi
  :: ev >= E_ADDR_DOWN_QUIET && ev <= E_ADDR_UP_ANSWER ->
     if
     :: S.attempt && ev <= E_ADDR_DOWN_ANSWER && (S.pend & 1) != 0 ->
        S.pend = S.pend - 1; S.answ = (S.answ & 2) + (ev == E_ADDR_DOWN_ANSWER -> 1 : 0); why = Q_WINDOW
     :: S.attempt && ev >= E_ADDR_UP_QUIET && (S.pend & 2) != 0 ->
        S.pend = S.pend - 2; S.answ = (S.answ & 1) + (ev == E_ADDR_UP_ANSWER -> 2 : 0); why = Q_WINDOW
     :: !S.attempt && S.suspect ->
        S.sign = S.sign || ev == E_ADDR_DOWN_ANSWER || ev == E_ADDR_UP_ANSWER;                                /* R19 */
        /* With a lapse or a stall it is the end of an older round than the one that began just now. */
        S.pend = S.pend & (row == 40 || g.stalled -> 3 : (ev <= E_ADDR_DOWN_ANSWER -> 2 : 1)); why = (AT(SERVICE_SUSPENDED) -> Q_ROUND : 0)
     :: else
     fi
  :: ev == E_GATE_SHUT ->
     if
     :: S.stage == GATE_STAGE -> gate_is_shut(h)
     :: AT(SERVICE_SHUTTING) -> why = Q_SHUT
     :: SERVING -> why = Q_LAPSED
     :: else
     fi
  :: ev == E_GATE_OPEN ->
     if
     :: AT(HANDOVER_OPENING) && RIGHT(h) -> why = Q_GATE_OPEN
     :: AT(SERVICE_SUSPENDED) && RIGHT(h) -> why = Q_RENEWED
     :: AT(SERVICE_SUSPENDED) && !RIGHT(h) && S.gate && AVAIL -> why = Q_ANEW
     :: else
     fi
  :: ev == E_LINK_DOWNLINK -> if :: !AT(INIT_CLEANING) -> DO(D_CHECK_DOWN) :: else fi
  :: ev == E_LINK_UPLINK -> if :: S.place >= SERVICE_SERVING -> DO(D_CHECK_UP) :: else fi
  :: ev == E_RIVAL_ADDRESS -> if :: SERVING -> DO(D_ANNOUNCE) :: else fi
  :: ev == E_JOINED -> if :: IN_SERVICE -> SAY(S_STATUS); why = Q_EXTEND :: else fi
  :: ev == E_STARTED -> if :: AT(INIT_CLEANING) && S.stage == 0 -> make_harmless(h) :: else fi
  :: else
  fi
}

/* ---- the operator ---- */
inline react_order(h) {
  if
  :: ev == E_OP_HANDOVER && !S.stopping -> seek(h, BY_OPERATOR, true)
  :: ev == E_OP_FORCE && !S.stopping -> if :: IN_SERVICE -> seek(h, BY_OPERATOR, true) :: else -> why = Q_FORCED fi
  :: ev == E_OP_STANDBY ->
     S.standby = S.standby || !S.stopping;
     if :: IN_SERVICE -> seek(h, BY_STANDBY, false) :: IN_HANDOVER -> why = Q_ORDERED :: else fi
  :: ev == E_OP_RESUME -> S.standby = S.standby && S.stopping
  :: ev == E_OP_STOP ->
     S.stopping = true;
     if
     :: AT(SERVICE_SERVING) -> seek(h, BY_STOP, false)
     :: S.trialTo != 0 && !AT(SERVICE_SUSPENDED) -> S.cause = BY_STOP
     :: AT(SERVICE_SUSPENDED) || IN_HANDOVER -> why = Q_ORDERED
     :: else
     fi
  :: else
  fi
}

/* ---- timers ---- */
inline react_timer(h) {
  if
  :: ev == E_T_STEP ->
     if
     :: IN_HANDOVER || AT(SERVICE_SUSPENDED) -> why = Q_LIMIT
     :: AT(SERVICE_SEEKING) -> try_next(h)
     :: AT(SERVICE_SHUTTING) -> why = Q_SHUT                        /* R6: the kernel has shut it by itself */
     :: else
     fi
  :: ev == E_T_SILENCE -> why = Q_SILENCE
  :: ev == E_T_LISTEN -> why = Q_LISTENED
  :: ev == E_T_PROBE ->
     if
     :: SEARCHING -> S.unanswered = (S.unanswered < NP -> S.unanswered + 1 : NP); SAY(S_PROBE); why = Q_CLAIM
     :: AT(HANDOVER_WAITING) -> if :: S.pend == 0 -> ask_addresses(h) :: else fi; SAY(S_PROBE)      /* at the probes' pace */
     :: AT(HANDOVER_RAISING) -> DO(D_CHECK_UP)
     :: AT(HANDOVER_PREPARING) -> DO(D_CHECK_LOCAL)
     :: AT(HANDOVER_OPENING) -> if :: RIGHT(h) -> order_gate(h) :: else fi
     :: else -> SAY(S_PROBE)
     fi
  :: ev == E_T_CLAIM -> if :: AT(HANDOVER_CLAIMING) -> why = Q_GRANTED :: SEARCHING -> why = Q_CLAIM :: else fi
  :: ev == E_T_WINDOW ->
     if
     :: AT(SERVICE_SUSPENDED) -> S.windowOver = S.suspect; why = Q_ROUND
     :: S.attempt -> S.windowOver = true; why = Q_WINDOW
     :: else
     fi
  :: ev == E_T_RENEW -> if :: SERVING -> RENEW_OWN(h); why = Q_EXTEND :: else fi                     /* R5 */
  :: ev == E_T_ADVERT -> if :: IN_SERVICE -> go_on_alone(h); advert(h) :: S.attempt -> SAY(S_STATUS) :: else fi
  :: ev == E_T_RETRY ->
     if
     :: AT(HANDOVER_CLAIMING) -> SAY(S_CLAIM); why = Q_GRANTED
     :: (S.attempt || IN_SERVICE) && !AVAIL && !g.renewed -> SAY(S_STATUS)                      /* R7 */
     :: else
     fi
  :: ev == E_T_REPEAT ->
     if
     :: S.stage != 0 -> say_what_ended(h)
     :: AT(SERVICE_SEEKING) -> SAY(S_HANDOVER)
     :: S.attempt && PLANNED -> SAY(S_READY)
     :: S.attempt && !PLANNED -> SAY(S_RELEASE)
     :: else
     fi
  :: ev == E_T_CLEAN ->
     if
     :: S.stage == GATE_STAGE -> shut_gate(h)
     :: S.stage == SERVICE_STAGE -> DO(D_SERVICE_OFF)
     :: S.stage == UPLINK_STAGE -> DO(D_LOWER)
     :: else
     fi
  :: ev == E_T_TRIAL -> succession(h)
  :: ev == E_T_CHECKS ->
     if
     :: S.stage != 0 || AT(INIT_CLEANING) -> skip
     :: IN_BACKUP -> DO(D_CHECK_DOWN); if :: S.known != 0 -> DO(D_CHECK_REMOTE) :: else fi
     :: IN_SERVICE -> DO(D_CHECK_DOWN | D_CHECK_UP | D_CHECK_LOCAL)
     :: else -> DO(D_CHECK_DOWN)
     fi
  :: else
  fi
}

/* ---- what each place does when it is entered ---- */
inline enter(h) {
  if
  :: AT(INIT_LINKING) -> DO(D_CHECK_DOWN); why = Q_LINKED
  :: AT(DECIDE_LISTENING) -> SAY(S_PROBE); why = 0
  :: SEARCHING ->
     begin_suspicion(h); DO(D_CHECK_DOWN); SAY(S_PROBE);
     if :: AVAIL -> DO(D_CHECK_REMOTE | D_ASK_DOWN) :: else fi;
     why = 0
  :: AT(BACKUP_WATCHING) -> end_suspicion(h); end_attempt(h); why = 0
  :: AT(HANDOVER_CLAIMING) ->
     S.highest++; S.term = TERM(S.highest, h); S.forced = (why == Q_FORCED);
     end_attempt(h); S.attempt = true; S.letGo = (S.rel == TO_NOBODY); S.due = g.two && !S.forced; end_suspicion(h);
     if :: S.forced -> DO(A_FORCED) :: else fi;
     SAY(S_CLAIM); why = Q_GRANTED
  :: AT(HANDOVER_RAISING) -> DO(D_RAISE); if :: !PLANNED -> SAY(S_STATUS) :: else fi; why = 0   /* R11: renews from its grant on */
  :: AT(HANDOVER_LISTENING) || AT(HANDOVER_WAITING) ->
     ask_addresses(h); SAY(S_PROBE); S.windowOver = false;
     if :: AT(HANDOVER_LISTENING) && g.early -> prepare(h) :: AT(HANDOVER_LISTENING) && !g.early -> S.prep = 0 :: else fi;
     why = 0
  :: AT(HANDOVER_PREPARING) ->
     S.windowOver = false;
     if
     :: S.prep == TESTED -> why = Q_PREPARED
     :: S.prep == ORDERED -> why = 0
     :: else -> prepare(h); why = 0
     fi
  :: AT(HANDOVER_RELEASING) ->
     if
     :: PLANNED -> SAY(S_READY); why = 0
     :: !PLANNED && NOBODY_TO_ASK -> why = Q_LET_GO
     :: else -> SAY(S_RELEASE); why = 0
     fi
  :: AT(HANDOVER_OPENING) ->
     if :: AVAIL -> RENEW_OWN(h) :: !AVAIL && (PLANNED || !RIGHT(h)) -> SAY(S_STATUS) :: else fi;
     if :: RIGHT(h) -> order_gate(h) :: else fi;
     why = 0
  :: AT(HANDOVER_WITHDRAWING) ->
     if :: why != Q_ORDERED && why != Q_RIVAL -> S.held = true; if :: why != Q_WORD -> DO(A_FAILED) :: else fi :: else fi;   /* R17 */
     make_harmless(h); why = 0
  :: AT(SERVICE_SERVING) ->
     if :: why == Q_GATE_OPEN -> S.known = S.term; S.rel = NOT_SAID; S.fresh = true; S.heardP = true;
           end_attempt(h); S.rival = 0; S.rivalFresh = false
        :: why == Q_RENEWED -> DO(A_RESUMED)
        :: else
     fi;
     advert(h);
     if :: why != Q_NOBODY -> DO(D_ANNOUNCE) :: else fi;
     why = (S.trialTo != 0 -> Q_WANTED : 0)                          /* R12: what a lapse interrupted goes on */
  :: AT(SERVICE_SEEKING) -> SAY(S_HANDOVER); why = 0
  :: AT(SERVICE_SHUTTING) -> shut_gate(h); why = 0
  :: AT(SERVICE_SUSPENDED) ->
     DO(A_SUSPENDED); shut_gate(h);
     if
     :: AVAIL -> begin_round(h)
     :: else -> advert(h)
     fi;
     why = 0
  :: AT(SERVICE_RELEASING) -> S.rested = false; make_harmless(h); why = 0
  :: else -> assert(false)
  fi
}

/* ---- every transition: a row a line, its question and its guard ---- */
#define GO(t, to)  row = t; S.place = to
inline ways(h) {
  row = 0;
  if
  :: AT(INIT_CLEANING) && why == Q_HARMLESS -> GO(1, INIT_LINKING)                                                   /* T1 */
  :: AT(INIT_LINKING) && why == Q_LINKED && (S.down || S.heard) -> GO(2, DECIDE_LISTENING)                           /* T2 */
  :: AT(DECIDE_LISTENING) && why == Q_MASTER && heardNow && FROM_MASTER && S.rel == NOT_SAID -> GO(3, BACKUP_WATCHING)    /* T3 */
  :: AT(DECIDE_LISTENING) && why == Q_LISTENED -> GO(4, DECIDE_ELECTING)                                             /* T4 */
  :: AT(DECIDE_ELECTING) && why == Q_MASTER && heardNow && FROM_MASTER && S.rel == NOT_SAID -> GO(5, BACKUP_WATCHING)     /* T5 */
  :: AT(DECIDE_ELECTING) && why == Q_CLAIM && MAY_CLAIM -> GO(6, HANDOVER_CLAIMING)                                  /* T6 */
  :: AT(DECIDE_ELECTING) && why == Q_FORCED -> GO(7, HANDOVER_CLAIMING)                                              /* T7 */
  :: AT(BACKUP_WATCHING) && why == Q_SILENCE -> GO(8, BACKUP_SUSPECTING)                                             /* T8 */
  :: AT(BACKUP_WATCHING) && why == Q_RELEASED && S.rel == TO_NOBODY -> GO(9, BACKUP_SUSPECTING)                         /* T9 */
  :: AT(BACKUP_WATCHING) && why == Q_ASKED && mt == S.known && FIT && !S.held -> GO(10, HANDOVER_RAISING);
     S.highest = MAX(S.highest, NUM(S.known)) + 1; S.term = TERM(S.highest, h);
     S.attempt = true; S.plannedBy = S.known; S.granted = true; S.due = true; S.masterLives = true                   /* T10 */
  :: AT(BACKUP_WATCHING) && why == Q_FORCED -> GO(11, HANDOVER_CLAIMING)                                             /* T11 */
  :: AT(BACKUP_SUSPECTING) && why == Q_MASTER && heardNow && FROM_MASTER && S.rel == NOT_SAID -> GO(12, BACKUP_WATCHING)  /* T12 */
  :: AT(BACKUP_SUSPECTING) && why == Q_CLAIM && MAY_CLAIM -> GO(13, HANDOVER_CLAIMING)                               /* T13 */
  :: AT(BACKUP_SUSPECTING) && why == Q_FORCED -> GO(14, HANDOVER_CLAIMING)                                           /* T14 */
  :: AT(HANDOVER_CLAIMING) && why == Q_GRANTED && (AVAIL -> S.due : MAJ(h)) -> GO(15, HANDOVER_RAISING); S.granted = true /* T15 */
  :: AT(HANDOVER_RAISING) && why == Q_NEXT_HOP && !PLANNED -> GO(16, HANDOVER_LISTENING)                             /* T16 */
  :: AT(HANDOVER_RAISING) && why == Q_NEXT_HOP && PLANNED -> GO(17, HANDOVER_PREPARING)                              /* T17 */
  :: AT(HANDOVER_LISTENING) && why == Q_WINDOW && WINDOW_DONE && S.answ == 0 -> GO(18, HANDOVER_PREPARING)           /* T18 */
  :: AT(HANDOVER_LISTENING) && why == Q_WINDOW && WINDOW_DONE && S.answ != 0 -> GO(19, HANDOVER_WAITING)             /* T19 */
  :: AT(HANDOVER_LISTENING) && why == Q_STALLED -> GO(20, HANDOVER_LISTENING)                                        /* T20 */
  :: AT(HANDOVER_WAITING) && why == Q_WINDOW && !S.windowOver && S.pend == 0 && S.answ == 0 -> GO(21, HANDOVER_PREPARING) /* T21 */
  :: AT(HANDOVER_WAITING) && why == Q_WINDOW && S.windowOver -> GO(22, HANDOVER_PREPARING); DO(A_CONFLICT)           /* T22 */
  :: AT(HANDOVER_WAITING) && why == Q_STALLED -> GO(23, HANDOVER_LISTENING)                                          /* T23 */
  :: AT(HANDOVER_PREPARING) && why == Q_PREPARED -> GO(24, HANDOVER_RELEASING)                                       /* T24 */
  :: AT(HANDOVER_PREPARING) && why == Q_STALLED -> GO(25, HANDOVER_LISTENING)                                        /* T25 */
  :: AT(HANDOVER_RELEASING) && why == Q_RELEASED && (PLANNED -> succ == h + 1 && g.match : succ == 0 || succ == h + 1) ->
     GO(26, HANDOVER_OPENING); S.letGo = true; if :: PLANNED -> LEND(h) :: else fi                                          /* T26 */
  :: AT(HANDOVER_RELEASING) && (why == Q_LET_GO || why == Q_LIMIT && !PLANNED && !AVAIL) ->
     GO(27, HANDOVER_OPENING)                                                                                        /* T27 */
  :: AT(HANDOVER_RELEASING) && why == Q_STALLED -> GO(28, HANDOVER_LISTENING)                                        /* T28 */
  :: AT(HANDOVER_OPENING) && why == Q_GATE_OPEN && S.gate -> GO(29, SERVICE_SERVING)                                 /* T29 */
  :: IN_HANDOVER && why == Q_WORD && !(PLANNED && HOST(S.plannedBy) == from) && mt >= S.known && g.evidence && !STRONGER ->
     GO(30, HANDOVER_WITHDRAWING)                                                                                    /* T30 */
  :: IN_HANDOVER && why == Q_RIVAL && mt > S.term && !STRONGER -> GO(31, HANDOVER_WITHDRAWING)                       /* T31 */
  :: IN_HANDOVER && why == Q_LIMIT && (!AT(HANDOVER_RELEASING) || (PLANNED -> !S.heardP || g.limitOver : AVAIL)) ->
     GO(32, HANDOVER_WITHDRAWING)                                                                                    /* T32 */
  :: IN_HANDOVER && why == Q_DOWN_LOST -> GO(33, HANDOVER_WITHDRAWING)                                               /* T33 */
  :: IN_HANDOVER && why == Q_ORDERED -> GO(34, HANDOVER_WITHDRAWING)                                                 /* T34 */
  :: AT(HANDOVER_WITHDRAWING) && why == Q_HARMLESS && S.known != 0 -> GO(35, BACKUP_WATCHING)                        /* T35 */
  :: AT(HANDOVER_WITHDRAWING) && why == Q_HARMLESS && S.known == 0 -> GO(36, DECIDE_LISTENING)                       /* T36 */
  :: AT(SERVICE_SERVING) && why == Q_WANTED -> GO(37, SERVICE_SEEKING)                                               /* T37 */
  :: AT(SERVICE_SEEKING) && why == Q_NOBODY -> GO(38, SERVICE_SERVING)                                               /* T38 */
  :: AT(SERVICE_SEEKING) && why == Q_READY -> GO(39, SERVICE_SHUTTING)                                               /* T39 */
  :: SERVING && why == Q_LAPSED -> GO(40, SERVICE_SUSPENDED)                                                         /* T40 */
  :: AT(SERVICE_SUSPENDED) && why == Q_RENEWED && S.gate -> GO(41, SERVICE_SERVING)                                  /* T41 */
  :: AT(SERVICE_SHUTTING) && why == Q_SHUT -> GO(42, SERVICE_RELEASING)                                              /* T42 */
  :: IN_SERVICE && why == Q_DEPOSED -> GO(43, SERVICE_RELEASING)                                                     /* T43 */
  :: IN_SERVICE && why == Q_FAILED && g.fallen -> GO(44, SERVICE_RELEASING)                                          /* T44 */
  :: IN_SERVICE && why == Q_DOWN_BAD && (ev == E_DOWN_REFUTED || g.blamed) -> GO(45, SERVICE_RELEASING)              /* T45 */
  :: IN_SERVICE && why == Q_ORDERED -> GO(46, SERVICE_RELEASING)                                                     /* T46 */
  :: AT(SERVICE_SUSPENDED) && why == Q_LIMIT -> GO(47, SERVICE_RELEASING)                                            /* T47 */
  :: AT(SERVICE_RELEASING) && why == Q_HARMLESS -> GO(48, BACKUP_WATCHING)                                           /* T48 */
  :: else                                                            /* asked in vain: the host stays where it is */
  fi;
  if
  :: row != 0 ->
     FIRED(row);
     if
     :: row == 1 || row == 35 || row == 36 || row == 48 ->           /* harmless: the term ends here */
        S.stage = 0; S.copies = 0; S.term = 0; S.handTo = 0; S.forced = false; S.uplinkBad = false;
        if :: row == 48 && S.known != 0 -> S.fresh = true; S.heardP = true :: else fi
     :: else
     fi;
     enter(h)
  :: row == 0 && why == Q_WORD && !(PLANNED && HOST(S.plannedBy) == from) && mt >= S.known -> S.masterLives = true; why = 0
  :: row == 0 && why == Q_RIVAL && mt < S.term -> SAY(S_CLAIM_BACK); why = 0
  :: row == 0 && why == Q_ASKED && mt == S.known -> S.highest = MAX(S.highest, NUM(S.known)) + 1; SAY(S_WITHDRAW); why = 0   /* R12 */
  :: row == 0 && why == Q_RELEASED && !PLANNED && (succ == 0 || succ == h + 1) -> S.letGo = S.letGo || IN_HANDOVER; why = 0
  :: row == 0 && why == Q_FAILED -> DO(D_CHECK_LOCAL); why = 0
  :: row == 0 && why == Q_ROUND -> round_over(h)
  :: row == 0 && why == Q_EXTEND -> extend(h); why = 0
  :: row == 0 && why == Q_ANEW -> if :: S.gate -> shut_gate(h) :: else fi; begin_round(h); why = 0
  :: else -> why = 0
  fi
}

/* Late is not dead (R9): first the own right; after a stall silence proves nothing. */
inline late(h) {
  if
  :: SERVING && !RIGHT(h) -> why = Q_LAPSED                         /* first the own right */
  :: g.stalled && SEARCHING -> S.downSince = false; S.unanswered = 0; DO(D_CHECK_DOWN); SAY(S_PROBE)
  :: g.stalled && AT(SERVICE_SUSPENDED) && AVAIL -> why = Q_ANEW
  :: g.stalled && AT(HANDOVER_CLAIMING) && !PLANNED -> S.due = false
  :: g.stalled && S.attempt && !PLANNED && S.place >= HANDOVER_LISTENING && S.place <= HANDOVER_RELEASING -> why = Q_STALLED
  :: else
  fi
}

/* One event at one host. What it makes due is another one: no event but a timer's serves a deadline (R9). */
inline host_step(h) {
  said = 0; done = 0; why = 0; phase = 0; row = 0;
  do
  :: why != 0 -> ways(h)
  :: why == 0 && phase == 0 -> phase = 1; late(h)
  :: why == 0 && phase == 1 -> phase = 2;
     if
     :: IS_MESSAGE -> hear(h); react_message(h)
     :: ev >= E_OP_HANDOVER && ev <= E_OP_STOP -> react_order(h)
     :: IS_TIMER && row == 40 && ev != E_T_CHECKS -> skip            /* the place's timers went with it */
     :: IS_TIMER && !(row == 40 && ev != E_T_CHECKS) -> react_timer(h)
     :: else -> react_world(h)
     fi
  :: why == 0 && phase == 2 -> phase = 3; if :: IS_MESSAGE -> after_message(h) :: else fi
  :: else -> break
  od
}
