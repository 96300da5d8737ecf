#define rand	pan_rand
#define pthread_equal(a,b)	((a)==(b))
#if defined(HAS_CODE) && defined(VERBOSE)
	#ifdef BFS_PAR
		bfs_printf("Pr: %d Tr: %d\n", II, t->forw);
	#else
		cpu_printf("Pr: %d Tr: %d\n", II, t->forw);
	#endif
#endif
	switch (t->forw) {
	default: Uerror("bad forward move");
	case 0:	/* if without executable clauses */
		continue;
	case 1: /* generic 'goto' or 'skip' */
		IfNotBlocked
		_m = 3; goto P999;
	case 2: /* generic 'else' */
		IfNotBlocked
		if (trpt->o_pm&1) continue;
		_m = 3; goto P999;

		 /* PROC :init: */
	case 3: // STATE 1 - beat.pml:65 - [asked.real = (2+2)] (0:8:3 - 1)
		IfNotBlocked
		reached[5][1] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.asked.real);
		now.asked.real = (2+2);
#ifdef VAR_RANGES
		logval("asked.real", ((int)now.asked.real));
#endif
		;
		/* merge: asked.mono = (2+2)(8, 2, 8) */
		reached[5][2] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.asked.mono);
		now.asked.mono = (2+2);
#ifdef VAR_RANGES
		logval("asked.mono", ((int)now.asked.mono));
#endif
		;
		/* merge: asked.wall = (2+2)(8, 3, 8) */
		reached[5][3] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.asked.wall);
		now.asked.wall = (2+2);
#ifdef VAR_RANGES
		logval("asked.wall", ((int)now.asked.wall));
#endif
		;
		_m = 3; goto P999; /* 2 */
	case 4: // STATE 5 - beat.pml:65 - [proof.real = (2+2)] (0:12:3 - 1)
		IfNotBlocked
		reached[5][5] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.proof.real);
		now.proof.real = (2+2);
#ifdef VAR_RANGES
		logval("proof.real", ((int)now.proof.real));
#endif
		;
		/* merge: proof.mono = (2+2)(12, 6, 12) */
		reached[5][6] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.proof.mono);
		now.proof.mono = (2+2);
#ifdef VAR_RANGES
		logval("proof.mono", ((int)now.proof.mono));
#endif
		;
		/* merge: proof.wall = (2+2)(12, 7, 12) */
		reached[5][7] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.proof.wall);
		now.proof.wall = (2+2);
#ifdef VAR_RANGES
		logval("proof.wall", ((int)now.proof.wall));
#endif
		;
		_m = 3; goto P999; /* 2 */
	case 5: // STATE 9 - beat.pml:65 - [held.real = (2+2)] (0:15:3 - 1)
		IfNotBlocked
		reached[5][9] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.held.real);
		now.held.real = (2+2);
#ifdef VAR_RANGES
		logval("held.real", ((int)now.held.real));
#endif
		;
		/* merge: held.mono = (2+2)(15, 10, 15) */
		reached[5][10] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.held.mono);
		now.held.mono = (2+2);
#ifdef VAR_RANGES
		logval("held.mono", ((int)now.held.mono));
#endif
		;
		/* merge: held.wall = (2+2)(15, 11, 15) */
		reached[5][11] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.held.wall);
		now.held.wall = (2+2);
#ifdef VAR_RANGES
		logval("held.wall", ((int)now.held.wall));
#endif
		;
		_m = 3; goto P999; /* 2 */
	case 6: // STATE 13 - beat.pml:218 - [sleeps = 1] (0:23:2 - 1)
		IfNotBlocked
		reached[5][13] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.sleeps);
		now.sleeps = 1;
#ifdef VAR_RANGES
		logval("sleeps", ((int)now.sleeps));
