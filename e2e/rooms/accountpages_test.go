package rooms_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/audit"
	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
)

// browse opens a page as a browser does.
func (p *person) browse(to string) answer {
	p.t.Helper()
	return p.do("GET", to, "", map[string]string{"Accept": "text/html,application/xhtml+xml"})
}

// agree goes into an app that asks for consent, and says yes.
func (p *person) agree(app string) tokens {
	p.t.Helper()
	page := p.follow(p.get(p.authorizeURL(app)))
	if page.status != 200 {
		p.t.Fatalf("%s asks for nothing: %d to %q", app, page.status, page.location)
	}
	return p.redeem(app, p.follow(p.post("/login", with(fields(page.body), "act", "continue"))))
}

func decode(t *testing.T, a answer, to any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), to); err != nil || a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
}

type appList struct {
	Apps []struct {
		ClientID string `json:"client_id"`
		Name     string
		Scopes   []string
		Offline  bool
		Ours     bool `json:"first_party"`
	}
}

// What apps may do is shown, and withdrawn from everywhere, by that person only.
func TestAppsPage(t *testing.T) {
	n := start(t)
	p, q, bob := n.alice(), n.alice(), n.person()
	bob.signIn("/login", "bob", bobPW)
	if a := bob.browse("/account/apps"); a.status != 200 || !strings.Contains(a.body, "You have signed in to no app yet") {
		t.Errorf("no app: %d %s", a.status, a.body)
	}
	here, there, books, bobs := p.agree("third"), q.enter("third"), p.enter("books"), bob.agree("third")
	page := p.browse("/account/apps")
	for _, part := range []string{"Third", "Books", "part of this site", "know that you are you, see your name and username", "/account/apps/third/withdraw"} {
		if !strings.Contains(page.body, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	var list appList
	decode(t, p.get("/account/apps"), &list)
	if len(list.Apps) != 2 {
		t.Errorf("%+v", list)
	}
	if a := p.post("/account/apps/third/withdraw", with(fields(page.body), "csrf", "a")); a.status != 403 || !n.alive(here.Access) {
		t.Errorf("forged: %d", a.status)
	}
	a := p.post("/account/apps/third/withdraw", fields(page.body))
	if n.alive(here.Access) || n.alive(there.Access) || n.refreshes("third", there) {
		t.Error("the app has access")
	}
	if !n.alive(books.Access) || !n.alive(bobs.Access) || p.user() != "alice" || q.user() != "alice" {
		t.Error("something else ended")
	}
	after := p.browse(a.location)
	if !strings.Contains(after.body, "That app has no access any more") || strings.Contains(after.body, "/account/apps/third/") {
		t.Errorf("%d to %q: %s", a.status, a.location, after.body)
	}
	_, receipt, _ := strings.Cut(after.body, `<a href="/signout/`)
	receipt, _, _ = strings.Cut(receipt, `"`)
	if r := p.browse("/signout/" + receipt); r.status != 200 {
		t.Errorf("its receipt: %d", r.status)
	}
	if other := bob.browse(a.location); strings.Contains(other.body, "/signout/"+receipt) {
		t.Error("bob is shown alice's receipt")
	}
	if again := p.get(p.authorizeURL("third")); !strings.HasPrefix(again.location, "/login") {
		t.Errorf("the app is not asked for again: %q", again.location)
	}
	if again := p.post("/account/apps/third/withdraw", fields(page.body)); again.location != a.location {
		t.Errorf("pressed twice: %q, not %q", again.location, a.location)
	}
	p.agree("third")
	p.get("/csrf_token/")
	h := map[string]string{"X-Csrftoken": p.cookie("csrftoken"), "Sec-Fetch-Site": "same-origin"}
	if d := p.do("DELETE", "/account/apps/third", "", nil); d.status != 403 {
		t.Errorf("by script, without CSRF header: %d", d.status)
	}
	if d := p.do("DELETE", "/account/apps/third", "", h); d.status != 200 || !strings.Contains(d.body, "/signout/") {
		t.Errorf("by script: %d %s", d.status, d.body)
	}
	if d := p.do("DELETE", "/account/apps/third", "", h); d.status != 404 {
		t.Errorf("what is not there: %d", d.status)
	}
	if a := n.person().get("/account/apps"); a.status != 401 {
		t.Errorf("nobody: %d", a.status)
	}
}

type activityLine struct{ Kind, Cause, By, Receipt, Browser, IP string }

type activityList struct {
	Activity []activityLine
	Next     string
}

func (p *person) happened() (out activityList) {
	p.t.Helper()
	decode(p.t, p.get("/account/activity"), &out)
	return out
}

// What happened around an account is shown to its person: sign-ins, attempts of strangers, changes, and what ended with its receipt; of a
// name that nobody has nothing is kept of what was typed.
func TestActivityPage(t *testing.T) {
	n := start(t)
	const typed = "Tr0ub4dor&3" // a password that got into the wrong field
	n.person().signIn("/login", "alice", "not her password")
	n.person().signIn("/login", typed, "whatever it is")
	p, q := n.alice(), n.alice()
	p.agree("third")
	form := fields(p.get("/account").body)
	q.post("/account/signout", fields(q.get("/account").body))
	if a := p.post("/account/password", with(form, "old", alicePW, "new", "a new and longer one")); a.status != 303 {
		t.Fatal(a.status)
	}
	var list activityList
	has := func(kind, cause, by string) bool {
		return slices.ContainsFunc(list.Activity, func(a activityLine) bool {
			return a.Kind == kind && a.Cause == cause && a.By == by && (kind != "ended" || strings.Contains(a.Receipt, "/signout/"))
		})
	}
	for end := time.Now().Add(time.Minute); ; { // an attempt that failed is written a moment later
		if list = p.happened(); has("sign-in-failed", "", "stranger") || time.Now().After(end) {
			break
		}
	}
	for _, want := range [][3]string{{"sign-in", "", "you"}, {"sign-in-failed", "", "stranger"}, {"consent-given", "", "you"}, {"ended", "sign-out", "you"}, {"ended", "credential-changed", "you"}, {"password-changed", "", "you"}} {
		if !has(want[0], want[1], want[2]) {
			t.Errorf("%v is missing: %+v", want, list)
		}
	}
	if len(list.Activity) != 7 || list.Next != "" {
		t.Errorf("%d things happened: %+v", len(list.Activity), list)
	}
	page := p.browse("/account/activity")
	for _, part := range []string{"Signed in", "An attempt to sign in failed", "The password was changed", "An app was given access", "Third", `href="/signout/`, "a Go program", "127.0.0.1"} {
		if !strings.Contains(page.body, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	bob := n.person()
	bob.signIn("/login", "bob", bobPW)
	if l := bob.happened(); len(l.Activity) != 1 {
		t.Errorf("bob is shown what is not his: %+v", l)
	}
	if a := p.browse("/account/activity?after=nonsense"); a.status != 400 {
		t.Errorf("a page that does not exist: %d", a.status)
	}
	// In the log is an attempt at no account, and nowhere what was typed.
	nobody := 0
	rows := n.everything()
	for _, e := range rows {
		if e.Kind == idp.EventSignInFailed && e.Account == "" {
			nobody++
		}
	}
	if b, _ := json.Marshal(rows); strings.Contains(string(b), "Tr0ub4dor") || nobody != 1 {
		t.Errorf("%d attempts at a name that nobody has; what was typed is kept: %v", nobody, strings.Contains(string(b), "Tr0ub4dor"))
	}
	n.restart() // what is open is sealed by the next node, too
	for end := time.Now().Add(time.Minute); ; {
		v, err := audit.Verify(t.Context(), n.server.Store, nil)
		if err != nil {
			t.Fatal(err)
		}
		if v.Open == 0 && v.Head.Number > 0 || time.Now().After(end) {
			if v.Head.Number != uint64(len(rows)) {
				t.Errorf("%d sealed, %d open, of %d", v.Head.Number, v.Open, len(rows))
			}
			break
		}
	}
}

func (n *node) everything() (out []idp.Event) {
	n.t.Helper()
	if err := n.server.Store.View(n.t.Context(), func(v idp.View) (err error) {
		out, err = v.Events(idp.EventFilter{}, idp.Page{Limit: 1000})
		return err
	}); err != nil {
		n.t.Fatal(err)
	}
	return out
}

// Both lists are walked to their ends by pages, with nothing twice and nothing left out.
func TestActivityPaged(t *testing.T) {
	n := start(t)
	n.alice()
	var me idp.Account
	if err := n.server.Store.Update(t.Context(), func(tx idp.Tx) (err error) {
		if me, err = tx.AccountByUsername("alice"); err != nil {
			return err
		}
		for range 70 {
			if err := tx.Record(idp.Event{Kind: idp.EventMailSent, Account: me.ID}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for range 60 {
		if _, err := n.server.Door().End(t.Context(), idp.EndAccount(me.ID, idp.AccountActive), idp.Cause{Kind: idp.CauseEverywhere, Actor: "test:it"}); err != nil {
			t.Fatal(err)
		}
	}
	p := n.alice()
	count, receipts, pages := 0, map[string]bool{}, 0
	for after := ""; ; pages++ {
		var list activityList
		decode(t, p.get("/account/activity?after="+url.QueryEscape(after)), &list)
		for _, a := range list.Activity {
			count++
			if a.Receipt != "" {
				receipts[a.Receipt] = true
			}
		}
		if after = list.Next; after == "" {
			break
		}
	}
	if count != 132 || len(receipts) != 60 || pages != 2 {
		t.Errorf("%d things and %d receipts on %d pages", count, len(receipts), pages+1)
	}
}

// Closing the account ends everything for good and takes what the person told of themselves; the username is nobody's to take.
func TestCloseAccount(t *testing.T) {
	n := start(t)
	p, q := n.alice(), n.alice()
	books, bob := p.enter("books"), n.person()
	bob.signIn("/login", "bob", bobPW)
	page := p.get("/account/close")
	if a := p.post("/account/close", with(fields(page.body), "username", "bob")); a.status != 400 || p.user() != "alice" {
		t.Errorf("another name: %d", a.status)
	}
	if a := p.post("/account/close", with(fields(page.body), "username", "alice", "csrf", "a")); a.status != 403 || p.user() != "alice" {
		t.Errorf("forged: %d", a.status)
	}
	a := p.post("/account/close", with(fields(page.body), "username", " Alice"))
	if a.status != 303 || !strings.HasPrefix(a.location, "/signout/") || p.user() != "" || q.user() != "" || n.alive(books.Access) || n.refreshes("books", books) || bob.user() != "bob" {
		t.Fatalf("%d to %q", a.status, a.location)
	}
	if r := p.get(a.location); r.status != 200 {
		t.Errorf("its receipt: %d", r.status)
	}
	x := n.person()
	if in := x.signIn("/login", "alice", alicePW); in.status != 403 || !strings.Contains(in.body, "not right") || x.user() != "" {
		t.Errorf("signing in again: %d", in.status)
	}
	if err := n.server.AddAccount(t.Context(), &idp.Account{Username: "ALICE"}, "another password"); err == nil {
		t.Error("somebody else got the name")
	}
	if err := n.server.Store.View(t.Context(), func(v idp.View) error {
		gone, err := v.AccountByUsername("alice")
		if gone.State != idp.AccountDeleted || gone.Password+gone.Name+gone.Email != "" {
			t.Errorf("what is left: %+v", gone)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// The list is true while its page is open: it is answered anew when it has changed and not before, and says when the session itself is over.
func TestLiveList(t *testing.T) {
	n := start(t)
	p := n.alice()
	page := p.get("/account")
	_, tag, _ := strings.Cut(page.body, `data-tag="`)
	tag, _, _ = strings.Cut(tag, `"`)
	ask := func(tag string) answer {
		return p.do("GET", "/account/live", "", map[string]string{"If-None-Match": `"` + tag + `"`})
	}
	if a := ask(tag); a.status != 304 || a.body != "" {
		t.Errorf("nothing has changed: %d %s", a.status, a.body)
	}
	q := n.alice()
	a := ask(tag)
	if a.status != 200 || strings.Count(a.body, "<li>") != 2 || strings.Contains(a.body, "<html") || !strings.Contains(a.body, "this one") {
		t.Errorf("another signed in: %d %s", a.status, a.body)
	}
	tag = strings.Trim(a.header.Get("ETag"), `"`)
	if a := ask(tag); a.status != 304 {
		t.Errorf("nothing has changed since: %d", a.status)
	}
	q.enter("books")
	if a := ask(tag); a.status != 200 || !strings.Contains(a.body, "Apps: Books") {
		t.Errorf("an app was entered there: %d %s", a.status, a.body)
	}
	q.post("/account/sessions/all/end", fields(q.get("/account").body))
	if a := ask(tag); a.status != 401 {
		t.Errorf("this one was ended elsewhere: %d", a.status)
	}
}

// With a table of places the list says where an address is; without one, or for an address that is in none, it says nothing.
func TestPlaceOfSession(t *testing.T) {
	table := filepath.Join(t.TempDir(), "places.csv")
	if err := os.WriteFile(table, []byte("127.0.0.0,127.255.255.255,XX,Home\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, file := range map[bool]string{true: table, false: ""} {
		n := start(t, func(c *config.Config) { c.Places = file })
		if page := n.alice().get("/account"); strings.Contains(page.body, "127.0.0.1 · XX, Home") != want {
			t.Errorf("with a table: %v: %s", want, page.body)
		}
	}
}

// The last admin cannot close the account and leave nobody who may make another one; who can is no operator afterwards.
func TestCloseAccountOfAnAdmin(t *testing.T) {
	n := start(t)
	p := n.operator("carol", idp.RoleAdmin)
	page := p.get("/account/close")
	if a := p.post("/account/close", with(fields(page.body), "username", "carol")); a.status != 409 || !strings.Contains(a.body, "the last admin") || p.user() != "carol" {
		t.Errorf("the last admin: %d %s", a.status, a.body)
	}
	n.operator("dora", idp.RoleAdmin)
	if a := p.post("/account/close", with(fields(p.get("/account/close").body), "username", "carol")); a.status != 303 || p.user() != "" {
		t.Errorf("one of two admins: %d", a.status)
	}
	if err := n.server.Store.View(t.Context(), func(v idp.View) error {
		all, err := v.Operators(idp.Page{Limit: 10})
		if len(all) != 1 {
			t.Errorf("operators: %+v", all)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// An address with somebody else's receipt in it tells nothing of them.
func TestReceiptOfSomebodyElse(t *testing.T) {
	n := start(t)
	p := n.alice()
	n.alice()
	a := p.post("/account/sessions/others/end", fields(p.get("/account").body))
	if own := p.get(a.location); !strings.Contains(own.body, "1 other session was ended") {
		t.Fatal(own.body)
	}
	bob := n.person()
	bob.signIn("/login", "bob", bobPW)
	_, receipt, _ := strings.Cut(a.location, "&receipt=")
	for _, at := range []string{"/account?done=others", "/account?done=password", "/account/passkeys?done=removed", "/account/authenticator?done=removed"} {
		if page := bob.get(at + "&receipt=" + receipt); page.status != 200 || strings.Contains(page.body, "1 other session") || strings.Contains(page.body, receipt) {
			t.Errorf("%s: %d %s", at, page.status, page.body)
		}
	}
}

// Who presses "sign out" in a session that somebody else has ended is led to no receipt: whoever kept its cookie would read it.
func TestPressedAfterAnEndByOthers(t *testing.T) {
	n := start(t)
	p := n.alice()
	form := fields(p.get("/account").body)
	thief := p.thief()
	if _, err := n.server.Door().End(t.Context(), idp.EndAccount(n.id("alice"), idp.AccountActive), idp.Cause{Kind: idp.CauseEverywhere, Actor: idp.ActorOperator("test")}); err != nil {
		t.Fatal(err)
	}
	if a := thief.post("/account/signout", form); a.location != "/login" {
		t.Errorf("%d to %q", a.status, a.location)
	}
}

// An app that has given back all that it had is in no session any more; the session lives, and so does what the app was allowed.
func TestSessions_WhoGaveBack(t *testing.T) {
	n := start(t)
	p := n.alice()
	books := p.enter("books")
	again := p.enter("books")
	apps := func() string { t.Helper(); return p.get("/account/sessions").body }
	for i, token := range []string{books.Refresh, again.Refresh} {
		if !strings.Contains(apps(), `"client_id":"books"`) {
			t.Errorf("after %d were given back: %s", i, apps())
		}
		n.asked("books", "/oauth2/revoke", "", token)
	}
	if strings.Contains(apps(), `"client_id":"books"`) || p.user() != "alice" || !strings.Contains(p.page("/account/apps").body, "/account/apps/books/withdraw") {
		t.Error("after both:", apps())
	}
	if p.enter("books"); !strings.Contains(apps(), `"client_id":"books"`) {
		t.Error("signed in again:", apps())
	}
}
