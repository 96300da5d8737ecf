/*
 * Promise 2, Bounded, second half: the guard holds what it says it holds. A guard admits no request with an ended token later than
 * MAX after the ending's commit, whatever becomes of its snapshots and its tail, and whatever backup the ledger is restored from.
 * Promise 4, NobodyElse: it takes no token for ended that has not ended.
 *
 * One token T is watched. It hangs on a name X and on the realm. The ledger grows by X and by others' endings, and may be replaced
 * by a restored backup. Snapshots and frames of a tail are of any age (caches, buffers) and come in any order or never. The guard
 * applies in steps, forgets tokens, dies and starts again; the request may stand still between any two of its steps.
 *
 * Ages as in beat.pml, where question and answer are looked at closely; here an answer is a head read after the question was sent.
 *
 * quick: -DMAX=1
 * long: -DMAX=2 -DENTRIES=3
 * -D REACH_FRESH_RESTORED: reached | after a restore the guard is fresh again, in the new history, and knows the realm ended
 * -D SAME_LINEAGE: Bounded | restore: a restored ledger begins another lineage
 * -D NO_REALM_END: Bounded | restore: ends the realm, for endings made after the backup are lost
 * -D REPLACE_SET: Bounded | another lineage: its snapshot is added to what the guard holds; nothing is taken away for it
 * -D NO_ERA: Bounded | another lineage: frames of a tail opened in the old history count for nothing
 * -D SKIP_GAP: Bounded | the feed: a gap is never passed over
 * -D SKIP_FRAME: Bounded | the feed: an unknown frame is refused, never skipped
 * -D TORN_SNAPSHOT: Bounded | the feed: a snapshot at N is all of N, from one snapshot of the database
 * -D EARLY_NUMBERS: Bounded | the ledger (S3): whoever reads number n can read all below it
 * -D SNAPSHOT_PROVES: Bounded | freshness is a round trip: a snapshot proves nothing, it may come from a cache
 * -D PROVE_BEFORE_MARK: Bounded | freshness is a round trip: marked first
 * -D PROVE_BEHIND: Bounded | freshness is a round trip: everything up to head, not the part that fitted into the answer
 * -D FILE_APART: Bounded | first sight and feed exclude each other
 */
#ifndef MAX
#define MAX 1     /* max staleness, in ticks */
#endif
#ifndef ENTRIES
#define ENTRIES 2 /* numbers in the ledger */
#endif
#define LATE (MAX+1)
#define NEVER (MAX+2)

bool Bounded = true, NobodyElse = true;

/* ---- the ledger. h tells histories apart; lineage(h) is what the server says about it. ---- */
bit hist;            /* after a restore 1 */
byte head[2];        /* numbers so far */
byte posX[2];        /* X's number there; 0: none */
byte posR[2];        /* the realm's */
byte since = NEVER;  /* how long ago T's first ending was committed */
#ifdef SAME_LINEAGE
#define lineage(h) 0
#else
#define lineage(h) (h)
#endif
#define inside(pos, after, upto) (pos > after && pos <= upto)
#define T_in(h, after, upto) (inside(posX[h], after, upto) || inside(posR[h], after, upto))

/* ---- the guard ---- */
bool started;        /* it has a place: */
bit atH; byte atN;
bool knows;          /* the set of ended names has one of T's */
bool filed, marked;  /* T in the cache */
byte asked = NEVER;  /* how long ago the question that is out was sent */
byte proof = NEVER;  /* how long ago the question was sent on which freshness rests */
bool applying;       /* the lock */
bool answered; bit ansH; byte ansN;             /* to the question that is out */
bool framed, frameOfEra; bit frameH; byte frameN;  /* a tail's frame: entry frameN; opened in the era that still is */
byte step, held = NEVER; bool mark;             /* the request, see beat.pml */
bool looked, over;                              /* a first sight that is half done */

inline grow(v) { v = (v < LATE -> v + 1 : v) }

active proctype Time() {
	do
	:: d_step { grow(since); grow(proof); grow(asked); grow(held) }
	od
}

active proctype Ledger() {
	byte b;
	do
#ifdef EARLY_NUMBERS
	:: atomic { hist == 0 && posX[0] == 0 && b == 0 && head[0] < ENTRIES -> head[0]++; b = head[0] } /* the number first, the entry later */
	:: atomic { b > 0 && hist == 0 -> posX[0] = b; since = 0; b = 0 }
#else
	:: atomic { hist == 0 && posX[0] == 0 && head[0] < ENTRIES -> head[0]++; posX[0] = head[0]; since = 0 }
#endif
	:: atomic { head[hist] < ENTRIES -> head[hist]++ }
	:: atomic { hist == 0 -> /* a backup comes back: what was ended after it is lost */
		select (b : 0 .. head[0]);
		head[1] = b;
		posX[1] = (posX[0] <= b -> posX[0] : 0);
#ifndef NO_REALM_END
		head[1]++; posR[1] = head[1]; /* R: restore ends the realm */
		since = (since == NEVER -> 0 : since);
#endif
		hist = 1;
		b = 0
	   }
	od
}

inline drop_frame() { framed = false; frameOfEra = false; frameH = 0; frameN = 0 }
inline drop_answer() { answered = false; ansH = 0; ansN = 0 }

