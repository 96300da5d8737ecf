/*
 * Promise 3, OwedIsOwed: the duty to tell is committed with the ending; each delivery is attempted until it is acknowledged, refused
 * for good or out of time, and the last two stay to be seen. A crash at any instant loses none.
 *
 * A session with some apps ends. Workers expand the fan-out with a cursor, lease a delivery, send, and settle; they die between any
 * two of these steps, and may be so slow that their lease is given to another. Requests and answers are lost. Both what must always
 * be so (no duty is lost) and what must come about (an app that comes back is told) are checked; the latter supposes that dying,
 * losing and being down end at some time, for all but the first app, which is down for ever if the checker likes.
 *
 * quick: -DWORKERS=1
 * quick: -DSAFE
 * long: -DWORKERS=2
 * long: -DSAFE -DAPPS=3
 * long: -DSAFE -DDEATHS=2
 * -D REACH_TOLD_TWICE: reached | an app that is told twice
 * -D DUTY_LATER: OwedIsOwed | the duty to tell is committed with the ending
 * -D CURSOR_FIRST: OwedIsOwed | the cursor is moved in the commit that writes the deliveries
 * -D CURSOR_LATER -DWORKERS=1: holds | were it moved later, some deliveries would be written again, and found there
 * -D SETTLED_FIRST: OwedIsOwed | a delivery is settled after it was sent
 * -D LOST_IS_TOLD -DWORKERS=1: OwedIsOwed | only an acknowledgement is one
 * -D LEASE_FOR_EVER: OwedIsOwed | the lease of a dead worker is taken over
 * -D SAME_TOKEN -DWORKERS=1: OwedIsOwed | a fresh token each time: an old one is refused for good by an app that was down for long
 * -D SWEPT: OwedIsOwed | participants are kept until they are told
 * -D FORGOTTEN: OwedIsOwed | what is refused or out of time is shown
 * -D DEAD_FIRST -DWORKERS=1: OwedIsOwed | an app that is down delays no other
 */
#ifndef APPS
#define APPS 2
#endif
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef DEATHS
#define DEATHS 1 /* of workers; and so many losses, and so often the apps but the first are down */
#endif

bool OwedIsOwed = true;

/* ---- rows ---- */
bool ended;
byte job;                    /* 1: to be expanded, 2: done */
byte cursor;
bool participant[APPS];
#define NONE 0
#define OWED 1
#define TOLD 2
#define REFUSED 3
#define GIVEN_UP 4               /* out of time */
byte row[APPS];
byte holder[APPS];          /* of the lease: a worker's number; 0: none */
byte at[WORKERS+1];         /* the app, plus 1, that a worker is at; 0: none, or it is dead */
#define busy(a) (at[holder[a]] == a + 1)
byte turn;                   /* who is due first: a failed one goes to the end of the queue */

/* ---- apps ---- */
bool up[APPS], heard[APPS], refuses[APPS];
bool late;                /* 72 hours have passed */
byte old;                    /* apps whose first token has expired, with SAME_TOKEN */
byte deaths, losses, downs;

#define settled(a) (row[a] == TOLD || row[a] == REFUSED || row[a] == GIVEN_UP)
#define duty(a) (row[a] == OWED || settled(a) || (job == 1 && cursor <= a && participant[a]))
#define truth(a) ((row[a] != TOLD || heard[a]) && (row[a] != REFUSED || refuses[a]) && (row[a] != GIVEN_UP || late))
inline check() {
	for (i : 0 .. APPS-1) { OwedIsOwed = OwedIsOwed && (!ended || duty(i)) && truth(i) }
	i = 0;
	assert(OwedIsOwed)
}

proctype Door() {
	byte i;
	atomic { true -> ended = true;
#ifdef DUTY_LATER
		check() }
	atomic { true ->
#endif
		job = 1; check() }
}

proctype FanOut() {
	byte a, i;
	bool half;
	do
#ifdef CURSOR_FIRST
	:: atomic { !half && job == 1 && cursor < APPS -> a = cursor; cursor++; half = true; check() }
	:: atomic { half -> row[a] = (row[a] == NONE && participant[a] -> OWED : row[a]); half = false; a = 0 }
#elif defined(CURSOR_LATER)
	:: atomic { !half && job == 1 && cursor < APPS -> a = cursor; row[a] = (row[a] == NONE && participant[a] -> OWED : row[a]); half = true }
	:: atomic { half -> cursor = (cursor == a -> a + 1 : cursor); half = false; a = 0; check() }
#else
	:: atomic { job == 1 && cursor < APPS -> row[cursor] = (participant[cursor] -> OWED : NONE); cursor++; check() }
#endif
	:: atomic { !half && job == 1 && cursor == APPS -> job = 2; check() }
	:: atomic { half && deaths < DEATHS -> deaths++; half = false; a = 0 }
	od
}