#endif
		;
		/* merge: .(goto)(23, 16, 23) */
		reached[5][16] = 1;
		;
		/* merge: i = 0(23, 17, 23) */
		reached[5][17] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P5 *)_this)->i);
		((P5 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval(":init::i", ((int)((P5 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 24, 23) */
		reached[5][24] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 7: // STATE 14 - beat.pml:218 - [sleeps = 0] (0:23:2 - 1)
		IfNotBlocked
		reached[5][14] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.sleeps);
		now.sleeps = 0;
#ifdef VAR_RANGES
		logval("sleeps", ((int)now.sleeps));
#endif
		;
		/* merge: .(goto)(23, 16, 23) */
		reached[5][16] = 1;
		;
		/* merge: i = 0(23, 17, 23) */
		reached[5][17] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P5 *)_this)->i);
		((P5 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval(":init::i", ((int)((P5 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 24, 23) */
		reached[5][24] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 8: // STATE 17 - beat.pml:219 - [i = 0] (0:23:1 - 3)
		IfNotBlocked
		reached[5][17] = 1;
		(trpt+1)->bup.oval = ((int)((P5 *)_this)->i);
		((P5 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval(":init::i", ((int)((P5 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 24, 23) */
		reached[5][24] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 9: // STATE 18 - beat.pml:219 - [((i<=(1-1)))] (0:0:0 - 1)
		IfNotBlocked
		reached[5][18] = 1;
		if (!((((int)((P5 *)_this)->i)<=(1-1))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 10: // STATE 19 - beat.pml:219 - [(run Serve(i))] (0:0:0 - 1)
		IfNotBlocked
		reached[5][19] = 1;
		if (!(addproc(II, 1, 2, ((int)((P5 *)_this)->i))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 11: // STATE 20 - beat.pml:219 - [i = (i+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[5][20] = 1;
		(trpt+1)->bup.oval = ((int)((P5 *)_this)->i);
		((P5 *)_this)->i = (((int)((P5 *)_this)->i)+1);
#ifdef VAR_RANGES
		logval(":init::i", ((int)((P5 *)_this)->i));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 12: // STATE 26 - beat.pml:220 - [i = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[5][26] = 1;
		(trpt+1)->bup.oval = ((int)((P5 *)_this)->i);
		((P5 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval(":init::i", ((int)((P5 *)_this)->i));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 13: // STATE 28 - beat.pml:222 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[5][28] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */

		 /* PROC Request */
	case 14: // STATE 1 - beat.pml:192 - [((step==0))] (0:0:0 - 1)
		IfNotBlocked
		reached[4][1] = 1;
		if (!((((int)now.step)==0)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 15: // STATE 2 - beat.pml:66 - [held.real = proof.real] (0:26:4 - 1)
		IfNotBlocked
		reached[4][2] = 1;
		(trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((int)now.held.real);
		now.held.real = ((int)now.proof.real);
#ifdef VAR_RANGES
		logval("held.real", ((int)now.held.real));
#endif
		;
		/* merge: held.mono = proof.mono(26, 3, 26) */
		reached[4][3] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.held.mono);
		now.held.mono = ((int)now.proof.mono);
#ifdef VAR_RANGES
		logval("held.mono", ((int)now.held.mono));
#endif
		;
		/* merge: held.wall = proof.wall(26, 4, 26) */
		reached[4][4] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.held.wall);
		now.held.wall = ((int)now.proof.wall);
#ifdef VAR_RANGES
		logval("held.wall", ((int)now.held.wall));
#endif
		;
		/* merge: step = 1(26, 6, 26) */
		reached[4][6] = 1;
		(trpt+1)->bup.ovals[3] = ((int)now.step);
		now.step = 1;
#ifdef VAR_RANGES
		logval("step", ((int)now.step));
#endif
		;
		/* merge: .(goto)(0, 27, 26) */
		reached[4][27] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 16: // STATE 8 - beat.pml:193 - [((step==1))] (26:0:2 - 1)
		IfNotBlocked
		reached[4][8] = 1;
		if (!((((int)now.step)==1)))
			continue;
		/* merge: mark = ((x>0)&&(x<=known))(26, 9, 26) */
		reached[4][9] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.mark);
		now.mark = ((((int)now.x)>0)&&(((int)now.x)<=((int)now.known)));
#ifdef VAR_RANGES
		logval("mark", ((int)now.mark));
#endif
		;
		/* merge: step = 2(26, 10, 26) */
		reached[4][10] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.step);
		now.step = 2;
#ifdef VAR_RANGES
		logval("step", ((int)now.step));
#endif
		;
		/* merge: .(goto)(0, 27, 26) */
		reached[4][27] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 17: // STATE 12 - beat.pml:194 - [((step==2))] (0:0:0 - 1)
		IfNotBlocked
		reached[4][12] = 1;
		if (!((((int)now.step)==2)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 18: // STATE 13 - beat.pml:200 - [((!(mark)&&((held.real!=(2+2))&&(( ((held.mono>held.wall)) -> (held.mono) : (held.wall) )<=2))))] (23:0:2 - 1)
		IfNotBlocked
		reached[4][13] = 1;
		if (!(( !(((int)now.mark))&&((((int)now.held.real)!=(2+2))&&(( ((((int)now.held.mono)>((int)now.held.wall))) ? (((int)now.held.mono)) : (((int)now.held.wall)) )<=2)))))
			continue;
		/* merge: Bounded = ((since==(2+2))||(since<=2))(23, 14, 23) */
		reached[4][14] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.Bounded);
		now.Bounded = ((((int)now.since)==(2+2))||(((int)now.since)<=2));
#ifdef VAR_RANGES
		logval("Bounded", ((int)now.Bounded));
#endif
		;
		/* merge: assert(Bounded)(23, 15, 23) */
		reached[4][15] = 1;
		spin_assert(((int)now.Bounded), "Bounded", II, tt, t);
		/* merge: .(goto)(23, 18, 23) */
		reached[4][18] = 1;
		;
		/* merge: step = 0(23, 19, 23) */
		reached[4][19] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.step);
		now.step = 0;
#ifdef VAR_RANGES
		logval("step", ((int)now.step));
#endif
		;
		_m = 3; goto P999; /* 4 */
	case 19: // STATE 19 - beat.pml:209 - [step = 0] (0:23:1 - 3)
		IfNotBlocked
		reached[4][19] = 1;
		(trpt+1)->bup.oval = ((int)now.step);
		now.step = 0;
#ifdef VAR_RANGES
		logval("step", ((int)now.step));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 20: // STATE 20 - beat.pml:65 - [held.real = (2+2)] (0:26:4 - 1)
		IfNotBlocked
		reached[4][20] = 1;
		(trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((int)now.held.real);
		now.held.real = (2+2);
#ifdef VAR_RANGES
		logval("held.real", ((int)now.held.real));
#endif
		;
		/* merge: held.mono = (2+2)(26, 21, 26) */
		reached[4][21] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.held.mono);
		now.held.mono = (2+2);
#ifdef VAR_RANGES
		logval("held.mono", ((int)now.held.mono));
#endif
		;
		/* merge: held.wall = (2+2)(26, 22, 26) */
		reached[4][22] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.held.wall);
		now.held.wall = (2+2);
#ifdef VAR_RANGES
		logval("held.wall", ((int)now.held.wall));
#endif
		;
		/* merge: mark = 0(26, 24, 26) */
		reached[4][24] = 1;
		(trpt+1)->bup.ovals[3] = ((int)now.mark);
		now.mark = 0;
#ifdef VAR_RANGES
		logval("mark", ((int)now.mark));
#endif
		;
		/* merge: .(goto)(0, 27, 26) */
		reached[4][27] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 21: // STATE 29 - beat.pml:212 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[4][29] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */

		 /* PROC Guard */
	case 22: // STATE 1 - beat.pml:146 - [(!(asking))] (0:0:1 - 1)
		IfNotBlocked
		reached[3][1] = 1;
		if (!( !(((int)((P3 *)_this)->asking))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: asking */  (trpt+1)->bup.oval = ((P3 *)_this)->asking;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P3 *)_this)->asking = 0;
		_m = 3; goto P999; /* 0 */
	case 23: // STATE 2 - beat.pml:73 - [question = ( ((question==1)) -> (2) : (question) )] (0:13:2 - 1)
		IfNotBlocked
		reached[3][2] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.question);
		now.question = ( ((((int)now.question)==1)) ? (2) : (((int)now.question)) );
#ifdef VAR_RANGES
		logval("question", ((int)now.question));
#endif
		;
		/* merge: k = 0(13, 4, 13) */
		reached[3][4] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P3 *)_this)->k);
		((P3 *)_this)->k = 0;
#ifdef VAR_RANGES
		logval("Guard:k", ((int)((P3 *)_this)->k));
#endif
		;
		/* merge: .(goto)(0, 14, 13) */
		reached[3][14] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 24: // STATE 5 - beat.pml:76 - [((k<=(1-1)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][5] = 1;
		if (!((((int)((P3 *)_this)->k)<=(1-1))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 25: // STATE 6 - beat.pml:73 - [node[k].waiting = ( ((node[k].waiting==1)) -> (2) : (node[k].waiting) )] (0:0:1 - 1)
		IfNotBlocked
		reached[3][6] = 1;
		(trpt+1)->bup.oval = ((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].waiting);
		now.node[ Index(((P3 *)_this)->k, 1) ].waiting = ( ((((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].waiting)==1)) ? (2) : (((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].waiting)) );
#ifdef VAR_RANGES
		logval("node[Guard:k].waiting", ((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].waiting));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 26: // STATE 8 - beat.pml:73 - [node[k].served = ( ((node[k].served==1)) -> (2) : (node[k].served) )] (0:13:2 - 1)
		IfNotBlocked
		reached[3][8] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].served);
		now.node[ Index(((P3 *)_this)->k, 1) ].served = ( ((((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].served)==1)) ? (2) : (((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].served)) );
#ifdef VAR_RANGES
		logval("node[Guard:k].served", ((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].served));
#endif
		;
		/* merge: k = (k+1)(13, 10, 13) */
		reached[3][10] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P3 *)_this)->k);
		((P3 *)_this)->k = (((int)((P3 *)_this)->k)+1);
#ifdef VAR_RANGES
		logval("Guard:k", ((int)((P3 *)_this)->k));
#endif
		;
		/* merge: .(goto)(0, 14, 13) */
		reached[3][14] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 27: // STATE 16 - beat.pml:77 - [k = 0] (0:23:1 - 3)
		IfNotBlocked
		reached[3][16] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->k);
		((P3 *)_this)->k = 0;
#ifdef VAR_RANGES
		logval("Guard:k", ((int)((P3 *)_this)->k));
#endif
		;
		/* merge: .(goto)(0, 24, 23) */
		reached[3][24] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 28: // STATE 17 - beat.pml:77 - [((k<=(1-1)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][17] = 1;
		if (!((((int)((P3 *)_this)->k)<=(1-1))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 29: // STATE 18 - beat.pml:73 - [answer[k].nonce = ( ((answer[k].nonce==1)) -> (2) : (answer[k].nonce) )] (0:23:2 - 1)
		IfNotBlocked
		reached[3][18] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.answer[ Index(((int)((P3 *)_this)->k), 1) ].nonce);
		now.answer[ Index(((P3 *)_this)->k, 1) ].nonce = ( ((((int)now.answer[ Index(((int)((P3 *)_this)->k), 1) ].nonce)==1)) ? (2) : (((int)now.answer[ Index(((int)((P3 *)_this)->k), 1) ].nonce)) );
#ifdef VAR_RANGES
		logval("answer[Guard:k].nonce", ((int)now.answer[ Index(((int)((P3 *)_this)->k), 1) ].nonce));
#endif
		;
		/* merge: k = (k+1)(23, 20, 23) */
		reached[3][20] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P3 *)_this)->k);
		((P3 *)_this)->k = (((int)((P3 *)_this)->k)+1);
#ifdef VAR_RANGES
		logval("Guard:k", ((int)((P3 *)_this)->k));
#endif
		;
		/* merge: .(goto)(0, 24, 23) */
		reached[3][24] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 30: // STATE 26 - beat.pml:78 - [k = 0] (0:33:3 - 3)
		IfNotBlocked
		reached[3][26] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)((P3 *)_this)->k);
		((P3 *)_this)->k = 0;
#ifdef VAR_RANGES
		logval("Guard:k", ((int)((P3 *)_this)->k));
#endif
		;
		/* merge: question = 1(33, 28, 33) */
		reached[3][28] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.question);
		now.question = 1;
#ifdef VAR_RANGES
		logval("question", ((int)now.question));
#endif
		;
		/* merge: asking = 1(33, 29, 33) */
		reached[3][29] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P3 *)_this)->asking);
		((P3 *)_this)->asking = 1;
