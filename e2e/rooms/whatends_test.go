package rooms_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// Each cell of the table of what ends what (docs/what-ends-what.md), by every way that there is to do the act: what the row says is
// over, and everything else of everybody lives on.
func TestWhatEndsWhat(t *testing.T) {
	program, rows := build(t), idp.Table()
	for k, a := range acts() {
		if testing.Short() && slices.ContainsFunc(acts()[:k], func(b act) bool { return b.cause == a.cause && b.selector == a.selector }) {
			continue // for the inner loop one way of each is enough
		}
		i := slices.IndexFunc(rows, func(r idp.Row) bool { return r.Cause == a.cause && r.Selector == a.selector })
		if i < 0 {
			t.Errorf("%s of %s has no row", a.cause, a.selector)
			continue
		}
		t.Run(string(a.cause)+"/"+a.by, func(t *testing.T) {
			t.Parallel() // they wait for what is told
			s := newScene(t, program)
			before := s.head()
			named := a.do(s)
			s.check(&rows[i], named, before)
		})
	}
	for _, r := range rows {
		if !slices.ContainsFunc(acts(), func(a act) bool { return r.Cause == a.cause && r.Selector == a.selector }) {
			t.Errorf("nobody tries %s of %s", r.Cause, r.Selector)
		}
	}
}

// programs is where the program is built, once for all tests that run it.
var programs string

func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(programs, "exeunt")
	if _, err := os.Stat(program); err == nil {
		return program
	}
	if out, err := exec.Command("go", "build", "-o", program, "exeunt.dev/cmd/exeunt").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// covers says whether a reach takes in a thing, after an act that was about n.
func (s *scene) covers(r idp.Reach, n named, t thing) bool {
	s.t.Helper()
	hers := t.who == "alice"
	switch r {
	case idp.None, idp.Offered:
		return false
	case idp.OfApp:
		return t.app == n.app && (t.in == n.browser || t.from == n.browser)
	case idp.OfSession, idp.OfBrowser:
		return t.in == n.browser
	case idp.OfOthers:
		return hers && t.in != nil && t.in != n.browser
	case idp.OfPerson, idp.Renewed:
		return hers
	case idp.OfFamily:
		return t.family == n.family && n.family != nil
	case idp.OfToken:
		return n.token != "" && t.token == n.token
	case idp.OfConsent:
		return hers && t.app == n.app
	case idp.OfClient:
		return t.app == n.app
	case idp.OfKey:
		return t.token != "" && part(s.t, t.token, 0)["kid"] == n.kid
	case idp.OfRealm:
		return true
	case idp.OfOrigin:
		return t.in != nil && slices.Contains(n.origin, t.in)
	case idp.OfOriginAway:
		return t.in != nil && slices.Contains(n.origin, t.in) || t.from != nil && slices.Contains(n.origin, t.from)
	}
	s.t.Fatalf("nobody knows how to try %q", r)
	return false
}

// check tries all eight columns, once everybody has heard of the act who is to hear of it.
func (s *scene) check(row *idp.Row, n named, before uint64) {
	s.t.Helper()
	receipt := s.receipt(row, before)
	s.told(row, n, receipt)
	s.catchUp()
	s.columns(row, n)
	s.atProvider(row.Providers, receipt)
	if row.Offline == idp.Offered {
		s.offers(receipt)
	}
}

// columns tries all of them but that of the apps.
func (s *scene) columns(row *idp.Row, n named) {
	s.t.Helper()
	s.own(row.Session, n)
	s.over("session", row.Others, n, s.sessions)
	s.over("access token", row.Access, n, s.access)
	s.over("pending sign-in", row.Pendings, n, s.pendings)
	s.over("session-bound refresh", row.Refresh, n, s.bound)
	s.over("offline refresh", row.Offline, n, s.offline)
	if all := row.Access == idp.OfPerson || row.Access == idp.Renewed; all && s.shop.renewed != (row.Access == idp.Renewed) {
		s.t.Errorf("a refresh in that session gives new access tokens: %t (the cell says %q)", s.shop.renewed, row.Access)
	}
	for _, x := range s.codes { // in a session, and what offline access comes of hangs on that, too
		if want := !s.covers(row.Refresh, n, x) && (x.from == nil || !s.covers(row.Offline, n, x)); x.lives() != want {
			s.t.Errorf("%s: lives is %t (the cells say %q and %q)", x.what, !want, row.Refresh, row.Offline)
		}
	}
}