#define due(a) (row[a] == OWED && holder[a] == 0)
#if APPS > 2
#define some_due (due(0) || due(1) || due(2))
#else
#define some_due (due(0) || due(1))
#endif

proctype Work(byte me) {
	byte step, a, i; /* 1: leased, 2: acknowledged, 3: refused, 4: failed */
	do
	:: atomic { step == 0 && some_due ->
		do :: due(turn) -> break :: else -> turn = (turn + 1) % APPS od;
		a = turn; holder[a] = me; at[me] = a + 1; step = 1;
#ifdef DEAD_FIRST
		turn = 0;
#else
		turn = (turn + 1) % APPS;
#endif
#ifdef SETTLED_FIRST
		row[a] = TOLD; check()
#endif
	   }
	:: atomic { step == 1 ->
		if
		:: !up[a] -> step = 4
		:: up[a] && refuses[a] -> step = 3
#ifdef SAME_TOKEN
		:: up[a] && old == 1 -> step = 3
#endif
		:: up[a] && !refuses[a] ->
#ifdef REACH_TOLD_TWICE
			assert(!heard[a]);
#endif
			heard[a] = true; step = 2
		:: up[a] && !refuses[a] && losses < DEATHS -> losses++; heard[a] = true; step = 4 /* the answer is lost */
		fi;
#ifdef LOST_IS_TOLD
		step = (step == 4 -> 2 : step)
#endif
	   }
	:: atomic { step > 1 ->
		if
		:: holder[a] != me -> skip /* another has its lease, or had */
		:: holder[a] == me && step == 2 -> row[a] = TOLD
		:: holder[a] == me && step == 3 -> row[a] = REFUSED
		:: holder[a] == me && step == 4 && late -> row[a] = GIVEN_UP
		:: holder[a] == me && step == 4 && !late -> skip /* again later */
		fi;
#ifdef FORGOTTEN
		row[a] = (row[a] == REFUSED || row[a] == GIVEN_UP -> NONE : row[a]);
#endif
		holder[a] = (holder[a] == me -> 0 : holder[a]); at[me] = 0; step = 0; a = 0;
		check()
	   }
	:: atomic { step > 0 && deaths < DEATHS -> deaths++; at[me] = 0; step = 0; a = 0 } /* killed, and started again */
	od
}

#ifndef LEASE_FOR_EVER
/* A lease runs out when its holder is dead, or so slow that it might be. */
proctype Leases() {
	byte a, slow;
	do
	:: atomic { holder[a] != 0 && !busy(a) -> holder[a] = 0; a = (a + 1) % APPS }
	:: atomic { holder[a] != 0 && busy(a) && slow < DEATHS -> slow++; holder[a] = 0; a = (a + 1) % APPS }
	:: atomic { holder[a] == 0 || busy(a) -> a = (a + 1) % APPS }
	od
}
#endif

proctype World() {
	byte a;
	do
	:: atomic { !up[1] -> up[1] = true } /* comes back at last */
	:: atomic { up[1] && downs < DEATHS -> downs++; up[1] = false }
	:: atomic { !late && up[1] && settled(1) -> late = true } /* not before the others had their chance */
#ifdef SAME_TOKEN
	:: atomic { old == 0 -> old = 1 }
#endif
#ifdef SWEPT
	:: atomic { ended && participant[1] -> participant[1] = false }
#else
	:: atomic { ended && participant[1] && settled(1) -> participant[1] = false }
#endif
	od
}

init {
	byte i;
	atomic {
		for (i : 0 .. APPS-1) {
			participant[i] = true;
			if :: refuses[i] = true :: true fi;
			if :: up[i] = true :: true fi
		}
		for (i : 1 .. WORKERS) { run Work(i); run FanOut() }
		run Door();
#ifndef LEASE_FOR_EVER
		run Leases();
#endif
		run World();
		i = 0
	}
}

#ifndef SAFE /* without what must come about: for larger sizes */
ltl { [] (ended -> <> settled(1)) }
#endif
