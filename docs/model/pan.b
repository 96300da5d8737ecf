	switch (t->back) {
	default: Uerror("bad return move");
	case  0: goto R999; /* nothing to undo */

		 /* PROC :init: */

	case 3: // STATE 3
		;
		now.asked.wall = trpt->bup.ovals[2];
		now.asked.mono = trpt->bup.ovals[1];
		now.asked.real = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 4: // STATE 7
		;
		now.proof.wall = trpt->bup.ovals[2];
		now.proof.mono = trpt->bup.ovals[1];
		now.proof.real = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 5: // STATE 11
		;
		now.held.wall = trpt->bup.ovals[2];
		now.held.mono = trpt->bup.ovals[1];
		now.held.real = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 6: // STATE 17
		;
		((P5 *)_this)->i = trpt->bup.ovals[1];
		now.sleeps = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 7: // STATE 17
		;
		((P5 *)_this)->i = trpt->bup.ovals[1];
		now.sleeps = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 8: // STATE 17
		;
		((P5 *)_this)->i = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 10: // STATE 19
		;
		;
		delproc(0, now._nr_pr-1);
		;
		goto R999;

	case 11: // STATE 20
		;
		((P5 *)_this)->i = trpt->bup.oval;
		;
		goto R999;

	case 12: // STATE 26
		;
		((P5 *)_this)->i = trpt->bup.oval;
		;
		goto R999;

	case 13: // STATE 28
		;
		p_restor(II);
		;
		;
		goto R999;

		 /* PROC Request */
;
		;
		
	case 15: // STATE 6
		;
		now.step = trpt->bup.ovals[3];
		now.held.wall = trpt->bup.ovals[2];
		now.held.mono = trpt->bup.ovals[1];
		now.held.real = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 16: // STATE 10
		;
		now.step = trpt->bup.ovals[1];
		now.mark = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 18: // STATE 19
		;
		now.step = trpt->bup.ovals[1];
		now.Bounded = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 19: // STATE 19
		;
		now.step = trpt->bup.oval;
		;
		goto R999;

	case 20: // STATE 24
		;
		now.mark = trpt->bup.ovals[3];
		now.held.wall = trpt->bup.ovals[2];
		now.held.mono = trpt->bup.ovals[1];
		now.held.real = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 21: // STATE 29
		;
		p_restor(II);
		;
		;
		goto R999;

		 /* PROC Guard */

	case 22: // STATE 1
		;
	/* 0 */	((P3 *)_this)->asking = trpt->bup.oval;
		;
		;
		goto R999;

	case 23: // STATE 4
		;
		((P3 *)_this)->k = trpt->bup.ovals[1];
		now.question = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 25: // STATE 6
		;
		now.node[ Index(((P3 *)_this)->k, 1) ].waiting = trpt->bup.oval;
		;
		goto R999;

	case 26: // STATE 10
		;
		((P3 *)_this)->k = trpt->bup.ovals[1];
		now.node[ Index(((P3 *)_this)->k, 1) ].served = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 27: // STATE 16
		;
		((P3 *)_this)->k = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 29: // STATE 20
		;
		((P3 *)_this)->k = trpt->bup.ovals[1];
		now.answer[ Index(((P3 *)_this)->k, 1) ].nonce = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 30: // STATE 29
		;
		((P3 *)_this)->asking = trpt->bup.ovals[2];
		now.question = trpt->bup.ovals[1];
		((P3 *)_this)->k = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 31: // STATE 32
		;
		now.asked.wall = trpt->bup.ovals[2];
		now.asked.mono = trpt->bup.ovals[1];
		now.asked.real = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 32: // STATE 35
		;
	/* 0 */	((P3 *)_this)->asking = trpt->bup.oval;
		;
		;
		goto R999;

	case 33: // STATE 38
		;
		((P3 *)_this)->k = trpt->bup.ovals[1];
		now.question = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 35: // STATE 40
		;
		now.node[ Index(((P3 *)_this)->k, 1) ].waiting = trpt->bup.oval;
		;
		goto R999;

	case 36: // STATE 44
		;
		((P3 *)_this)->k = trpt->bup.ovals[1];
		now.node[ Index(((P3 *)_this)->k, 1) ].served = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 37: // STATE 50
		;
		((P3 *)_this)->k = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 39: // STATE 54
		;
		((P3 *)_this)->k = trpt->bup.ovals[1];
		now.answer[ Index(((P3 *)_this)->k, 1) ].nonce = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 40: // STATE 62
		;
		((P3 *)_this)->asking = trpt->bup.ovals[1];
		((P3 *)_this)->k = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 41: // STATE 65
		;
		now.asked.wall = trpt->bup.ovals[2];
		now.asked.mono = trpt->bup.ovals[1];
		now.asked.real = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 42: // STATE 69
		;
		((P3 *)_this)->s = trpt->bup.oval;
		;
		goto R999;

	case 43: // STATE 71
		;
		now.known = trpt->bup.oval;
		;
		goto R999;

	case 44: // STATE 74
		;
		now.proof.wall = trpt->bup.ovals[2];
		now.proof.mono = trpt->bup.ovals[1];
		now.proof.real = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 45: // STATE 78
		;
		((P3 *)_this)->k = trpt->bup.ovals[1];
		now.question = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 47: // STATE 80
		;
		now.node[ Index(((P3 *)_this)->k, 1) ].waiting = trpt->bup.oval;
		;
		goto R999;

	case 48: // STATE 84
		;
		((P3 *)_this)->k = trpt->bup.ovals[1];
		now.node[ Index(((P3 *)_this)->k, 1) ].served = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 49: // STATE 90
		;
		((P3 *)_this)->k = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 51: // STATE 94
		;
		((P3 *)_this)->k = trpt->bup.ovals[1];
		now.answer[ Index(((P3 *)_this)->k, 1) ].nonce = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 52: // STATE 102
		;
		((P3 *)_this)->asking = trpt->bup.ovals[1];
		((P3 *)_this)->k = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 53: // STATE 110
		;
		((P3 *)_this)->s = trpt->bup.ovals[3];
		now.asked.wall = trpt->bup.ovals[2];
		now.asked.mono = trpt->bup.ovals[1];
		now.asked.real = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 54: // STATE 110
		;
		((P3 *)_this)->s = trpt->bup.oval;
		;
		goto R999;

	case 55: // STATE 113
		;
		now.known = trpt->bup.oval;
		;
		goto R999;

	case 56: // STATE 118
		;
		p_restor(II);
		;
		;
		goto R999;

		 /* PROC Serve */

	case 57: // STATE 2
		;
		now.node[ Index(((P2 *)_this)->i, 1) ].waiting = trpt->bup.oval;
		;
		goto R999;

	case 58: // STATE 8
		;
		now.node[ Index(((P2 *)_this)->i, 1) ].n = trpt->bup.ovals[3];
		now.node[ Index(((P2 *)_this)->i, 1) ].reading = trpt->bup.ovals[2];
		now.node[ Index(((P2 *)_this)->i, 1) ].waiting = trpt->bup.ovals[1];
		now.node[ Index(((P2 *)_this)->i, 1) ].served = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;
;
		;
		
	case 60: // STATE 12
		;
		now.answer[0].n = trpt->bup.ovals[1];
		now.answer[0].nonce = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 61: // STATE 18
		;
		now.node[ Index(((P2 *)_this)->i, 1) ].n = trpt->bup.ovals[2];
		now.node[ Index(((P2 *)_this)->i, 1) ].served = trpt->bup.ovals[1];
		now.node[ Index(((P2 *)_this)->i, 1) ].reading = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;
;
		;
		
	case 63: // STATE 24
		;
		now.node[ Index(((P2 *)_this)->i, 1) ].n = trpt->bup.ovals[2];
		now.node[ Index(((P2 *)_this)->i, 1) ].served = trpt->bup.ovals[1];
		now.node[ Index(((P2 *)_this)->i, 1) ].reading = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 64: // STATE 30
		;
		p_restor(II);
		;
		;
		goto R999;

		 /* PROC Ledger */

	case 65: // STATE 5
		;
		now.since = trpt->bup.ovals[4];
		now.x = trpt->bup.ovals[3];
		((P1 *)_this)->mine = trpt->bup.ovals[2];
		now.head = trpt->bup.ovals[1];
	/* 0 */	((P1 *)_this)->mine = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 5);
		goto R999;

	case 66: // STATE 8
		;
		now.head = trpt->bup.oval;
		;
		goto R999;

	case 67: // STATE 13
		;
		p_restor(II);
		;
		;
		goto R999;

		 /* PROC Time */

	case 68: // STATE 2
		;
		now.since = trpt->bup.oval;
		;
		goto R999;

	case 69: // STATE 4
		;
		now.asked.real = trpt->bup.oval;
		;
		goto R999;

	case 70: // STATE 6
		;
		now.asked.mono = trpt->bup.oval;
		;
		goto R999;

	case 71: // STATE 8
		;
		now.asked.wall = trpt->bup.oval;
		;
		goto R999;

	case 72: // STATE 11
		;
		now.proof.real = trpt->bup.oval;
		;
		goto R999;

	case 73: // STATE 13
		;
		now.proof.mono = trpt->bup.oval;
		;
		goto R999;

	case 74: // STATE 15
		;
		now.proof.wall = trpt->bup.oval;
		;
		goto R999;

	case 75: // STATE 18
		;
		now.held.real = trpt->bup.oval;
		;
		goto R999;

	case 76: // STATE 20
		;
		now.held.mono = trpt->bup.oval;
		;
		goto R999;

	case 77: // STATE 22
		;
		now.held.wall = trpt->bup.oval;
		;
		goto R999;
