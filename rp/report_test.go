package rp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"exeunt.dev/internal/upstream/optest"
	"exeunt.dev/rp"
)

// A revocation that ends tokens is not called the end of a consent, and one that is the end of a consent is.
func TestReportSaysWhatARevocationDid(t *testing.T) {
	gh, o := newGitHub(t), optest.New(t)
	plain := o.Provider()
	plain.Title, plain.Revocation.ByHand = "Plain", "https://plain.example/apps"
	h := newWebsite(t, rp.Provider("github", gh.provider), rp.Provider("plain", plain))
	answers := func(status int) {
		gh.set(status, "")
		o.Set(func() {
			o.Answers = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == "/revoke" {
					w.WriteHeader(status)
				}
				return r.URL.Path == "/revoke"
			}
		})
	}
	for _, c := range []struct {
		provider  string
		status    int
		says, not string
	}{
		{"plain", 200, `Plain has ended the access that this website had. It may remember that you allowed it. <a href="https://plain.example/apps"`, "forgotten"},
		{"plain", 503, "Plain has not yet confirmed that it ended the access that this website had. We keep asking.", "forgot"},
		{"plain", 400, "Plain refused to end the access that this website had. You can do it there.", "forget"},
		{"github", 204, "GitHub has forgotten that you allowed this website.", "settings/applications"},
		{"github", 503, "GitHub has not yet confirmed that it forgot what you allowed this website.", "access"},
		{"github", 422, "GitHub refused to forget what you allowed this website.", "access"},
	} {
		answers(c.status)
		b := h.browser()
		csrf := b.signIn(c.provider)
		if a := b.post("/auth/signout", url.Values{"csrf": {csrf}, "revoke": {"1"}}); !strings.Contains(a.body, c.says) || strings.Contains(a.body, c.not) {
			t.Errorf("%s: not %q, or %q: %s", c.provider, c.says, c.not, a.body)
		}
	}
}

// Who asked for all devices is told of them, also if this was the only one.
func TestReportSaysAllDevices(t *testing.T) {
	h := newWebsite(t, rp.Provider("op", optest.New(t).Provider()))
	for _, boxes := range []url.Values{{}, {"everywhere": {"1"}}} {
		b := h.browser()
		boxes.Set("csrf", b.signIn("op"))
		const all = "You are signed out of this website, on all your devices."
		if a := b.post("/auth/signout", boxes); strings.Contains(a.body, all) != boxes.Has("everywhere") || !strings.Contains(a.body, "You are signed out of this website") {
			t.Errorf("%v: %s", boxes, a.body)
		}
	}
}
