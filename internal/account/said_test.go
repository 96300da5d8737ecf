package account

import (
	"strings"
	"testing"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/web"
)

// What a browser calls itself is never shown as it is, and however many there were, the sentence stays short.
func TestOver(t *testing.T) {
	const chrome, firefox = "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36", "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Firefox/140.0"
	of := func(agents ...string) []idp.Session {
		out := []idp.Session{}
		for _, agent := range agents {
			out = append(out, idp.Session{UserAgent: agent})
		}
		return out
	}
	for _, c := range []struct {
		gone []idp.Session
		want string
	}{
		{nil, "All other sessions are over."},
		{of(), "There were no other sessions."},
		{of(firefox), "1 other session was ended: Firefox on Windows."},
		{of(firefox, chrome, chrome), "3 other sessions were ended: Chrome on Linux (2), Firefox on Windows."},
		{of("<script>", ""), "2 other sessions were ended: Unknown device (2)."},
		{of("Firefox/", "Firefox/ Linux", "Firefox/ Windows", "Firefox/ Android", "Chrome/", "Chrome/ Linux", "Chrome/ Android", "curl/"),
			"8 other sessions were ended: Chrome, Chrome on Android, Chrome on Linux, Firefox, Firefox on Android, Firefox on Linux, others."},
	} {
		if got := web.Plain(over(c.gone)); got != c.want {
			t.Errorf("%d sessions: %q, want %q", len(c.gone), got, c.want)
		}
	}
	if got := web.Plain(over(of(strings.Split(strings.Repeat("curl/ ", countAtMost-1)+"curl/", " ")...))); got != "1000 other sessions or more were ended: curl (1000)." {
		t.Error(got)
	}
}
