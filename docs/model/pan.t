#ifdef PEG
struct T_SRC {
	char *fl; int ln;
} T_SRC[NTRANS];

void
tr_2_src(int m, char *file, int ln)
{	T_SRC[m].fl = file;
	T_SRC[m].ln = ln;
}

void
putpeg(int n, int m)
{	printf("%5d	trans %4d ", m, n);
	printf("%s:%d\n",
		T_SRC[n].fl, T_SRC[n].ln);
}
#endif

void
settable(void)
{	Trans *T;
	Trans *settr(int, int, int, int, int, char *, int, int, int);

	trans = (Trans ***) emalloc(7*sizeof(Trans **));

	/* proctype 5: :init: */

	trans[5] = (Trans **) emalloc(29*sizeof(Trans *));

	T = trans[ 5][27] = settr(301,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(301,2,4,0,0,"ATOMIC", 1, 2, 0);
	T = trans[ 5][4] = settr(278,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(278,0,1,0,0,"sub-sequence", 1, 2, 0);
	trans[5][1]	= settr(275,2,8,3,3,"asked.real = (2+2)", 1, 2, 0); /* m: 2 -> 0,8 */
	reached5[2] = 1;
	trans[5][2]	= settr(0,0,0,0,0,"asked.mono = (2+2)",0,0,0);
	trans[5][3]	= settr(0,0,0,0,0,"asked.wall = (2+2)",0,0,0);
	T = trans[ 5][8] = settr(282,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(282,0,5,0,0,"sub-sequence", 1, 2, 0);
	trans[5][5]	= settr(279,2,12,4,4,"proof.real = (2+2)", 1, 2, 0); /* m: 6 -> 0,12 */
	reached5[6] = 1;
	trans[5][6]	= settr(0,0,0,0,0,"proof.mono = (2+2)",0,0,0);
	trans[5][7]	= settr(0,0,0,0,0,"proof.wall = (2+2)",0,0,0);
	T = trans[ 5][12] = settr(286,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(286,0,9,0,0,"sub-sequence", 1, 2, 0);
	trans[5][9]	= settr(283,2,15,5,5,"held.real = (2+2)", 1, 2, 0); /* m: 10 -> 0,15 */
	reached5[10] = 1;
	trans[5][10]	= settr(0,0,0,0,0,"held.mono = (2+2)",0,0,0);
	trans[5][11]	= settr(0,0,0,0,0,"held.wall = (2+2)",0,0,0);
	T = trans[5][15] = settr(289,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(289,2,13,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(289,2,14,0,0,"IF", 1, 2, 0);
	trans[5][13]	= settr(287,2,23,6,6,"sleeps = 1", 1, 2, 0); /* m: 17 -> 0,23 */
	reached5[17] = 1;
	trans[5][16]	= settr(290,2,17,1,0,".(goto)", 1, 2, 0); /* m: 17 -> 0,23 */
	reached5[17] = 1;
	trans[5][14]	= settr(288,2,23,7,7,"sleeps = 0", 1, 2, 0); /* m: 17 -> 0,23 */
	reached5[17] = 1;
	trans[5][17]	= settr(291,2,23,8,8,"i = 0", 1, 2, 0);
	trans[5][24]	= settr(298,2,23,1,0,".(goto)", 1, 2, 0);
	T = trans[5][23] = settr(297,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(297,2,18,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(297,2,21,0,0,"DO", 1, 2, 0);
	trans[5][18]	= settr(292,2,19,9,0,"((i<=(1-1)))", 1, 2, 0);
	trans[5][19]	= settr(293,2,20,10,10,"(run Serve(i))", 1, 2, 0);
	trans[5][20]	= settr(294,2,23,11,11,"i = (i+1)", 1, 2, 0);
	trans[5][21]	= settr(295,2,25,2,0,"else", 1, 2, 0);
	trans[5][22]	= settr(296,2,25,1,0,"goto :b11", 1, 2, 0);
	trans[5][25]	= settr(299,2,26,1,0,"break", 1, 2, 0);
	trans[5][26]	= settr(300,0,28,12,12,"i = 0", 1, 2, 0);
	trans[5][28]	= settr(302,0,0,13,13,"-end-", 0, 3500, 0);

	/* proctype 4: Request */

	trans[4] = (Trans **) emalloc(30*sizeof(Trans *));

	trans[4][27]	= settr(272,0,26,1,0,".(goto)", 0, 2, 0);
	T = trans[4][26] = settr(271,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(271,0,7,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(271,0,11,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(271,0,25,0,0,"DO", 0, 2, 0);
	T = trans[ 4][7] = settr(252,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(252,2,1,0,0,"ATOMIC", 1, 2, 0);
	trans[4][1]	= settr(246,2,5,14,0,"((step==0))", 1, 2, 0);
	T = trans[ 4][5] = settr(250,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(250,0,2,0,0,"sub-sequence", 1, 2, 0);
	trans[4][2]	= settr(247,0,26,15,15,"held.real = proof.real", 1, 2, 0); /* m: 3 -> 0,26 */
	reached4[3] = 1;
	trans[4][3]	= settr(0,0,0,0,0,"held.mono = proof.mono",0,0,0);
	trans[4][4]	= settr(0,0,0,0,0,"held.wall = proof.wall",0,0,0);
	trans[4][6]	= settr(0,0,0,0,0,"step = 1",0,0,0);
	T = trans[ 4][11] = settr(256,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(256,2,8,0,0,"ATOMIC", 1, 2, 0);
	trans[4][8]	= settr(253,0,26,16,16,"((step==1))", 1, 2, 0); /* m: 9 -> 26,0 */
	reached4[9] = 1;
	trans[4][9]	= settr(0,0,0,0,0,"mark = ((x>0)&&(x<=known))",0,0,0);
	trans[4][10]	= settr(0,0,0,0,0,"step = 2",0,0,0);
	T = trans[ 4][25] = settr(270,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(270,2,12,0,0,"ATOMIC", 1, 2, 0);
	trans[4][12]	= settr(257,2,17,17,0,"((step==2))", 1, 2, 0);
	T = trans[4][17] = settr(262,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(262,2,13,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(262,2,16,0,0,"IF", 1, 2, 0);
	trans[4][13]	= settr(258,2,23,18,18,"((!(mark)&&((held.real!=(2+2))&&(( ((held.mono>held.wall)) -> (held.mono) : (held.wall) )<=2))))", 1, 2, 0); /* m: 14 -> 23,0 */
	reached4[14] = 1;
	trans[4][14]	= settr(0,0,0,0,0,"Bounded = ((since==(2+2))||(since<=2))",0,0,0);
	trans[4][15]	= settr(0,0,0,0,0,"assert(Bounded)",0,0,0);
	trans[4][18]	= settr(263,2,19,1,0,".(goto)", 1, 2, 0); /* m: 19 -> 0,23 */
	reached4[19] = 1;
	trans[4][16]	= settr(261,2,19,2,0,"else", 1, 2, 0);
	trans[4][19]	= settr(264,2,23,19,19,"step = 0", 1, 2, 0);
	T = trans[ 4][23] = settr(268,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(268,0,20,0,0,"sub-sequence", 1, 2, 0);
	trans[4][20]	= settr(265,0,26,20,20,"held.real = (2+2)", 1, 2, 0); /* m: 21 -> 0,26 */
	reached4[21] = 1;
	trans[4][21]	= settr(0,0,0,0,0,"held.mono = (2+2)",0,0,0);
	trans[4][22]	= settr(0,0,0,0,0,"held.wall = (2+2)",0,0,0);
	trans[4][24]	= settr(0,0,0,0,0,"mark = 0",0,0,0);
	trans[4][28]	= settr(273,0,29,1,0,"break", 0, 2, 0);
	trans[4][29]	= settr(274,0,0,21,21,"-end-", 0, 3500, 0);

	/* proctype 3: Guard */

	trans[3] = (Trans **) emalloc(119*sizeof(Trans *));

	trans[3][116]	= settr(243,0,115,1,0,".(goto)", 0, 2, 0);
	T = trans[3][115] = settr(242,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(242,0,34,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(242,0,67,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(242,0,111,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(242,0,114,0,0,"DO", 0, 2, 0);
	T = trans[ 3][34] = settr(161,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(161,2,1,0,0,"ATOMIC", 1, 2, 0);
	trans[3][1]	= settr(128,2,27,22,22,"(!(asking))", 1, 2, 0);
	T = trans[ 3][27] = settr(154,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(154,0,3,0,0,"sub-sequence", 1, 2, 0);
	T = trans[ 3][3] = settr(130,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(130,0,2,0,0,"sub-sequence", 1, 2, 0);
	trans[3][2]	= settr(129,2,13,23,23,"question = ( ((question==1)) -> (2) : (question) )", 1, 2, 0); /* m: 4 -> 0,13 */
	reached3[4] = 1;
	trans[3][4]	= settr(0,0,0,0,0,"k = 0",0,0,0);
	trans[3][14]	= settr(141,2,13,1,0,".(goto)", 1, 2, 0);
	T = trans[3][13] = settr(140,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(140,2,5,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(140,2,11,0,0,"DO", 1, 2, 0);
	trans[3][5]	= settr(132,2,7,24,0,"((k<=(1-1)))", 1, 2, 0);
	T = trans[ 3][7] = settr(134,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(134,0,6,0,0,"sub-sequence", 1, 2, 0);
	trans[3][6]	= settr(133,2,9,25,25,"node[k].waiting = ( ((node[k].waiting==1)) -> (2) : (node[k].waiting) )", 1, 2, 0);
	T = trans[ 3][9] = settr(136,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(136,0,8,0,0,"sub-sequence", 1, 2, 0);
	trans[3][8]	= settr(135,2,13,26,26,"node[k].served = ( ((node[k].served==1)) -> (2) : (node[k].served) )", 1, 2, 0); /* m: 10 -> 0,13 */
	reached3[10] = 1;
	trans[3][10]	= settr(0,0,0,0,0,"k = (k+1)",0,0,0);
	trans[3][11]	= settr(138,2,16,2,0,"else", 1, 2, 0);
	trans[3][12]	= settr(139,2,16,1,0,"goto :b4", 1, 2, 0); /* m: 16 -> 0,23 */
	reached3[16] = 1;
	trans[3][15]	= settr(142,2,16,1,0,"break", 1, 2, 0);
	trans[3][16]	= settr(143,2,23,27,27,"k = 0", 1, 2, 0);
	trans[3][24]	= settr(151,2,23,1,0,".(goto)", 1, 2, 0);
	T = trans[3][23] = settr(150,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(150,2,17,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(150,2,21,0,0,"DO", 1, 2, 0);
	trans[3][17]	= settr(144,2,19,28,0,"((k<=(1-1)))", 1, 2, 0);
	T = trans[ 3][19] = settr(146,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(146,0,18,0,0,"sub-sequence", 1, 2, 0);
	trans[3][18]	= settr(145,2,23,29,29,"answer[k].nonce = ( ((answer[k].nonce==1)) -> (2) : (answer[k].nonce) )", 1, 2, 0); /* m: 20 -> 0,23 */
	reached3[20] = 1;
	trans[3][20]	= settr(0,0,0,0,0,"k = (k+1)",0,0,0);
	trans[3][21]	= settr(148,2,26,2,0,"else", 1, 2, 0);
	trans[3][22]	= settr(149,2,26,1,0,"goto :b5", 1, 2, 0); /* m: 26 -> 0,33 */
	reached3[26] = 1;
	trans[3][25]	= settr(152,2,26,1,0,"break", 1, 2, 0);
	trans[3][26]	= settr(153,2,33,30,30,"k = 0", 1, 2, 0); /* m: 28 -> 0,33 */
	reached3[28] = 1;
	trans[3][28]	= settr(0,0,0,0,0,"question = 1",0,0,0);
	trans[3][29]	= settr(0,0,0,0,0,"asking = 1",0,0,0);
	T = trans[ 3][33] = settr(160,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(160,0,30,0,0,"sub-sequence", 1, 2, 0);
	trans[3][30]	= settr(157,0,115,31,31,"asked.real = 0", 1, 2, 0); /* m: 31 -> 0,115 */
	reached3[31] = 1;
	trans[3][31]	= settr(0,0,0,0,0,"asked.mono = 0",0,0,0);
	trans[3][32]	= settr(0,0,0,0,0,"asked.wall = 0",0,0,0);
	T = trans[ 3][67] = settr(194,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(194,2,35,0,0,"ATOMIC", 1, 2, 0);
	trans[3][35]	= settr(162,2,61,32,32,"(asking)", 1, 2, 0);
	T = trans[ 3][61] = settr(188,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(188,0,37,0,0,"sub-sequence", 1, 2, 0);
	T = trans[ 3][37] = settr(164,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(164,0,36,0,0,"sub-sequence", 1, 2, 0);
	trans[3][36]	= settr(163,2,47,33,33,"question = ( ((question==1)) -> (2) : (question) )", 1, 2, 0); /* m: 38 -> 0,47 */
	reached3[38] = 1;
	trans[3][38]	= settr(0,0,0,0,0,"k = 0",0,0,0);
	trans[3][48]	= settr(175,2,47,1,0,".(goto)", 1, 2, 0);
	T = trans[3][47] = settr(174,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(174,2,39,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(174,2,45,0,0,"DO", 1, 2, 0);
	trans[3][39]	= settr(166,2,41,34,0,"((k<=(1-1)))", 1, 2, 0);
	T = trans[ 3][41] = settr(168,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(168,0,40,0,0,"sub-sequence", 1, 2, 0);
	trans[3][40]	= settr(167,2,43,35,35,"node[k].waiting = ( ((node[k].waiting==1)) -> (2) : (node[k].waiting) )", 1, 2, 0);
	T = trans[ 3][43] = settr(170,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(170,0,42,0,0,"sub-sequence", 1, 2, 0);
	trans[3][42]	= settr(169,2,47,36,36,"node[k].served = ( ((node[k].served==1)) -> (2) : (node[k].served) )", 1, 2, 0); /* m: 44 -> 0,47 */
	reached3[44] = 1;
	trans[3][44]	= settr(0,0,0,0,0,"k = (k+1)",0,0,0);
	trans[3][45]	= settr(172,2,50,2,0,"else", 1, 2, 0);
	trans[3][46]	= settr(173,2,50,1,0,"goto :b6", 1, 2, 0); /* m: 50 -> 0,57 */
	reached3[50] = 1;
	trans[3][49]	= settr(176,2,50,1,0,"break", 1, 2, 0);
	trans[3][50]	= settr(177,2,57,37,37,"k = 0", 1, 2, 0);
	trans[3][58]	= settr(185,2,57,1,0,".(goto)", 1, 2, 0);
	T = trans[3][57] = settr(184,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(184,2,51,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(184,2,55,0,0,"DO", 1, 2, 0);
	trans[3][51]	= settr(178,2,53,38,0,"((k<=(1-1)))", 1, 2, 0);
	T = trans[ 3][53] = settr(180,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(180,0,52,0,0,"sub-sequence", 1, 2, 0);
	trans[3][52]	= settr(179,2,57,39,39,"answer[k].nonce = ( ((answer[k].nonce==1)) -> (2) : (answer[k].nonce) )", 1, 2, 0); /* m: 54 -> 0,57 */
	reached3[54] = 1;
	trans[3][54]	= settr(0,0,0,0,0,"k = (k+1)",0,0,0);
	trans[3][55]	= settr(182,2,60,2,0,"else", 1, 2, 0);
	trans[3][56]	= settr(183,2,60,1,0,"goto :b7", 1, 2, 0); /* m: 60 -> 0,66 */
	reached3[60] = 1;
	trans[3][59]	= settr(186,2,60,1,0,"break", 1, 2, 0);
	trans[3][60]	= settr(187,2,66,40,40,"k = 0", 1, 2, 0); /* m: 62 -> 0,66 */
	reached3[62] = 1;
	trans[3][62]	= settr(0,0,0,0,0,"asking = 0",0,0,0);
	T = trans[ 3][66] = settr(193,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(193,0,63,0,0,"sub-sequence", 1, 2, 0);
	trans[3][63]	= settr(190,0,115,41,41,"asked.real = (2+2)", 1, 2, 0); /* m: 64 -> 0,115 */
	reached3[64] = 1;
	trans[3][64]	= settr(0,0,0,0,0,"asked.mono = (2+2)",0,0,0);
	trans[3][65]	= settr(0,0,0,0,0,"asked.wall = (2+2)",0,0,0);
	T = trans[ 3][111] = settr(238,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(238,2,68,0,0,"ATOMIC", 1, 2, 0);
	trans[3][68]	= settr(195,2,108,42,42,"(asking)", 1, 2, 0); /* m: 69 -> 108,0 */
	reached3[69] = 1;
	trans[3][69]	= settr(0,0,0,0,0,"s = 0",0,0,0);
	T = trans[3][108] = settr(235,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(235,2,70,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(235,2,107,0,0,"IF", 1, 2, 0);
	trans[3][70]	= settr(197,2,75,43,43,"((answer[s].nonce==1))", 1, 2, 0); /* m: 71 -> 75,0 */
	reached3[71] = 1;
	trans[3][71]	= settr(0,0,0,0,0,"known = ( ((answer[s].n>known)) -> (answer[s].n) : (known) )",0,0,0);
	T = trans[ 3][75] = settr(202,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(202,0,72,0,0,"sub-sequence", 1, 2, 0);
	trans[3][72]	= settr(199,2,101,44,44,"proof.real = asked.real", 1, 2, 0); /* m: 73 -> 0,101 */
	reached3[73] = 1;
	trans[3][73]	= settr(0,0,0,0,0,"proof.mono = asked.mono",0,0,0);
	trans[3][74]	= settr(0,0,0,0,0,"proof.wall = asked.wall",0,0,0);
	T = trans[ 3][101] = settr(228,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(228,0,77,0,0,"sub-sequence", 1, 2, 0);
	T = trans[ 3][77] = settr(204,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(204,0,76,0,0,"sub-sequence", 1, 2, 0);
	trans[3][76]	= settr(203,2,87,45,45,"question = ( ((question==1)) -> (2) : (question) )", 1, 2, 0); /* m: 78 -> 0,87 */
	reached3[78] = 1;
	trans[3][78]	= settr(0,0,0,0,0,"k = 0",0,0,0);
	trans[3][88]	= settr(215,2,87,1,0,".(goto)", 1, 2, 0);
	T = trans[3][87] = settr(214,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(214,2,79,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(214,2,85,0,0,"DO", 1, 2, 0);
	trans[3][79]	= settr(206,2,81,46,0,"((k<=(1-1)))", 1, 2, 0);
	T = trans[ 3][81] = settr(208,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(208,0,80,0,0,"sub-sequence", 1, 2, 0);
	trans[3][80]	= settr(207,2,83,47,47,"node[k].waiting = ( ((node[k].waiting==1)) -> (2) : (node[k].waiting) )", 1, 2, 0);
	T = trans[ 3][83] = settr(210,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(210,0,82,0,0,"sub-sequence", 1, 2, 0);
	trans[3][82]	= settr(209,2,87,48,48,"node[k].served = ( ((node[k].served==1)) -> (2) : (node[k].served) )", 1, 2, 0); /* m: 84 -> 0,87 */
	reached3[84] = 1;
	trans[3][84]	= settr(0,0,0,0,0,"k = (k+1)",0,0,0);
	trans[3][85]	= settr(212,2,90,2,0,"else", 1, 2, 0);
	trans[3][86]	= settr(213,2,90,1,0,"goto :b8", 1, 2, 0); /* m: 90 -> 0,97 */
	reached3[90] = 1;
	trans[3][89]	= settr(216,2,90,1,0,"break", 1, 2, 0);
	trans[3][90]	= settr(217,2,97,49,49,"k = 0", 1, 2, 0);
	trans[3][98]	= settr(225,2,97,1,0,".(goto)", 1, 2, 0);
	T = trans[3][97] = settr(224,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(224,2,91,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(224,2,95,0,0,"DO", 1, 2, 0);
	trans[3][91]	= settr(218,2,93,50,0,"((k<=(1-1)))", 1, 2, 0);
	T = trans[ 3][93] = settr(220,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(220,0,92,0,0,"sub-sequence", 1, 2, 0);
	trans[3][92]	= settr(219,2,97,51,51,"answer[k].nonce = ( ((answer[k].nonce==1)) -> (2) : (answer[k].nonce) )", 1, 2, 0); /* m: 94 -> 0,97 */
	reached3[94] = 1;
	trans[3][94]	= settr(0,0,0,0,0,"k = (k+1)",0,0,0);
	trans[3][95]	= settr(222,2,100,2,0,"else", 1, 2, 0);
	trans[3][96]	= settr(223,2,100,1,0,"goto :b9", 1, 2, 0); /* m: 100 -> 0,106 */
	reached3[100] = 1;
	trans[3][99]	= settr(226,2,100,1,0,"break", 1, 2, 0);
	trans[3][100]	= settr(227,2,106,52,52,"k = 0", 1, 2, 0); /* m: 102 -> 0,106 */
	reached3[102] = 1;
	trans[3][102]	= settr(0,0,0,0,0,"asking = 0",0,0,0);
	T = trans[ 3][106] = settr(233,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(233,0,103,0,0,"sub-sequence", 1, 2, 0);
	trans[3][103]	= settr(230,0,115,53,53,"asked.real = (2+2)", 1, 2, 0); /* m: 104 -> 0,115 */
	reached3[104] = 1;
	trans[3][104]	= settr(0,0,0,0,0,"asked.mono = (2+2)",0,0,0);
	trans[3][105]	= settr(0,0,0,0,0,"asked.wall = (2+2)",0,0,0);
	trans[3][109]	= settr(236,0,115,54,54,".(goto)", 1, 2, 0); /* m: 110 -> 0,115 */
	reached3[110] = 1;
	trans[3][107]	= settr(234,2,109,2,0,"else", 1, 2, 0);
	trans[3][110]	= settr(0,0,0,0,0,"s = 0",0,0,0);
	T = trans[ 3][114] = settr(241,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(241,2,112,0,0,"ATOMIC", 1, 2, 0);
	trans[3][112]	= settr(239,0,115,55,55,"((known<head))", 1, 2, 0); /* m: 113 -> 115,0 */
	reached3[113] = 1;
	trans[3][113]	= settr(0,0,0,0,0,"known = (known+1)",0,0,0);
	trans[3][117]	= settr(244,0,118,1,0,"break", 0, 2, 0);
	trans[3][118]	= settr(245,0,0,56,56,"-end-", 0, 3500, 0);

	/* proctype 2: Serve */

	trans[2] = (Trans **) emalloc(31*sizeof(Trans *));

	trans[2][28]	= settr(125,0,27,1,0,".(goto)", 0, 2, 0);
	T = trans[2][27] = settr(124,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(124,0,3,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(124,0,9,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(124,0,20,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(124,0,26,0,0,"DO", 0, 2, 0);
	T = trans[ 2][3] = settr(100,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(100,2,1,0,0,"ATOMIC", 1, 2, 0);
	trans[2][1]	= settr(98,0,27,57,57,"(((question!=0)&&(node[i].waiting==0)))", 1, 2, 0); /* m: 2 -> 27,0 */
	reached2[2] = 1;
	trans[2][2]	= settr(0,0,0,0,0,"node[i].waiting = question",0,0,0);
	T = trans[ 2][9] = settr(106,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(106,2,4,0,0,"ATOMIC", 1, 2, 0);
	trans[2][4]	= settr(101,0,27,58,58,"((!(node[i].reading)&&(node[i].waiting!=0)))", 1, 2, 0); /* m: 5 -> 27,0 */
	reached2[5] = 1;
	trans[2][5]	= settr(0,0,0,0,0,"node[i].served = node[i].waiting",0,0,0);
	trans[2][6]	= settr(0,0,0,0,0,"node[i].waiting = 0",0,0,0);
	trans[2][7]	= settr(0,0,0,0,0,"node[i].reading = 1",0,0,0);
	trans[2][8]	= settr(0,0,0,0,0,"node[i].n = head",0,0,0);
	T = trans[ 2][20] = settr(117,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(117,2,10,0,0,"ATOMIC", 1, 2, 0);
	trans[2][10]	= settr(107,2,15,59,0,"(node[i].reading)", 1, 2, 0);
	T = trans[ 2][15] = settr(112,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(112,0,13,0,0,"sub-sequence", 1, 2, 0);
	T = trans[2][13] = settr(110,2,0,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(110,2,11,0,0,"IF", 1, 2, 0);
	trans[2][11]	= settr(108,2,19,60,60,"answer[0].nonce = node[i].served", 1, 2, 0); /* m: 12 -> 0,19 */
	reached2[12] = 1;
	trans[2][12]	= settr(0,0,0,0,0,"answer[0].n = node[i].n",0,0,0);
	trans[2][14]	= settr(111,2,19,1,0,".(goto)", 1, 2, 0);
	T = trans[ 2][19] = settr(116,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(116,0,16,0,0,"sub-sequence", 1, 2, 0);
	trans[2][16]	= settr(113,0,27,61,61,"node[i].reading = 0", 1, 2, 0); /* m: 17 -> 0,27 */
	reached2[17] = 1;
	trans[2][17]	= settr(0,0,0,0,0,"node[i].served = 0",0,0,0);
	trans[2][18]	= settr(0,0,0,0,0,"node[i].n = 0",0,0,0);
	T = trans[ 2][26] = settr(123,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(123,2,21,0,0,"ATOMIC", 1, 2, 0);
	trans[2][21]	= settr(118,2,25,62,0,"(node[i].reading)", 1, 2, 0);
	T = trans[ 2][25] = settr(122,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(122,0,22,0,0,"sub-sequence", 1, 2, 0);
	trans[2][22]	= settr(119,0,27,63,63,"node[i].reading = 0", 1, 2, 0); /* m: 23 -> 0,27 */
	reached2[23] = 1;
	trans[2][23]	= settr(0,0,0,0,0,"node[i].served = 0",0,0,0);
	trans[2][24]	= settr(0,0,0,0,0,"node[i].n = 0",0,0,0);
	trans[2][29]	= settr(126,0,30,1,0,"break", 0, 2, 0);
	trans[2][30]	= settr(127,0,0,64,64,"-end-", 0, 3500, 0);

	/* proctype 1: Ledger */

	trans[1] = (Trans **) emalloc(14*sizeof(Trans *));

	trans[1][11]	= settr(95,0,10,1,0,".(goto)", 0, 2, 0);
	T = trans[1][10] = settr(94,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(94,0,6,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(94,0,9,0,0,"DO", 0, 2, 0);
	T = trans[ 1][6] = settr(90,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(90,2,1,0,0,"ATOMIC", 1, 2, 0);
	trans[1][1]	= settr(85,0,10,65,65,"((((x==0)&&(mine==0))&&(head<1)))", 1, 2, 0); /* m: 2 -> 10,0 */
	reached1[2] = 1;
	trans[1][2]	= settr(0,0,0,0,0,"head = (head+1)",0,0,0);
	trans[1][3]	= settr(0,0,0,0,0,"mine = head",0,0,0);
	trans[1][4]	= settr(0,0,0,0,0,"x = mine",0,0,0);
	trans[1][5]	= settr(0,0,0,0,0,"since = 0",0,0,0);
	T = trans[ 1][9] = settr(93,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(93,2,7,0,0,"ATOMIC", 1, 2, 0);
	trans[1][7]	= settr(91,0,10,66,66,"((head<1))", 1, 2, 0); /* m: 8 -> 10,0 */
	reached1[8] = 1;
	trans[1][8]	= settr(0,0,0,0,0,"head = (head+1)",0,0,0);
	trans[1][12]	= settr(96,0,13,1,0,"break", 0, 2, 0);
	trans[1][13]	= settr(97,0,0,67,67,"-end-", 0, 3500, 0);

	/* proctype 0: Time */

	trans[0] = (Trans **) emalloc(86*sizeof(Trans *));

	trans[0][83]	= settr(82,0,82,1,0,".(goto)", 0, 2, 0);
	T = trans[0][82] = settr(81,0,0,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(81,0,81,0,0,"DO", 0, 2, 0);
	T = trans[ 0][81] = settr(80,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(80,2,1,0,0,"ATOMIC", 1, 2, 0);
	trans[0][1]	= settr(0,2,3,1,0,"(1)", 1, 2, 0);
	T = trans[ 0][3] = settr(2,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(2,0,2,0,0,"sub-sequence", 1, 2, 0);
	trans[0][2]	= settr(1,2,79,68,68,"since = ( ((since<(2+1))) -> ((since+1)) : (since) )", 1, 2, 0);
	T = trans[0][79] = settr(78,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(78,2,10,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(78,2,25,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(78,2,41,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(78,2,60,0,0,"IF", 1, 2, 0);
	T = trans[ 0][10] = settr(9,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(9,0,5,0,0,"sub-sequence", 1, 2, 0);
	T = trans[ 0][5] = settr(4,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(4,0,4,0,0,"sub-sequence", 1, 2, 0);
	trans[0][4]	= settr(3,2,7,69,69,"asked.real = ( ((asked.real<(2+1))) -> ((asked.real+1)) : (asked.real) )", 1, 2, 0);
	T = trans[ 0][7] = settr(6,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(6,0,6,0,0,"sub-sequence", 1, 2, 0);
	trans[0][6]	= settr(5,2,9,70,70,"asked.mono = ( ((asked.mono<(2+1))) -> ((asked.mono+1)) : (asked.mono) )", 1, 2, 0);
	T = trans[ 0][9] = settr(8,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(8,0,8,0,0,"sub-sequence", 1, 2, 0);
	trans[0][8]	= settr(7,2,17,71,71,"asked.wall = ( ((asked.wall<(2+1))) -> ((asked.wall+1)) : (asked.wall) )", 1, 2, 0);
	T = trans[ 0][17] = settr(16,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(16,0,12,0,0,"sub-sequence", 1, 2, 0);
	T = trans[ 0][12] = settr(11,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(11,0,11,0,0,"sub-sequence", 1, 2, 0);
	trans[0][11]	= settr(10,2,14,72,72,"proof.real = ( ((proof.real<(2+1))) -> ((proof.real+1)) : (proof.real) )", 1, 2, 0);
	T = trans[ 0][14] = settr(13,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(13,0,13,0,0,"sub-sequence", 1, 2, 0);
	trans[0][13]	= settr(12,2,16,73,73,"proof.mono = ( ((proof.mono<(2+1))) -> ((proof.mono+1)) : (proof.mono) )", 1, 2, 0);
	T = trans[ 0][16] = settr(15,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(15,0,15,0,0,"sub-sequence", 1, 2, 0);
	trans[0][15]	= settr(14,2,24,74,74,"proof.wall = ( ((proof.wall<(2+1))) -> ((proof.wall+1)) : (proof.wall) )", 1, 2, 0);
	T = trans[ 0][24] = settr(23,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(23,0,19,0,0,"sub-sequence", 1, 2, 0);
	T = trans[ 0][19] = settr(18,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(18,0,18,0,0,"sub-sequence", 1, 2, 0);
	trans[0][18]	= settr(17,2,21,75,75,"held.real = ( ((held.real<(2+1))) -> ((held.real+1)) : (held.real) )", 1, 2, 0);
	T = trans[ 0][21] = settr(20,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(20,0,20,0,0,"sub-sequence", 1, 2, 0);
	trans[0][20]	= settr(19,2,23,76,76,"held.mono = ( ((held.mono<(2+1))) -> ((held.mono+1)) : (held.mono) )", 1, 2, 0);
	T = trans[ 0][23] = settr(22,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(22,0,22,0,0,"sub-sequence", 1, 2, 0);
	trans[0][22]	= settr(21,0,82,77,77,"held.wall = ( ((held.wall<(2+1))) -> ((held.wall+1)) : (held.wall) )", 1, 2, 0); /* m: 80 -> 0,82 */
	reached0[80] = 1;
	trans[0][80]	= settr(79,0,82,78,78,".(goto)", 1, 2, 0);
	trans[0][25]	= settr(24,2,30,79,0,"(sleeps)", 1, 2, 0);
	T = trans[ 0][30] = settr(29,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(29,0,27,0,0,"sub-sequence", 1, 2, 0);
	T = trans[ 0][27] = settr(26,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(26,0,26,0,0,"sub-sequence", 1, 2, 0);
	trans[0][26]	= settr(25,2,29,80,80,"asked.real = ( ((asked.real<(2+1))) -> ((asked.real+1)) : (asked.real) )", 1, 2, 0);
	T = trans[ 0][29] = settr(28,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(28,0,28,0,0,"sub-sequence", 1, 2, 0);
	trans[0][28]	= settr(27,2,35,81,81,"asked.wall = ( ((asked.wall<(2+1))) -> ((asked.wall+1)) : (asked.wall) )", 1, 2, 0);
	T = trans[ 0][35] = settr(34,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(34,0,32,0,0,"sub-sequence", 1, 2, 0);
	T = trans[ 0][32] = settr(31,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(31,0,31,0,0,"sub-sequence", 1, 2, 0);
	trans[0][31]	= settr(30,2,34,82,82,"proof.real = ( ((proof.real<(2+1))) -> ((proof.real+1)) : (proof.real) )", 1, 2, 0);
	T = trans[ 0][34] = settr(33,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(33,0,33,0,0,"sub-sequence", 1, 2, 0);
	trans[0][33]	= settr(32,2,40,83,83,"proof.wall = ( ((proof.wall<(2+1))) -> ((proof.wall+1)) : (proof.wall) )", 1, 2, 0);
	T = trans[ 0][40] = settr(39,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(39,0,37,0,0,"sub-sequence", 1, 2, 0);
	T = trans[ 0][37] = settr(36,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(36,0,36,0,0,"sub-sequence", 1, 2, 0);
	trans[0][36]	= settr(35,2,39,84,84,"held.real = ( ((held.real<(2+1))) -> ((held.real+1)) : (held.real) )", 1, 2, 0);
	T = trans[ 0][39] = settr(38,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(38,0,38,0,0,"sub-sequence", 1, 2, 0);
	trans[0][38]	= settr(37,0,82,85,85,"held.wall = ( ((held.wall<(2+1))) -> ((held.wall+1)) : (held.wall) )", 1, 2, 0); /* m: 80 -> 0,82 */
	reached0[80] = 1;
	trans[0][41]	= settr(40,2,47,86,0,"(!(sleeps))", 1, 2, 0);
	T = trans[ 0][47] = settr(46,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(46,0,43,0,0,"sub-sequence", 1, 2, 0);
	T = trans[ 0][43] = settr(42,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(42,0,42,0,0,"sub-sequence", 1, 2, 0);
	trans[0][42]	= settr(41,2,45,87,87,"asked.real = ( ((asked.real<(2+1))) -> ((asked.real+1)) : (asked.real) )", 1, 2, 0);
	T = trans[ 0][45] = settr(44,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(44,0,44,0,0,"sub-sequence", 1, 2, 0);
	trans[0][44]	= settr(43,2,53,88,88,"asked.mono = ( ((asked.mono<(2+1))) -> ((asked.mono+1)) : (asked.mono) )", 1, 2, 0); /* m: 46 -> 0,53 */
	reached0[46] = 1;
	trans[0][46]	= settr(0,0,0,0,0,"asked.wall = ( ((asked.wall==(2+2))) -> ((2+2)) : (0) )",0,0,0);
	T = trans[ 0][53] = settr(52,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(52,0,49,0,0,"sub-sequence", 1, 2, 0);
	T = trans[ 0][49] = settr(48,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(48,0,48,0,0,"sub-sequence", 1, 2, 0);
	trans[0][48]	= settr(47,2,51,89,89,"proof.real = ( ((proof.real<(2+1))) -> ((proof.real+1)) : (proof.real) )", 1, 2, 0);
	T = trans[ 0][51] = settr(50,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(50,0,50,0,0,"sub-sequence", 1, 2, 0);
	trans[0][50]	= settr(49,2,59,90,90,"proof.mono = ( ((proof.mono<(2+1))) -> ((proof.mono+1)) : (proof.mono) )", 1, 2, 0); /* m: 52 -> 0,59 */
	reached0[52] = 1;
	trans[0][52]	= settr(0,0,0,0,0,"proof.wall = ( ((proof.wall==(2+2))) -> ((2+2)) : (0) )",0,0,0);
	T = trans[ 0][59] = settr(58,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(58,0,55,0,0,"sub-sequence", 1, 2, 0);
	T = trans[ 0][55] = settr(54,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(54,0,54,0,0,"sub-sequence", 1, 2, 0);
	trans[0][54]	= settr(53,2,57,91,91,"held.real = ( ((held.real<(2+1))) -> ((held.real+1)) : (held.real) )", 1, 2, 0);
	T = trans[ 0][57] = settr(56,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(56,0,56,0,0,"sub-sequence", 1, 2, 0);
	trans[0][56]	= settr(55,0,82,92,92,"held.mono = ( ((held.mono<(2+1))) -> ((held.mono+1)) : (held.mono) )", 1, 2, 0); /* m: 58 -> 0,82 */
	reached0[58] = 1;
	trans[0][58]	= settr(0,0,0,0,0,"held.wall = ( ((held.wall==(2+2))) -> ((2+2)) : (0) )",0,0,0);
	trans[0][60]	= settr(59,2,66,93,0,"(!(sleeps))", 1, 2, 0);
	T = trans[ 0][66] = settr(65,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(65,0,62,0,0,"sub-sequence", 1, 2, 0);
	T = trans[ 0][62] = settr(61,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(61,0,61,0,0,"sub-sequence", 1, 2, 0);
	trans[0][61]	= settr(60,2,64,94,94,"asked.real = ( ((asked.real<(2+1))) -> ((asked.real+1)) : (asked.real) )", 1, 2, 0);
	T = trans[ 0][64] = settr(63,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(63,0,63,0,0,"sub-sequence", 1, 2, 0);
	trans[0][63]	= settr(62,2,72,95,95,"asked.mono = ( ((asked.mono<(2+1))) -> ((asked.mono+1)) : (asked.mono) )", 1, 2, 0); /* m: 65 -> 0,72 */
	reached0[65] = 1;
	trans[0][65]	= settr(0,0,0,0,0,"asked.wall = ( ((asked.wall==(2+2))) -> ((2+2)) : ((2+1)) )",0,0,0);
	T = trans[ 0][72] = settr(71,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(71,0,68,0,0,"sub-sequence", 1, 2, 0);
	T = trans[ 0][68] = settr(67,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(67,0,67,0,0,"sub-sequence", 1, 2, 0);
	trans[0][67]	= settr(66,2,70,96,96,"proof.real = ( ((proof.real<(2+1))) -> ((proof.real+1)) : (proof.real) )", 1, 2, 0);
	T = trans[ 0][70] = settr(69,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(69,0,69,0,0,"sub-sequence", 1, 2, 0);
	trans[0][69]	= settr(68,2,78,97,97,"proof.mono = ( ((proof.mono<(2+1))) -> ((proof.mono+1)) : (proof.mono) )", 1, 2, 0); /* m: 71 -> 0,78 */
	reached0[71] = 1;
	trans[0][71]	= settr(0,0,0,0,0,"proof.wall = ( ((proof.wall==(2+2))) -> ((2+2)) : ((2+1)) )",0,0,0);
	T = trans[ 0][78] = settr(77,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(77,0,74,0,0,"sub-sequence", 1, 2, 0);
	T = trans[ 0][74] = settr(73,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(73,0,73,0,0,"sub-sequence", 1, 2, 0);
	trans[0][73]	= settr(72,2,76,98,98,"held.real = ( ((held.real<(2+1))) -> ((held.real+1)) : (held.real) )", 1, 2, 0);
	T = trans[ 0][76] = settr(75,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(75,0,75,0,0,"sub-sequence", 1, 2, 0);
	trans[0][75]	= settr(74,0,82,99,99,"held.mono = ( ((held.mono<(2+1))) -> ((held.mono+1)) : (held.mono) )", 1, 2, 0); /* m: 77 -> 0,82 */
	reached0[77] = 1;
	trans[0][77]	= settr(0,0,0,0,0,"held.wall = ( ((held.wall==(2+2))) -> ((2+2)) : ((2+1)) )",0,0,0);
	trans[0][84]	= settr(83,0,85,1,0,"break", 0, 2, 0);
	trans[0][85]	= settr(84,0,0,100,100,"-end-", 0, 3500, 0);
	/* np_ demon: */
	trans[_NP_] = (Trans **) emalloc(3*sizeof(Trans *));
	T = trans[_NP_][0] = settr(9997,0,1,_T5,0,"(np_)", 1,2,0);
	    T->nxt	  = settr(9998,0,0,_T2,0,"(1)",   0,2,0);
	T = trans[_NP_][1] = settr(9999,0,1,_T5,0,"(np_)", 1,2,0);
}

Trans *
settr(	int t_id, int a, int b, int c, int d,
	char *t, int g, int tpe0, int tpe1)
{	Trans *tmp = (Trans *) emalloc(sizeof(Trans));

	tmp->atom  = a&(6|32);	/* only (2|8|32) have meaning */
	if (!g) tmp->atom |= 8;	/* no global references */
	tmp->st    = b;
	tmp->tpe[0] = tpe0;
	tmp->tpe[1] = tpe1;
	tmp->tp    = t;
	tmp->t_id  = t_id;
	tmp->forw  = c;
	tmp->back  = d;
	return tmp;
}

Trans *
cpytr(Trans *a)
{	Trans *tmp = (Trans *) emalloc(sizeof(Trans));

	int i;
	tmp->atom  = a->atom;
	tmp->st    = a->st;
#ifdef HAS_UNLESS
	tmp->e_trans = a->e_trans;
	for (i = 0; i < HAS_UNLESS; i++)
		tmp->escp[i] = a->escp[i];
#endif
	tmp->tpe[0] = a->tpe[0];
	tmp->tpe[1] = a->tpe[1];
	for (i = 0; i < 6; i++)
	{	tmp->qu[i] = a->qu[i];
		tmp->ty[i] = a->ty[i];
	}
	tmp->tp    = (char *) emalloc(strlen(a->tp)+1);
	strcpy(tmp->tp, a->tp);
	tmp->t_id  = a->t_id;
	tmp->forw  = a->forw;
	tmp->back  = a->back;
	return tmp;
}

#ifndef NOREDUCE
int
srinc_set(int n)
{	if (n <= 2) return LOCAL;
	if (n <= 2+  DELTA) return Q_FULL_F; /* 's' or nfull  */
	if (n <= 2+2*DELTA) return Q_EMPT_F; /* 'r' or nempty */
	if (n <= 2+3*DELTA) return Q_EMPT_T; /* empty */
	if (n <= 2+4*DELTA) return Q_FULL_T; /* full  */
	if (n ==   5*DELTA) return GLOBAL;
	if (n ==   6*DELTA) return TIMEOUT_F;
	if (n ==   7*DELTA) return ALPHA_F;
	Uerror("cannot happen srinc_class");
	return BAD;
}
int
srunc(int n, int m)
{	switch(m) {
	case Q_FULL_F: return n-2;
	case Q_EMPT_F: return n-2-DELTA;
	case Q_EMPT_T: return n-2-2*DELTA;
	case Q_FULL_T: return n-2-3*DELTA;
	case ALPHA_F:
	case TIMEOUT_F: return 257; /* non-zero, and > MAXQ */
	}
	Uerror("cannot happen srunc");
	return 0;
}
#endif
int cnt;
#ifdef HAS_UNLESS
int
isthere(Trans *a, int b)
{	Trans *t;
	for (t = a; t; t = t->nxt)
		if (t->t_id == b)
			return 1;
	return 0;
}
#endif
#ifndef NOREDUCE
int
mark_safety(Trans *t) /* for conditional safety */
{	int g = 0, i, j, k;

	if (!t) return 0;
	if (t->qu[0])
		return (t->qu[1])?2:1;	/* marked */

	for (i = 0; i < 2; i++)
	{	j = srinc_set(t->tpe[i]);
		if (j >= GLOBAL && j != ALPHA_F)
			return -1;
		if (j != LOCAL)
		{	k = srunc(t->tpe[i], j);
			if (g == 0
			||  t->qu[0] != k
			||  t->ty[0] != j)
			{	t->qu[g] = k;
				t->ty[g] = j;
				g++;
	}	}	}
	return g;
}
#endif
void
retrans(int n, int m, int is, short srcln[], uchar reach[], uchar lpstate[])
	/* process n, with m states, is=initial state */
{	Trans *T0, *T1, *T2, *T3;
	Trans *T4, *T5; /* t_reverse or has_unless */
	int i;
#if defined(HAS_UNLESS) || !defined(NOREDUCE)
	int k;
#endif
#ifndef NOREDUCE
	int g, h, j, aa;
#endif
#ifdef HAS_UNLESS
	int p;
#endif
	if (state_tables >= 4)
	{	printf("STEP 1 %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
		return;
	}
	do {
		for (i = 1, cnt = 0; i < m; i++)
		{	T2 = trans[n][i];
			T1 = T2?T2->nxt:(Trans *)0;
/* prescan: */		for (T0 = T1; T0; T0 = T0->nxt)
/* choice in choice */	{	if (T0->st && trans[n][T0->st]
				&&  trans[n][T0->st]->nxt)
					break;
			}
#if 0
		if (T0)
		printf("\tstate %d / %d: choice in choice\n",
		i, T0->st);
#endif
			if (T0)
			for (T0 = T1; T0; T0 = T0->nxt)
			{	T3 = trans[n][T0->st];
				if (!T3->nxt)
				{	T2->nxt = cpytr(T0);
					T2 = T2->nxt;
					imed(T2, T0->st, n, i);
					continue;
				}
				do {	T3 = T3->nxt;
					T2->nxt = cpytr(T3);
					T2 = T2->nxt;
					imed(T2, T0->st, n, i);
				} while (T3->nxt);
				cnt++;
			}
		}
	} while (cnt);
	if (state_tables >= 3)
	{	printf("STEP 2 %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
		return;
	}
	for (i = 1; i < m; i++)
	{	if (trans[n][i] && trans[n][i]->nxt) /* optimize */
		{	T1 = trans[n][i]->nxt;
#if 0
			printf("\t\tpull %d (%d) to %d\n",
			T1->st, T1->forw, i);
#endif
			srcln[i] = srcln[T1->st];	/* Oyvind Teig, 5.2.0 */

			if (!trans[n][T1->st]) continue;
			T0 = cpytr(trans[n][T1->st]);
			trans[n][i] = T0;
			reach[T1->st] = 1;
			imed(T0, T1->st, n, i);
			for (T1 = T1->nxt; T1; T1 = T1->nxt)
			{
#if 0
			printf("\t\tpull %d (%d) to %d\n",
				T1->st, T1->forw, i);
#endif
		/*		srcln[i] = srcln[T1->st];  gh: not useful */
				if (!trans[n][T1->st]) continue;
				T0->nxt = cpytr(trans[n][T1->st]);
				T0 = T0->nxt;
				reach[T1->st] = 1;
				imed(T0, T1->st, n, i);
	}	}	}
	if (state_tables >= 2)
	{	printf("STEP 3 %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
		return;
	}
#ifdef HAS_UNLESS
	for (i = 1; i < m; i++)
	{	if (!trans[n][i]) continue;
		/* check for each state i if an
		 * escape to some state p is defined
		 * if so, copy and mark p's transitions
		 * and prepend them to the transition-
		 * list of state i
		 */
	 if (!like_java) /* the default */
	 {	for (T0 = trans[n][i]; T0; T0 = T0->nxt)
		for (k = HAS_UNLESS-1; k >= 0; k--)
		{	if (p = T0->escp[k])
			for (T1 = trans[n][p]; T1; T1 = T1->nxt)
			{	if (isthere(trans[n][i], T1->t_id))
					continue;
				T2 = cpytr(T1);
				T2->e_trans = p;
				T2->nxt = trans[n][i];
				trans[n][i] = T2;
		}	}
	 } else /* outermost unless checked first */
	 {	T4 = T3 = (Trans *) 0;
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
		for (k = HAS_UNLESS-1; k >= 0; k--)
		{	if (p = T0->escp[k])
			for (T1 = trans[n][p]; T1; T1 = T1->nxt)
			{	if (isthere(trans[n][i], T1->t_id))
					continue;
				T2 = cpytr(T1);
				T2->nxt = (Trans *) 0;
				T2->e_trans = p;
				if (T3)	T3->nxt = T2;
				else	T4 = T2;
				T3 = T2;
		}	}
		if (T4)
		{	T3->nxt = trans[n][i];
			trans[n][i] = T4;
		}
	 }
	}
#endif
#ifndef NOREDUCE
	for (i = 1; i < m; i++)
	{	if (a_cycles)
		{ /* moves through these states are visible */
	#if PROG_LAB>0 && defined(HAS_NP)
			if (progstate[n][i])
				goto degrade;
			for (T1 = trans[n][i]; T1; T1 = T1->nxt)
				if (progstate[n][T1->st])
					goto degrade;
	#endif
			if (accpstate[n][i] || visstate[n][i])
				goto degrade;
			for (T1 = trans[n][i]; T1; T1 = T1->nxt)
				if (accpstate[n][T1->st])
					goto degrade;
		}
		T1 = trans[n][i];
		if (!T1) continue;
		g = mark_safety(T1);	/* V3.3.1 */
		if (g < 0) goto degrade; /* global */
		/* check if mixing of guards preserves reduction */
		if (T1->nxt)
		{	k = 0;
			for (T0 = T1; T0; T0 = T0->nxt)
			{	if (!(T0->atom&8))
					goto degrade;
				for (aa = 0; aa < 2; aa++)
				{	j = srinc_set(T0->tpe[aa]);
					if (j >= GLOBAL && j != ALPHA_F)
						goto degrade;
					if (T0->tpe[aa]
					&&  T0->tpe[aa]
					!=  T1->tpe[0])
						k = 1;
			}	}
			/* g = 0;	V3.3.1 */
			if (k)	/* non-uniform selection */
			for (T0 = T1; T0; T0 = T0->nxt)
			for (aa = 0; aa < 2; aa++)
			{	j = srinc_set(T0->tpe[aa]);
				if (j != LOCAL)
				{	k = srunc(T0->tpe[aa], j);
					for (h = 0; h < 6; h++)
						if (T1->qu[h] == k
						&&  T1->ty[h] == j)
							break;
					if (h >= 6)
					{	T1->qu[g%6] = k;
						T1->ty[g%6] = j;
						g++;
			}	}	}
			if (g > 6)
			{	T1->qu[0] = 0;	/* turn it off */
				printf("pan: warning, line %d, ",
					srcln[i]);
			 	printf("too many stmnt types (%d)",
					g);
			  	printf(" in selection\n");
			  goto degrade;
			}
		}
		/* mark all options global if >=1 is global */
		for (T1 = trans[n][i]; T1; T1 = T1->nxt)
			if (!(T1->atom&8)) break;
		if (T1)
degrade:	for (T1 = trans[n][i]; T1; T1 = T1->nxt)
			T1->atom &= ~8;	/* mark as unsafe */
		/* can only mix 'r's or 's's if on same chan */
		/* and not mixed with other local operations */
		T1 = trans[n][i];
		if (!T1 || T1->qu[0]) continue;
		j = T1->tpe[0];
		if (T1->nxt && T1->atom&8)
		{ if (j == 5*DELTA)
		  {	printf("warning: line %d ", srcln[i]);
			printf("mixed condition ");
			printf("(defeats reduction)\n");
			goto degrade;
		  }
		  for (T0 = T1; T0; T0 = T0->nxt)
		  for (aa = 0; aa < 2; aa++)
		  if  (T0->tpe[aa] && T0->tpe[aa] != j)
		  {	printf("warning: line %d ", srcln[i]);
			printf("[%d-%d] mixed %stion ",
				T0->tpe[aa], j, 
				(j==5*DELTA)?"condi":"selec");
			printf("(defeats reduction)\n");
			printf("	'%s' <-> '%s'\n",
				T1->tp, T0->tp);
			goto degrade;
		} }
	}
#endif
	for (i = 1; i < m; i++)
	{	T2 = trans[n][i];
		if (!T2
		||  T2->nxt
		||  strncmp(T2->tp, ".(goto)", 7)
		||  !stopstate[n][i])
			continue;
		stopstate[n][T2->st] = 1;
	}
	if (state_tables && !verbose)
	{	if (dodot)
		{	char buf[256], *q = buf, *p = procname[n];
			while (*p != '\0')
			{	if (*p != ':')
				{	*q++ = *p;
				}
				p++;
			}
			*q = '\0';
			printf("digraph ");
			switch (Btypes[n]) {
			case I_PROC:  printf("init {\n"); break;
			case N_CLAIM: printf("claim_%s {\n", buf); break;
			case E_TRACE: printf("notrace {\n"); break;
			case N_TRACE: printf("trace {\n"); break;
			default:      printf("p_%s {\n", buf); break;
			}
			printf("size=\"8,10\";\n");
			printf("  GT [shape=box,style=dotted,label=\"%s\"];\n", buf);
			printf("  GT -> S%d;\n", is);
		} else
		{	switch (Btypes[n]) {
			case I_PROC:  printf("init\n"); break;
			case N_CLAIM: printf("claim %s\n", procname[n]); break;
			case E_TRACE: printf("notrace assertion\n"); break;
			case N_TRACE: printf("trace assertion\n"); break;
			default:      printf("proctype %s\n", procname[n]); break;
		}	}
		for (i = 1; i < m; i++)
		{	reach[i] = 1;
		}
		tagtable(n, m, is, srcln, reach);
		if (dodot) printf("}\n");
	} else
	for (i = 1; i < m; i++)
	{	int nrelse;
		if (Btypes[n] != N_CLAIM)
		{	for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			{	if (T0->st == i
				&& strcmp(T0->tp, "(1)") == 0)
				{	printf("error: proctype '%s' ",
						procname[n]);
		  			printf("line %d, state %d: has un",
						srcln[i], i);
					printf("conditional self-loop\n");
					pan_exit(1);
		}	}	}
		nrelse = 0;
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
		{	if (strcmp(T0->tp, "else") == 0)
				nrelse++;
		}
		if (nrelse > 1)
		{	printf("error: proctype '%s' state",
				procname[n]);
		  	printf(" %d, inherits %d", i, nrelse);
		  	printf(" 'else' stmnts\n");
			pan_exit(1);
	}	}
#if !defined(LOOPSTATE) && !defined(BFS_PAR)
	if (state_tables)
#endif
	do_dfs(n, m, is, srcln, reach, lpstate);

	if (!t_reverse)
	{	return;
	}
	/* process n, with m states, is=initial state -- reverse list */
	if (!state_tables && Btypes[n] != N_CLAIM)
	{	for (i = 1; i < m; i++)
		{	Trans *Tx = (Trans *) 0; /* list of escapes */
			Trans *Ty = (Trans *) 0; /* its tail element */
			T1 = (Trans *) 0; /* reversed list */
			T2 = (Trans *) 0; /* its tail */
			T3 = (Trans *) 0; /* remembers possible 'else' */

			/* find unless-escapes, they should go first */
			T4 = T5 = T0 = trans[n][i];
	#ifdef HAS_UNLESS
			while (T4 && T4->e_trans) /* escapes are first in orig list */
			{	T5 = T4;	  /* remember predecessor */
				T4 = T4->nxt;
			}
	#endif
			/* T4 points to first non-escape, T5 to its parent, T0 to original list */
			if (T4 != T0)		 /* there was at least one escape */
			{	T3 = T5->nxt;		 /* start of non-escapes */
				T5->nxt = (Trans *) 0;	 /* separate */
				Tx = T0;		 /* start of the escapes */
				Ty = T5;		 /* its tail */
				T0 = T3;		 /* the rest, to be reversed */
			}
			/* T0 points to first non-escape, Tx to the list of escapes, Ty to its tail */

			/* first tail-add non-escape transitions, reversed */
			T3 = (Trans *) 0;
			for (T5 = T0; T5; T5 = T4)
			{	T4 = T5->nxt;
	#ifdef HAS_UNLESS
				if (T5->e_trans)
				{	printf("error: cannot happen!\n");
					continue;
				}
	#endif
				if (strcmp(T5->tp, "else") == 0)
				{	T3 = T5;
					T5->nxt = (Trans *) 0;
				} else
				{	T5->nxt = T1;
					if (!T1) { T2 = T5; }
					T1 = T5;
			}	}
			/* T3 points to a possible else, which is removed from the list */
			/* T1 points to the reversed list so far (without escapes) */
			/* T2 points to the tail element -- where the else should go */
			if (T2 && T3)
			{	T2->nxt = T3;	/* add else */
			} else
			{	if (T3) /* there was an else, but there's no tail */
				{	if (!T1)	/* and no reversed list */
					{	T1 = T3; /* odd, but possible */
					} else		/* even stranger */
					{	T1->nxt = T3;
			}	}	}

			/* add in the escapes, to that they appear at the front */
			if (Tx && Ty) { Ty->nxt = T1; T1 = Tx; }

			trans[n][i] = T1;
			/* reversed, with escapes first and else last */
	}	}
	if (state_tables && verbose)
	{	printf("FINAL proctype %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
	}
}
void
imed(Trans *T, int v, int n, int j)	/* set intermediate state */
{	progstate[n][T->st] |= progstate[n][v];
	accpstate[n][T->st] |= accpstate[n][v];
	stopstate[n][T->st] |= stopstate[n][v];
	mapstate[n][j] = T->st;
}
void
tagtable(int n, int m, int is, short srcln[], uchar reach[])
{	Trans *z;

	if (is >= m || !trans[n][is]
	||  is <= 0 || reach[is] == 0)
		return;
	reach[is] = 0;
	if (state_tables)
	for (z = trans[n][is]; z; z = z->nxt)
	{	if (dodot)
			dot_crack(n, is, z);
		else
			crack(n, is, z, srcln);
	}

	for (z = trans[n][is]; z; z = z->nxt)
	{
#ifdef HAS_UNLESS
		int i, j;
#endif
		tagtable(n, m, z->st, srcln, reach);
#ifdef HAS_UNLESS
		for (i = 0; i < HAS_UNLESS; i++)
		{	j = trans[n][is]->escp[i];
			if (!j) break;
			tagtable(n, m, j, srcln, reach);
		}
#endif
	}
}

extern Trans *t_id_lkup[];

void
dfs_table(int n, int m, int is, short srcln[], uchar reach[], uchar lpstate[])
{	Trans *z;

	if (is >= m || is <= 0 || !trans[n][is])
		return;
	if ((reach[is] & (4|8|16)) != 0)
	{	if ((reach[is] & (8|16)) == 16)	/* on stack, not yet recorded */
		{	lpstate[is] = 1;
			reach[is] |= 8; /* recorded */
			if (state_tables && verbose)
			{	printf("state %d line %d is a loopstate\n", is, srcln[is]);
		}	}
		return;
	}
	reach[is] |= (4|16);	/* visited | onstack */
	for (z = trans[n][is]; z; z = z->nxt)
	{	t_id_lkup[z->t_id] = z;
#ifdef HAS_UNLESS
		int i, j;
#endif
		dfs_table(n, m, z->st, srcln, reach, lpstate);
#ifdef HAS_UNLESS
		for (i = 0; i < HAS_UNLESS; i++)
		{	j = trans[n][is]->escp[i];
			if (!j) break;
			dfs_table(n, m, j, srcln, reach, lpstate);
		}
#endif
	}
	reach[is] &= ~16; /* no longer on stack */
}
void
do_dfs(int n, int m, int is, short srcln[], uchar reach[], uchar lpstate[])
{	int i;
	dfs_table(n, m, is, srcln, reach, lpstate);
	for (i = 0; i < m; i++)
		reach[i] &= ~(4|8|16);
}
void
crack(int n, int j, Trans *z, short srcln[])
{	int i;

	if (!z) return;
	printf("	state %3d -(tr %3d)-> state %3d  ",
		j, z->forw, z->st);
	printf("[id %3d tp %3d", z->t_id, z->tpe[0]);
	if (z->tpe[1]) printf(",%d", z->tpe[1]);
#ifdef HAS_UNLESS
	if (z->e_trans)
		printf(" org %3d", z->e_trans);
	else if (state_tables >= 2)
	for (i = 0; i < HAS_UNLESS; i++)
	{	if (!z->escp[i]) break;
		printf(" esc %d", z->escp[i]);
	}
#endif
	printf("]");
	printf(" [%s%s%s%s%s] %s:%d => ",
		z->atom&6?"A":z->atom&32?"D":"-",
		accpstate[n][j]?"a" :"-",
		stopstate[n][j]?"e" : "-",
		progstate[n][j]?"p" : "-",
		z->atom & 8 ?"L":"G",
		PanSource, srcln[j]);
	for (i = 0; z->tp[i]; i++)
		if (z->tp[i] == '\n')
			printf("\\n");
		else
			putchar(z->tp[i]);
	if (verbose && z->qu[0])
	{	printf("\t[");
		for (i = 0; i < 6; i++)
			if (z->qu[i])
				printf("(%d,%d)",
				z->qu[i], z->ty[i]);
		printf("]");
	}
	printf("\n");
	fflush(stdout);
}
/* spin -a m.pml; cc -o pan pan.c; ./pan -D | dot -Tps > foo.ps; ps2pdf foo.ps */
void
dot_crack(int n, int j, Trans *z)
{	int i;

	if (!z) return;
	printf("	S%d -> S%d  [color=black", j, z->st);

	if (z->atom&6) printf(",style=dashed");
	else if (z->atom&32) printf(",style=dotted");
	else if (z->atom&8) printf(",style=solid");
	else printf(",style=bold");

	printf(",label=\"");
	for (i = 0; z->tp[i]; i++)
	{	if (z->tp[i] == '\\'
		&&  z->tp[i+1] == 'n')
		{	i++; printf(" ");
		} else
		{	putchar(z->tp[i]);
	}	}
	printf("\"];\n");
	if (accpstate[n][j]) printf("  S%d [color=red,style=bold];\n", j);
	else if (progstate[n][j]) printf("  S%d [color=green,style=bold];\n", j);
	if (stopstate[n][j]) printf("  S%d [color=blue,style=bold,shape=box];\n", j);
}

#ifdef VAR_RANGES
#define BYTESIZE	32	/* 2^8 : 2^3 = 256:8 = 32 */

typedef struct Vr_Ptr {
	char	*nm;
	uchar	vals[BYTESIZE];
	struct Vr_Ptr *nxt;
} Vr_Ptr;
Vr_Ptr *ranges = (Vr_Ptr *) 0;

void
logval(char *s, int v)
{	Vr_Ptr *tmp;

	if (v<0 || v > 255) return;
	for (tmp = ranges; tmp; tmp = tmp->nxt)
		if (!strcmp(tmp->nm, s))
			goto found;
	tmp = (Vr_Ptr *) emalloc(sizeof(Vr_Ptr));
	tmp->nxt = ranges;
	ranges = tmp;
	tmp->nm = s;
found:
	tmp->vals[(v)/8] |= 1<<((v)%8);
}

void
dumpval(uchar X[], int range)
{	int w, x, i, j = -1;

	for (w = i = 0; w < range; w++)
	for (x = 0; x < 8; x++, i++)
	{
from:		if ((X[w] & (1<<x)))
		{	printf("%d", i);
			j = i;
			goto upto;
	}	}
	return;
	for (w = 0; w < range; w++)
	for (x = 0; x < 8; x++, i++)
	{
upto:		if (!(X[w] & (1<<x)))
		{	if (i-1 == j)
				printf(", ");
			else
				printf("-%d, ", i-1);
			goto from;
	}	}
	if (j >= 0 && j != 255)
		printf("-255");
}

void
dumpranges(void)
{	Vr_Ptr *tmp;
	printf("\nValues assigned within ");
	printf("interval [0..255]:\n");
	for (tmp = ranges; tmp; tmp = tmp->nxt)
	{	printf("\t%s\t: ", tmp->nm);
		dumpval(tmp->vals, BYTESIZE);
		printf("\n");
	}
}
#endif
