package account

import (
	"strings"

	"exeunt.dev/internal/web"
)

// nav is the way between the pages of an account; path is where the browser is.
func nav(path string) []web.NavItem {
	out := []web.NavItem{
		web.NavItem{Path: "/account", Name: "Where you are signed in"},
		web.NavItem{Path: "/account/apps", Name: "Apps"},
		web.NavItem{Path: "/account/activity", Name: "Recent activity"},
		web.NavItem{Path: "/account/password", Name: "Password"},
		web.NavItem{Path: "/account/passkeys", Name: "Passkeys"},
		web.NavItem{Path: "/account/authenticator", Name: "Authenticator app"},
		web.NavItem{Path: "/account/recovery", Name: "Recovery codes"},
		web.NavItem{Path: "/account/close", Name: "Close my account"},
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
