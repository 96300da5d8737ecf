package web

import (
	"html/template"
	"time"
)

// Authenticator is the page of the authenticator app.
type Authenticator struct {
	Header
	Flash, Error Words
	On           bool
	Added, Used  time.Time // Used may be zero
	Codes        int       // recovery codes that are left
	Offer        *Offer    // one that is being set up
}

// Offer is what a person puts into the app.
type Offer struct {
	ID, Secret string
	QR         template.URL // a picture in a data: address
	URL        template.URL // otpauth:
}

func (Authenticator) template() string  { return "authenticator" }
func (p Authenticator) header() *Header { return &p.Header }

// Recovery is the page of the recovery codes.
type Recovery struct {
	Header
	Flash Words
	On    bool // there is an authenticator app that they can stand in for
	Left  int
	Codes []string // new ones, shown this once
}

func (Recovery) template() string  { return "recovery" }
func (p Recovery) header() *Header { return &p.Header }
func (p Recovery) once() bool      { return len(p.Codes) > 0 }

// Passkeys is the page of the passkeys.
type Passkeys struct {
	Header
	Flash, Error Words
	Keys         []PasskeyLine
	Passkeys     bool   // browsers give them at this address
	Suggested    string // name of a new one
}

// PasskeyLine is one of them.
type PasskeyLine struct {
	ID, Name    string
	Added, Used time.Time // Used may be zero
	Synced      bool
}

func (Passkeys) template() string  { return "passkeys" }
func (p Passkeys) header() *Header { return &p.Header }

func (p Passkeys) script() string { return "passkey.js" }
func (p Login) script() string    { return "passkey.js" }
func (p Second) script() string   { return "passkey.js" }
