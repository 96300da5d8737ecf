// Package receipt reads what one sign-out ended, reached and still owes: a view over rows, made anew each time it is asked for.
//
// It rests on idp.View. It holds no names that could be used anywhere, no addresses and no people's names: whoever has the receipt's
// address for a while may read it. It refuses to know about pages; rooms, commands and the operator's API show what it reads.
package receipt

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"exeunt.dev/internal/idp"
)

// Sheet is a receipt as programs see it.
type Sheet struct {
	Number   uint64        `json:"number"` // in the ledger
	Cause    idp.CauseKind `json:"cause"`
	EndedAt  time.Time     `json:"ended_at"`
	Ended    int           `json:"ended"`            // names that are over
	Sessions int64         `json:"sessions"`         // up to 10,000
	Families int64         `json:"refresh_families"` // sign-ins of apps that can be refreshed no more, up to 10,000
	Working  bool          `json:"working"`          // whom to tell is still being worked out
	Owed     int64         `json:"owed"`             // apps' sign-ins that are still to be told
	Apps     []App         `json:"apps"`
	Offline  []Offline     `json:"offline,omitempty"`             // access that apps keep while the person is away
	Since    []Offline     `json:"offline_ended_since,omitempty"` // access that they kept, which has ended later
	Consents []Consent     `json:"consents,omitempty"`            // that are taken back at providers
	APIs     time.Time     `json:"other_apis_until"`              // until when, at the latest, an API that verifies tokens alone may accept one
	As       time.Time     `json:"as_of"`
}

// App is what became of telling one app, as far as it is in one state.
type App struct {
	ClientID  idp.ClientID      `json:"client_id"`
	Name      string            `json:"name"`
	State     idp.DeliveryState `json:"state"`
	SignIns   int64             `json:"sign_ins"`               // of this app that ended
	Confirmed *time.Time        `json:"confirmed_at,omitempty"` // the last of them
	Next      *time.Time        `json:"next_attempt_at,omitempty"`
	Attempts  int               `json:"attempts,omitempty"`
	Failed    bool              `json:"failed,omitempty"`             // an attempt has
	Why       string            `json:"why,omitempty"`                // for operators
	InBrowser bool              `json:"front_channel_only,omitempty"` // why it cannot be told
	Asked     bool              `json:"asked_in_browser,omitempty"`   // by a frame in the browser that signed out and that asks now; whether it heard nobody knows
	Public    bool              `json:"-"`                            // an app that keeps tokens and no cookie
}

// Consent is what becomes of taking back what a person allowed at a provider.
type Consent struct {
	Provider string            `json:"provider"`
	State    idp.DeliveryState `json:"state"`
	Settled  *time.Time        `json:"settled_at,omitempty"`
	Next     *time.Time        `json:"next_attempt_at,omitempty"`
	Attempts int               `json:"attempts,omitempty"`
	ID       string            `json:"id,omitempty"`  // for operators
	Why      string            `json:"why,omitempty"` // for operators
}

// Asking says that a consent is still to be taken back.
func (s *Sheet) Asking() bool {
	return slices.ContainsFunc(s.Consents, func(c Consent) bool { return c.State == idp.Owed })
}

// Offline is access that a sign-out leaves.
type Offline struct {
	ClientID idp.ClientID `json:"client_id"`
	Name     string       `json:"name"`
}

