package idp

import (
	"strconv"
	"time"
)

// Session is one browser or device signed in to Exeunt: the SSO session.
type Session struct {
	Name    Name   // leaves Exeunt only inside ends_with
	Ref     string // what pages and the API call it: 16 base64url characters
	Account AccountID

	// Roots: the realm and account epoch it was born under, or was re-rooted to. Only birth and re-root write them.
	Realm Name
	Epoch Name

	Cookie     Hash // zero for a device that signed in without a browser (authorization challenge)
	Persistent bool // the cookie outlives the browser's closing, because the person asked for it
	CreatedAt  Time
	AuthTime   Time // when the person last proved who they are
	ExpiresAt  Time // absolute end
	Idle       time.Duration
	Methods    []string // amr values, RFC 8176: pwd, ...
	UserAgent  string   // at most 256 bytes
	IP         string

	LastSeen Time // from the table apart, coarse (a minute)
	LastIP   string
}

// MethodSilent stands beside the provider's method in a session of somebody whom the provider has let in without saying when it had asked
// who it is, and who could have shown it by a password or a passkey: such a sign-in is not recent, whenever it was.
const MethodSilent = "sso"

// Silent says that nobody knows when the person last proved who they are. A second factor behind the provider does prove it.
func (s *Session) Silent() bool {
	return len(s.Methods) > 0 && s.Methods[len(s.Methods)-1] == MethodSilent
}

// Names of what the session hangs on, itself included.
func (s *Session) Names() Names { return NamesOf(s.Realm, s.Epoch, s.Name) }

// Expired is true at read time, whatever a sweep has done yet.
func (s *Session) Expired(now Time) bool {
	return now >= s.ExpiresAt || (s.Idle > 0 && now >= s.LastSeen.Add(s.Idle))
}

// Slot is the row (session, client): the newest grant of an app in a session, and the mark "must ask a human",
// which only a same-origin human act clears.
type Slot struct {
	Session Name
	Client  ClientID
	Grant   Name
	MustAsk bool
}

// PageKey is the Page.After that continues a list of sessions behind this one. It does not hold the name, which does not
// leave Exeunt.
func (s *Session) PageKey() string { return strconv.FormatInt(int64(s.CreatedAt), 10) + "." + s.Ref }