;
		
	case 78: // STATE 80
		goto R999;
;
		;
		
	case 80: // STATE 26
		;
		now.asked.real = trpt->bup.oval;
		;
		goto R999;

	case 81: // STATE 28
		;
		now.asked.wall = trpt->bup.oval;
		;
		goto R999;

	case 82: // STATE 31
		;
		now.proof.real = trpt->bup.oval;
		;
		goto R999;

	case 83: // STATE 33
		;
		now.proof.wall = trpt->bup.oval;
		;
		goto R999;

	case 84: // STATE 36
		;
		now.held.real = trpt->bup.oval;
		;
		goto R999;

	case 85: // STATE 38
		;
		now.held.wall = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 87: // STATE 42
		;
		now.asked.real = trpt->bup.oval;
		;
		goto R999;

	case 88: // STATE 46
		;
		now.asked.wall = trpt->bup.ovals[1];
		now.asked.mono = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 89: // STATE 48
		;
		now.proof.real = trpt->bup.oval;
		;
		goto R999;

	case 90: // STATE 52
		;
		now.proof.wall = trpt->bup.ovals[1];
		now.proof.mono = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 91: // STATE 54
		;
		now.held.real = trpt->bup.oval;
		;
		goto R999;

	case 92: // STATE 58
		;
		now.held.wall = trpt->bup.ovals[1];
		now.held.mono = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 94: // STATE 61
		;
		now.asked.real = trpt->bup.oval;
		;
		goto R999;

	case 95: // STATE 65
		;
		now.asked.wall = trpt->bup.ovals[1];
		now.asked.mono = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 96: // STATE 67
		;
		now.proof.real = trpt->bup.oval;
		;
		goto R999;

	case 97: // STATE 71
		;
		now.proof.wall = trpt->bup.ovals[1];
		now.proof.mono = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 98: // STATE 73
		;
		now.held.real = trpt->bup.oval;
		;
		goto R999;

	case 99: // STATE 77
		;
		now.held.wall = trpt->bup.ovals[1];
		now.held.mono = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 100: // STATE 85
		;
		p_restor(II);
		;
		;
		goto R999;
	}

