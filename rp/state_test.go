package rp_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/upstream/optest"
	"exeunt.dev/rp"
)

// A page is told when its session ends, wherever that was done.
func TestStateIsPushed(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()))
	b := h.browser()
	b.signIn("op")
	r, _ := http.NewRequest("GET", h.at+"/auth/state", nil)
	r.Header.Set("Accept", "text/event-stream")
	res, err := b.c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	next := func() string {
		for lines.Scan() {
			if d, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return d
			}
		}
		return ""
	}
	if d := next(); d != `{"signed_in":true}` || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatal(d)
	}
	if a := h.browser().backchannel(o.LogoutToken(nil)); a.status != 200 {
		t.Fatal(a)
	}
	if d := next(); d != `{"signed_in":false}` {
		t.Error(d)
	}
	if d := next(); d != "" {
		t.Error("the stream goes on:", d)
	}
}

// Use prolongs a session, asking for its state does not.
func TestIdle(t *testing.T) {
	o := optest.New(t)
	h := newWebsite(t, rp.Provider("op", o.Provider()), rp.Limits(time.Hour, 3*time.Hour))
	used, open := h.browser(), h.browser()
	used.signIn("op")
	open.signIn("op")
	for range 3 {
		h.forward(50 * time.Minute)
		if a := used.get("/private/"); a.status != 200 {
			t.Fatal("a used session ended:", a)
		}
		open.get("/auth/state")
	}
	if open.signedIn() {
		t.Error("an open page keeps its session alive")
	}
	h.forward(40 * time.Minute)
	if used.signedIn() {
		t.Error("a session outlived its absolute limit")
	}
}
