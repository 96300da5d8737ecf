package logout

import "net/http"

// checkSession is the frame by which apps see that somebody signed in or out. It is behind a setting: most browsers keep its cookie
// away from it, unless the app is on the same site.
func (l *Logout) checkSession(w http.ResponseWriter, _ *http.Request) {
	l.Pages.CheckSession(w, l.Browser.StateCookie())
}