/* A tail is opened in the history in which the guard is. */
active proctype Tail() {
	byte n;
	do
	:: atomic { started && !framed && head[atH] > 0 ->
		select (n : 1 .. head[atH]);
		framed = true; frameOfEra = true; frameH = atH; frameN = n; n = 0
	   }
	:: atomic { framed -> drop_frame() } /* lost */
#if defined(NO_ERA)
	:: atomic { framed && !applying && frameN == atN + 1 ->
#elif defined(SKIP_GAP)
	:: atomic { framed && !applying && frameOfEra && frameN > atN ->
#else
	:: atomic { framed && !applying && frameOfEra && frameN == atN + 1 -> /* what came before is known, what comes later a gap */
#endif
		applying = true;
		n = frameN;
#ifndef SKIP_FRAME
		knows = knows || T_in(frameH, n - 1, n);
#endif
		drop_frame()
	   }
	   atomic { true -> marked = marked || (filed && knows) }
	   atomic { true -> atN = n; n = 0; applying = false }
	od
}

/* From a cache perhaps: of any history that was, as of any number. It is read in chunks; the place moves when all was there. */
inline take_snapshot(rewritten) {
	atomic { !applying ->
		applying = true;
		if :: sh = 0 :: hist == 1 -> sh = 1 fi;
		select (sn : 0 .. head[sh])
#ifdef REPLACE_SET
		; knows = false
#endif
	}
	atomic { true ->
#ifdef TORN_SNAPSHOT
		if :: sn > 0 -> knows = knows || T_in(sh, 0, sn - 1) :: else fi /* head and entries read one after the other */
#else
		knows = knows || T_in(sh, 0, sn)
#endif
	}
	atomic { true -> marked = marked || (filed && knows) }
	atomic { true ->
		if
		:: !started || lineage(sh) != lineage(atH) || rewritten -> atH = sh; atN = sn; frameOfEra = false
		:: else -> atN = (sn > atN -> sn : atN) /* never back within a history */
		fi;
		started = true;
#ifdef SNAPSHOT_PROVES
		proof = 0;
#endif
		sh = 0; sn = 0;
		applying = false
	}
}

active proctype Guard() {
	byte sn, upto, h;
	bit sh;
	do
	:: !started -> take_snapshot(false)
	:: atomic { started && asked == NEVER -> asked = 0 }
	:: atomic { asked != NEVER && !answered -> answered = true; ansH = hist; ansN = head[hist] } /* read; on its way */
	:: atomic { asked != NEVER -> asked = NEVER; drop_answer() } /* lost */
	:: atomic { answered && lineage(ansH) == lineage(atH) && ansN >= atN && !applying ->
		applying = true;
		upto = ansN;
		if :: true :: upto > atN + 1 -> upto = atN + 1 fi; /* an answer carries only so much */
#ifdef PROVE_BEFORE_MARK
		proof = asked;
#endif
		knows = knows || T_in(ansH, atN, upto)
	   }
	   atomic { true -> marked = marked || (filed && knows) }
	   atomic { true ->
		atN = upto;
#ifdef PROVE_BEHIND
		proof = asked;
#endif
		proof = (upto == ansN -> asked : proof); /* R: fresh once it has marked everything up to head */
		upto = 0; asked = NEVER; drop_answer();
		applying = false
	   }
	:: atomic { answered && (lineage(ansH) != lineage(atH) || ansN < atN) -> /* another history */
		upto = (lineage(ansH) == lineage(atH) -> 1 : 0);
		asked = NEVER; drop_answer()
	   }
	   take_snapshot(upto == 1);
	   upto = 0
	:: atomic { started && !applying -> /* it dies and is started again */
		started = false; atH = 0; atN = 0; knows = false; filed = false; marked = false;
		proof = NEVER; asked = NEVER; drop_answer(); drop_frame();
		step = 0; held = NEVER; mark = false; looked = false; over = false
	   }
	od
}

/* The decision about T. Each branch is one step of code. */
active proctype Request() {
	do
	/* First sight: T's names are asked and T is filed in one step, which excludes the feed. */
#ifdef FILE_APART
	:: atomic { !filed && !looked && proof != NEVER -> looked = true; over = knows }
	:: atomic { looked -> filed = true; marked = over; looked = false; over = false }
#else
	:: atomic { !filed && proof != NEVER -> filed = true; marked = knows }
#endif
	:: atomic { filed && step == 0 -> filed = false; marked = false } /* evicted */
	:: atomic { filed && step == 0 -> held = proof; step = 1 }
	:: atomic { step == 1 -> mark = marked; step = 2 }
	:: atomic { step == 2 ->
		if
		:: !mark && held <= MAX ->
			Bounded = since == NEVER || since <= MAX; /* admitted, now */
			assert(Bounded)
		:: mark ->
			NobodyElse = since != NEVER; /* refused as ended */
			assert(NobodyElse)
		:: else
		fi;
#ifdef REACH_FRESH_RESTORED
		assert(!(hist == 1 && atH == 1 && proof == 0 && knows));
#endif
		step = 0; held = NEVER; mark = false
	   }
	od
}
