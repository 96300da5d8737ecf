/*
 * Promise 2, Bounded, the part about time: what a guard has once heard of, it refuses for as long as any token hangs on it, whatever
 * any clock does. So it may forget a name at its until. Promises 1 and 4 where they hang on clocks: a session past its limit is
 * refused centrally (Central), and no step of a clock ends one that has time left (NobodyElse).
 *
 * Watched are the tokens that hang on a name X (a session with an absolute end), on the realm and on the key K that signed them. Of
 * all that were minted only the latest exp matters. The database's clock steps, life_cap is raised and lowered, the key is killed,
 * a backup is restored on a machine with another clock; what guards are told comes late, never, or from long ago.
 *
 * Ledger time is a number up to END; the run stops there. Lateness of endings is not looked at here (beat.pml, follow.pml): the
 * promise begins when the guard has heard.
 *
 * quick: -DEND=3
 * quick: -DSESSION -DTURNS=0
 * quick: -DKEY -DTURNS=0 -DSTEPS=0
 * long: -DEND=5 -DTURNS=3
 * long: -DEND=4 -DSESSION -DSTEPS=2 -DTURNS=0
 * long: -DEND=4 -DKEY
 * -D REACH_FORGOTTEN: reached | the guard has forgotten a name that some token still hangs on, which has expired
 * -D MINT_BY_WALL: Bounded | lives and clocks: t is the ledger time in the counter row, no clock's
 * -D TIME_AFTER_NAMES: Bounded | lives and clocks: t is read before the names
 * -D NOT_MONOTONE: Bounded | lives and clocks: ledger time is monotone; a clock set back is not followed
 * -D LIFE_BY_CONFIG: Bounded | lives and clocks: life_cap is raised before a longer life is used
 * -D LOWERED_AT_ONCE: Bounded | lives and clocks: life_cap is lowered only after the old one has passed
 * -D PAST_SESSION -DSESSION -DTURNS=0: Bounded | lives and clocks: exp does not pass the session's absolute end
 * -D STEP_TAKEN -DSESSION -DTURNS=0: NobodyElse | lives and clocks: a forward step that monotonic time did not see is not taken over
 * -D LIMITS_BY_SWEEP -DSESSION -DTURNS=0: Central | expiry is true at read time
 * -D EXP_BY_WALL: Bounded | the guard's only clock is its floor: exp is not held against its wall clock
 * -D PRUNE_BY_WALL: Bounded | the guard's only clock is its floor: names are not forgotten by its wall clock
 * -D PRUNE_BY_FLOOR: Bounded | the guard's only clock is its floor: names are forgotten by what it was told, for the floor may come back down to that
 * -D TOLD_LAST: Bounded | the guard's only clock is its floor: of the highest ledger time it was told, not the last
 * -D KEY_UNTIL_CAP -DKEY -DTURNS=0 -DSTEPS=0: Bounded | keys: a killed key's ending never leaves the feed
 * -D RESTORE_KEEPS_KEYS -DKEY -DTURNS=0 -DSTEPS=0: Bounded | restore: every key in the backup is over for good
 */
#ifndef END
#define END 3      /* no clock goes further */
#endif
#ifndef STEPS
#define STEPS 1    /* how often the clock of the database is set */
#endif
#ifndef CAPS
#define CAPS 2     /* the largest life_cap */
#endif
#ifndef TURNS
#define TURNS 1    /* how often it is changed */
#endif
#define LIMIT 1    /* the largest forward step that is believed: the 30 s */
#define FOREVER 255

bool Bounded = true, Central = true, NobodyElse = true;

/* ---- the database ---- */
#ifdef SESSION
byte truth;                       /* what has really passed */
#else
#define truth 0
#endif
byte wall;                        /* its clock */
byte row;                         /* ledger time in the counter row */
byte cap, oldCap, oldUntil;       /* life_cap; the one before it was lowered, and till when that counts */
byte untilX, untilR, untilK;      /* endings; 0: none. The ledger holds them. */
byte limit;                       /* the session's absolute end */

