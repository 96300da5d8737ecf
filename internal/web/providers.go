package web

import (
	"net/url"
	"time"
)

// ProviderButton is a way in through a provider.
type ProviderButton struct {
	ID, Title string
	Proves    bool // it can say when it has asked who somebody is
}

// SignUp asks a newcomer from a provider for a username.
type SignUp struct {
	Action, Step, CSRF   string
	Provider, Name, Mail string // as the provider calls itself and the person
	Username             string
	Error                Words
}

func (SignUp) template() string  { return "signup" }
func (p SignUp) address() string { return p.Action + "?" + url.Values{"step": {p.Step}}.Encode() }

// Providers is the page of the ways in through providers.
type Providers struct {
	Header
	Flash, Error Words
	Recent       bool // signed in so recently that ways in may be changed
	Confirm      string
	Linked       []ProviderLine
	Others       []ProviderButton
}

// ProviderLine is somebody at a provider, linked.
type ProviderLine struct {
	Ref, Title, Name, Mail string
	Added, Used            time.Time
	Gone                   bool // the provider is not configured any more
}

func (Providers) template() string  { return "providers" }
func (p Providers) header() *Header { return &p.Header }

// ProviderLayer is what a sign-out has left at a provider.
type ProviderLayer struct {
	ID, Title    string
	Leave        string // where the form goes that leads to its sign-out; "": not from here
	LeaveByHand  string
	Left         bool   // it has sent the browser back from there
	Forget       string // where the form goes that takes the consent back; "": not from here
	ForgetByHand string
	Consent      string    // state of taking it back: owed, confirmed, refused, out-of-time; "": not asked for
	Again        time.Time // of the next attempt
	Whole        bool      // that call takes the consent itself back; else it ends the tokens that are held here (RFC 7009)
	Only         bool      // nothing but the consent is to be said
}

// ConsentSaid puts the state of a revocation into words.
func (l ProviderLayer) ConsentSaid() Words {
	switch {
	case l.Consent == "confirmed" && l.Whole:
		return Say("%s has forgotten what you allowed.", l.Title)
	case l.Consent == "confirmed":
		return Say("%s has ended the access that this site had. It may remember that you allowed it.", l.Title)
	case l.Consent == "owed" && l.Whole:
		return Say("%s has not yet confirmed that it forgot what you allowed. We keep asking.", l.Title)
	case l.Consent == "owed":
		return Say("%s has not yet confirmed that it ended the access that this site had. We keep asking.", l.Title)
	case l.Consent == "":
		return nil
	}
	return Say("%s did not take back what you allowed. You can do it there.", l.Title)
}
