/*
 * Promises 1, 4 and 6 where something is born while something ends: Central, NobodyElse, NoRevival.
 *
 * One account with epochs, a session S1 that is signed in and acts, and a sign-in that makes S2: the password is read and
 * verified (which takes time), then a second factor or a link in a mail is waited for (which takes longer). Meanwhile the person
 * ends everything, changes the password from S1 (which re-roots S1), signs S1 out, or an operator locks and unlocks. The answer to an
 * end may be lost, so that it is asked for again with the same request. Transactions are one step: the stores prove that.
 *
 * doomed says what the end of the account took: whatever was there, and whatever was under way.
 *
 * quick: -DENDS=4
 * long: -DENDS=8
 * -D REACH_LIVE_NEXT: reached | a session that lives beside one that was re-rooted twice
 * -D UNASKED: holds | creation need not ask: what it makes is dead on arrival, because names are inherited
 * -D LOOKED_UP: NoRevival | names are inherited, never looked up: a token takes its session's epoch, not the current one
 * -D LATE_EPOCH: NoRevival | born under what was checked: under the epoch read together with the credential
 * -D PENDING_FORGETS: NoRevival | half-finished things too: what waits keeps the epochs known when it began
 * -D REROOT_UNASKED: NoRevival | others: the acting session must be alive after the account's row is locked
 * -D COPIED_EPOCH: NobodyElse | others: what is bound to a session reads the account's epoch from the session's row
 * -D READ_ONCE: NobodyElse | others: a refresh that meets a re-root between two reads, reads again
 * -D LOCK_BEGINS_EPOCH: Central | locked is no current epoch: whoever forgets to ask finds none
 * -D RESOLVED_AGAIN: NobodyElse | a selector resolves to names once: a retried "everywhere" does not end the sign-in made in between
 */
#ifndef ENDS
#define ENDS 3
#endif
#define NONE 255

bool Central = true, NobodyElse = true, NoRevival = true;

/* ---- rows. Epochs are numbers; those in over have ended. ---- */
byte epoch = 0;                   /* the account's; NONE: locked */
byte last = 0;                    /* the newest that there ever was */
bool over[ENDS+1];
bool locked;
byte root1 = 0; bool out1;        /* S1: its root, and whether its own name has ended */
byte copy1 = 0;                   /* its root when its family was made */
byte root2 = NONE;                /* S2; NONE: not there */
#define ended(e) (e == NONE || over[e])
#define live1 (!out1 && !ended(root1))
#define live2 (root2 != NONE && !over[root2])

/* ---- what should be so ---- */
bool doomed1, doomed2, doomedSignIn;
byte reroots;                     /* since the refresh under way began */

byte stage;                       /* of the sign-in: 1 password being verified, 2 waiting for the rest */
byte born = NONE;                 /* what it carries */

inline end_epoch() { over[epoch] = true; doomedSignIn = doomedSignIn || stage > 0; doomed2 = doomed2 || root2 != NONE }
inline next_epoch() { last++; epoch = last }
#define room (last < ENDS)

active proctype SignIn() {
	do
	:: atomic { stage == 0 && root2 == NONE && epoch != NONE -> stage = 1; born = epoch; doomedSignIn = false } /* reads password and epochs */
	:: atomic { stage == 1 -> stage = 2;
#ifdef LATE_EPOCH
		born = epoch
#endif
	   }
	:: atomic { stage == 2 ->
#ifdef PENDING_FORGETS
		born = epoch;
#endif
		if
#ifndef UNASKED
		:: ended(born) -> skip
		:: !ended(born) ->
#else
		:: true ->
#endif
			root2 = born; doomed2 = doomedSignIn
		fi;
		stage = 0; born = NONE; doomedSignIn = false
	   }
	od
}

active proctype Everywhere() {
	bool asked, answered;
	do
	:: atomic { !asked && epoch != NONE && room -> asked = true; doomed1 = true; end_epoch(); next_epoch() }
	:: atomic { asked && !answered -> /* the answer was lost: again, with the same request */
#ifdef RESOLVED_AGAIN
		if :: epoch != NONE && room -> over[epoch] = true; next_epoch() :: else fi;
#endif
		answered = true /* the first receipt */
	   }
	od
}

/* The password is changed by S1: its cookie was good when the request came. */
active proctype Others() {
	bool admitted;
	do
	:: atomic { !admitted && live1 -> admitted = true }
	:: atomic { admitted && room ->
		if
#ifdef REROOT_UNASKED
		:: epoch != NONE ->
#else
		:: live1 && epoch == root1 ->
#endif
			end_epoch(); next_epoch(); root1 = epoch; reroots++
		:: else
		fi;
		admitted = false
	   }
	od
}

active proctype Operator() {
	do
	:: atomic { !locked && epoch != NONE && room ->
		locked = true; doomed1 = true; end_epoch();
#ifdef LOCK_BEGINS_EPOCH
		next_epoch()
#else
		epoch = NONE
#endif
	   }
	:: atomic { locked && room -> locked = false; next_epoch() }
	:: atomic { !out1 -> out1 = true; doomed1 = true }
	od
}

/* A refresh of S1's family reads the chain, then asks what of it has ended; a second time if something has. */
#ifdef COPIED_EPOCH
#define root_of_family copy1
#else
#define root_of_family root1
#endif
active proctype Refresh() {
	byte names = NONE;
	bool again;
	do
	:: atomic { names == NONE && !doomed1 -> reroots = 0; names = root_of_family }
	:: atomic { names != NONE && (!ended(names) || doomed1) -> names = NONE; again = false }
#ifndef READ_ONCE
	:: atomic { names != NONE && ended(names) && !doomed1 && !again -> again = true; names = root_of_family }
	:: atomic { names != NONE && ended(names) && !doomed1 && again ->
#else
	:: atomic { names != NONE && ended(names) && !doomed1 ->
#endif
		NobodyElse = reroots > 1; /* refused, though nothing of S1's has ended; twice within a moment is forgiven */
		assert(NobodyElse);
		names = NONE; again = false
	   }
	od
}

active proctype Check() {
	do
	:: atomic { root2 != NONE || doomed1 || locked ->
		NoRevival = !(doomed1 && live1) && !(doomed2 && live2);
		assert(NoRevival);
#ifdef LOOKED_UP
		NoRevival = !(doomed2 && root2 != NONE && !ended(epoch)); /* a token of S2, minted now */
		assert(NoRevival);
#endif
		NobodyElse = (doomed1 || live1) && (root2 == NONE || doomed2 || live2);
		assert(NobodyElse);
		Central = !(locked && (live1 || live2));
		assert(Central)
#ifdef REACH_LIVE_NEXT
		; assert(!(root1 == 2 && !doomed1 && root2 == 2))
#endif
	   }
	od
}