#ifdef VAR_RANGES
		logval("Guard:asking", ((int)((P3 *)_this)->asking));
#endif
		;
		_m = 3; goto P999; /* 2 */
	case 31: // STATE 30 - beat.pml:65 - [asked.real = 0] (0:115:3 - 1)
		IfNotBlocked
		reached[3][30] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.asked.real);
		now.asked.real = 0;
#ifdef VAR_RANGES
		logval("asked.real", ((int)now.asked.real));
#endif
		;
		/* merge: asked.mono = 0(115, 31, 115) */
		reached[3][31] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.asked.mono);
		now.asked.mono = 0;
#ifdef VAR_RANGES
		logval("asked.mono", ((int)now.asked.mono));
#endif
		;
		/* merge: asked.wall = 0(115, 32, 115) */
		reached[3][32] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.asked.wall);
		now.asked.wall = 0;
#ifdef VAR_RANGES
		logval("asked.wall", ((int)now.asked.wall));
#endif
		;
		/* merge: .(goto)(0, 116, 115) */
		reached[3][116] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 32: // STATE 35 - beat.pml:147 - [(asking)] (0:0:1 - 1)
		IfNotBlocked
		reached[3][35] = 1;
		if (!(((int)((P3 *)_this)->asking)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: asking */  (trpt+1)->bup.oval = ((P3 *)_this)->asking;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P3 *)_this)->asking = 0;
		_m = 3; goto P999; /* 0 */
	case 33: // STATE 36 - beat.pml:73 - [question = ( ((question==1)) -> (2) : (question) )] (0:47:2 - 1)
		IfNotBlocked
		reached[3][36] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.question);
		now.question = ( ((((int)now.question)==1)) ? (2) : (((int)now.question)) );
#ifdef VAR_RANGES
		logval("question", ((int)now.question));
#endif
		;
		/* merge: k = 0(47, 38, 47) */
		reached[3][38] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P3 *)_this)->k);
		((P3 *)_this)->k = 0;
#ifdef VAR_RANGES
		logval("Guard:k", ((int)((P3 *)_this)->k));
#endif
		;
		/* merge: .(goto)(0, 48, 47) */
		reached[3][48] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 34: // STATE 39 - beat.pml:76 - [((k<=(1-1)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][39] = 1;
		if (!((((int)((P3 *)_this)->k)<=(1-1))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 35: // STATE 40 - beat.pml:73 - [node[k].waiting = ( ((node[k].waiting==1)) -> (2) : (node[k].waiting) )] (0:0:1 - 1)
		IfNotBlocked
		reached[3][40] = 1;
		(trpt+1)->bup.oval = ((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].waiting);
		now.node[ Index(((P3 *)_this)->k, 1) ].waiting = ( ((((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].waiting)==1)) ? (2) : (((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].waiting)) );
#ifdef VAR_RANGES
		logval("node[Guard:k].waiting", ((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].waiting));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 36: // STATE 42 - beat.pml:73 - [node[k].served = ( ((node[k].served==1)) -> (2) : (node[k].served) )] (0:47:2 - 1)
		IfNotBlocked
		reached[3][42] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].served);
		now.node[ Index(((P3 *)_this)->k, 1) ].served = ( ((((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].served)==1)) ? (2) : (((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].served)) );
#ifdef VAR_RANGES
		logval("node[Guard:k].served", ((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].served));
#endif
		;
		/* merge: k = (k+1)(47, 44, 47) */
		reached[3][44] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P3 *)_this)->k);
		((P3 *)_this)->k = (((int)((P3 *)_this)->k)+1);
#ifdef VAR_RANGES
		logval("Guard:k", ((int)((P3 *)_this)->k));
#endif
		;
		/* merge: .(goto)(0, 48, 47) */
		reached[3][48] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 37: // STATE 50 - beat.pml:77 - [k = 0] (0:57:1 - 3)
		IfNotBlocked
		reached[3][50] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->k);
		((P3 *)_this)->k = 0;
#ifdef VAR_RANGES
		logval("Guard:k", ((int)((P3 *)_this)->k));
#endif
		;
		/* merge: .(goto)(0, 58, 57) */
		reached[3][58] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 38: // STATE 51 - beat.pml:77 - [((k<=(1-1)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][51] = 1;
		if (!((((int)((P3 *)_this)->k)<=(1-1))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 39: // STATE 52 - beat.pml:73 - [answer[k].nonce = ( ((answer[k].nonce==1)) -> (2) : (answer[k].nonce) )] (0:57:2 - 1)
		IfNotBlocked
		reached[3][52] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.answer[ Index(((int)((P3 *)_this)->k), 1) ].nonce);
		now.answer[ Index(((P3 *)_this)->k, 1) ].nonce = ( ((((int)now.answer[ Index(((int)((P3 *)_this)->k), 1) ].nonce)==1)) ? (2) : (((int)now.answer[ Index(((int)((P3 *)_this)->k), 1) ].nonce)) );
#ifdef VAR_RANGES
		logval("answer[Guard:k].nonce", ((int)now.answer[ Index(((int)((P3 *)_this)->k), 1) ].nonce));
#endif
		;
		/* merge: k = (k+1)(57, 54, 57) */
		reached[3][54] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P3 *)_this)->k);
		((P3 *)_this)->k = (((int)((P3 *)_this)->k)+1);
#ifdef VAR_RANGES
		logval("Guard:k", ((int)((P3 *)_this)->k));
#endif
		;
		/* merge: .(goto)(0, 58, 57) */
		reached[3][58] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 40: // STATE 60 - beat.pml:78 - [k = 0] (0:66:2 - 3)
		IfNotBlocked
		reached[3][60] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P3 *)_this)->k);
		((P3 *)_this)->k = 0;
