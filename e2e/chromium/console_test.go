package chromium_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
	"github.com/chromedp/chromedp"
)

// desk is a console with something in it: two people in an app that does not answer when it is told.
type desk struct {
	*table
	t      *testing.T
	silent *httptest.Server
	people []*visitor
	duty   idp.Name // a consent of the first one's, at a provider that is not there any more
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, duty: ledger.NewName(), silent: httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "not now", http.StatusServiceUnavailable) }))}
	t.Cleanup(d.silent.Close)
	d.table = newTable(t, func(c *config.Config) { c.Outbound = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	d.update(func(tx idp.Tx) error {
		app, err := tx.Client("app")
		app.BackchannelLogoutURI = d.silent.URL + "/told"
		if err == nil {
			err = tx.UpdateClient(app)
		}
		return err
	})
	d.people = []*visitor{d.visitor(t), d.visitor(t)}
	d.owes(ledger.NewName())
	d.owes(d.duty)
	return d
}

func (d *desk) update(f func(idp.Tx) error) {
	d.t.Helper()
	if err := d.base.Store.Update(d.t.Context(), f); err != nil {
		d.t.Fatal(err)
	}
}

// command runs the program beside the server.
func (d *desk) command(args ...string) {
	d.t.Helper()
	dir := d.t.TempDir()
	program, settings := filepath.Join(dir, "exeunt"), filepath.Join(dir, "exeunt.yaml")
	c := d.base.Config
	text := "issuer: " + c.Issuer + "\ndata: " + c.Data + "\nkey_file: " + c.KeyFile + "\n"
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", program, "exeunt.dev/cmd/exeunt").CombinedOutput(); err != nil {
		d.t.Fatal(err, string(out))
	}
	if out, err := exec.Command(program, append([]string{"--config", settings}, args...)...).CombinedOutput(); err != nil {
		d.t.Fatal(err, string(out))
	}
}

// seat is somebody at the console, in a browser of their own.
type seat struct {
	*desk
	ctx context.Context
}

func (d *desk) sit(name string) *seat {
	d.t.Helper()
	ctx, stop := chromedp.NewContext(d.browser, chromedp.WithNewBrowserContext())
	d.t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, patience)
	d.t.Cleanup(stop)
	s := &seat{d, ctx}
	do(d.t, ctx, "sign in as "+name, chromedp.Navigate(d.at+"/admin"), chromedp.WaitVisible(css("#password")), chromedp.SendKeys(css("#username"), name),
		chromedp.SendKeys(css("#password"), password+"\r"), chromedp.WaitNotPresent(css("#password")), chromedp.WaitVisible(css("h1")))
	return s
}

// does takes steps, each of which has a minute.
func (s *seat) does(what string, steps ...chromedp.Action[chromedp.Void]) {
	s.t.Helper()
	ctx, stop := context.WithTimeout(s.ctx, time.Minute)
	defer stop()
	do(s.t, ctx, what, steps...)
}

// goes opens a page of the console.
func (s *seat) goes(path string) {
	s.t.Helper()
	s.does("open "+path, chromedp.Navigate(s.at+path), chromedp.WaitVisible(css("h1")))
}

// follows clicks on a link and waits for the page behind it.
func (s *seat) follows(link string) {
	s.t.Helper()
	s.leaves("follow "+link, chromedp.Click(css(link)))
}

// leaves does something that leads to another page, and waits for it.
func (s *seat) leaves(what string, step chromedp.Action[chromedp.Void]) {
	s.t.Helper()
	s.does(what, run(`document.querySelector("main").className = "left"`), step, chromedp.WaitNotPresent(css("main.left")), chromedp.WaitVisible(css("h1")))
}

// acts opens a form by its action, says why, and sends it.
func (s *seat) acts(action, why string, more ...chromedp.Action[chromedp.Void]) {
	s.t.Helper()
	form := "form[action='" + action + "']"
	s.does("open the form "+action, run(`for (const d of document.querySelectorAll("main details:not([open])")) if (d.querySelector("`+form+`")) d.querySelector("summary").click()`),
		chromedp.WaitVisible(css(form+" [name=reason]")))
	for _, step := range more {
		s.does("fill in "+action, step)
	}
	s.does("say why", chromedp.SendKeys(css(form+" [name=reason]"), why))
	s.leaves("send "+action, chromedp.Click(css(form+" button")))
}

