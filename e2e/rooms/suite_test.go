package rooms_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
)

const (
	suiteToken = "the initial access token of the suite"
	suiteBack  = "https://suite.test/test/a/exeunt/callback"
	suiteHome  = "https://suite.test/test/a/exeunt/post_logout_redirect"
)

// suite plays the certification suite in one module: a website that registers itself, and a browser of its own.
type suite struct {
	*person
	app    string
	tokens tokens
	id     *oidc.IDToken
}

// startSuite is a node as the certification plans want it: https, with discovery and dynamic registration.
func startSuite(t *testing.T, change ...func(*config.Config)) *node {
	t.Helper()
	open := func(c *config.Config) { c.InitialTokens = []idp.Hash{idp.HashOf(suiteToken)} }
	return startTLS(t, append(change, open)...)
}

// module registers a website, signs alice in there in a new browser, and checks the ID token with a library that is not ours.
func (n *node) module(t *testing.T, extra map[string]any) *suite {
	t.Helper()
	own := *n
	own.t = t
	m := &suite{person: own.person()}
	metadata := map[string]any{"client_name": "Suite", "redirect_uris": []string{suiteBack}, "post_logout_redirect_uris": []string{suiteHome},
		"grant_types": []string{"authorization_code"}, "response_types": []string{"code"}, "token_endpoint_auth_method": "client_secret_basic"}
	for k, v := range extra {
		metadata[k] = v
	}
	body, err := json.Marshal(metadata)
	if err != nil {
		t.Fatal(err)
	}
	made := m.do("POST", "/oauth2/register", string(body), map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + suiteToken})
	if made.status != 201 {
		t.Fatalf("registration: %d %s", made.status, made.body)
	}
	client := object(t, made)
	m.app, _ = client["client_id"].(string)
	n.secrets[m.app], _ = client["client_secret"].(string)
	a := m.follow(m.signIn(m.get(m.request("nonce", "the nonce")).location, "alice", alicePW))
	if a.status == http.StatusOK { // the consent page
		a = m.follow(m.post("/login", with(fields(a.body), "act", "continue")))
	}
	u, err := url.Parse(a.location)
	if err != nil || !strings.HasPrefix(a.location, suiteBack+"?") || u.Query().Get("code") == "" {
		t.Fatalf("no code: %d to %q", a.status, a.location)
	}
	v := url.Values{"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "redirect_uri": {suiteBack}, "code_verifier": {verifier}}
	var status int
	if m.tokens, status = n.token(m.app, v); status != 200 {
		t.Fatal("token endpoint:", status)
	}
	m.id = m.verify(t)
	return m
}

func (m *suite) request(extra ...string) string {
	return m.authorizeURL(m.app, append([]string{"redirect_uri", suiteBack, "scope", "openid"}, extra...)...)
}

func (m *suite) verify(t *testing.T) *oidc.IDToken {
	t.Helper()
	ctx := oidc.ClientContext(t.Context(), &http.Client{Transport: m.transport})
	provider, err := oidc.NewProvider(ctx, m.at)
	if err != nil {
		t.Fatal(err)
	}
	id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: m.app}).Verify(context.WithoutCancel(ctx), m.tokens.ID)
	if err != nil || id.Nonce != "the nonce" {
		t.Fatalf("ID token: %v", err)
	}
	return id
}

// signedOut says whether prompt=none fails as the suite wants it to after a sign-out, and the session is over for us, too.
func (m *suite) signedOut(t *testing.T) {
	t.Helper()
	a := m.get(m.request("prompt", "none"))
	u, err := url.Parse(a.location)
	fails := []string{"interaction_required", "login_required", "account_selection_required", "consent_required"}
	if err != nil || !strings.HasPrefix(a.location, suiteBack+"?") || !slices.Contains(fails, u.Query().Get("error")) || u.Query().Has("code") {
		t.Errorf("prompt=none after sign-out: %d to %q", a.status, a.location)
	}
	if m.user() != "" || m.alive(m.tokens.Access) {
		t.Error("the session or its access token lives")
	}
}

// stays says that nothing has happened.
func (m *suite) stays(t *testing.T) {
	t.Helper()
	a := m.get(m.request("prompt", "none"))
	if u, err := url.Parse(a.location); err != nil || u.Query().Get("code") == "" {
		t.Errorf("prompt=none: %d to %q", a.status, a.location)
	}
	if m.user() != "alice" || !m.alive(m.tokens.Access) {
		t.Error("a request that is not valid has ended something")
	}
}

// isPage says that the browser stays here, at a page that leads nowhere by itself, and that it holds the words.
func isPage(t *testing.T, a answer, status int, words string) {
	t.Helper()
	// A receipt loads itself anew while an app is owed; it goes nowhere else.
	if a.status != status || a.location != "" || strings.Contains(a.header.Get("Refresh"), ";") || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		t.Errorf("not a page that stays: %d to %q %q", a.status, a.location, a.header.Get("Refresh"))
	}
	page, _, _ := strings.Cut(a.body, "<footer") // there the request itself is offered in other languages
	if !strings.Contains(page, words) || strings.Contains(page, "suite.test") || strings.Contains(a.body, "http-equiv") {
		t.Errorf("the page does not say %q, or it leads away:\n%s", words, a.body)
	}
}

// confirm presses the button of the page that asks.
func (m *suite) confirm(t *testing.T, asks answer) answer {
	t.Helper()
	isPage(t, asks, http.StatusOK, "Sign out?")
	if m.user() != "alice" {
		t.Error("signed out before the answer")
	}
	return m.follow(m.post("/logout/confirm", with(fields(asks.body), "act", "all")))
}