/* ---- a node ---- */
byte mono;                        /* ledger time by its monotonic clock since it last believed the database's */
#define jumped (wall > mono + LIMIT)
#ifdef STEP_TAKEN
#define estimate wall
#define mint_stops false
#else
#define estimate (jumped -> mono : (wall > mono -> wall : mono))
#define mint_stops jumped
#endif

/* ---- a guard ---- */
bool started;
byte told, floor;
bool heardX, heardR, heardK;      /* it was told of that ending, since it started: the promise holds from here on */
byte hasX, hasR, hasK;            /* and still holds it, until then; 0: does not */
byte exp;                         /* of the longest-lived token */

#define max(a, b) (a > b -> a : b)
#define min(a, b) (a < b -> a : b)
#define holds(t) (t < oldUntil && oldCap > cap -> oldCap : cap)

/* The time of a commit: monotone; a leap is not followed. */
inline tick_row() {
#ifdef NOT_MONOTONE
	row = wall;
#else
	if
#ifndef STEP_TAKEN
	:: jumped -> skip /* last time + 1 ms */
	:: !jumped ->
#else
	:: true ->
#endif
		row = (wall > row -> wall : row);
		mono = (row > mono -> row : mono)
	fi
#endif
}

proctype Time() {
	byte steps;
	do
	:: atomic { mono < END ->
		mono++; floor = (started -> floor + 1 : 0);
#ifdef SESSION
		truth++;
#endif
		if :: wall < END -> wall++ :: true fi /* it may lag */
	   }
	:: atomic { steps < STEPS -> steps++; select (wall : 0 .. END) }
	od
}

/* R: t first, then the names. The life is the cap beside t, and exp never passes the session's end. */
proctype Mint() {
	byte t, life;
	do
#ifdef TIME_AFTER_NAMES
	:: atomic { !mint_stops && untilX == 0 && untilR == 0 && untilK == 0 && life == 0 -> life = cap }
	:: atomic { life > 0 -> tick_row(); t = row; exp = max(exp, min(t + life, limit)); t = 0; life = 0 }
#else
	:: atomic { !mint_stops && life == 0 ->
		if :: tick_row() :: true fi; /* it is ticked only when it is old */
#ifdef MINT_BY_WALL
		t = wall;
#else
		t = row;
#endif
#ifdef LIFE_BY_CONFIG
		life = CAPS
#else
		life = cap
#endif
	   }
	:: atomic { life > 0 ->
		if
		:: untilX == 0 && untilR == 0 && untilK == 0 ->
#ifdef PAST_SESSION
			exp = max(exp, t + life)
#else
			exp = max(exp, min(t + life, limit))
#endif
		:: else
		fi;
		t = 0; life = 0
	   }
#endif
	od
}

proctype Endings() {
	byte turns;
	do
#ifndef KEY
	:: atomic { untilX == 0 -> tick_row(); untilX = row + holds(row) } /* sign-out */
#endif
#ifdef SESSION
	:: atomic { untilX == 0 && row >= limit -> /* R: expiry; its ending need not be held, since no exp passes the limit */
		untilX = row;
		NobodyElse = truth + LIMIT * STEPS >= limit;
		assert(NobodyElse)
	   }
#endif
	:: atomic { wall > row -> tick_row() }
#ifdef KEY
	:: atomic { untilK == 0 -> tick_row(); /* the key is stolen, and killed */
#ifdef KEY_UNTIL_CAP
		untilK = row + holds(row)
#else
		untilK = FOREVER /* R: its thief can mint any exp */
#endif
	   }
#endif
	:: atomic { turns < TURNS && cap < CAPS -> turns++; cap++ }
	:: atomic { turns < TURNS && cap > 1 -> turns++; tick_row();
#ifndef LOWERED_AT_ONCE
		oldCap = (row >= oldUntil -> 0 : oldCap); /* R: the old cap holds until it has passed */
		oldCap = max(oldCap, cap);
		oldUntil = max(oldUntil, row + cap + 1);
#endif
		cap--
	   }
	od
}