func (s *seat) says(words ...string) {
	s.t.Helper()
	at, text := where(s.t, s.ctx)
	for _, w := range words {
		if !strings.Contains(text, w) {
			s.t.Errorf("%s does not say %q: %s", at, w, text)
		}
	}
}

// until loads a page again until it says something.
func (s *seat) until(path, words string) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); ; {
		s.goes(path)
		_, text := where(s.t, s.ctx)
		if strings.Contains(text, words) {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("%s never says %q: %s", path, words, text)
		}
	}
}

// fetches asks for something as a script of the page does, with the page's own proof if it is to act, and answers status and text.
func (s *seat) fetches(path string, form ...string) (status int, text string) {
	s.t.Helper()
	type answer struct {
		Status int
		Text   string
	}
	body := `{headers: {Accept: "text/html"}}`
	if form != nil {
		body = `{method: "POST", body: new URLSearchParams({csrf: document.querySelector("[name=csrf]").value, reason: "tried", ` + strings.Join(form, ",") + `})}`
	}
	a, err := chromedp.Run(s.ctx, chromedp.Evaluate[answer](`fetch("`+path+`", `+body+`).then(async r => ({Status: r.status, Text: await r.text()}))`, chromedp.EvalAwaitPromise))
	if err != nil {
		s.t.Fatal(err)
	}
	return a.Status, a.Text
}

// look holds a page to what everybody needs of it, and takes pictures.
func (s *seat) look(name string) {
	s.t.Helper()
	s.shot(name)
	look(s.t, s.ctx, "console "+name)
}

// shot takes a picture on a wide desk.
func (s *seat) shot(name string) {
	s.t.Helper()
	if os.Getenv("EXEUNT_SCREENSHOTS") != "" {
		s.does("a wide window", chromedp.EmulateViewport(1280, 900))
		shot(s.t, s.ctx, "console "+name+" wide")
		s.does("the window as it was", chromedp.EmulateViewport(900, 900))
	}
}

// path is where the browser is, without what says what was done.
func (s *seat) path() string {
	s.t.Helper()
	at, _ := where(s.t, s.ctx)
	at, _, _ = strings.Cut(strings.TrimPrefix(at, s.at), "?")
	return at
}

// An operator, made by a command, does in a browser all that the console is for.
func TestConsoleInChromium(t *testing.T) {
	d := newDesk(t)
	for _, name := range []string{"boss", "helper", "reader"} {
		if err := d.base.AddAccount(t.Context(), &idp.Account{Username: name}, password); err != nil {
			t.Fatal(err)
		}
	}
	d.command("operator", "add", "boss", "--role", "admin", "--reason", "runs this site")
	boss := d.sit("boss")
	boss.says("Overview", "Sign-ins of the last 24 hours", "Endings of the last 24 hours", "Guards connected")
	boss.look("overview")
	d.aPerson(boss)
	d.deliveries(boss)
	d.revocations(boss)
	d.anApp(boss)
	d.locked(boss)
	d.keys(boss)
	d.records(boss)
	d.roles(boss)
	d.german(boss)
}

// aPerson is found, and one session ended, after a sign-in that has become too old is made new.
func (d *desk) aPerson(s *seat) {
	s.follows(".nav a[href='/admin/people']")
	s.does("search", chromedp.SendKeys(css("#filter-username"), "nobodylikethat"))
	s.leaves("search", chromedp.Click(css(".filter button")))
	s.says("Nobody is like that.")
	s.shot("nobody found")
	s.does("search", chromedp.SetValue(css("#filter-username"), "person1"))
	s.leaves("search", chromedp.Click(css(".filter button")))
	s.follows("td a")
	s.says("person1", "Sessions", "Chrome")
	s.look("person")
	d.age(d.t, "boss")
	s.goes(s.path())
	s.says("Your sign-in is too old to change anything.")
	s.shot("person, sign-in too old")
	s.leaves("who is it", chromedp.Click(css(".notice a")))
	s.leaves("it is me", chromedp.SendKeys(css("#password"), password+"\r"))
	s.says("person1")
	s.follows("td a[href*='/sessions/']")
	s.says("Signed in by", "password", "app")
	s.look("session")
	s.acts(s.path()+"/end", "the laptop was lost")
	s.says("Ended. The receipt tells who was told.", "Not signed in anywhere.", "the laptop was lost", "boss", "ended one session")
	s.shot("person, session ended")
	if d.people[0].signedIn(d.t) || d.people[0].tokenLives(d.t) {
		d.t.Error("the session lives")
	}
	if !d.people[1].signedIn(d.t) {
		d.t.Error("somebody else's session is over")
	}
}

