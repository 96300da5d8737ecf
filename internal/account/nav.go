package account

import (
	"slices"
	"strings"

	"exeunt.dev/internal/web"
)

// Nav is the way between the pages of an account, by where the browser is. through says that people may sign in through providers.
func Nav(through bool) func(path string) []web.NavItem {
	return func(path string) []web.NavItem { return nav(path, through) }
}

func nav(path string, through bool) []web.NavItem {
	out := []web.NavItem{
		web.NavItem{Path: "/account", Name: "Where you are signed in"},
		web.NavItem{Path: "/account/apps", Name: "Apps"},
		web.NavItem{Path: "/account/activity", Name: "Recent activity"},
		web.NavItem{Path: "/account/password", Name: "Password"},
		web.NavItem{Path: "/account/passkeys", Name: "Passkeys"},
		web.NavItem{Path: "/account/authenticator", Name: "Authenticator app"},
		web.NavItem{Path: "/account/recovery", Name: "Recovery codes"},
		web.NavItem{Path: "/account/mail", Name: "Mail address"},
		web.NavItem{Path: "/account/lock", Name: "Emergency lock"},
		web.NavItem{Path: "/account/close", Name: "Close my account"},
	}
	if through {
		out = slices.Insert(out, len(out)-1, web.NavItem{Path: "/account/providers", Name: "Sign-in through others"})
	}
	here := 0 // the acts on sessions lead back there
	for i, n := range out {
		if strings.HasPrefix(path, n.Path) {
			here = i
		}
	}
	out[here].Here = true
	return out
}
