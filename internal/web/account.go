package web

import (
	"strings"
	"time"
)

// AccountNav is the way between the pages of an account; path is where the browser is.
func AccountNav(path string) []Link {
	out := []Link{
		{To: "/account", Text: "Where you are signed in"},
		{To: "/account/apps", Text: "Apps"},
		{To: "/account/activity", Text: "Recent activity"},
		{To: "/account/password", Text: "Password"},
		{To: "/account/authenticator", Text: "Authenticator app"},
		{To: "/account/recovery", Text: "Recovery codes"},
		{To: "/account/close", Text: "Close my account"},
	}
	here := 0 // where nothing longer fits: the acts on sessions
	for i, l := range out {
		if strings.HasPrefix(path, l.To) {
			here = i
		}
	}
	out[here].Here = true
	return out
}

// Sessions is the page of where a person is signed in.
type Sessions struct {
	Header
	Flash, Error string
	Receipt      string // address of the receipt of what Flash tells
	List         SessionList
	Again        bool   // acts on other sessions ask for a new sign-in first
	Nonce        string // of the button for all
	Script       string
}

func (Sessions) template() string  { return "sessions" }
func (p Sessions) header() *Header { return &p.Header }
func (Sessions) policy() string    { return "script-src 'self'; connect-src 'self'" }

// SessionList is the part of the page that is kept up to date while it is open.
type SessionList struct {
	CSRF    string
	Rows    []SessionLine
	Key     string // of this page; "" for the first
	More    string // the key of the next page
	Further bool   // this is not the first page
	Alone   bool   // there is no other
	Tag     string // what it says, in short
}

// SessionLine is one session in the list.
type SessionLine struct {
	Ref, Agent, IP, Place string
	Current, Stay         bool
	First, Last           time.Time
	Methods               []string // how signed in
	Apps                  []string
}

// Apps is the page of what apps may do.
type Apps struct {
	Header
	Flash, Error string
	Receipt      string
	Rows         []AppLine
	Again        bool
	Nonce        string
}

func (Apps) template() string  { return "apps" }
func (p Apps) header() *Header { return &p.Header }

// AppLine is one app.
type AppLine struct {
	ID, Name, URI string
	Allows        []string // sentences
	Since         time.Time
	Offline       bool
	Ours          bool // belongs to this site: nobody was asked
}

// Activity is the page of what happened.
type Activity struct {
	Header
	Rows    []ActivityLine
	More    string
	Further bool
}

func (Activity) template() string  { return "activity" }
func (p Activity) header() *Header { return &p.Header }

// ActivityLine is one thing that happened.
type ActivityLine struct {
	What, By  string // sentences
	Agent, IP string
	App       string
	Name      string // of what it is about, such as a passkey's
	Left      string // how many more of these there were
	Methods   []string
	At        time.Time
	Receipt   string // address
	Bad       bool   // worth a second look
}

// Password changes the password.
type Password struct {
	Header
	Username, Error, Nonce string
}

func (Password) template() string  { return "password" }
func (p Password) header() *Header { return &p.Header }

// Close says what closing the account means, and does it.
type Close struct {
	Header
	Username, Error, Nonce string
	Again                  bool
}

func (Close) template() string  { return "close" }
func (p Close) header() *Header { return &p.Header }

// Allows says what scopes allow, to follow "may" or "to".
func Allows(scopes []string) []string {
	var out []string
	for _, scope := range scopes {
		switch scope {
		case "openid":
			out = append(out, "know that you are you")
		case "profile":
			out = append(out, "see your name and username")
		case "email":
			out = append(out, "see your mail address")
		case "offline_access":
			out = append(out, "act for you while you are away, also after you sign out here")
		case "account.signout":
			out = append(out, "see where you are signed in and sign you out")
		default:
			out = append(out, "use “"+scope+"”")
		}
	}
	return out
}

// Methods says how somebody signed in (amr values, RFC 8176).
func Methods(amr []string) []string {
	var out []string
	for _, m := range amr {
		switch m {
		case "pwd":
			out = append(out, "password")
		case "otp":
			out = append(out, "code from an app")
		case "hwk", "swk", "pop":
			out = append(out, "passkey")
		case "recovery":
			out = append(out, "recovery code")
		case "fed":
			out = append(out, "another provider")
		}
	}
	return out
}
