package web

import (
	"net/url"
	"time"
)

// Forgot asks who has forgotten the password, and says that a letter may be on its way.
type Forgot struct {
	CSRF  string
	On    bool // letters can be sent
	Asked bool
}

func (Forgot) template() string { return "forgot" }

// Reset asks for a new password, from a link in a letter.
type Reset struct {
	CSRF, Token, Username string
	Error                 Words
}

func (Reset) template() string  { return "reset" }
func (p Reset) address() string { return "/login/reset?" + url.Values{"token": {p.Token}}.Encode() }

// ResetDone says what a new password has ended.
type ResetDone struct {
	Devices []string
	More    int
	Receipt string // "": there is none to be shown here
}

func (ResetDone) template() string { return "resetdone" }

// Lock asks what has happened, before it locks the account.
type Lock struct {
	Header
	Nonce  string
	ByMail bool // a new password can be set by a letter
}

func (Lock) template() string  { return "lock" }
func (p Lock) header() *Header { return &p.Header }

// LockLink asks before a link in a letter locks the account.
type LockLink struct {
	CSRF, Token, Username string
	Moved                 bool // the account has another address by now
}

func (LockLink) template() string { return "locklink" }

// Locked says what a lock means. Kind is lost-device, password-known or operator; "": this browser may not know.
type Locked struct {
	Kind      string
	At, Opens time.Time
	Receipt   string
	ByMail    bool
}

func (Locked) template() string { return "locked" }

// MailAddress shows the mail address and takes another.
type MailAddress struct {
	Header
	Email        string
	Verified, On bool
	Flash, Error Words
}

func (MailAddress) template() string  { return "mailaddress" }
func (p MailAddress) header() *Header { return &p.Header }

// Confirm asks before a mail address becomes the account's.
type Confirm struct {
	Header
	Token, Email string
}

func (Confirm) template() string  { return "confirm" }
func (p Confirm) header() *Header { return &p.Header }

// Review asks which older credentials are to be kept, after an account was recovered.
type Review struct {
	Header
	Lines []ReviewLine
}

// ReviewLine is one credential. Kind is passkey, totp, recovery or provider.
type ReviewLine struct {
	ID, Kind, Name, IP string
	Added              time.Time
}

func (Review) template() string  { return "review" }
func (p Review) header() *Header { return &p.Header }
