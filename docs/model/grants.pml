/*
 * Promises 3, 4, 6 and 7 where an app is signed in while its session, or the app in it, ends: OwedIsOwed (every app that ever held
 * something is told, and told in time), NobodyElse, NoRevival, NoSilentWayBack.
 *
 * One session and one app. Codes are issued and redeemed, the session is signed out of once, the app twice. Transactions take their
 * locks one after the other and see what was committed (READ COMMITTED); a human may be asked, and acts whenever. The answer to a
 * redeemed code, and logout tokens, are under way for any time, are repeated, and overtake each other.
 *
 * The app of the run is either one that uses package rp (it keeps tombstones) or any other, of which is supposed only that the answer
 * to a code has arrived when the second logout token is sent 15 s later. With REALM the realm may end, too, whose row nobody locks.
 *
 * quick: -DGRANTS=2
 * quick: -DGRANTS=1 -DSTRANGER
 * quick: -DGRANTS=1 -DREALM
 * long: -DGRANTS=2 -DAPP_ENDS=2 -DACTS=2
 * long: -DGRANTS=3
 * long: -DGRANTS=2 -DREALM
 * -D REACH_SECOND_LIFE: reached | signed out of the app, signed in again by a human, and the old logout token comes late
 * -D REACH_OVERTAKEN: reached | a logout token overtakes the answer to the code
 * -D NO_PENDING_GRANT: NoRevival | pending grants: the grant is written when the code is issued, so that an end in between covers it
 * -D SESSION_UNLOCKED: OwedIsOwed | pending grants: opening and redeeming lock the session before they ask
 * -D ASK_BEFORE_LOCK: OwedIsOwed | pending grants: they ask what has ended after the locks are held
 * -D SLOT_UNLOCKED: NoSilentWayBack | pending grants: the row (session, client) is locked by whoever opens or ends
 * -D NO_SECOND: OwedIsOwed | pending grants: a grant redeemed just before its end is told twice
 * -D REALM_TOLD_ONCE -DREALM -DGRANTS=1: OwedIsOwed | pending grants: the realm's end waits for no lock, so it tells those that are pending too, and twice
 * -D NO_TOMBSTONE: OwedIsOwed | pending grants: rp remembers ended sids
 * -D NO_MARK: NoSilentWayBack | an app sign-out leaves the mark "must ask a human"
 * -D OLD_ACT_COUNTS: NoSilentWayBack | the mark is cleared only by an act that was made while it stood
 * -D TOKEN_WITHOUT_SID: NobodyElse | a logout token names the sid, and a new sign-in has a new one
 * -D USED_FIRST -DSTRANGER -DGRANTS=1: NobodyElse | order at the token endpoint: who fails to show that the code is his touches nothing
 */
#ifndef GRANTS
#define GRANTS 2
#endif
#ifndef APP_ENDS
#define APP_ENDS 1
#endif
#ifndef ACTS
#define ACTS 1
#endif
#define SIZE (GRANTS+1) /* 0 is no grant */

bool OwedIsOwed = true, NobodyElse = true, NoRevival = true, NoSilentWayBack = true;

/* ---- rows ---- */
bool overS, overR;                   /* the session, the realm has ended */
bool over[SIZE], overFamily[SIZE];   /* grants, families */
#define PENDING 1
#define REDEEMED 2
byte state[SIZE];                    /* of a grant's row; 0: there is none */
byte slot;                           /* the app's newest grant in the session */
byte mark;                           /* "must ask a human"; 0: no. Each sign-out of the app makes another. */
byte marks;
bool code[SIZE];                     /* a code for that grant is out, not used */
bool used[SIZE];
byte next = 1;

/* ---- locks ---- */
byte sharing;
bool ending, slotHeld;
#ifdef SESSION_UNLOCKED
#define may_share true
#define may_end true
#else
#define may_share (!ending)
#define may_end (!ending && sharing == 0)
#endif
#ifdef SLOT_UNLOCKED
#define may_hold true
#else
#define may_hold (!slotHeld)
#endif

/* ---- what is owed: 0 nothing, 1 a logout token, 2 a second one, 3 all told ---- */
byte owed[SIZE];
bool again[SIZE];
bool fannedS, fannedR, fanned[SIZE];
bool sent[SIZE];                     /* copies of its logout token are in the network */

