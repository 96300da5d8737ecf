package demo

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// press presses the button of a website on the start page, which leads back to the start page.
func press(t *testing.T, v *visitor, site, button string) answer {
	t.Helper()
	a, err := v.get(t.Context(), v.demo.Info.Start)
	if err != nil {
		t.Fatal(err)
	}
	_, form, _ := strings.Cut(a.body, `action="/apps/`+site+`"`)
	form, _, _ = strings.Cut(form, "</form>")
	if !strings.Contains(form, ">"+button+"</button>") {
		t.Fatalf("no button %q: %s", button, a.body)
	}
	fields := hidden(form)
	fields.Set("down", map[bool]string{true: "yes", false: "no"}[strings.HasPrefix(button, "Take")])
	if a, err = v.post(t.Context(), v.demo.Info.Start+"/apps/"+site, fields); err != nil || a.status != http.StatusOK || a.url.Path != "/" {
		t.Fatal(a.status, a.url, err)
	}
	return a
}

// What the product is for, to be seen: a sign-out is owed to an app that is down, and confirmed when it is back.
func TestAppThatIsDownIsTold(t *testing.T) {
	t.Parallel()
	d := started(t, Options{})
	alice := d.visitor(d.Info.Username, d.Info.Password)
	signedIn(t, alice, d.sites...)
	if a := press(t, alice, "books", "Take Books down"); !strings.Contains(a.body, ">Start Books again</button>") || !strings.Contains(a.body, ">Take News down</button>") {
		t.Error(a.body)
	}
	for _, path := range []string{"/", "/auth/state", "/website.css"} {
		if a, err := alice.get(t.Context(), d.sites[0].url+path); err != nil || a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, `href="`+d.Info.Start+`/"`) {
			t.Error(path, a.status, a.body, err)
		}
	}
	if a, err := alice.get(t.Context(), d.sites[1].url+"/"); err != nil || a.status != http.StatusOK {
		t.Error("News is down, too:", a.status, err)
	}
	if err := (&check{d: d, one: alice}).leaveByAPI(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The receipt of the browser that signed out.
	until := func(want string) {
		t.Helper()
		for end := time.Now().Add(40 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			data, err := d.look(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			a, err := alice.get(t.Context(), data.SignOuts[0].Receipt)
			_, books, _ := strings.Cut(a.body, "Books")
			if books, _, _ = strings.Cut(books, "News"); err == nil && strings.Contains(books, want) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("the receipt does not say %q: %v %s", want, err, a.body)
			}
		}
	}
	until("owed: it has not confirmed yet")
	data, err := d.look(t.Context())
	if err != nil || !data.Apps[0].Down || len(data.Apps[0].Here) != 1 || data.Apps[0].Here[0].Tag != "not told yet" {
		t.Errorf("%+v %v", data.Apps, err)
	}
	press(t, alice, "books", "Start Books again")
	until("told, confirmed by the app")
	if in, err := alice.inside(t.Context(), d.sites[0]); err != nil || in {
		t.Error("Books has not ended its session", err)
	}
}

// No other website takes one down.
func TestDownIsNotForged(t *testing.T) {
	t.Parallel()
	d := started(t, Options{})
	v := d.visitor("", "")
	a, err := v.get(t.Context(), d.Info.Start)
	if err != nil {
		t.Fatal(err)
	}
	good := hidden(a.body)
	good.Set("down", "yes")
	at := d.Info.Start + "/apps/books"
	for name, c := range map[string]struct {
		form    url.Values
		headers []string
	}{
		"no token":     {url.Values{"down": {"yes"}}, nil},
		"other token":  {url.Values{"down": {"yes"}, "csrf": {"x"}}, nil},
		"other origin": {good, []string{"Origin", d.Info.Apps["news"]}},
		"cross-site":   {good, []string{"Sec-Fetch-Site", "cross-site"}},
	} {
		if a, err := v.post(t.Context(), at, c.form, c.headers...); err != nil || a.status != http.StatusForbidden {
			t.Error(name, a.status, err)
		}
	}
	// A name that another site has given to this address.
	r, err := http.NewRequestWithContext(t.Context(), "POST", at, strings.NewReader(good.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "rebound.example"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if a, err := v.do(r); err != nil || a.status != http.StatusForbidden {
		t.Error("another host:", a.status, err)
	}
	if a, err := v.get(t.Context(), at+"?down=yes"); err != nil || a.status == http.StatusOK || d.sites[0].down.Load() {
		t.Error("it is down:", a.status, err)
	}
	if a, err := v.post(t.Context(), d.Info.Start+"/apps/orders-desk", good); err != nil || a.status != http.StatusNotFound {
		t.Error("an app without a back channel:", a.status, err)
	}
}

// agent is a browser's name for itself.
type agent string

func (a agent) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", string(a))
	return http.DefaultTransport.RoundTrip(r)
}

// Two browsers of one person are told apart, and what has been shown is not forgotten when it has expired.
func TestStartPageTellsBrowsersApart(t *testing.T) {
	t.Parallel()
	d := started(t, Options{})
	if data, err := d.look(t.Context()); err != nil || data.Shown {
		t.Error(data.Shown, err)
	}
	for _, name := range []agent{"Firefox/128.0 on Linux", "Chrome/130.0 on Linux"} {
		v := d.visitor(d.Info.Username, d.Info.Password)
		v.client.Transport = name
		signedIn(t, v, d.sites[0])
	}
	data, err := d.look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, lines := range map[string][]line{"Books": data.Apps[0].Here, "Exeunt": data.Exeunt, "Orders": data.Tokens} {
		if len(lines) != 2 || !strings.Contains(lines[0].What+lines[1].What, "Firefox on Linux since ") || !strings.Contains(lines[0].What+lines[1].What, "Chrome on Linux since ") {
			t.Errorf("%s: %+v", name, lines)
		}
	}
	d.orders.mu.Lock()
	for k, x := range d.orders.seen {
		x.expires = time.Now().Add(-time.Second)
		d.orders.seen[k] = x
	}
	d.orders.mu.Unlock()
	if a, err := d.visitor("", "").get(t.Context(), d.Info.Start); err != nil || !strings.Contains(a.body, "All that were shown have expired") || strings.Contains(a.body, "No token yet") {
		t.Error(a.body, err)
	}
}
