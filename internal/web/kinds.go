package web

import (
	"net/url"
	"strings"
	"time"
)

// Login asks for username and password.
type Login struct {
	Action, Pending, CSRF string
	Again                 string // the page of ours that wants a recent sign-in
	App                   string // the app that asked; "" for the account pages
	Username              string
	Fixed                 bool // who is signed in proves it again
	NoPassword            bool // there is none to prove it by
	Letters               bool // a forgotten one can be set anew by a letter
	Passkeys              bool // browsers give them at this address
	Error                 Words
	Stay                  bool
	Providers             []ProviderButton
}

func (Login) template() string  { return "login" }
func (p Login) address() string { return login("pending", p.Pending, "again", p.Again) }

// login is the address of the sign-in with these parameters, without those that are empty.
func login(pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	return "/login?" + v.Encode()
}

// Second asks for the second factor.
type Second struct {
	Action, Pending, Step, Again, CSRF string
	App                                string
	Restart                            string // where a sign-in begins anew
	Passkeys                           bool
	Error                              Words
}

func (Second) template() string { return "second" }
func (p Second) address() string {
	return login("pending", p.Pending, "step", p.Step, "again", p.Again)
}

// Choose asks whether to go on as who is signed in, or consents to an app, or both.
type Choose struct {
	Action, Pending, CSRF string
	App, Who              string
	Shown                 string  // what this page asks of whom; comes back with the answer
	Scopes                []Words // sentences; empty: no consent is asked for
}

func (Choose) template() string { return "choose" }

// Ask asks before a sign-out.
type Ask struct {
	Action, Pending, CSRF, Nonce string
	Who                          string
	Account                      string // whom Who names; comes back with the answer
	App                          string // "this app only" is offered
}

func (Ask) template() string  { return "ask" }
func (Ask) bare()             {}
func (p Ask) address() string { return "/logout?" + url.Values{"pending": {p.Pending}}.Encode() }

// Message says something, with at most one link.
type Message struct {
	Title, Text    Words
	Link, LinkText string
	Detail         Words // for whoever made the link, in small print
	RequestID      string
	SignOut        bool // offers the way out
}

func (Message) template() string { return "message" }

// NoReceipt says that there is none, or none any more, for whoever asks.
func NoReceipt() Message {
	return Message{Title: "No such receipt", Text: "Without signing in it can be read for 15 minutes, in the browser that signed out or by the address that a program was given. Sign in and look at your account.", Link: "/login", LinkText: "Sign in"}
}

// address is where the page leads: what it says is said once.
func (m Message) address() string {
	if strings.HasPrefix(m.Link, "/") {
		return m.Link
	}
	return ""
}

// Receipt shows what one sign-out ended, reached and still owes.
type Receipt struct {
	What, Ended Words
	At, APIs    time.Time // when; until when an API that does not follow may go on
	Working     bool
	Told, All   int64 // confirmed, of the apps' sign-ins that can be told; while some are owed
	Apps        []ReceiptLine
	Offline     []string // access that stays
	Since       []string // access that stayed, and has ended since
	EndOffline  string   // where the form that ends it goes; "": not from here
	CSRF        string
	Signed      string // address of the signed copy
	Own         bool   // the page follows the sign-out at once
	Back        string
	Providers   []ProviderLayer
}

// ReceiptLine is one app.
type ReceiptLine struct {
	Name, State string
	Said        Words
}

func (Receipt) template() string { return "receipt" }

// FormPost hands an authorization response over by a form (OAuth 2.0 Form Post Response Mode). Without script the
// person presses the button.
type FormPost struct {
	Action string
	Fields [][2]string
}

func (FormPost) template() string { return "formpost" }
func (FormPost) bare()            {}

// The one form that leaves: to a registered address, and on to where the app leads. A loopback address is http.
func (FormPost) formTargets() string { return "https: http:" }