#ifdef VAR_RANGES
		logval("Guard:k", ((int)((P3 *)_this)->k));
#endif
		;
		/* merge: asking = 0(66, 62, 66) */
		reached[3][62] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P3 *)_this)->asking);
		((P3 *)_this)->asking = 0;
#ifdef VAR_RANGES
		logval("Guard:asking", ((int)((P3 *)_this)->asking));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 41: // STATE 63 - beat.pml:65 - [asked.real = (2+2)] (0:115:3 - 1)
		IfNotBlocked
		reached[3][63] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.asked.real);
		now.asked.real = (2+2);
#ifdef VAR_RANGES
		logval("asked.real", ((int)now.asked.real));
#endif
		;
		/* merge: asked.mono = (2+2)(115, 64, 115) */
		reached[3][64] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.asked.mono);
		now.asked.mono = (2+2);
#ifdef VAR_RANGES
		logval("asked.mono", ((int)now.asked.mono));
#endif
		;
		/* merge: asked.wall = (2+2)(115, 65, 115) */
		reached[3][65] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.asked.wall);
		now.asked.wall = (2+2);
#ifdef VAR_RANGES
		logval("asked.wall", ((int)now.asked.wall));
#endif
		;
		/* merge: .(goto)(0, 116, 115) */
		reached[3][116] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 42: // STATE 68 - beat.pml:148 - [(asking)] (108:0:1 - 1)
		IfNotBlocked
		reached[3][68] = 1;
		if (!(((int)((P3 *)_this)->asking)))
			continue;
		/* merge: s = 0(0, 69, 108) */
		reached[3][69] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->s);
		((P3 *)_this)->s = 0;
#ifdef VAR_RANGES
		logval("Guard:s", ((int)((P3 *)_this)->s));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 43: // STATE 70 - beat.pml:157 - [((answer[s].nonce==1))] (75:0:1 - 1)
		IfNotBlocked
		reached[3][70] = 1;
		if (!((((int)now.answer[ Index(((int)((P3 *)_this)->s), 1) ].nonce)==1)))
			continue;
		/* merge: known = ( ((answer[s].n>known)) -> (answer[s].n) : (known) )(0, 71, 75) */
		reached[3][71] = 1;
		(trpt+1)->bup.oval = ((int)now.known);
		now.known = ( ((((int)now.answer[ Index(((int)((P3 *)_this)->s), 1) ].n)>((int)now.known))) ? (((int)now.answer[ Index(((int)((P3 *)_this)->s), 1) ].n)) : (((int)now.known)) );
#ifdef VAR_RANGES
		logval("known", ((int)now.known));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 44: // STATE 72 - beat.pml:66 - [proof.real = asked.real] (0:101:3 - 1)
		IfNotBlocked
		reached[3][72] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.proof.real);
		now.proof.real = ((int)now.asked.real);
#ifdef VAR_RANGES
		logval("proof.real", ((int)now.proof.real));
#endif
		;
		/* merge: proof.mono = asked.mono(101, 73, 101) */
		reached[3][73] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.proof.mono);
		now.proof.mono = ((int)now.asked.mono);
#ifdef VAR_RANGES
		logval("proof.mono", ((int)now.proof.mono));
#endif
		;
		/* merge: proof.wall = asked.wall(101, 74, 101) */
		reached[3][74] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.proof.wall);
		now.proof.wall = ((int)now.asked.wall);
#ifdef VAR_RANGES
		logval("proof.wall", ((int)now.proof.wall));
#endif
		;
		_m = 3; goto P999; /* 2 */
	case 45: // STATE 76 - beat.pml:73 - [question = ( ((question==1)) -> (2) : (question) )] (0:87:2 - 1)
		IfNotBlocked
		reached[3][76] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.question);
		now.question = ( ((((int)now.question)==1)) ? (2) : (((int)now.question)) );
#ifdef VAR_RANGES
		logval("question", ((int)now.question));
#endif
		;
		/* merge: k = 0(87, 78, 87) */
		reached[3][78] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P3 *)_this)->k);
		((P3 *)_this)->k = 0;
#ifdef VAR_RANGES
		logval("Guard:k", ((int)((P3 *)_this)->k));
#endif
		;
		/* merge: .(goto)(0, 88, 87) */
		reached[3][88] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 46: // STATE 79 - beat.pml:76 - [((k<=(1-1)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][79] = 1;
		if (!((((int)((P3 *)_this)->k)<=(1-1))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 47: // STATE 80 - beat.pml:73 - [node[k].waiting = ( ((node[k].waiting==1)) -> (2) : (node[k].waiting) )] (0:0:1 - 1)
		IfNotBlocked
		reached[3][80] = 1;
		(trpt+1)->bup.oval = ((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].waiting);
		now.node[ Index(((P3 *)_this)->k, 1) ].waiting = ( ((((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].waiting)==1)) ? (2) : (((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].waiting)) );
#ifdef VAR_RANGES
		logval("node[Guard:k].waiting", ((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].waiting));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 48: // STATE 82 - beat.pml:73 - [node[k].served = ( ((node[k].served==1)) -> (2) : (node[k].served) )] (0:87:2 - 1)
		IfNotBlocked
		reached[3][82] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].served);
		now.node[ Index(((P3 *)_this)->k, 1) ].served = ( ((((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].served)==1)) ? (2) : (((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].served)) );
#ifdef VAR_RANGES
		logval("node[Guard:k].served", ((int)now.node[ Index(((int)((P3 *)_this)->k), 1) ].served));
#endif
		;
		/* merge: k = (k+1)(87, 84, 87) */
		reached[3][84] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P3 *)_this)->k);
		((P3 *)_this)->k = (((int)((P3 *)_this)->k)+1);
#ifdef VAR_RANGES
		logval("Guard:k", ((int)((P3 *)_this)->k));
#endif
		;
		/* merge: .(goto)(0, 88, 87) */
		reached[3][88] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 49: // STATE 90 - beat.pml:77 - [k = 0] (0:97:1 - 3)
		IfNotBlocked
		reached[3][90] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->k);
		((P3 *)_this)->k = 0;
#ifdef VAR_RANGES
		logval("Guard:k", ((int)((P3 *)_this)->k));
#endif
		;
		/* merge: .(goto)(0, 98, 97) */
		reached[3][98] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 50: // STATE 91 - beat.pml:77 - [((k<=(1-1)))] (0:0:0 - 1)
		IfNotBlocked
		reached[3][91] = 1;
		if (!((((int)((P3 *)_this)->k)<=(1-1))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 51: // STATE 92 - beat.pml:73 - [answer[k].nonce = ( ((answer[k].nonce==1)) -> (2) : (answer[k].nonce) )] (0:97:2 - 1)
		IfNotBlocked
		reached[3][92] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.answer[ Index(((int)((P3 *)_this)->k), 1) ].nonce);
		now.answer[ Index(((P3 *)_this)->k, 1) ].nonce = ( ((((int)now.answer[ Index(((int)((P3 *)_this)->k), 1) ].nonce)==1)) ? (2) : (((int)now.answer[ Index(((int)((P3 *)_this)->k), 1) ].nonce)) );
#ifdef VAR_RANGES
		logval("answer[Guard:k].nonce", ((int)now.answer[ Index(((int)((P3 *)_this)->k), 1) ].nonce));
#endif
		;
		/* merge: k = (k+1)(97, 94, 97) */
		reached[3][94] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P3 *)_this)->k);
		((P3 *)_this)->k = (((int)((P3 *)_this)->k)+1);
