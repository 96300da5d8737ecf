package operate

import (
	"errors"
	"time"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
)

// Session is one as operators see it.
type Session struct {
	ID        string         `json:"id"`
	UserAgent string         `json:"user_agent"`
	IP        string         `json:"ip"`
	Created   time.Time      `json:"created_at"`
	LastSeen  time.Time      `json:"last_seen_at"`
	AuthTime  time.Time      `json:"auth_time"`
	Methods   []string       `json:"methods"`
	Apps      []idp.ClientID `json:"apps"`
}

// Sessions lists the live sessions of a person, the newest first, and gives the key of the page behind.
func Sessions(v idp.View, id idp.AccountID, now idp.Time, p idp.Page) (out []Session, next string, err error) {
	out = []Session{}
	e, err := v.Epochs(id, "")
	if err != nil || e.Account.IsZero() {
		return out, "", err
	}
	rows, err := v.Sessions(id, e.Realm, e.Account, p)
	if err != nil {
		return nil, "", err
	}
	for _, s := range rows {
		if s.Expired(now) {
			continue
		}
		one := Session{ID: s.Ref, UserAgent: s.UserAgent, IP: s.LastIP, Created: s.CreatedAt.Time(), LastSeen: s.LastSeen.Time(), AuthTime: s.AuthTime.Time(), Methods: s.Methods, Apps: []idp.ClientID{}}
		if one.Apps, err = appsOf(v, s.Name); err != nil {
			return nil, "", err
		}
		out = append(out, one)
	}
	if len(rows) == p.Limit {
		next = rows[len(rows)-1].PageKey()
	}
	return out, next, nil
}

func appsOf(v idp.View, session idp.Name) ([]idp.ClientID, error) {
	out := []idp.ClientID{}
	slots, err := v.Slots(session)
	if err != nil {
		return nil, err
	}
	for _, slot := range slots {
		if slot.Grant.IsZero() {
			continue
		}
		switch err := idp.Live(v, slot.Grant); {
		case err == nil:
			out = append(out, slot.Client)
		case !errors.Is(err, idp.ErrEnded):
			return nil, err
		}
	}
	return out, nil
}

// EndSession ends one session of a person. idp.ErrNotFound: the person has none of that name.
func EndSession(tx idp.Tx, id idp.AccountID, ref string, by By) (idp.Receipt, error) {
	s, err := tx.SessionByRef(id, ref)
	if err != nil {
		return idp.Receipt{}, err
	}
	return door.EndIn(tx, idp.EndSession(s.Name), by.cause(idp.CauseSessionEnded))
}
