/*
 * Promise 2, Bounded, first half: the round trip. A guard admits no request with an ended token later than MAX after the
 * ending's commit.
 *
 * One token T is watched, which hangs on a name X. Nodes answer questions with what they read in the database, from which they may
 * be cut off for any time. Questions and answers are lost, delayed, repeated, reordered and replayed as the checker likes. A request
 * may stand still between any two of its steps (SIGSTOP); the machine may sleep, or its wall clock be set.
 *
 * Time is ticks. Only ages are kept, and none above MAX is told from another, so there is no horizon: the run is for ever.
 * Elsewhere: how the guard comes to hold all that it says it holds (follow.pml); exp, until and forgetting (clocks.pml).
 *
 * quick: -DMAX=1
 * long: -DMAX=1 -DNODES=2
 * long: -DMAX=3 -DSLOTS=2
 * -D REACH_LATE_ADMISSION: reached | an ended token admitted at the very end of the bound
 * -D NO_BOUND: Bounded | freshness is a round trip: Check refuses when now - fresh_as_of > max staleness
 * -D FRESH_AS_RECEIVED: Bounded | freshness is a round trip: fresh as of the moment the question was sent, not of the answer's arrival
 * -D NO_NONCE: Bounded | freshness is a round trip: the answer bears the nonce of this question
 * -D PROVE_BEFORE_MARK: Bounded | freshness is a round trip: only once everything up to head is marked
 * -D ARRIVAL_PROVES: Bounded | freshness is a round trip: that something arrives on the tail proves nothing
 * -D MONO_ONLY: Bounded | freshness is a round trip: the larger of both clocks; monotonic time alone does not count sleep
 * -D WALL_ONLY: Bounded | freshness is a round trip: the larger of both clocks; the wall clock alone may be set back
 * -D CACHED_HEAD: Bounded | a node vouches only for what it read: not for what it read earlier, when it is cut off
 * -D JOIN_BEGUN: Bounded | a node vouches only for what it read: in a read begun after the beat arrived
 * -D MARK_BEFORE_PROOF: Bounded | the guard's order of reads: the proof before the mark
 * -D TIME_BEFORE_MARK: Bounded | the guard's order of reads: the time after the mark
 */
#ifndef MAX
#define MAX 1     /* max staleness, in ticks */
#endif
#ifndef NODES
#define NODES 1
#endif
#ifndef SLOTS
#define SLOTS 1   /* answers that the network keeps, for later or for ever */
#endif
#ifndef HEAD
#define HEAD 1    /* numbers in the ledger */
#endif
#define LATE (MAX+1)
#define NEVER (MAX+2)

bool Bounded = true;

/* ---- the ledger ---- */
byte head;              /* numbers so far */
byte x;                 /* X's number; 0: not ended */
byte since = NEVER;     /* how long ago that was committed */

/* ---- the network. CUR: it bears the nonce of the question that is out. OLD: that of an earlier one. ---- */
#define NONE 0
#define CUR 1
#define OLD 2
typedef Message { byte nonce; byte n }
byte question;          /* stays: a node may hear it twice, or late */
Message answer[SLOTS];  /* stays until another takes its place */

/* ---- nodes: one read of the counter row at a time, for all who wait ---- */
typedef Node { byte waiting, served; bool reading; byte n }
Node node[NODES];

/* ---- the guard. An age has what really passed, and what each of its clocks says. ---- */
typedef Age { byte real, mono, wall }
Age asked;              /* since the question that is out was sent */
Age proof;              /* since the question was sent on which freshness rests */
Age held;               /* the proof that the request has read */
byte known;             /* it holds all entries up to here, and has marked them */
byte step;              /* of the request; 1: proof read, 2: the next one, too */
bool mark;
bool sleeps;            /* The world: monotonic time stands still while the machine sleeps, or the wall clock is set. Not both at once: that is the precondition. */

#if defined(MONO_ONLY)
#define measured(a) (a.mono)
#elif defined(WALL_ONLY)
#define measured(a) (a.wall)
#else
#define measured(a) (a.mono > a.wall -> a.mono : a.wall) /* R: the larger of monotonic and wall difference */
#endif
#define fresh(a) (a.real != NEVER && measured(a) <= MAX)

inline set_age(a, v) { a.real = v; a.mono = v; a.wall = v }
inline copy_age(a, b) { a.real = b.real; a.mono = b.mono; a.wall = b.wall }
inline grow(v) { v = (v < LATE -> v + 1 : v) }
inline later(a) { grow(a.real); grow(a.mono); grow(a.wall) }
inline asleep(a) { grow(a.real); grow(a.wall) }
inline set_back(a) { grow(a.real); grow(a.mono); a.wall = (a.wall == NEVER -> NEVER : 0) }
inline set_on(a) { grow(a.real); grow(a.mono); a.wall = (a.wall == NEVER -> NEVER : LATE) }

inline old(v) { v = (v == CUR -> OLD : v) }
inline new_nonce() {
	old(question);
	for (k : 0 .. NODES-1) { old(node[k].waiting); old(node[k].served) }
	for (k : 0 .. SLOTS-1) { old(answer[k].nonce) }
	k = 0
}

