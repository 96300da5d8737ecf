package operate

import (
	"errors"
	"slices"
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
	Expires   time.Time      `json:"expires_at"`
	Methods   []string       `json:"methods"`
	Providers []string       `json:"providers,omitempty"` // ids of those through which
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
	if len(rows) == p.Limit {
		next = rows[len(rows)-1].PageKey()
	}
	rows = slices.DeleteFunc(rows, func(s idp.Session) bool { return s.Expired(now) })
	out, err = show(v, rows)
	return out, next, err
}

func show(v idp.View, rows []idp.Session) ([]Session, error) {
	out := []Session{}
	apps, err := v.AppsIn(rows)
	if err != nil {
		return nil, err
	}
	through, err := v.Through(rows)
	for i := range rows {
		out = append(out, showOne(&rows[i], apps, through))
	}
	return out, err
}

func showOne(s *idp.Session, apps map[idp.Name][]idp.AppName, through map[idp.Name][]string) Session {
	out := Session{Providers: through[s.Name], ID: s.Ref, UserAgent: s.UserAgent, IP: s.LastIP, Created: s.CreatedAt.Time(), LastSeen: s.LastSeen.Time(), AuthTime: s.AuthTime.Time(), Expires: s.ExpiresAt.Time(), Methods: s.Methods, Apps: []idp.ClientID{}}
	for _, a := range apps[s.Name] {
		out.Apps = append(out.Apps, a.ID)
	}
	return out
}

// OneSession reads a session of a person by its id. idp.ErrNotFound: the person has none of that id that is alive.
func OneSession(v idp.View, id idp.AccountID, ref string, now idp.Time) (out Session, err error) {
	s, err := v.SessionByRef(id, ref)
	if err != nil {
		return out, err
	}
	if err := idp.Live(v, s.Names()...); errors.Is(err, idp.ErrEnded) || s.Expired(now) {
		return out, idp.ErrNotFound
	} else if err != nil {
		return out, err
	}
	all, err := show(v, []idp.Session{s})
	if err != nil {
		return out, err
	}
	return all[0], nil
}

// EndSession ends one session of a person. idp.ErrNotFound: the person has none of that name.
func EndSession(tx idp.Tx, id idp.AccountID, ref string, by By) (idp.Receipt, error) {
	s, err := tx.SessionByRef(id, ref)
	if err != nil {
		return idp.Receipt{}, err
	}
	return door.EndIn(tx, idp.EndSession(s.Name), by.cause(idp.CauseSessionEnded))
}
