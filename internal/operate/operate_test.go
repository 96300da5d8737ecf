package operate

import (
	"errors"
	"strings"
	"testing"
	"time"

	"exeunt.dev/internal/idp"
)

func TestOverlap(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 24 * time.Hour, "0": 0, "12h": 12 * time.Hour, "7d": 7 * 24 * time.Hour, "90d": LongestOverlap} {
		if got, err := Overlap(text); got != want || err != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"x", "-1h", "91d", "-1d", "2161h", "d", " ", "1", "99999999999999999999d"} {
		if got, err := Overlap(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// Each rule names its field.
func TestClientRules(t *testing.T) {
	algs := []string{"ES256"}
	web := func(pairs ...string) Fields {
		f := Fields{"client_id": {"shop"}, "kind": {"web"}, "redirect_uris": {"https://shop.test/cb"}}
		for i := 0; i < len(pairs); i += 2 {
			f[pairs[i]] = strings.Split(pairs[i+1], "|")
		}
		return f
	}
	c, err := NewClient(web("redirect_uris", " https://a.test/cb |https://a.test/cb||https://b.test/cb", "offline", "true"), algs)
	if err != nil || len(c.RedirectURIs) != 2 || c.Name != "shop" || len(c.Scopes) != 4 || c.AuthMethod != idp.AuthBasic {
		t.Errorf("%+v, %v", c, err)
	}
	for field, f := range map[string]Fields{
		"client_id":                         web("client_id", "-x"),
		"kind":                              web("kind", "robot"),
		"name":                              web("name", "a\u202eb"),
		"redirect_uris":                     web("redirect_uris", ""),
		"post_logout_redirect_uris":         web("post_logout_redirect_uris", "http://x.test"),
		"logout_uris":                       web("logout_uris", "javascript:x"),
		"client_uri":                        web("client_uri", "javascript:alert(1)"),
		"logo_uri":                          web("logo_uri", "data:x"),
		"scopes":                            web("scopes", idp.ScopeAdmin),
		"audiences":                         {"client_id": {"x"}, "kind": {"api"}},
		"offline":                           web("kind", "browser", "offline", "true"),
		"await_logout":                      web("await_logout", "true"),
		"backchannel_sid_only":              web("backchannel_sid_only", "true"),
		"backchannel_logout_uri":            web("backchannel_logout_uri", "ftp://x"),
		"frontchannel_logout_uri":           web("frontchannel_logout_uri", "https://other.test/out"),
		"token_endpoint_auth_method":        web("token_endpoint_auth_method", "none"),
		"id_token_signed_response_alg":      web("id_token_signed_response_alg", "none"),
		"introspection_signed_response_alg": web("introspection_signed_response_alg", "HS256"),
		"dpop":                              web("dpop", "x"),
		"bind_address":                      web("bind_address", "x"),
		"access_token_life":                 web("access_token_life", "25h"),
		"secret":                            web("secret", "x"),
		"registration":                      web("registration", "x"),
	} {
		var invalid *idp.InvalidError
		if _, err := NewClient(f, algs); !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if c, err := NewClient(web("kind", "browser", "token_endpoint_auth_method", "client_secret_post"), algs); err != nil || c.AuthMethod != idp.AuthNone {
		t.Error("an app that cannot keep a secret has one:", c.AuthMethod, err)
	}
}

// The life of an app's access tokens is a length of time between bounds, and is taken away by an empty text.
func TestAccessLife(t *testing.T) {
	c := idp.Client{ID: "shop", Kind: idp.KindWeb, AuthMethod: idp.AuthBasic, RedirectURIs: []string{"https://shop.test/cb"}}
	set := func(text string) error {
		return Fields{"access_token_life": {text}}.apply(&c, nil)
	}
	for text, want := range map[string]string{"1s": "1s", "10s": "10s", " 1m ": "1m", "90s": "1m30s", "1.5s": "1.5s", "60m": "1h", "10m": "10m", "24h": "24h", "1d": "24h", "": ""} {
		if err := set(text); err != nil || c.AccessLife.String() != want {
			t.Errorf("%q: %q, %v", text, c.AccessLife, err)
		}
	}
	for _, text := range []string{"0", "999ms", "-1m", "24h1s", "2d", "60", "long", "d", "99999d"} {
		var invalid *idp.InvalidError
		if err := set(text); !errors.As(err, &invalid) || invalid.Field != "access_token_life" {
			t.Errorf("%q: %v", text, err)
		}
	}
	api := Fields{"client_id": {"orders"}, "kind": {"api"}, "audiences": {"https://orders.test"}, "access_token_life": {"1m"}}
	var invalid *idp.InvalidError
	if _, err := NewClient(api, nil); !errors.As(err, &invalid) || invalid.Field != "access_token_life" {
		t.Error("an API, which gets no tokens:", err)
	}
}

func TestRoles(t *testing.T) {
	for _, c := range []struct {
		role idp.Role
		may  string
	}{{"", ""}, {"king", ""}, {idp.RoleViewer, "read"}, {idp.RoleSupport, "read end unlock deliver"}, {idp.RoleAdmin, "read end unlock deliver people apps keys roles what comes"}} {
		for _, d := range strings.Fields("read end unlock deliver people apps keys roles what comes") {
			if c.role.May(idp.Duty(d)) != strings.Contains(" "+c.may+" ", " "+d+" ") {
				t.Errorf("%q, %s: %t", c.role, d, c.role.May(idp.Duty(d)))
			}
		}
	}
}

// Each kind of event can be asked for, and who asks for another is told which there are.
func TestEventKind(t *testing.T) {
	for _, k := range append(idp.EventKinds(), "") {
		if got, err := EventKind(string(k)); err != nil || got != k {
			t.Errorf("%q: %q, %v", k, got, err)
		}
	}
	for _, text := range []string{"zz", "Sign-in", "sign-in ", "sign-in,operator"} {
		var invalid *idp.InvalidError
		if got, err := EventKind(text); !errors.As(err, &invalid) || invalid.Field != "kind" || !strings.Contains(invalid.Sentence, " sign-in, ") || got != "" {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

// A lock is an operator's unless something else is said, and only one for a lost device has a length.
func TestLockFor(t *testing.T) {
	for _, c := range []struct {
		kind, length string
		want         idp.LockKind
		long         time.Duration
		field        string
	}{
		{"", "", idp.LockOperator, 0, ""},
		{"operator", "", idp.LockOperator, 0, ""},
		{"password-known", "", idp.LockPassword, 0, ""},
		{"lost-device", "", idp.LockDevice, 0, ""},
		{"lost-device", "720h", idp.LockDevice, idp.LockLongest, ""},
		{"lost-device", "721h", "", 0, "for"},
		{"lost-device", "0s", "", 0, "for"},
		{"lost-device", "-1h", "", 0, "for"},
		{"lost-device", "long", "", 0, "for"},
		{"operator", "1h", "", 0, "for"},
		{"password-known", "1h", "", 0, "for"},
		{"king", "", "", 0, "kind"},
	} {
		kind, long, err := LockFor(c.kind, c.length)
		var invalid *idp.InvalidError
		if errors.As(err, &invalid); c.field == "" && (err != nil || kind != c.want || long != c.long) || c.field != "" && (invalid == nil || invalid.Field != c.field) {
			t.Errorf("%q for %q: %q, %v, %v", c.kind, c.length, kind, long, err)
		}
	}
}

// What an app has now, and had before, is said by name.
func TestSettingsThatChanged(t *testing.T) {
	before, after := settings(&idp.Client{Name: "a", FirstParty: true}), settings(&idp.Client{Name: "b", Scopes: []string{"openid"}})
	if string(before["name"]) == string(after["name"]) || before["first_party"] == nil || after["first_party"] != nil || after["scopes"] == nil || after["secret"] != nil {
		t.Error(before, after)
	}
}