// deliveries: what the app was not told is sent again, and given up.
func (d *desk) deliveries(s *seat) {
	s.until("/admin/deliveries?state=owed", "503")
	s.shot("deliveries")
	s.follows("tbody td a")
	at := s.path()
	s.says("owed", "503")
	s.look("delivery")
	s.acts(at+"/resend", "the app is back")
	s.says("Owed again: the app is told at once.")
	s.acts(at+"/give-up", "the app is gone")
	s.says("Given up. The app keeps what it has.", "given up")
	s.shot("delivery given up")
	s.goes("/admin/deliveries?state=owed")
	s.says("Nothing is owed, and nothing was given up.")
	s.shot("no deliveries")
}

// anApp is registered, with a mistake at first; given another secret; and all of another's sign-ins are ended, after a question.
func (d *desk) anApp(s *seat) {
	s.follows(".nav a[href='/admin/apps']")
	s.shot("apps")
	s.acts("/admin/apps", "it is new", chromedp.SendKeys(css("[name=client_id]"), "shop"), chromedp.SendKeys(css("[name=name]"), "The shop"), chromedp.SendKeys(css("[name=redirect_uris]"), "http://shop.example/cb"))
	s.says("This was not done")
	if kept, err := chromedp.Run(s.ctx, chromedp.Evaluate[string](`["client_id", "redirect_uris", "reason"].map(n => document.querySelector("[name=" + n + "]").value).join(" ")`)); err != nil || kept != "shop http://shop.example/cb it is new" {
		d.t.Errorf("what was written is lost: %q, %v", kept, err)
	}
	s.look("app refused")
	s.does("correct it", chromedp.SetValue(css("[name=redirect_uris]"), "https://shop.example/cb"))
	s.leaves("register", chromedp.Click(css("form[action='/admin/apps'] button")))
	secret := s.secret()
	s.look("app registered")
	s.leaves("to the app", chromedp.Click(css("main p a")))
	s.says("The shop", "website with a server", "client_secret_basic")
	s.shot("app")
	s.acts("/admin/apps/shop/secret", "once a year")
	if next := s.secret(); next == secret {
		d.t.Error("the secret is the old one")
	}
	s.says("The old secret is good until")
	s.shot("app, new secret")
	s.leaves("to the app", chromedp.Click(css("main p a")))
	s.says("Two secrets are good until")
	s.acts("/admin/apps/shop/secret/end-old", "everybody has the new one")
	s.says("The old secret is good for nothing any more.")
	s.acts("/admin/apps/shop", "a better name", chromedp.SetValue(css("[name=name]"), "The little shop"))
	s.says("Saved.", "The little shop")

	s.goes("/admin/apps/app")
	s.acts("/admin/apps/app/end", "its secret leaked")
	s.says("End all of this app's sign-ins?", "2 people", "its secret leaked")
	s.look("app, asked again")
	if !d.people[1].tokenLives(d.t) {
		d.t.Error("it was done before the second question was answered")
	}
	s.leaves("yes", chromedp.Click(css("form[action='/admin/apps/app/end'] button")))
	s.says("Ended. The receipt tells who was told.")
	if d.people[1].tokenLives(d.t) || !d.people[1].signedIn(d.t) {
		d.t.Error("it ended something else")
	}
	s.goes("/admin/apps/shop")
	s.acts("/admin/apps/shop/delete", "a test")
	s.says("Delete this app?", "nobody")
	s.leaves("yes", chromedp.Click(css("form[action='/admin/apps/shop/delete'] button")))
	s.says("Deleted.")
	s.shot("app deleted")
}

func (s *seat) secret() string {
	s.t.Helper()
	text, err := chromedp.Run(s.ctx, chromedp.Text(css("code.secret")))
	if err != nil || len(text) < 40 {
		s.t.Fatalf("no secret: %q, %v", text, err)
	}
	s.says("This is the only time that the secret is shown.")
	return text
}