#ifdef VAR_RANGES
		logval("Guard:k", ((int)((P3 *)_this)->k));
#endif
		;
		/* merge: .(goto)(0, 98, 97) */
		reached[3][98] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 52: // STATE 100 - beat.pml:78 - [k = 0] (0:106:2 - 3)
		IfNotBlocked
		reached[3][100] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P3 *)_this)->k);
		((P3 *)_this)->k = 0;
#ifdef VAR_RANGES
		logval("Guard:k", ((int)((P3 *)_this)->k));
#endif
		;
		/* merge: asking = 0(106, 102, 106) */
		reached[3][102] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P3 *)_this)->asking);
		((P3 *)_this)->asking = 0;
#ifdef VAR_RANGES
		logval("Guard:asking", ((int)((P3 *)_this)->asking));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 53: // STATE 103 - beat.pml:65 - [asked.real = (2+2)] (0:115:4 - 1)
		IfNotBlocked
		reached[3][103] = 1;
		(trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((int)now.asked.real);
		now.asked.real = (2+2);
#ifdef VAR_RANGES
		logval("asked.real", ((int)now.asked.real));
#endif
		;
		/* merge: asked.mono = (2+2)(115, 104, 115) */
		reached[3][104] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.asked.mono);
		now.asked.mono = (2+2);
#ifdef VAR_RANGES
		logval("asked.mono", ((int)now.asked.mono));
#endif
		;
		/* merge: asked.wall = (2+2)(115, 105, 115) */
		reached[3][105] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.asked.wall);
		now.asked.wall = (2+2);
#ifdef VAR_RANGES
		logval("asked.wall", ((int)now.asked.wall));
#endif
		;
		/* merge: .(goto)(115, 109, 115) */
		reached[3][109] = 1;
		;
		/* merge: s = 0(115, 110, 115) */
		reached[3][110] = 1;
		(trpt+1)->bup.ovals[3] = ((int)((P3 *)_this)->s);
		((P3 *)_this)->s = 0;
#ifdef VAR_RANGES
		logval("Guard:s", ((int)((P3 *)_this)->s));
#endif
		;
		/* merge: .(goto)(0, 116, 115) */
		reached[3][116] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 54: // STATE 109 - beat.pml:170 - [.(goto)] (0:115:1 - 2)
		IfNotBlocked
		reached[3][109] = 1;
		;
		/* merge: s = 0(115, 110, 115) */
		reached[3][110] = 1;
		(trpt+1)->bup.oval = ((int)((P3 *)_this)->s);
		((P3 *)_this)->s = 0;
#ifdef VAR_RANGES
		logval("Guard:s", ((int)((P3 *)_this)->s));
#endif
		;
		/* merge: .(goto)(0, 116, 115) */
		reached[3][116] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 55: // STATE 112 - beat.pml:172 - [((known<head))] (115:0:1 - 1)
		IfNotBlocked
		reached[3][112] = 1;
		if (!((((int)now.known)<((int)now.head))))
			continue;
		/* merge: known = (known+1)(0, 113, 115) */
		reached[3][113] = 1;
		(trpt+1)->bup.oval = ((int)now.known);
		now.known = (((int)now.known)+1);
#ifdef VAR_RANGES
		logval("known", ((int)now.known));
#endif
		;
		/* merge: .(goto)(0, 116, 115) */
		reached[3][116] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 56: // STATE 118 - beat.pml:177 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[3][118] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */

		 /* PROC Serve */
	case 57: // STATE 1 - beat.pml:126 - [(((question!=0)&&(node[i].waiting==0)))] (27:0:1 - 1)
		IfNotBlocked
		reached[2][1] = 1;
		if (!(((((int)now.question)!=0)&&(((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].waiting)==0))))
			continue;
		/* merge: node[i].waiting = question(0, 2, 27) */
		reached[2][2] = 1;
		(trpt+1)->bup.oval = ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].waiting);
		now.node[ Index(((P2 *)_this)->i, 1) ].waiting = ((int)now.question);
#ifdef VAR_RANGES
		logval("node[Serve:i].waiting", ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].waiting));
#endif
		;
		/* merge: .(goto)(0, 28, 27) */
		reached[2][28] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 58: // STATE 4 - beat.pml:127 - [((!(node[i].reading)&&(node[i].waiting!=0)))] (27:0:4 - 1)
		IfNotBlocked
		reached[2][4] = 1;
		if (!(( !(((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].reading))&&(((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].waiting)!=0))))
			continue;
		/* merge: node[i].served = node[i].waiting(27, 5, 27) */
		reached[2][5] = 1;
		(trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].served);
		now.node[ Index(((P2 *)_this)->i, 1) ].served = ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].waiting);
#ifdef VAR_RANGES
		logval("node[Serve:i].served", ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].served));
#endif
		;
		/* merge: node[i].waiting = 0(27, 6, 27) */
		reached[2][6] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].waiting);
		now.node[ Index(((P2 *)_this)->i, 1) ].waiting = 0;
#ifdef VAR_RANGES
		logval("node[Serve:i].waiting", ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].waiting));
#endif
		;
		/* merge: node[i].reading = 1(27, 7, 27) */
		reached[2][7] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].reading);
		now.node[ Index(((P2 *)_this)->i, 1) ].reading = 1;
#ifdef VAR_RANGES
		logval("node[Serve:i].reading", ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].reading));
#endif
		;
		/* merge: node[i].n = head(27, 8, 27) */
		reached[2][8] = 1;
		(trpt+1)->bup.ovals[3] = ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].n);
		now.node[ Index(((P2 *)_this)->i, 1) ].n = ((int)now.head);
#ifdef VAR_RANGES
		logval("node[Serve:i].n", ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].n));
#endif
		;
		/* merge: .(goto)(0, 28, 27) */
		reached[2][28] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 59: // STATE 10 - beat.pml:134 - [(node[i].reading)] (0:0:0 - 1)
		IfNotBlocked
		reached[2][10] = 1;
		if (!(((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].reading)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 60: // STATE 11 - beat.pml:110 - [answer[0].nonce = node[i].served] (0:19:2 - 1)
		IfNotBlocked
		reached[2][11] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.answer[0].nonce);
		now.answer[0].nonce = ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].served);
#ifdef VAR_RANGES
		logval("answer[0].nonce", ((int)now.answer[0].nonce));
#endif
		;
		/* merge: answer[0].n = node[i].n(19, 12, 19) */
		reached[2][12] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.answer[0].n);
		now.answer[0].n = ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].n);
#ifdef VAR_RANGES
		logval("answer[0].n", ((int)now.answer[0].n));
#endif
		;
		/* merge: .(goto)(0, 14, 19) */
		reached[2][14] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 61: // STATE 16 - beat.pml:118 - [node[i].reading = 0] (0:27:3 - 1)
		IfNotBlocked
		reached[2][16] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].reading);
		now.node[ Index(((P2 *)_this)->i, 1) ].reading = 0;
#ifdef VAR_RANGES
		logval("node[Serve:i].reading", ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].reading));
#endif
		;
		/* merge: node[i].served = 0(27, 17, 27) */
		reached[2][17] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].served);
		now.node[ Index(((P2 *)_this)->i, 1) ].served = 0;
