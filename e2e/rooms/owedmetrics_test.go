package rooms_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Operators see how much is owed to whom, what came of the rest, since when the oldest waits, and what came of attempts.
func TestMetrics_Deliveries(t *testing.T) {
	n := start(t, loopback)
	n.toldApp("up")
	down, no := n.toldApp("down"), n.toldApp("no")
	down.status.Store(500)
	no.status.Store(400)
	number := func(name string) float64 {
		t.Helper()
		m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(n.person().get("/metrics").body)
		if m == nil {
			return -1
		}
		v, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	const owed, refused = `{client="down",state="owed"}`, `{client="no",state="refused"}`
	const count, oldest = "exeunt_deliveries", "exeunt_delivery_oldest_seconds"
	if a := n.person().get("/metrics").body; strings.Contains(a, count) || strings.Contains(a, oldest) {
		t.Error("something is owed from the start")
	}
	leaves := func() {
		p := n.alice()
		for _, app := range []string{"up", "down", "no"} {
			p.enter(app)
		}
		left := p.post("/account/signout", fields(p.get("/account").body)).location
		p.sheet(left, func(s *sheet) bool {
			return s.state("up") == "confirmed" && s.state("no") == "refused" && s.state("down") == "owed"
		})
	}
	leaves()
	until(t, "they have waited", func() bool { return number(oldest+owed) > 2 && number(oldest+refused) > 2 })
	leaves()
	if number(count+owed) != 2 || number(count+refused) != 2 || number(oldest+owed) < 2 || number(oldest+refused) < 2 || number("exeunt_fanouts_owed") != 0 {
		t.Error(n.person().get("/metrics").body)
	}
	until(t, "attempts are counted", func() bool {
		return number(`exeunt_delivery_attempts_total{client="up",state="confirmed"}`) == 2 && number(`exeunt_delivery_attempts_total{client="no",state="refused"}`) == 2 &&
			number(`exeunt_delivery_attempts_total{client="down",state="owed"}`) >= 2
	})
	if a := n.person().get("/metrics").body; strings.Contains(a, `client="up",state="owed"`) {
		t.Error("what was confirmed is counted as owed")
	}
	down.status.Store(200)
	until(t, "nothing is owed", func() bool { return number(count+owed) == -1 && number(oldest+owed) == -1 })
}