// Read reads the sheet of a receipt at ledger time now. With detail it says why attempts failed, which only operators may see: it
// names hosts.
func Read(v idp.View, row *idp.Receipt, now idp.Time, detail bool) (Sheet, error) {
	out := Sheet{Number: row.Number, Cause: row.Cause, EndedAt: row.At.Time(), Working: row.ToldAt == 0, Apps: []App{}, As: now.Time()}
	endings, err := v.EndingsOf(row.ID)
	if err != nil {
		return out, err
	}
	out.Ended = len(endings)
	if out.Sessions, out.Families, err = v.Reached(*row); err != nil {
		return out, err
	}
	if out.APIs, err = alone(v, row, endings); err != nil {
		return out, err
	}
	told, err := v.ToldOf(row.Number)
	if err != nil {
		return out, err
	}
	for _, t := range told {
		c, err := client(v, t.Client)
		if err != nil {
			return out, err
		}
		a := App{ClientID: t.Client, Name: c.Name, State: t.State, SignIns: t.Count, Attempts: t.Attempts, Public: c.Kind == idp.KindNative || c.Kind == idp.KindBrowser,
			InBrowser: t.State == idp.Unreachable && c.FrontchannelLogoutURI != "" && c.BackchannelLogoutURI == ""}
		if detail {
			a.Why = t.Error
		}
		switch t.State {
		case idp.Confirmed:
			a.Confirmed = idp.At(t.Last)
		case idp.Owed:
			a.Next, a.Failed = idp.At(t.Due), t.Attempts > 1 || t.Error != ""
			out.Owed += t.Count
		}
		out.Apps = append(out.Apps, a)
	}
	slices.SortFunc(out.Apps, func(a, b App) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.State, b.State)) })
	duties, err := v.RevocationsOf(row.ID)
	if err != nil {
		return out, err
	}
	for _, d := range duties {
		c := Consent{Provider: d.Provider, State: d.State, Settled: idp.At(d.SettledAt), Next: idp.At(d.Due), Attempts: d.Attempts}
		if detail {
			c.ID, c.Why = d.ID.String(), d.Error
		}
		out.Consents = append(out.Consents, c)
	}
	kept, since, err := offline(v, row, endings)
	if err != nil {
		return out, err
	}
	if out.Offline, err = appsOf(v, kept); err == nil {
		out.Since, err = appsOf(v, since)
	}
	return out, err
}

// alone is until when an API that verifies tokens alone may accept one that is over.
func alone(v idp.View, row *idp.Receipt, endings []idp.Ending) (time.Time, error) {
	last := row.At
	for _, e := range endings {
		until := e.Held
		if e.Until == idp.UntilForever { // held for what its thief may mint; what was minted here is over before
			holds, err := v.Holds(row.At)
			if err != nil {
				return time.Time{}, err
			}
			until = row.At.Add(holds)
		}
		last = max(last, until)
	}
	return last.Time(), nil
}

// appsOf names each app of grants once.
func appsOf(v idp.View, grants []idp.Grant) (out []Offline, err error) {
	for _, g := range grants {
		if slices.ContainsFunc(out, func(o Offline) bool { return o.ClientID == g.Client }) {
			continue
		}
		c, err := client(v, g.Client)
		if err != nil {
			return nil, err
		}
		out = append(out, Offline{g.Client, c.Name})
	}
	return out, nil
}

// client has the name that people read; of an app whose row is gone it is all that there is, its id.
func client(v idp.View, id idp.ClientID) (idp.Client, error) {
	c, err := v.Client(id)
	if errors.Is(err, idp.ErrNotFound) {
		c, err = idp.Client{}, nil
	}
	c.Name = cmp.Or(c.Name, string(id))
	return c, err
}

// Kept are the live offline grants that a receipt lists: its person's, made in the sessions that ended. Those may be gone.
func Kept(v idp.View, row *idp.Receipt) ([]idp.Grant, error) {
	endings, err := v.EndingsOf(row.ID)
	if err != nil {
		return nil, err
	}
	kept, _, err := offline(v, row, endings)
	return kept, err
}

// offline are the grants that outlived a sign-out: those that live, and those that have ended since.
func offline(v idp.View, row *idp.Receipt, endings []idp.Ending) (kept, since []idp.Grant, err error) {
	if row.Selector != idp.SelectSession && row.Selector != idp.SelectUpstream {
		return nil, nil, nil
	}
	for _, e := range endings {
		if e.What != idp.WhatSession {
			continue
		}
		from, err := v.OfflineFrom(e.Name, "")
		if err != nil {
			return nil, nil, err
		}
		for _, g := range from {
			// A provider's word may end sessions of two accounts, where a link has moved: the receipt is one person's.
			if g.RedeemedAt == 0 || g.Account != row.Account {
				continue
			}
			over, err := v.Ended(g.Names(nil)...)
			if err != nil {
				return nil, nil, err
			}
			if len(over) == 0 {
				kept = append(kept, g)
				continue
			}
			later, err := laterThan(v, row, over)
			if err != nil {
				return nil, nil, err
			}
			if later {
				since = append(since, g)
			}
		}
	}
	return kept, since, nil
}

// laterThan says that none of the names ended with a receipt, or before it.
func laterThan(v idp.View, row *idp.Receipt, over []idp.Name) (bool, error) {
	for _, n := range over {
		r, err := v.ReceiptOfEnding(n)
		if err != nil || r.Number <= row.Number {
			return false, err
		}
	}
	return true, nil
}