#ifdef VAR_RANGES
		logval("node[Serve:i].served", ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].served));
#endif
		;
		/* merge: node[i].n = 0(27, 18, 27) */
		reached[2][18] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].n);
		now.node[ Index(((P2 *)_this)->i, 1) ].n = 0;
#ifdef VAR_RANGES
		logval("node[Serve:i].n", ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].n));
#endif
		;
		/* merge: .(goto)(0, 28, 27) */
		reached[2][28] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 62: // STATE 21 - beat.pml:135 - [(node[i].reading)] (0:0:0 - 1)
		IfNotBlocked
		reached[2][21] = 1;
		if (!(((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].reading)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 63: // STATE 22 - beat.pml:118 - [node[i].reading = 0] (0:27:3 - 1)
		IfNotBlocked
		reached[2][22] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].reading);
		now.node[ Index(((P2 *)_this)->i, 1) ].reading = 0;
#ifdef VAR_RANGES
		logval("node[Serve:i].reading", ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].reading));
#endif
		;
		/* merge: node[i].served = 0(27, 23, 27) */
		reached[2][23] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].served);
		now.node[ Index(((P2 *)_this)->i, 1) ].served = 0;
#ifdef VAR_RANGES
		logval("node[Serve:i].served", ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].served));
#endif
		;
		/* merge: node[i].n = 0(27, 24, 27) */
		reached[2][24] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].n);
		now.node[ Index(((P2 *)_this)->i, 1) ].n = 0;
#ifdef VAR_RANGES
		logval("node[Serve:i].n", ((int)now.node[ Index(((int)((P2 *)_this)->i), 1) ].n));
#endif
		;
		/* merge: .(goto)(0, 28, 27) */
		reached[2][28] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 64: // STATE 30 - beat.pml:140 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[2][30] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */

		 /* PROC Ledger */
	case 65: // STATE 1 - beat.pml:97 - [((((x==0)&&(mine==0))&&(head<1)))] (10:0:5 - 1)
		IfNotBlocked
		reached[1][1] = 1;
		if (!((((((int)now.x)==0)&&(((int)((P1 *)_this)->mine)==0))&&(((int)now.head)<1))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: mine */  (trpt+1)->bup.ovals = grab_ints(5);
		(trpt+1)->bup.ovals[0] = ((P1 *)_this)->mine;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->mine = 0;
		/* merge: head = (head+1)(10, 2, 10) */
		reached[1][2] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.head);
		now.head = (((int)now.head)+1);
#ifdef VAR_RANGES
		logval("head", ((int)now.head));
#endif
		;
		/* merge: mine = head(10, 3, 10) */
		reached[1][3] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->mine);
		((P1 *)_this)->mine = ((int)now.head);
#ifdef VAR_RANGES
		logval("Ledger:mine", ((int)((P1 *)_this)->mine));
#endif
		;
		/* merge: x = mine(10, 4, 10) */
		reached[1][4] = 1;
		(trpt+1)->bup.ovals[3] = ((int)now.x);
		now.x = ((int)((P1 *)_this)->mine);
#ifdef VAR_RANGES
		logval("x", ((int)now.x));
#endif
		;
		/* merge: since = 0(10, 5, 10) */
		reached[1][5] = 1;
		(trpt+1)->bup.ovals[4] = ((int)now.since);
		now.since = 0;
#ifdef VAR_RANGES
		logval("since", ((int)now.since));
#endif
		;
		/* merge: .(goto)(0, 11, 10) */
		reached[1][11] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 66: // STATE 7 - beat.pml:104 - [((head<1))] (10:0:1 - 1)
		IfNotBlocked
		reached[1][7] = 1;
		if (!((((int)now.head)<1)))
			continue;
		/* merge: head = (head+1)(0, 8, 10) */
		reached[1][8] = 1;
		(trpt+1)->bup.oval = ((int)now.head);
		now.head = (((int)now.head)+1);
#ifdef VAR_RANGES
		logval("head", ((int)now.head));
#endif
		;
		/* merge: .(goto)(0, 11, 10) */
		reached[1][11] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 67: // STATE 13 - beat.pml:106 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[1][13] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */

		 /* PROC Time */
	case 68: // STATE 2 - beat.pml:67 - [since = ( ((since<(2+1))) -> ((since+1)) : (since) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][2] = 1;
		(trpt+1)->bup.oval = ((int)now.since);
		now.since = ( ((((int)now.since)<(2+1))) ? ((((int)now.since)+1)) : (((int)now.since)) );
#ifdef VAR_RANGES
		logval("since", ((int)now.since));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 69: // STATE 4 - beat.pml:67 - [asked.real = ( ((asked.real<(2+1))) -> ((asked.real+1)) : (asked.real) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][4] = 1;
		(trpt+1)->bup.oval = ((int)now.asked.real);
		now.asked.real = ( ((((int)now.asked.real)<(2+1))) ? ((((int)now.asked.real)+1)) : (((int)now.asked.real)) );
#ifdef VAR_RANGES
		logval("asked.real", ((int)now.asked.real));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 70: // STATE 6 - beat.pml:67 - [asked.mono = ( ((asked.mono<(2+1))) -> ((asked.mono+1)) : (asked.mono) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][6] = 1;
		(trpt+1)->bup.oval = ((int)now.asked.mono);
		now.asked.mono = ( ((((int)now.asked.mono)<(2+1))) ? ((((int)now.asked.mono)+1)) : (((int)now.asked.mono)) );
#ifdef VAR_RANGES
		logval("asked.mono", ((int)now.asked.mono));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 71: // STATE 8 - beat.pml:67 - [asked.wall = ( ((asked.wall<(2+1))) -> ((asked.wall+1)) : (asked.wall) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][8] = 1;
		(trpt+1)->bup.oval = ((int)now.asked.wall);
		now.asked.wall = ( ((((int)now.asked.wall)<(2+1))) ? ((((int)now.asked.wall)+1)) : (((int)now.asked.wall)) );
#ifdef VAR_RANGES
		logval("asked.wall", ((int)now.asked.wall));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 72: // STATE 11 - beat.pml:67 - [proof.real = ( ((proof.real<(2+1))) -> ((proof.real+1)) : (proof.real) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][11] = 1;
		(trpt+1)->bup.oval = ((int)now.proof.real);
		now.proof.real = ( ((((int)now.proof.real)<(2+1))) ? ((((int)now.proof.real)+1)) : (((int)now.proof.real)) );
#ifdef VAR_RANGES
		logval("proof.real", ((int)now.proof.real));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 73: // STATE 13 - beat.pml:67 - [proof.mono = ( ((proof.mono<(2+1))) -> ((proof.mono+1)) : (proof.mono) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][13] = 1;
		(trpt+1)->bup.oval = ((int)now.proof.mono);
		now.proof.mono = ( ((((int)now.proof.mono)<(2+1))) ? ((((int)now.proof.mono)+1)) : (((int)now.proof.mono)) );
#ifdef VAR_RANGES
		logval("proof.mono", ((int)now.proof.mono));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 74: // STATE 15 - beat.pml:67 - [proof.wall = ( ((proof.wall<(2+1))) -> ((proof.wall+1)) : (proof.wall) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][15] = 1;
		(trpt+1)->bup.oval = ((int)now.proof.wall);
		now.proof.wall = ( ((((int)now.proof.wall)<(2+1))) ? ((((int)now.proof.wall)+1)) : (((int)now.proof.wall)) );