// locked: somebody's account, in each way, and opened again.
func (d *desk) locked(s *seat) {
	s.goes("/admin/people?username=person2")
	s.follows("td a")
	at := s.path()
	s.acts(at+"/lock", "a lost phone", chromedp.SetValue(css("[name=kind]"), "lost-device"), chromedp.SendKeys(css("[name=for]"), "12h"))
	s.says("Locked: signed out everywhere, and nobody gets in.", "opens by itself")
	s.look("person locked")
	if d.people[1].signedIn(d.t) {
		d.t.Error("locked, and signed in")
	}
	s.acts(at+"/lock", "they have the password, too", chromedp.SetValue(css("[name=kind]"), "password-known"))
	s.says("It was locked already", "until a new password by mail, or an operator")
	s.acts(at+"/unlock", "she called")
	s.says("Unlocked. Nothing that ended comes back.")
	s.acts(at+"/disable", "has left")
	s.says("Disabled: everything has ended, and nothing new begins.")
	s.acts(at+"/enable", "is back")
	s.says("Enabled.")
	s.acts(at+"/delete", "asked for it")
	s.says("Delete this person?", "cannot be undone")
	s.shot("person, asked again")
	s.leaves("no", chromedp.Click(css("main p a")))
	s.says("active")
}

// keys turn quietly, and are killed after a question.
func (d *desk) keys(s *seat) {
	s.follows(".nav a[href='/admin/keys']")
	s.acts("/admin/keys/rotate", "once a year")
	s.says("Rotated. What was signed before stays good.", "retired")
	s.look("keys")
	kill, err := chromedp.Run(s.ctx, chromedp.Evaluate[string](`[...document.querySelectorAll("tr")].find(r => r.textContent.includes("retired")).querySelector("form").getAttribute("action")`))
	if err != nil {
		d.t.Fatal(err)
	}
	s.acts(kill, "it was copied")
	s.says("Kill this key?", "1 session")
	s.shot("key, asked again")
	s.leaves("yes", chromedp.Click(css("form[action='"+kill+"'] button")))
	s.says("Killed: what it signed is refused everywhere.", "killed")
}

// records: receipts, and the audit log by what happened, and both as files.
func (d *desk) records(s *seat) {
	s.follows(".nav a[href='/admin/receipts']")
	s.says("A key was killed", "One session was ended", "the laptop was lost")
	s.look("receipts")
	s.follows("tbody td a")
	s.says("A key was killed", "it was copied")
	s.shot("receipt")
	if status, text := s.fetches("/admin/receipts/export"); status != 200 || !strings.Contains(text, `"reason":"the laptop was lost"`) {
		d.t.Error("export of receipts:", status, text)
	}
	s.follows(".nav a[href='/admin/events']")
	s.look("audit log")
	s.does("choose", chromedp.SetValue(css("#filter-kind"), "client-secret-rotated"))
	s.leaves("filter", chromedp.Click(css(".filter button")))
	s.says("once a year")
	rows, err := chromedp.Run(s.ctx, chromedp.Evaluate[int](`document.querySelectorAll("tbody tr").length`))
	if err != nil || rows != 1 {
		d.t.Errorf("%d rows after the filter, %v", rows, err)
	}
	export, err := chromedp.Run(s.ctx, chromedp.Evaluate[string](`document.querySelector("a[href*=export]").getAttribute("href")`))
	if err != nil {
		d.t.Fatal(err)
	}
	if status, text := s.fetches(export); status != 200 || strings.Count(text, "\n") != 1 || !strings.Contains(text, `"kind":"client-secret-rotated"`) {
		d.t.Error("export of the audit log:", status, text)
	}
}