/* ---- the app ---- */
bool rp;
bool answer[SIZE];                   /* tokens for it, on their way */
bool alive[SIZE];                    /* its own session for this sid */
bool tomb[SIZE];

/* ---- what should be so ---- */
bool doomed[SIZE];                   /* it, or its code, was there when it was ended */
bool out;                            /* signed out of the app, and no human act since */
bool reused[SIZE];                   /* by the app itself */
#define dead(g) (overS || overR || over[g])
byte redeeming;                      /* somebody is about to, has asked, and has not committed */

/* A request that waits for a human. */
byte sawMark; bool acted;
proctype Human() {
	byte acts;
	do
	:: atomic { acts < ACTS && !acted -> acts++; acted = true; sawMark = mark; out = false }
	od
}

inline unlock() { sharing--; slotHeld = false }

proctype Authorize() {
	byte g;
	bool asked, no;
	do
#ifdef ASK_BEFORE_LOCK
	:: atomic { next < SIZE -> no = overS || overR; asked = true }
	   atomic { may_share -> sharing++ }
#else
	:: atomic { next < SIZE && may_share -> sharing++ }
#endif
	   atomic { may_hold -> slotHeld = true }
	   atomic { true -> /* asks: what has ended, and whether a human must */
		if :: !asked -> no = overS || overR :: else fi;
#ifdef OLD_ACT_COUNTS
		no = no || (mark > 0 && !acted);
#else
		no = no || (mark > 0 && !(acted && sawMark == mark));
#endif
		g = (slot > 0 && mark == 0 && !over[slot] -> slot : next)
	   }
	   atomic { true -> /* writes, commits */
		if
		:: no
		:: else ->
			NoSilentWayBack = !out;
			assert(NoSilentWayBack);
			code[g] = true;
			if :: g == next -> next++ :: else fi;
#ifndef NO_PENDING_GRANT
			state[g] = (state[g] == 0 -> PENDING : state[g]); slot = g;
#endif
			mark = 0; acted = false; sawMark = 0;
			doomed[g] = doomed[g] || overS || overR
		fi;
		unlock();
		g = 0; no = false; asked = false
	   }
	od
}

proctype Redeem() {
	byte g;
	bool no, asked;
	do
	:: atomic { g == 0 -> select (g : 1 .. GRANTS); if :: !code[g] -> g = 0 :: else fi }
	:: g > 0 ->
#ifdef ASK_BEFORE_LOCK
	   atomic { true -> no = dead(g); asked = true }
#endif
	   atomic { may_share -> sharing++ }
	   atomic { may_hold -> slotHeld = true }
	   atomic { true -> redeeming = g; if :: !asked -> no = dead(g) :: else fi }
	   atomic { true ->
		redeeming = 0;
		code[g] = false;
#ifdef STRANGER
		used[g] = true;
#endif
		if
		:: no
		:: else -> state[g] = REDEEMED; answer[g] = true;
#ifdef NO_PENDING_GRANT
			slot = g
#endif
		fi;
		unlock();
		g = 0; no = false; asked = false
	   }
	od
}

inline doom() { for (k : 1 .. GRANTS) { doomed[k] = doomed[k] || code[k] || state[k] > 0 } k = 0 }

proctype EndSession() {
	byte k;
	atomic { may_end -> ending = true }
	atomic { true -> overS = true; doom(); ending = false }
}

#ifdef REALM
proctype EndRealm() {
	byte k;
	atomic { true -> overR = true; doom() }
}
#endif

proctype EndApp() {
	byte k, g;
	do
	:: atomic { marks < APP_ENDS && may_share -> sharing++ }
	   atomic { may_hold -> slotHeld = true; g = slot }
	   atomic { true ->
		if
		:: mark > 0 -> skip /* it is signed out already: nothing is written */
		:: else ->
			marks++;
#ifndef NO_MARK
			mark = marks;
#endif
			if :: g > 0 -> over[g] = true :: else fi;
			out = true
		fi;
		g = 0;
		for (k : 1 .. GRANTS) { doomed[k] = doomed[k] || code[k] || state[k] > 0 }
		k = 0;
		unlock()
	   }
	od
}