#ifdef KEY
/* A backup is made, and comes back, perhaps on a machine whose clock is behind. The realm ends, and every key in it. */
proctype Restore() {
	byte back, backX;
	atomic { untilK == 0 -> back = row; backX = untilX }
	atomic { true ->
		row = back; untilX = backX; back = 0; backX = 0;
		select (wall : 0 .. END);
		mono = wall;
		tick_row();
		untilR = row + holds(row);
#ifdef RESTORE_KEEPS_KEYS
		untilK = 0
#else
		untilK = FOREVER
#endif
	}
}
#endif

inline hold(has, now) { has = (has > now -> has : 0) }
inline hear(t) {
#ifdef TOLD_LAST
	told = t; floor = t;
#else
	if :: t > told -> told = t; floor = t :: else fi; /* R: the highest ledger time it was told */
#endif
#if defined(PRUNE_BY_FLOOR)
	hold(hasX, floor); hold(hasR, floor); hold(hasK, floor)
#elif defined(PRUNE_BY_WALL)
	if :: hold(hasX, FOREVER-1); hold(hasR, FOREVER-1); hold(hasK, FOREVER-1) :: true fi
#else
	hold(hasX, told); hold(hasR, told); hold(hasK, told)
#endif
}

proctype Guard() {
	byte t;
	do
	:: atomic { !started -> /* a snapshot: what is to be held at the ledger time in it */
		started = true; told = row; floor = row;
		hasX = untilX; hold(hasX, row); heardX = untilX > 0;
		hasR = untilR; hold(hasR, row); heardR = untilR > 0;
		hasK = untilK; hold(hasK, row); heardK = untilK > 0
	   }
	/* Entries come; of a restored ledger all at once, in its snapshot. */
	:: atomic { started && untilX > 0 && !heardX && untilR == 0 -> heardX = true; hasX = untilX }
	:: atomic { started && untilK > 0 && !heardK && untilR == 0 -> heardK = true; hasK = untilK }
	:: atomic { started && untilR > 0 && !heardR ->
		heardR = true; hasR = untilR;
		heardX = heardX || untilX > 0; hasX = max(hasX, untilX);
		heardK = heardK || untilK > 0; hasK = max(hasK, untilK)
	   }
	:: atomic { started -> /* an answer: the row's time, or what the node estimates now, or an old one */
		if :: t = row :: t = max(row, estimate) :: select (t : 0 .. row) fi;
		hear(t); t = 0
	   }
#ifdef PRUNE_BY_FLOOR
	:: atomic { started -> hold(hasX, floor); hold(hasR, floor); hold(hasK, floor) }
#endif
	:: atomic { started -> started = false; told = 0; floor = 0; hasX = 0; hasR = 0; hasK = 0; heardX = false; heardR = false; heardK = false }
	od
}

#ifdef EXP_BY_WALL
#define expired false /* its wall clock may say anything */
#else
#define expired (floor >= exp)
#endif

proctype Check() {
	do
	:: atomic { started && (heardX || heardR || heardK) && exp > 0 ->
		Bounded = hasX > 0 || hasR > 0 || hasK > 0 || expired;
		assert(Bounded);
		Bounded = !heardK || hasK > 0; /* the thief's token, which never expires */
		assert(Bounded)
#ifdef REACH_FORGOTTEN
		; assert(hasX + hasR + hasK > 0)
#endif
	   }
	:: atomic { row >= limit -> /* at the server, with the session's cookie */
#ifdef LIMITS_BY_SWEEP
		Central = untilX > 0;
#else
		Central = true; /* R: central checks compare the limit themselves */
#endif
		assert(Central)
	   }
	od
}

init {
	atomic {
		select (cap : 1 .. CAPS);
#ifdef SESSION
		select (limit : 1 .. END);
#else
		limit = FOREVER;
#endif
		run Time();
		run Mint();
		run Endings();
#ifdef KEY
		run Restore();
#endif
		run Guard();
		run Check();
	}
}
