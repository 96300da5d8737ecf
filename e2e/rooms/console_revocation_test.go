package rooms_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"exeunt.dev/internal/idp"
)

// What a provider owes, in an operator's hands: seen, asked for again, given up.
func TestConsole_Revocations(t *testing.T) {
	b := startBroker(t)
	var down atomic.Bool
	down.Store(true)
	b.op.Set(func() {
		b.op.Answers = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/revoke" && down.Load() {
				w.Header().Set("Retry-After", "3600")
				w.WriteHeader(429)
				return true
			}
			return false
		}
	})
	owe := func() operatorsRevocation {
		t.Helper()
		p := b.linked()
		p.post("/account/providers/unlink", fields(p.get("/account/providers").body))
		var out operatorsRevocation
		until(t, "an attempt is written", func() bool {
			l := b.revoking("?state=owed")
			if len(l) == 1 {
				out = l[0]
			}
			return out.Why != ""
		})
		return out
	}
	help, viewer := b.operator("help", idp.RoleSupport), b.operator("viewer", idp.RoleViewer)

	first := owe()
	at := "/admin/revocations/" + first.ID
	if first.Provider != "hub" || first.Subject != b.id("alice") || first.Attempts != 1 || first.Next == "" {
		t.Errorf("%+v", first)
	}
	if a := viewer.page("/admin/revocations?provider=hub"); a.status != 200 || !strings.Contains(a.body, at) || !strings.Contains(a.body, ">alice<") || !strings.Contains(a.body, "it answered 429") {
		t.Error(a.status, a.body)
	}
	if a := viewer.page("/admin/revocations?state=dead"); a.status != 200 || strings.Contains(a.body, at) {
		t.Error("the filter:", a.status, a.body)
	}
	if a := viewer.page("/admin/revocations?state=nonsense"); a.status != 400 {
		t.Error("a state that is none:", a.status)
	}
	if a := viewer.page("/admin"); !strings.Contains(a.body, "Revocations owed to providers") {
		t.Error("the overview does not say it:", a.body)
	}
	if a := viewer.page(at); a.status != 200 || strings.Contains(a.body, at+"/resend") {
		t.Error("a viewer is offered it:", a.status)
	}
	for _, verb := range []string{"/resend", "/give-up"} {
		if a := viewer.acts(at + verb); a.status != 403 {
			t.Error("a viewer did", verb, a.status)
		}
		if a := help.acts(at+verb, "reason", ""); a.status != 400 {
			t.Error("without a reason", verb, a.status)
		}
	}

	down.Store(false)
	if page := help.page(at); !strings.Contains(page.body, at+"/resend") || !strings.Contains(page.body, at+"/give-up") {
		t.Error("support is not offered it:", page.body)
	}
	if a := help.acts(at+"/resend", "reason", "it is back"); a.status != 303 || a.location != at+"?done=hastened" {
		t.Fatal(a.status, a.location, a.body)
	}
	b.revoked(1)
	until(t, "it is settled", func() bool { return len(b.revoking("")) == 0 })
	if a := help.acts(at + "/resend"); a.status != 409 || !strings.Contains(a.body, "The provider has confirmed it.") {
		t.Error("what was confirmed:", a.status)
	}

	down.Store(true)
	second := owe()
	at = "/admin/revocations/" + second.ID
	key := map[string]any{"reason": "the provider is gone"}
	if a := b.calls("POST", at+"/give-up", b.power(), key); a.status != 200 || !strings.Contains(a.body, `"state":"given-up"`) {
		t.Fatal(a.status, a.body)
	}
	if rows := b.revocations(); len(rows) != 1 || rows[0].Tokens != nil || rows[0].Due != 0 || rows[0].Error == "" {
		t.Errorf("given up: %+v", rows)
	}
	for _, verb := range []string{"/resend", "/give-up"} {
		if a := b.calls("POST", at+verb, b.power(), key); a.status != 409 {
			t.Error(verb, "of what was given up:", a.status, a.body)
		}
	}
	if l := b.revoking("?state=dead&provider=hub"); len(l) != 1 || l[0].State != "given-up" {
		t.Error(l)
	}
	if a := b.calls("POST", "/admin/revocations/ABCDABCDABCDABCD/give-up", b.power(), key); a.status != 404 {
		t.Error("one that is none:", a.status)
	}
	hers := b.alice().page("/account/activity").body
	for _, said := range []string{"A provider was to be asked again to forget what you allowed</strong> · Hub", "Asking a provider to forget what you allowed was given up</strong> · Hub"} {
		if !strings.Contains(hers, said) {
			t.Errorf("its person does not read %q: %s", said, hers)
		}
	}
	log := viewer.page("/admin/events?username=alice&kind=operator")
	for _, said := range []string{"asked a provider again", "it is back", ">help<", "gave up taking a consent back", "the provider is gone", "power", "Provider: hub"} {
		if !strings.Contains(log.body, said) {
			t.Errorf("the audit log does not say %q: %s", said, log.body)
		}
	}
}

type operatorsRevocation struct {
	ID, Provider, State, Why string
	Subject                  idp.AccountID `json:"sub"`
	Attempts                 int
	Next                     string `json:"next_attempt_at"`
}

// revoking asks the JSON API.
func (b *brokered) revoking(query string) []operatorsRevocation {
	b.t.Helper()
	var out struct{ Revocations []operatorsRevocation }
	a := b.bearer("GET", "/admin/revocations"+query, b.power())
	if a.status != 200 || json.Unmarshal([]byte(a.body), &out) != nil || out.Revocations == nil {
		b.t.Fatal(a.status, a.body)
	}
	return out.Revocations
}