#ifdef VAR_RANGES
		logval("proof.wall", ((int)now.proof.wall));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 75: // STATE 18 - beat.pml:67 - [held.real = ( ((held.real<(2+1))) -> ((held.real+1)) : (held.real) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][18] = 1;
		(trpt+1)->bup.oval = ((int)now.held.real);
		now.held.real = ( ((((int)now.held.real)<(2+1))) ? ((((int)now.held.real)+1)) : (((int)now.held.real)) );
#ifdef VAR_RANGES
		logval("held.real", ((int)now.held.real));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 76: // STATE 20 - beat.pml:67 - [held.mono = ( ((held.mono<(2+1))) -> ((held.mono+1)) : (held.mono) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][20] = 1;
		(trpt+1)->bup.oval = ((int)now.held.mono);
		now.held.mono = ( ((((int)now.held.mono)<(2+1))) ? ((((int)now.held.mono)+1)) : (((int)now.held.mono)) );
#ifdef VAR_RANGES
		logval("held.mono", ((int)now.held.mono));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 77: // STATE 22 - beat.pml:67 - [held.wall = ( ((held.wall<(2+1))) -> ((held.wall+1)) : (held.wall) )] (0:82:1 - 1)
		IfNotBlocked
		reached[0][22] = 1;
		(trpt+1)->bup.oval = ((int)now.held.wall);
		now.held.wall = ( ((((int)now.held.wall)<(2+1))) ? ((((int)now.held.wall)+1)) : (((int)now.held.wall)) );
#ifdef VAR_RANGES
		logval("held.wall", ((int)now.held.wall));
#endif
		;
		/* merge: .(goto)(82, 80, 82) */
		reached[0][80] = 1;
		;
		/* merge: .(goto)(0, 83, 82) */
		reached[0][83] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 78: // STATE 80 - beat.pml:90 - [.(goto)] (0:82:0 - 4)
		IfNotBlocked
		reached[0][80] = 1;
		;
		/* merge: .(goto)(0, 83, 82) */
		reached[0][83] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 79: // STATE 25 - beat.pml:86 - [(sleeps)] (0:0:0 - 1)
		IfNotBlocked
		reached[0][25] = 1;
		if (!(((int)now.sleeps)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 80: // STATE 26 - beat.pml:67 - [asked.real = ( ((asked.real<(2+1))) -> ((asked.real+1)) : (asked.real) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][26] = 1;
		(trpt+1)->bup.oval = ((int)now.asked.real);
		now.asked.real = ( ((((int)now.asked.real)<(2+1))) ? ((((int)now.asked.real)+1)) : (((int)now.asked.real)) );
#ifdef VAR_RANGES
		logval("asked.real", ((int)now.asked.real));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 81: // STATE 28 - beat.pml:67 - [asked.wall = ( ((asked.wall<(2+1))) -> ((asked.wall+1)) : (asked.wall) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][28] = 1;
		(trpt+1)->bup.oval = ((int)now.asked.wall);
		now.asked.wall = ( ((((int)now.asked.wall)<(2+1))) ? ((((int)now.asked.wall)+1)) : (((int)now.asked.wall)) );
#ifdef VAR_RANGES
		logval("asked.wall", ((int)now.asked.wall));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 82: // STATE 31 - beat.pml:67 - [proof.real = ( ((proof.real<(2+1))) -> ((proof.real+1)) : (proof.real) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][31] = 1;
		(trpt+1)->bup.oval = ((int)now.proof.real);
		now.proof.real = ( ((((int)now.proof.real)<(2+1))) ? ((((int)now.proof.real)+1)) : (((int)now.proof.real)) );
#ifdef VAR_RANGES
		logval("proof.real", ((int)now.proof.real));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 83: // STATE 33 - beat.pml:67 - [proof.wall = ( ((proof.wall<(2+1))) -> ((proof.wall+1)) : (proof.wall) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][33] = 1;
		(trpt+1)->bup.oval = ((int)now.proof.wall);
		now.proof.wall = ( ((((int)now.proof.wall)<(2+1))) ? ((((int)now.proof.wall)+1)) : (((int)now.proof.wall)) );
#ifdef VAR_RANGES
		logval("proof.wall", ((int)now.proof.wall));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 84: // STATE 36 - beat.pml:67 - [held.real = ( ((held.real<(2+1))) -> ((held.real+1)) : (held.real) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][36] = 1;
		(trpt+1)->bup.oval = ((int)now.held.real);
		now.held.real = ( ((((int)now.held.real)<(2+1))) ? ((((int)now.held.real)+1)) : (((int)now.held.real)) );
#ifdef VAR_RANGES
		logval("held.real", ((int)now.held.real));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 85: // STATE 38 - beat.pml:67 - [held.wall = ( ((held.wall<(2+1))) -> ((held.wall+1)) : (held.wall) )] (0:82:1 - 1)
		IfNotBlocked
		reached[0][38] = 1;
		(trpt+1)->bup.oval = ((int)now.held.wall);
		now.held.wall = ( ((((int)now.held.wall)<(2+1))) ? ((((int)now.held.wall)+1)) : (((int)now.held.wall)) );
#ifdef VAR_RANGES
		logval("held.wall", ((int)now.held.wall));
#endif
		;
		/* merge: .(goto)(82, 80, 82) */
		reached[0][80] = 1;
		;
		/* merge: .(goto)(0, 83, 82) */
		reached[0][83] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 86: // STATE 41 - beat.pml:87 - [(!(sleeps))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][41] = 1;
		if (!( !(((int)now.sleeps))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 87: // STATE 42 - beat.pml:67 - [asked.real = ( ((asked.real<(2+1))) -> ((asked.real+1)) : (asked.real) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][42] = 1;
		(trpt+1)->bup.oval = ((int)now.asked.real);
		now.asked.real = ( ((((int)now.asked.real)<(2+1))) ? ((((int)now.asked.real)+1)) : (((int)now.asked.real)) );
#ifdef VAR_RANGES
		logval("asked.real", ((int)now.asked.real));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 88: // STATE 44 - beat.pml:67 - [asked.mono = ( ((asked.mono<(2+1))) -> ((asked.mono+1)) : (asked.mono) )] (0:53:2 - 1)
		IfNotBlocked
		reached[0][44] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.asked.mono);
		now.asked.mono = ( ((((int)now.asked.mono)<(2+1))) ? ((((int)now.asked.mono)+1)) : (((int)now.asked.mono)) );
#ifdef VAR_RANGES
		logval("asked.mono", ((int)now.asked.mono));
#endif
		;
		/* merge: asked.wall = ( ((asked.wall==(2+2))) -> ((2+2)) : (0) )(53, 46, 53) */
		reached[0][46] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.asked.wall);
		now.asked.wall = ( ((((int)now.asked.wall)==(2+2))) ? ((2+2)) : (0) );
#ifdef VAR_RANGES
		logval("asked.wall", ((int)now.asked.wall));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 89: // STATE 48 - beat.pml:67 - [proof.real = ( ((proof.real<(2+1))) -> ((proof.real+1)) : (proof.real) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][48] = 1;
		(trpt+1)->bup.oval = ((int)now.proof.real);
		now.proof.real = ( ((((int)now.proof.real)<(2+1))) ? ((((int)now.proof.real)+1)) : (((int)now.proof.real)) );
#ifdef VAR_RANGES
		logval("proof.real", ((int)now.proof.real));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 90: // STATE 50 - beat.pml:67 - [proof.mono = ( ((proof.mono<(2+1))) -> ((proof.mono+1)) : (proof.mono) )] (0:59:2 - 1)
		IfNotBlocked
		reached[0][50] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.proof.mono);
		now.proof.mono = ( ((((int)now.proof.mono)<(2+1))) ? ((((int)now.proof.mono)+1)) : (((int)now.proof.mono)) );
#ifdef VAR_RANGES
		logval("proof.mono", ((int)now.proof.mono));
#endif
		;
		/* merge: proof.wall = ( ((proof.wall==(2+2))) -> ((2+2)) : (0) )(59, 52, 59) */
		reached[0][52] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.proof.wall);
		now.proof.wall = ( ((((int)now.proof.wall)==(2+2))) ? ((2+2)) : (0) );
