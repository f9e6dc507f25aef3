/*
 * groups: services that go together, and an uplink that several services share (R23).
 *
 * Covers: two services, two gateways and a witness. The unit of claims, votes and takeovers is the group, so that no
 * host holds half of it. On each host one serial queue switches the uplink: up with its first holder, down after the
 * last; orders may wait there for any time, services are taken over, rolled back and released at any time.
 * Leaves out: the time of leases (quorum3.pml): a promise ends when the holder let go, or after it lapsed, in one step.
 * The core has one machine a group; what carries its orders out for each member and counts holders of an uplink keeps to this slice.
 *
 * Properties: `neverHalf`: the group's services are never active on different hosts at once; `heldIsUp`: a service is
 * active only while its host's uplink is up; `idleIsDown`: no order waiting and no holder, then the uplink is down.
 */
#define GATEWAYS 2
#define VOTERS 3
#define SERVICES 2
#define NOBODY 7
#ifdef BROKEN_CLAIM_PER_SERVICE
#define UNITS SERVICES
#else
#define UNITS 1
#endif
/* The unit that a service is claimed with. */
#define unitOf(service) ((service) % UNITS)

byte promisedTo[VOTERS * UNITS] = NOBODY;
#define promise(v, unit) promisedTo[(v) * UNITS + (unit)]
#define has(h, unit) \
  (((promise(0, unit) == h) + (promise(1, unit) == h) + (promise(2, unit) == h)) >= 2)

/* By host and service: wants the uplink, is active. */
bool holds[GATEWAYS * SERVICES];
bool serving[GATEWAYS * SERVICES];
#define holdsAt(h, service) holds[(h) * SERVICES + (service)]
#define activeAt(h, service) serving[(h) * SERVICES + (service)]

/* One host's uplink: whether it is up, how many services hold it, and the orders that wait, the oldest first. */
bool up[GATEWAYS];
byte holders[GATEWAYS];
mtype = { raise, lower };
chan queueA = [4] of { mtype, byte };
chan queueB = [4] of { mtype, byte };
/* The service's raise was carried out. */
bool raised[GATEWAYS * SERVICES];
#define raisedAt(h, service) raised[(h) * SERVICES + (service)]

bool neverHalf = true, heldIsUp = true, idleIsDown = true;

inline judge() {
  neverHalf = !((activeAt(0, 0) && activeAt(1, 1)) || (activeAt(0, 1) && activeAt(1, 0)));
  if :: !neverHalf -> printf("violated: each host serves half of the group\n") :: else fi;
  assert(neverHalf);
  heldIsUp = !((!up[0] && (activeAt(0, 0) || activeAt(0, 1))) || (!up[1] && (activeAt(1, 0) || activeAt(1, 1))));
  if :: !heldIsUp -> printf("violated: a service is active and its uplink is down\n") :: else fi;
  assert(heldIsUp)
}

#if UNITS > 1
#define serves(h, unit) activeAt(h, unit)
#else
#define serves(h, unit) (activeAt(h, 0) || activeAt(h, 1))
#endif

/* Votes: a host asks for a unit; its promise ends when it does not serve what hangs on it. */
proctype voter(byte v) {
end:
  do
  :: atomic { promise(v, 0) == NOBODY -> if :: promise(v, 0) = 0 :: promise(v, 0) = 1 fi;
              printf("voter %d promises unit 0 to %c\n", v, 65 + promise(v, 0)) }
  :: atomic { promise(v, 0) != NOBODY && !serves(promise(v, 0), 0) -> promise(v, 0) = NOBODY; printf("voter %d's promise for unit 0 ends\n", v) }
#if UNITS > 1
  :: atomic { promise(v, 1) == NOBODY -> if :: promise(v, 1) = 0 :: promise(v, 1) = 1 fi;
              printf("voter %d promises unit 1 to %c\n", v, 65 + promise(v, 1)) }
  :: atomic { promise(v, 1) != NOBODY && !serves(promise(v, 1), 1) -> promise(v, 1) = NOBODY; printf("voter %d's promise for unit 1 ends\n", v) }
#endif
  od
}
/* One service on one host: Handover (uplink ordered up), Service, and back, each when it likes. */
proctype service(byte h, s; chan queue) {
end:
  do
  :: atomic { !holdsAt(h, s) && has(h, unitOf(s)) && nfull(queue) -> holdsAt(h, s) = true; queue!raise(s);
              printf("service %d on %c takes over: uplink ordered up\n", s, 65 + h) }
  :: atomic { holdsAt(h, s) && raisedAt(h, s) && !activeAt(h, s) && has(h, unitOf(s)) -> activeAt(h, s) = true;
              printf("service %d on %c is active\n", s, 65 + h); judge() }
  :: atomic { activeAt(h, s) -> activeAt(h, s) = false; printf("service %d on %c is shut\n", s, 65 + h) }
  :: atomic { holdsAt(h, s) && raisedAt(h, s) && !activeAt(h, s) && nfull(queue) -> holdsAt(h, s) = false; raisedAt(h, s) = false; queue!lower(s);
              printf("service %d on %c is rolled back: uplink ordered down\n", s, 65 + h) }
  od
}

/* The actuator's queue: one order at a time. */
proctype actuator(byte h; chan queue) {
  byte s;
end:
  do
  :: atomic { queue?raise(s) -> holders[h]++; up[h] = true; raisedAt(h, s) = true; s = 0; printf("%c's uplink is up\n", 65 + h) }
  :: atomic { queue?lower(s) -> holders[h]--; s = 0;
#ifdef BROKEN_UPLINK_NOT_COUNTED
              up[h] = false;
#elif !defined(BROKEN_NEVER_LOWERED)
              if :: holders[h] == 0 -> up[h] = false :: else fi;
#endif
              if :: !up[h] -> printf("%c's uplink is down\n", 65 + h) :: else fi;
              judge();
              idleIsDown = !(up[h] && len(queue) == 0 && !holdsAt(h, 0) && !holdsAt(h, 1));
              if :: !idleIsDown -> printf("violated: nobody holds the uplink, and it is up\n") :: else fi;
              assert(idleIsDown) }
  od
}

init {
  atomic {
    run voter(0); run voter(1); run voter(2);
    run service(0, 0, queueA); run service(0, 1, queueA); run actuator(0, queueA);
    run service(1, 0, queueB); run service(1, 1, queueB); run actuator(1, queueB)
  }
}
