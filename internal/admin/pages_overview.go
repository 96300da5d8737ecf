package admin

import (
	"strconv"
	"time"

	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/web"
)

func overviewPage(_ *call, o operate.Overview) web.Console {
	return web.Console{Title: "Overview", Facts: standing(&o), Charts: charts(o.Hours), Tables: []web.Table{guardTable(o.Guards)}}
}

// standing is how things stand.
func standing(o *operate.Overview) []web.Fact {
	oldest := web.Fact{Label: "Oldest owed", Said: "none"}
	if o.Oldest != nil {
		oldest = web.Fact{Label: "Oldest owed", At: *o.Oldest, Bad: o.As.Sub(*o.Oldest).Minutes() > 5}
	}
	label := []web.Words{"Sessions alive", "Deliveries owed", "Deliveries that nobody attempts any more", "Revocations owed to providers", "Revocations that nobody attempts any more"}
	dead := about(label[2], o.Dead, "/admin/deliveries?state=dead")
	dead.Bad = o.Dead.N > 0
	out := []web.Fact{
		{Label: label[0], Said: alive(o.Sessions)},
		{Label: "Endings that guards hold", Text: strconv.FormatInt(o.Held, 10)},
		{Label: "Endings in the ledger", Text: number(o.Endings), To: "/admin/receipts"},
		{Label: "Sign-outs that are being worked out", Text: strconv.FormatInt(o.Working, 10)},
		about(label[1], o.Owed, "/admin/deliveries?state=owed"),
		oldest,
		dead,
	}
	if o.Revoking.N > 0 { // few have providers
		late := about(label[3], o.Revoking, "/admin/revocations?state=owed")
		late.Bad = o.OldestOut != nil && o.As.Sub(*o.OldestOut) > time.Hour
		out = append(out, late)
	}
	if o.Unrevoked.N > 0 {
		never := about(label[4], o.Unrevoked, "/admin/revocations?state=dead")
		never.Bad = true
		out = append(out, never)
	}
	return out
}

// alive says how many sessions live, and sessionWords the same of who asks what an act reaches.
func alive(s *operate.Alive) web.Words {
	if s == nil {
		return "being counted"
	}
	return asOf(verbatim(strconv.FormatInt(s.N, 10)), s)
}

func sessionWords(s *operate.Alive) web.Words {
	if s == nil {
		return "many sessions, which are being counted"
	}
	return asOf(web.Counted(s.N, web.Say("1 session"), web.Say("%s sessions", verbatim(strconv.FormatInt(s.N, 10)))), s)
}

// asOf adds when it was counted, if it was not now.
func asOf(n web.Words, s *operate.Alive) web.Words {
	if s.Beside {
		return web.Say("%s, counted at %s", n, web.Clock(s.At))
	}
	return n
}

// charts are the last day, hour by hour.
func charts(hours []operate.Hour) []web.Chart {
	var in, out []web.Bar
	var good, wrong, ended int64
	for _, h := range hours {
		at, n := h.From.UTC().Format("15:04 UTC"), int64(h.Ended)
		in = append(in, web.Bar{Label: at, Good: h.SignIns.N, Wrong: h.Failed.N})
		out = append(out, web.Bar{Label: at, Good: n})
		good, wrong, ended = good+h.SignIns.N, wrong+h.Failed.N, ended+n
	}
	text := func(n int64) verbatim { return verbatim(strconv.FormatInt(n, 10)) }
	return []web.Chart{
		web.NewChart(web.Chart{Title: "Sign-ins of the last 24 hours"}.Title, web.List(web.Counted(good, web.Say("1 sign-in"), web.Say("%s sign-ins", text(good))), web.Counted(wrong, web.Say("1 failure"), web.Say("%s failures", text(wrong)))), in),
		web.NewChart(web.Chart{Title: "Endings of the last 24 hours"}.Title, endings(uint64(ended)), out),
	}
}

func endings(n uint64) web.Words {
	return web.Counted(n, web.Say("1 ending"), web.Say("%s endings", verbatim(number(n))))
}

func guardTable(guards []operate.Guard) web.Table {
	t := web.Table{Title: "Guards connected to this node", Empty: "No API follows the ledger here just now. Give one a client of the kind API, and the guard library its secret.", Head: []web.Words{"API", "Streams", "Behind", "Last question"}}
	for _, g := range guards {
		asked := web.Cell{Said: "none"}
		if g.Asked != nil {
			asked = web.Cell{At: *g.Asked}
		}
		behind := web.Cell{Said: "up to date", Tag: "good"}
		if g.Behind > 0 {
			behind = web.Cell{Said: endings(g.Behind), Tag: "bad"}
		}
		t.Rows = append(t.Rows, []web.Cell{appLink(g.ClientID), {Text: strconv.Itoa(g.Streams)}, behind, asked})
	}
	return t
}