proctype Time() {
	do
	:: atomic { true -> grow(since);
		if
		:: later(asked); later(proof); later(held)
		:: sleeps -> asleep(asked); asleep(proof); asleep(held)
		:: !sleeps -> set_back(asked); set_back(proof); set_back(held)
		:: !sleeps -> set_on(asked); set_on(proof); set_on(held)
		fi
	   }
	od
}

proctype Ledger() {
	do
	:: atomic { head < HEAD && x == 0 -> head++; x = head; since = 0 }
	:: atomic { head < HEAD -> head++ } /* somebody else's */
	od
}

inline reply(who, i) {
	if
	:: answer[0].nonce = who; answer[0].n = node[i].n
#if SLOTS > 1
	:: answer[1].nonce = who; answer[1].n = node[i].n
#endif
	fi
}

inline stop_reading(i) {
	node[i].reading = false; node[i].served = NONE;
#ifndef CACHED_HEAD
	node[i].n = 0
#endif
}

proctype Serve(byte i) {
	do
	:: atomic { question != NONE && node[i].waiting == NONE -> node[i].waiting = question }
	:: atomic { !node[i].reading && node[i].waiting != NONE -> /* R: a read begun after the question arrived */
		node[i].served = node[i].waiting; node[i].waiting = NONE;
		node[i].reading = true; node[i].n = head
	   }
#ifdef JOIN_BEGUN
	:: atomic { node[i].reading && node[i].waiting == CUR -> node[i].served = CUR; node[i].waiting = NONE }
#endif
	:: atomic { node[i].reading -> reply(node[i].served, i); stop_reading(i) } /* after whatever time */
	:: atomic { node[i].reading -> stop_reading(i) } /* R: if it fails, the beat fails */
#ifdef CACHED_HEAD
	:: atomic { node[i].waiting != NONE -> reply(node[i].waiting, i); node[i].waiting = NONE } /* with what it read last */
#endif
	od
}

proctype Guard() {
	byte k, s;
	bool asking;
	do
	:: atomic { !asking -> new_nonce(); question = CUR; asking = true; set_age(asked, 0) }
	:: atomic { asking -> new_nonce(); asking = false; set_age(asked, NEVER) } /* no answer in time */
	:: atomic { asking ->
		s = 0;
#if SLOTS > 1
		if :: true :: s = 1 fi;
#endif
		if
#ifdef NO_NONCE
		:: answer[s].nonce != NONE ->
#else
		:: answer[s].nonce == CUR -> /* R: nonce */
#endif
#ifndef PROVE_BEFORE_MARK
			known = (answer[s].n > known -> answer[s].n : known);
#endif
#ifdef FRESH_AS_RECEIVED
			set_age(proof, 0);
#else
			copy_age(proof, asked); /* R: as of the moment the guard sent the question */
#endif
			new_nonce(); asking = false; set_age(asked, NEVER)
		:: else
		fi;
		s = 0
	   }
	:: atomic { known < head -> known++ } /* by the tail */
#ifdef ARRIVAL_PROVES
	:: atomic { true -> set_age(proof, 0) } /* a heartbeat of the tail */
#endif
	od
}

/* The decision about T, which is in the cache. Each branch is one step of code. */
proctype Request() {
	do
	/* The proof first, then the mark, then the time. */
#if defined(MARK_BEFORE_PROOF)
	:: atomic { step == 0 -> mark = (x > 0 && x <= known); step = 1 }
	:: atomic { step == 1 -> copy_age(held, proof); step = 2 }
	:: atomic { step == 2 ->
#elif defined(TIME_BEFORE_MARK)
	:: atomic { step == 0 -> copy_age(held, proof); step = 1 }
	:: atomic { step == 1 && fresh(held) -> step = 2 }
	:: atomic { step == 2 -> mark = (x > 0 && x <= known);
#else
	:: atomic { step == 0 -> copy_age(held, proof); step = 1 }
	:: atomic { step == 1 -> mark = (x > 0 && x <= known); step = 2 }
	:: atomic { step == 2 ->
#endif
		if
#if defined(TIME_BEFORE_MARK) || defined(NO_BOUND)
		:: !mark && held.real != NEVER ->
#else
		:: !mark && fresh(held) -> /* R: Check refuses when now - fresh_as_of > max staleness */
#endif
			Bounded = since == NEVER || since <= MAX; /* admitted, now */
			assert(Bounded)
#ifdef REACH_LATE_ADMISSION
			; assert(since != MAX)
#endif
		:: else
		fi;
		step = 0; set_age(held, NEVER); mark = false
	   }
	od
}

init {
	byte i;
	atomic {
		set_age(asked, NEVER); set_age(proof, NEVER); set_age(held, NEVER);
		if :: sleeps = true :: sleeps = false fi;
		run Time();
		run Ledger();
		run Guard();
		run Request();
		for (i : 0 .. NODES-1) { run Serve(i) }
		i = 0
	}
}
