package idp

import (
	"crypto/subtle"

	"exeunt.dev/ledger"
)

// What says which kind of thing a name belongs to. It stays in the table and never reaches a guard.
type What string

// Things that can end.
const (
	WhatRealm   What = "realm"
	WhatAccount What = "account" // an account's epoch
	WhatSession What = "session"
	WhatClient  What = "client"  // a client's epoch
	WhatConsent What = "consent" // a consent's epoch
	WhatGrant   What = "grant"
	WhatFamily  What = "family"
	WhatToken   What = "token"
	WhatKey     What = "key"
)

// Ending is a name that is over. An ending is an insert, never an update.
type Ending struct {
	Name    Name
	What    What
	Receipt ReceiptID
	Until   Until

	// Set by the store at commit.
	Number uint64
	At     Time
	Held   Time // until when guards hold it: no token that hangs on it lives longer; 0: without end
}

// Until says how long guards must hold an ending.
type Until int

// Kinds of until.
const (
	UntilLifeCap Until = iota // ledger time of the ending + life_cap: no token outlives it
	UntilForever              // a killed key: its thief can mint any exp
	UntilNow                  // expiry at the session's absolute end, which no exp passes
)

// ReceiptID names one sign-out's receipt: 22 base64url characters that nobody can guess, so that no receipt is found by
// trying, and then the 16 of a name that it ended, by which a store finds it without an index of its own: an index of
// random values is a page to be written with nearly every ending.
type ReceiptID string

// NewReceiptID makes the id of a receipt that ends the name.
func NewReceiptID(ended Name) ReceiptID { return ReceiptID(NewSecret(16) + ended.String()) }

const receiptSecret = 22

// Ended is the name that the receipt ended; false: this is no receipt's id.
func (r ReceiptID) Ended() (n Name, ok bool) {
	if len(r) < receiptSecret {
		return Name{}, false
	}
	n, err := ledger.ParseName(string(r[receiptSecret:]))
	return n, err == nil
}

// Is compares in constant time.
func (r ReceiptID) Is(other ReceiptID) bool {
	return subtle.ConstantTimeCompare([]byte(r), []byte(other)) == 1
}

// Receipt is one act at the door: the duty to tell everybody (the fan-out) committed with the endings, and the
// root of the view that a person sees. What it ended are the endings that name it.
type Receipt struct {
	ID       ReceiptID
	Request  Hash // identity of the request, if a retry is to find this receipt by it; zero if there is none
	Cause    CauseKind
	Actor    Actor
	Reason   string // an operator's words; at most 200 bytes
	Selector SelectorKind
	Account  AccountID // whose; empty for realm, client and key
	Client   ClientID
	Session  Name // the acting or named session
	At       Time // set by the store at commit
	ToldAt   Time // 0: fan-out still owed; else when it was done, or NobodyToTell

	Number uint64 // of its first ending; set by the store
}

// NobodyToTell stands where a receipt's fan-out would be due: no app is told of the end of a token, a family or a key.
const NobodyToTell Time = 1

// Head is how far the ledger has come, read from the counter row.
type Head = ledger.Head

// Entry is a numbered ending as guards see it.
type Entry = ledger.Entry

// News are entries that somebody has committed, from the number First on. Without entries they say only that there may be some.
type News struct {
	Lineage ledger.Lineage
	First   uint64
	Time    Time
	Entries []Entry
}