/* The fan-out reads, after the commit, who was there. */
proctype FanOut() {
	byte g;
	do
	:: atomic { overS && !fannedS ->
		for (g : 1 .. GRANTS) {
			if
			:: state[g] == REDEEMED && owed[g] == 0 -> owed[g] = 1; again[g] = true
			:: else /* what is pending now never gives the app anything: whoever redeems has waited for the lock */
			fi
		}
		g = 0; fannedS = true
	   }
#ifdef REALM
	:: atomic { overR && !fannedR ->
		for (g : 1 .. GRANTS) {
			if
			:: state[g] > 0 && owed[g] == 0 -> owed[g] = 1;
#ifdef REALM_TOLD_ONCE
				again[g] = state[g] == REDEEMED
#else
				again[g] = true
#endif
			:: else
			fi
		}
		g = 0; fannedR = true
	   }
#endif
	:: atomic { g == 0 -> select (g : 1 .. GRANTS);
		if
		:: over[g] && !fanned[g] ->
			fanned[g] = true;
			if
			:: state[g] == REDEEMED && owed[g] == 0 -> owed[g] = 1; again[g] = true
			:: else
			fi
		:: else
		fi;
		g = 0
	   }
	od
}

inline told(g) {
#ifdef TOKEN_WITHOUT_SID
	for (k : 1 .. GRANTS) { NobodyElse = NobodyElse && !(alive[k] && !dead(k)); alive[k] = false }
	k = 0;
#else
	NobodyElse = NobodyElse && !(alive[g] && !dead(g));
	alive[g] = false;
#endif
	assert(NobodyElse);
#ifndef NO_TOMBSTONE
	tomb[g] = rp
#endif
}

proctype Deliver() {
	byte g, k;
	do
	:: atomic { select (g : 1 .. GRANTS);
		if
		:: owed[g] == 1 -> sent[g] = true;
			told(g);
#ifdef NO_SECOND
			owed[g] = 3
#else
			owed[g] = (again[g] -> 2 : 3)
#endif
		:: owed[g] == 2 && (rp || (!answer[g] && redeeming != g)) -> told(g); owed[g] = 3
		:: sent[g] ->
#ifdef REACH_SECOND_LIFE
			for (k : 1 .. GRANTS) { assert(!(alive[k] && !dead(k) && dead(g))) }
			k = 0;
#endif
			told(g) /* an old copy */
		:: else
		fi;
		g = 0
	   }
	:: atomic { select (g : 1 .. GRANTS); /* the answer to a code: arrives, or is lost */
		if
		:: answer[g] ->
#ifdef REACH_OVERTAKEN
			assert(!sent[g]);
#endif
			answer[g] = false;
			if :: !tomb[g] -> alive[g] = true :: true fi
		:: else
		fi;
		g = 0
	   }
	od
}

#ifdef STRANGER
/* Who found or stole a used code, and cannot show that it is his. */
proctype Stranger() {
	byte g;
	do
	:: atomic { select (g : 1 .. GRANTS);
		if
		:: used[g] ->
#ifdef USED_FIRST
			overFamily[g] = true;
#endif
			skip
		:: else
		fi;
		g = 0
	   }
	:: atomic { select (g : 1 .. GRANTS); if :: used[g] && !reused[g] -> reused[g] = true; overFamily[g] = true :: else fi; g = 0 } /* the app, twice */
	od
}
#endif

#define untold(g) (alive[g] && !answer[g] && ((overS && fannedS) || (overR && fannedR) || fanned[g]) && (owed[g] == 0 || owed[g] == 3))
proctype Check() {
	byte g;
	do
	:: atomic { select (g : 1 .. GRANTS);
		NoRevival = !(doomed[g] && state[g] == REDEEMED && !dead(g));
		assert(NoRevival);
		OwedIsOwed = !untold(g);
		assert(OwedIsOwed);
		NobodyElse = !(overFamily[g] && !reused[g]);
		assert(NobodyElse);
		g = 0
	   }
	od
}

init {
	atomic {
		if :: rp = true :: rp = false fi;
		run Human();
		run Authorize();
		run Redeem();
		run EndSession();
#ifdef REALM
		run EndRealm();
#endif
		run EndApp();
		run FanOut();
		run Deliver();
#ifdef STRANGER
		run Stranger();
#endif
		run Check();
	}
}
