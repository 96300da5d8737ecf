package rooms_test

import (
	"net/url"
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
)

// What nobody could have been given as a name is one that nothing has: no room fails of it, on either database, and none shows it as markup.
func TestOddNames(t *testing.T) {
	b := startBroker(t)
	p := b.operator("boss", idp.RoleAdmin)
	csrf := p.csrf()
	odd := []string{"%00", "a%00b", "%ff", "%ed%a0%80", "%27%22%3E%3Cscript%3E", "..%2f..", "%2F%2Fevil.example", strings.Repeat("a", 3000)}
	shown := func(what, x string, a answer) {
		t.Helper()
		if a.status >= 500 || strings.Contains(a.body, `'"><script>`) || strings.HasPrefix(a.location, "//") || strings.Contains(a.location, "evil.example") && !strings.HasPrefix(a.location, "/") {
			t.Errorf("%.80s with %.40q: %d to %.80q", what, x, a.status, a.location)
		}
	}
	for _, x := range odd {
		for _, to := range []string{
			"/signout/X", "/signout/X/receipt.jwt", "/login/X", "/login/hub/callback?state=X", "/login/hub/signup?step=X", "/login/hub/left?state=X",
			"/login/hub/logout?iss=" + url.QueryEscape(b.op.URL) + "&sid=X", "/login/reset?token=X", "/login/lock?token=X", "/login/locked?receipt=X", "/login/reset/done?receipt=X",
			"/login?pending=X", "/login?step=X", "/login?again=X", "/login?again=/account/X", "/login?ui_locales=X",
			"/account?done=one&receipt=X", "/account?after=X", "/account/live?after=X", "/account/activity?after=X", "/account/activity?after=X.1", "/account/apps?done=withdrawn&receipt=X",
			"/account/passkeys?done=added&receipt=X", "/account/authenticator?offer=X", "/account/mail/confirm?token=X", "/account/X",
			"/admin/people/X", "/admin/people/X/sessions", "/admin/people/X/sessions/X", "/admin/apps/X", "/admin/deliveries/X", "/admin/receipts/X", "/admin/X",
			"/admin/people?username=X&after=X", "/admin/people?state=X", "/admin/apps?after=X", "/admin/deliveries?client_id=X", "/admin/deliveries?after=X", "/admin/receipts?sub=X",
			"/admin/receipts?after=X", "/admin/events?sub=X", "/admin/events?kind=X", "/admin/events?actor=operator:X", "/admin/events?after=X", "/admin/operators?after=X",
			"/admin/events/export?sub=X", "/admin/receipts/export?sub=X",
		} {
			to = strings.ReplaceAll(to, "X", x)
			shown("GET "+to, x, p.page(to))
		}
		for _, to := range []string{
			"/account/sessions/X/end", "/account/apps/X/withdraw", "/account/passkeys/X/rename", "/account/passkeys/X/remove", "/account/passkeys", "/account/providers/X/link",
			"/account/providers/unlink", "/account/authenticator/confirm", "/account/language", "/account/mail", "/account/mail/confirm",
			"/signout/X/providers/hub/leave", "/signout/X/providers/X/revoke", "/login/X", "/login/hub/signup", "/login/reset", "/login/lock", "/login/forgot",
			"/admin/people/X/end", "/admin/people/X/lock", "/admin/people/X/unlock", "/admin/people/X/disable", "/admin/people/X/enable", "/admin/people/X/delete",
			"/admin/people/X/sessions/X/end", "/admin/apps", "/admin/apps/X", "/admin/apps/X/secret", "/admin/apps/X/secret/end-old", "/admin/apps/X/end", "/admin/apps/X/disable",
			"/admin/apps/X/enable", "/admin/apps/X/delete", "/admin/deliveries/X/resend", "/admin/deliveries/X/give-up", "/admin/keys/X/kill", "/admin/operators", "/admin/operators/X/remove",
		} {
			to = strings.ReplaceAll(to, "X", x)
			form := "csrf=" + csrf + "&reason=odd&confirm=true"
			for _, name := range []string{"identity", "ceremony", "credential", "name", "code", "offer", "language", "at", "email", "token", "step", "username", "who", "client_id", "kind", "role"} {
				form += "&" + name + "=" + x
			}
			shown("POST "+to, x, p.do("POST", to, form, map[string]string{"Content-Type": formType, "Sec-Fetch-Site": "same-origin", "Origin": b.at, "User-Agent": "\xff\xfe<b>"}))
		}
	}
	if p.user() != "boss" {
		t.Error("something was done")
	}
}