#ifdef VAR_RANGES
		logval("proof.wall", ((int)now.proof.wall));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 91: // STATE 54 - beat.pml:67 - [held.real = ( ((held.real<(2+1))) -> ((held.real+1)) : (held.real) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][54] = 1;
		(trpt+1)->bup.oval = ((int)now.held.real);
		now.held.real = ( ((((int)now.held.real)<(2+1))) ? ((((int)now.held.real)+1)) : (((int)now.held.real)) );
#ifdef VAR_RANGES
		logval("held.real", ((int)now.held.real));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 92: // STATE 56 - beat.pml:67 - [held.mono = ( ((held.mono<(2+1))) -> ((held.mono+1)) : (held.mono) )] (0:82:2 - 1)
		IfNotBlocked
		reached[0][56] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.held.mono);
		now.held.mono = ( ((((int)now.held.mono)<(2+1))) ? ((((int)now.held.mono)+1)) : (((int)now.held.mono)) );
#ifdef VAR_RANGES
		logval("held.mono", ((int)now.held.mono));
#endif
		;
		/* merge: held.wall = ( ((held.wall==(2+2))) -> ((2+2)) : (0) )(82, 58, 82) */
		reached[0][58] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.held.wall);
		now.held.wall = ( ((((int)now.held.wall)==(2+2))) ? ((2+2)) : (0) );
#ifdef VAR_RANGES
		logval("held.wall", ((int)now.held.wall));
#endif
		;
		/* merge: .(goto)(82, 80, 82) */
		reached[0][80] = 1;
		;
		/* merge: .(goto)(0, 83, 82) */
		reached[0][83] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 93: // STATE 60 - beat.pml:88 - [(!(sleeps))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][60] = 1;
		if (!( !(((int)now.sleeps))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 94: // STATE 61 - beat.pml:67 - [asked.real = ( ((asked.real<(2+1))) -> ((asked.real+1)) : (asked.real) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][61] = 1;
		(trpt+1)->bup.oval = ((int)now.asked.real);
		now.asked.real = ( ((((int)now.asked.real)<(2+1))) ? ((((int)now.asked.real)+1)) : (((int)now.asked.real)) );
#ifdef VAR_RANGES
		logval("asked.real", ((int)now.asked.real));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 95: // STATE 63 - beat.pml:67 - [asked.mono = ( ((asked.mono<(2+1))) -> ((asked.mono+1)) : (asked.mono) )] (0:72:2 - 1)
		IfNotBlocked
		reached[0][63] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.asked.mono);
		now.asked.mono = ( ((((int)now.asked.mono)<(2+1))) ? ((((int)now.asked.mono)+1)) : (((int)now.asked.mono)) );
#ifdef VAR_RANGES
		logval("asked.mono", ((int)now.asked.mono));
#endif
		;
		/* merge: asked.wall = ( ((asked.wall==(2+2))) -> ((2+2)) : ((2+1)) )(72, 65, 72) */
		reached[0][65] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.asked.wall);
		now.asked.wall = ( ((((int)now.asked.wall)==(2+2))) ? ((2+2)) : ((2+1)) );
#ifdef VAR_RANGES
		logval("asked.wall", ((int)now.asked.wall));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 96: // STATE 67 - beat.pml:67 - [proof.real = ( ((proof.real<(2+1))) -> ((proof.real+1)) : (proof.real) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][67] = 1;
		(trpt+1)->bup.oval = ((int)now.proof.real);
		now.proof.real = ( ((((int)now.proof.real)<(2+1))) ? ((((int)now.proof.real)+1)) : (((int)now.proof.real)) );
#ifdef VAR_RANGES
		logval("proof.real", ((int)now.proof.real));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 97: // STATE 69 - beat.pml:67 - [proof.mono = ( ((proof.mono<(2+1))) -> ((proof.mono+1)) : (proof.mono) )] (0:78:2 - 1)
		IfNotBlocked
		reached[0][69] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.proof.mono);
		now.proof.mono = ( ((((int)now.proof.mono)<(2+1))) ? ((((int)now.proof.mono)+1)) : (((int)now.proof.mono)) );
#ifdef VAR_RANGES
		logval("proof.mono", ((int)now.proof.mono));
#endif
		;
		/* merge: proof.wall = ( ((proof.wall==(2+2))) -> ((2+2)) : ((2+1)) )(78, 71, 78) */
		reached[0][71] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.proof.wall);
		now.proof.wall = ( ((((int)now.proof.wall)==(2+2))) ? ((2+2)) : ((2+1)) );
#ifdef VAR_RANGES
		logval("proof.wall", ((int)now.proof.wall));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 98: // STATE 73 - beat.pml:67 - [held.real = ( ((held.real<(2+1))) -> ((held.real+1)) : (held.real) )] (0:0:1 - 1)
		IfNotBlocked
		reached[0][73] = 1;
		(trpt+1)->bup.oval = ((int)now.held.real);
		now.held.real = ( ((((int)now.held.real)<(2+1))) ? ((((int)now.held.real)+1)) : (((int)now.held.real)) );
#ifdef VAR_RANGES
		logval("held.real", ((int)now.held.real));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 99: // STATE 75 - beat.pml:67 - [held.mono = ( ((held.mono<(2+1))) -> ((held.mono+1)) : (held.mono) )] (0:82:2 - 1)
		IfNotBlocked
		reached[0][75] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.held.mono);
		now.held.mono = ( ((((int)now.held.mono)<(2+1))) ? ((((int)now.held.mono)+1)) : (((int)now.held.mono)) );
#ifdef VAR_RANGES
		logval("held.mono", ((int)now.held.mono));
#endif
		;
		/* merge: held.wall = ( ((held.wall==(2+2))) -> ((2+2)) : ((2+1)) )(82, 77, 82) */
		reached[0][77] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.held.wall);
		now.held.wall = ( ((((int)now.held.wall)==(2+2))) ? ((2+2)) : ((2+1)) );
#ifdef VAR_RANGES
		logval("held.wall", ((int)now.held.wall));
#endif
		;
		/* merge: .(goto)(82, 80, 82) */
		reached[0][80] = 1;
		;
		/* merge: .(goto)(0, 83, 82) */
		reached[0][83] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 100: // STATE 85 - beat.pml:92 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[0][85] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */
	case  _T5:	/* np_ */
		if (!((!(trpt->o_pm&4) && !(trpt->tau&128))))
			continue;
		/* else fall through */
	case  _T2:	/* true */
		_m = 3; goto P999;
#undef rand
	}