// over says that those of the things are over that the reach takes in, and no others.
func (s *scene) over(column string, r idp.Reach, n named, all []thing) {
	s.t.Helper()
	if len(all) < 2 {
		s.t.Fatalf("a column without things: %s", column)
	}
	for _, x := range all {
		if want := !s.covers(r, n, x); x.lives() != want {
			s.t.Errorf("%s, %s: lives is %t (the cell says %q)", column, x.what, !want, r)
		}
	}
}

// own tries the session that the acts are done in.
func (s *scene) own(r idp.Reach, n named) {
	s.t.Helper()
	lives, kept := s.here.user() == "alice", s.copy.user() == "alice"
	switch r {
	case idp.Ends:
		if lives || kept {
			s.t.Errorf("the session lives: %t; by a copy of its cookie: %t", lives, kept)
		}
		return
	case idp.ReRooted:
		if !lives || kept {
			s.t.Errorf("the session lives: %t; the old cookie works: %t", lives, kept)
		}
	case idp.Stays, idp.MustAsk:
		if !lives || !kept {
			s.t.Errorf("the session lives: %t; its cookie was replaced: %t", lives, !kept)
		}
	default:
		s.t.Fatalf("nobody knows how to try %q of a session", r)
	}
	for _, app := range []string{"shop", "desk"} {
		asks := strings.Contains(s.here.get(s.authorizeURL(app, "prompt", "none")).location, "error=login_required")
		if want := r == idp.MustAsk && app == n.app; asks != want {
			s.t.Errorf("%s must ask a human: %t", app, asks)
		}
	}
}

// receipt is the one that the act has left, when its apps are told.
func (s *scene) receipt(row *idp.Row, before uint64) (out idp.Receipt) {
	s.t.Helper()
	until(s.t, "whoever is to be told is told", func() bool {
		done := false
		s.view(func(v idp.View) error {
			all, err := v.Receipts("", 0, 100)
			if err != nil {
				return err
			}
			all = slices.DeleteFunc(all, func(r idp.Receipt) bool { return r.Number <= before })
			if len(all) > 1 {
				s.t.Fatalf("%d receipts of one act", len(all))
			}
			counts, err := v.DeliveryCounts()
			if len(all) == 1 && all[0].ToldAt != 0 {
				out, done = all[0], !slices.ContainsFunc(counts, func(c idp.Told) bool { return c.State == idp.Owed })
			}
			return err
		})
		return done
	})
	if out.Cause != row.Cause || out.Selector != row.Selector {
		s.t.Errorf("the receipt says %s of %s", out.Cause, out.Selector)
	}
	return out
}

// told says that the apps were told of just those of their sign-ins that the cell takes in, and that all is confirmed.
func (s *scene) told(row *idp.Row, n named, receipt idp.Receipt) {
	s.t.Helper()
	got := s.messages()
	for _, x := range s.sids {
		want, heard := s.covers(row.Apps, n, x), got[x.token]
		if heard != want {
			s.t.Errorf("%s told of %s: %t (the cell says %q)", x.app, x.what, heard, row.Apps)
		}
		if !heard {
			continue
		}
		delete(got, x.token)
		s.view(func(v idp.View) error {
			name, err := ledger.ParseName(x.token)
			if err != nil {
				return err
			}
			d, err := v.Delivery(idp.DeliveryID{Receipt: receipt.Number, Sid: name})
			if err == nil && d.State != idp.Confirmed {
				s.t.Errorf("%s, %s: %s", x.app, x.what, d.State)
			}
			return err
		})
	}
	if len(got) > 0 {
		s.t.Errorf("told besides: %v", slices.Collect(maps.Keys(got)))
	}
}

// offers says that the receipt lists the offline access that the session has left.
func (s *scene) offers(r idp.Receipt) {
	s.t.Helper()
	a := s.person().do("GET", s.server.ReceiptAddress(r.ID), "", map[string]string{"Accept": "application/json"})
	var sheet struct {
		Offline []struct {
			Client string `json:"client_id"`
		}
	}
	if err := json.Unmarshal([]byte(a.body), &sheet); err != nil || a.status != http.StatusOK || len(sheet.Offline) != 1 || sheet.Offline[0].Client != "shop" {
		s.t.Errorf("the receipt does not offer to end what stays: %d %s", a.status, a.body)
	}
}
