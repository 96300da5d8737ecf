package rooms_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"exeunt.dev/internal/config"
)

func frontChannel(c *config.Config) { c.FrontChannel = true }

const suiteFront = "https://suite.test/test/a/exeunt/frontchannel_logout"

var (
	iframe = regexp.MustCompile(`<iframe src="([^"]*)" srcdoc="([^"]*)" loading="lazy" sandbox="([^"]*)"`)
	inner  = regexp.MustCompile(`^<meta http-equiv="refresh" content="0.5;url=([^"]*)">$`)
)

// frames are the addresses of a page's frames: as their src says, and as what they hold at first leads to.
func frames(t *testing.T, page string) (out []string) {
	t.Helper()
	for _, m := range iframe.FindAllStringSubmatch(page, -1) {
		first := inner.FindStringSubmatch(html.UnescapeString(m[2]))
		if first == nil || html.UnescapeString(first[1]) != html.UnescapeString(m[1]) {
			t.Errorf("a frame leads to %q, and first to %q", m[1], m[2])
		}
		if strings.Contains(m[3], "top-navigation") || strings.Contains(m[3], "popups") || strings.Contains(m[3], "modals") {
			t.Errorf("a frame may take the window: %s", m[3])
		}
		out = append(out, html.UnescapeString(m[1]))
	}
	if n := strings.Count(page, "<iframe"); n != len(out) {
		t.Errorf("%d of %d frames are as they should be", len(out), n)
	}
	return out
}

// directive is one of a policy's.
func directive(a answer, name string) string {
	for d := range strings.SplitSeq(a.header.Get("Content-Security-Policy"), "; ") {
		if rest, ok := strings.CutPrefix(d, name+" "); ok {
			return rest
		}
	}
	return ""
}

// The modules of oidcc-frontchannel-rp-initiated-logout-certification-test-plan, under their own names.
func TestConformance_FrontChannelLogout(t *testing.T) {
	n := startSuite(t, frontChannel)
	t.Run("oidcc-frontchannel-logout-discovery-endpoint-verification", func(t *testing.T) {
		discoveryIsHTTPS(t, n, "frontchannel_logout_supported", "frontchannel_logout_session_supported", "end_session_endpoint")
	})
	t.Run("oidcc-frontchannel-rp-initiated-logout", func(t *testing.T) {
		m := n.module(t, map[string]any{"frontchannel_logout_uri": suiteFront, "frontchannel_logout_session_required": true})
		var id struct {
			Sid string `json:"sid"`
		}
		if err := m.id.Claims(&id); err != nil || id.Sid == "" {
			t.Fatal("the ID token has no sid:", err)
		}
		a := m.get(logout("id_token_hint", m.tokens.ID, "post_logout_redirect_uri", suiteHome, "state", state128))
		if a.status != http.StatusOK || a.header.Get("Refresh") != "1; url="+suiteHome+"?state="+state128 || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d, %v", a.status, a.header)
		}
		got := frames(t, a.body)
		if len(got) != 1 {
			t.Fatalf("frames: %v", got)
		}
		u, err := url.Parse(got[0])
		want := url.Values{"iss": {n.at}, "sid": {id.Sid}}
		if err != nil || !strings.HasPrefix(got[0], suiteFront+"?") || u.Query().Encode() != want.Encode() {
			t.Errorf("the frame leads to %s", got[0])
		}
		if directive(a, "frame-src") != "https://suite.test" || directive(a, "frame-ancestors") != "'none'" || directive(a, "default-src") != "'none'" {
			t.Error(a.header.Get("Content-Security-Policy"))
		}
		m.signedOut(t)
	})
}

// Of oidcc-session-management-certification-test-plan the module that needs no browser, under its own name; the other one is in e2e/chromium.
func TestConformance_SessionManagement(t *testing.T) {
	n := startSuite(t, frontChannel)
	t.Run("oidcc-session-management-discovery-endpoint-verification", func(t *testing.T) {
		discoveryIsHTTPS(t, n, "check_session_iframe", "end_session_endpoint")
		a := n.person().get("/oauth2/check_session")
		if a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || len(a.header.Values("Set-Cookie")) > 0 {
			t.Errorf("%d %v", a.status, a.header)
		}
		// It is the one page that may be framed, and it can do nothing but run its script.
		if a.header.Get("X-Frame-Options") != "" || directive(a, "frame-ancestors") != "" || directive(a, "default-src") != "'none'" || !strings.HasPrefix(directive(a, "script-src"), "'sha256-") {
			t.Error(a.header)
		}
	})
	t.Run("nothing else may be framed", func(t *testing.T) {
		p := n.alice()
		for _, at := range []string{"/account", "/login", "/logout", "/session/", "/oauth2/authorize", "/oauth2/check_session/x", "/nowhere", n.authorizeURL("books"), n.authorizeURL("third")} {
			if a := p.get(at); a.header.Get("X-Frame-Options") != "DENY" || directive(a, "frame-ancestors") != "'none'" {
				t.Errorf("%s: %v", at, a.header)
			}
		}
	})
}

// An app registers an address for frames only on the scheme, host and port of a redirect URI (Front-Channel Logout 1.0 section 2).
func TestFrontChannel_Registration(t *testing.T) {
	n := startSuite(t, frontChannel)
	p := n.person()
	register := func(uri string) int {
		body := `{"redirect_uris": ["https://suite.test/cb", "https://suite.test:8443/cb"], "frontchannel_logout_uri": "` + uri + `"}`
		return p.do("POST", "/oauth2/register", body, map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + suiteToken}).status
	}
	for uri, ok := range map[string]bool{
		"https://suite.test/front": true, "https://suite.test:8443/front?kept=1": true, "https://SUITE.test/front": true,
		"http://suite.test/front": false, "https://suite.test:444/front": false, "https://other.test/front": false, "https://front.suite.test/front": false,
		"https://suite.test.other.test/": false, "https://suite.test@other.test/": false, "https://x@suite.test/front": false, "https://suite.test/front#x": false,
		"https://suite.test/front?iss=x": false, "https://suite.test/front?a=1&sid=x": false, "https://suite.test;script-src/*": false, "//suite.test/front": false,
		"javascript:alert(1)": false, "data:text/html,x": false, "/front": false,
	} {
		if status := register(uri); (status == http.StatusCreated) != ok || !slices.Contains([]int{201, 400}, status) {
			t.Errorf("%s: %d", uri, status)
		}
	}
}