// roles: given in the console; a viewer reads, support ends, and each is refused what they may not, whatever they send.
func (d *desk) roles(s *seat) {
	s.follows(".nav a[href='/admin/operators']")
	s.acts("/admin/operators", "x", chromedp.SendKeys(css("[name=username]"), "nobodylikethat"))
	s.says("There is nobody with this username.")
	s.shot("operator refused")
	for name, role := range map[string]string{"helper": "support", "reader": "viewer"} {
		s.goes("/admin/operators")
		s.acts("/admin/operators", "works here", chromedp.SendKeys(css("[name=username]"), name), chromedp.SetValue(css("[name=role]"), role))
		s.says("Saved. It holds from the next request on.", name, role)
	}
	s.look("operators")
	s.goes("/admin/people?username=person2")
	s.follows("td a")
	person := s.path()
	for name, may := range map[string]struct{ forms, refused []string }{
		"reader": {nil, []string{person + "/end", person + "/lock", person + "/delete", "/admin/apps/app/end", "/admin/keys/rotate", "/admin/operators"}},
		"helper": {[]string{person + "/end"}, []string{person + "/lock", person + "/disable", person + "/delete", "/admin/apps", "/admin/apps/app/end", "/admin/keys/rotate", "/admin/operators"}},
	} {
		other := d.sit(name)
		other.says("Overview")
		other.goes(person)
		other.shot("person, " + name)
		forms, err := chromedp.Run(other.ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll("main form[method=post]")].map(f => f.getAttribute("action"))`))
		if err != nil || strings.Join(forms, " ") != strings.Join(may.forms, " ") {
			d.t.Errorf("%s is offered %v, %v; want %v", name, forms, err, may.forms)
		}
		for _, to := range may.refused {
			if status, text := other.fetches(to, `confirm: "true", use: "all", username: "`+name+`", role: "admin"`); status != 403 || !strings.Contains(text, "Your role is not enough") {
				d.t.Errorf("%s at %s: %d", name, to, status)
			}
		}
		s.goes("/admin/operators")
		who, err := chromedp.Run(s.ctx, chromedp.Evaluate[string](`[...document.querySelectorAll("tr")].find(r => r.textContent.includes("`+name+`")).querySelector("form").getAttribute("action")`))
		if err != nil {
			d.t.Fatal(err)
		}
		s.acts(who, "has left")
		s.says("No operator any more, from the next request on.")
		other.goes("/admin")
		other.says("This is for operators")
		other.shot("no operator")
	}
	d.people[1].stays(d.t)
}

// stays says that nothing was done to somebody in vain.
func (v *visitor) stays(t *testing.T) {
	t.Helper()
	var state idp.AccountState
	err := v.base.Store.View(t.Context(), func(r idp.View) error {
		a, err := r.AccountByUsername(v.name)
		state = a.State
		return err
	})
	if err != nil || state != idp.AccountActive {
		t.Error(state, err)
	}
}

// german: no page shows the codes that programs read.
func (d *desk) german(s *seat) {
	speak(d.t, s.ctx, s.at, "de")
	codes := regexp.MustCompile(`\b(operator:[a-z]\w*|rule:\w+|account:\w+|sign-in|session-ended|client-\w+|key-killed|lost-device|password-known|given-up|standby|retired|owed|support|act=|methods=|[a-z]+ing)\b`)
	for _, path := range []string{"/admin", "/admin/people", "/admin/apps", "/admin/apps/app", "/admin/deliveries", "/admin/revocations", "/admin/receipts", "/admin/keys", "/admin/events", "/admin/operators"} {
		s.goes(path)
		text, err := chromedp.Run(s.ctx, chromedp.Evaluate[string](`[...document.querySelectorAll("main h1, main h2, main th, main td, main dt, main dd, main label, main button")].map(e => e.innerText).join("\n")`))
		if err != nil {
			d.t.Fatal(err)
		}
		if found := codes.FindAllString(text, -1); found != nil {
			d.t.Errorf("%s in German says %q", path, found)
		}
		s.shot("deutsch " + strings.ReplaceAll(strings.TrimPrefix(path, "/admin"), "/", " "))
	}
	// Pages of one thing, and those that an act leads to.
	for _, path := range []string{"/admin/deliveries?state=given-up", "/admin/revocations", "/admin/receipts", "/admin/people?username=boss"} {
		s.goes(path)
		s.follows("tbody td a")
		s.look("deutsch one of " + strings.TrimPrefix(path, "/admin/"))
	}
	s.follows("td a[href*='/sessions/']")
	s.look("deutsch session")
	s.goes("/admin/apps/app")
	s.acts("/admin/apps/app/end", "Test")
	s.says("Alle Anmeldungen")
	s.look("deutsch asked again")
	s.goes("/admin/apps")
	s.acts("/admin/apps", "Test", chromedp.SendKeys(css("[name=client_id]"), "laden"), chromedp.SendKeys(css("[name=redirect_uris]"), "http://laden.example/cb"))
	s.look("deutsch refused")
	s.does("correct it", chromedp.SetValue(css("[name=redirect_uris]"), "https://laden.example/cb"))
	s.leaves("register", chromedp.Click(css("form[action='/admin/apps'] button")))
	s.look("deutsch registered")
}
