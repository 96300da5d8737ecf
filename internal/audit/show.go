package audit

import (
	"encoding/hex"
	"time"

	"exeunt.dev/internal/idp"
)

// Line is an event as programs read it.
type Line struct {
	ID      string            `json:"id"`
	Number  uint64            `json:"number,omitempty"` // none: not sealed yet
	Hash    string            `json:"hash,omitempty"`
	Kind    idp.EventKind     `json:"kind"`
	At      string            `json:"at"`
	AtMS    idp.Time          `json:"at_ms"`
	Account idp.AccountID     `json:"sub,omitempty"`
	Actor   idp.Actor         `json:"actor,omitempty"`
	Session string            `json:"session,omitempty"`
	Client  idp.ClientID      `json:"client_id,omitempty"`
	Receipt uint64            `json:"receipt,omitempty"` // its number
	IP      string            `json:"ip,omitempty"`
	Device  string            `json:"user_agent,omitempty"`
	Why     string            `json:"reason,omitempty"`
	Data    map[string]string `json:"data,omitempty"`
}

// Show turns an event into what programs read: all that its hash is made of, and the hash.
func Show(e *idp.Event) Line {
	l := Line{ID: e.ID.String(), Number: e.Number, Kind: e.Kind, At: e.At.Time().UTC().Format(time.RFC3339), AtMS: e.At, Account: e.Account, Actor: e.Actor,
		Session: e.Session, Client: e.Client, Receipt: e.Receipt, IP: e.IP, Device: e.Device, Why: e.Why, Data: e.Data}
	if e.Number > 0 {
		l.Hash = hex.EncodeToString(e.Hash[:])
	}
	return l
}
