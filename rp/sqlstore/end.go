package sqlstore

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"exeunt.dev/rp"
)

// End implements rp.Sessions.
func (s *Store) End(ctx context.Context, e rp.Ending) (out rp.Ended, err error) {
	err = s.update(ctx, func(q tx) error {
		out = rp.Ended{} // it may run again
		if e.JTI != "" {
			n, err := q.exec(`INSERT INTO rp_seen (provider, jti, until) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, e.Provider, e.JTI, ms(e.Tombstone))
			if err != nil {
				return err
			}
			if n == 0 {
				out.Replayed = true
				return nil
			}
		}
		if !e.Tombstone.IsZero() {
			if err := bury(q, e); err != nil {
				return err
			}
		}
		ended, err := endSessions(q, e, &out)
		if err != nil {
			return err
		}
		if e.RevokeEnded {
			for _, id := range ended {
				if err := revoke(q, e, e.Provider, &out, `session = ?`, id); err != nil {
					return err
				}
			}
		}
		if e.RevokeUser == "" {
			return nil
		}
		for _, p := range e.Revoke {
			if err := revoke(q, e, p, &out, `person = ?`, e.RevokeUser); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return rp.Ended{}, err
	}
	return out, nil
}

// where is the condition that an ending selects by; "" for an ending that selects nothing.
func where(e rp.Ending) (string, []any) {
	switch {
	case e.Session != (rp.Hash{}):
		return `id = ?`, []any{e.Session[:]}
	case e.User != "":
		return `person = ?`, []any{e.User}
	case e.Provider == "":
		return "", nil
	case e.SID != "" && e.Subject != "":
		return `provider = ? AND (sid = ? OR sid = '' AND subject = ?)`, []any{e.Provider, e.SID, e.Subject}
	case e.SID != "":
		return `provider = ? AND sid = ?`, []any{e.Provider, e.SID}
	case e.Subject != "":
		return `provider = ? AND subject = ?`, []any{e.Provider, e.Subject}
	}
	return "", nil
}

func endSessions(q tx, e rp.Ending, out *rp.Ended) (ids [][]byte, err error) {
	cond, args := where(e)
	if cond == "" {
		return nil, nil
	}
	err = q.rows(func(scan func(...any) error) error {
		var id []byte
		var idle, ends int64
		if err := scan(&id, &idle, &ends); err != nil {
			return err
		}
		ids = append(ids, id)
		if min(idle, ends) > ms(e.Now) { // an expired one had ended already
			out.Sessions++
		}
		return nil
	}, `DELETE FROM rp_session WHERE `+cond+` RETURNING id, idle, ends`, args...)
	return ids, err
}

func bury(q tx, e rp.Ending) error {
	put := func(kind, provider, value string, issued time.Time) error {
		_, err := q.exec(`INSERT INTO rp_ended (kind, provider, value, issued, until) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (kind, provider, value) DO UPDATE SET
			issued = CASE WHEN excluded.issued > rp_ended.issued THEN excluded.issued ELSE rp_ended.issued END,
			until = CASE WHEN excluded.until > rp_ended.until THEN excluded.until ELSE rp_ended.until END`,
			kind, provider, value, ms(issued), ms(e.Tombstone))
		return err
	}
	switch {
	case e.User != "":
		return put("user", "", e.User, e.Now)
	case e.SID != "":
		if err := put("sid", e.Provider, e.SID, e.Issued); err != nil || e.Subject == "" {
			return err
		}
		return put("nosid", e.Provider, e.Subject, e.Issued)
	case e.Subject != "":
		return put("sub", e.Provider, e.Subject, e.Issued)
	}
	return nil
}

// revoke moves the tokens at a provider that a condition selects into duties.
func revoke(q tx, e rp.Ending, p string, out *rp.Ended, cond string, arg any) error {
	var of []rp.Token
	err := q.rows(func(scan func(...any) error) error {
		t := rp.Token{Provider: p}
		var revocable int
		var created int64
		if err := scan(&t.Subject, &t.User, &t.Sealed, &revocable, &created); err != nil {
			return err
		}
		t.Revocable, t.Created = revocable == 1, at(created)
		of = append(of, t)
		return nil
	}, `DELETE FROM rp_token WHERE provider = ? AND `+cond+` RETURNING subject, person, sealed, revocable, created`, p, arg)
	if err != nil {
		return err
	}
	slices.SortFunc(of, func(a, b rp.Token) int { return b.Created.Compare(a.Created) })
	return owe(q, e, p, of, out)
}

// owe writes a duty for each token, or for the newest of each identity if one stands for all.
func owe(q tx, e rp.Ending, p string, newestFirst []rp.Token, out *rp.Ended) error {
	owed := map[string]bool{} // by subject
	for _, t := range newestFirst {
		if !t.Revocable || slices.Contains(e.Whole, p) && owed[t.Subject] {
			continue
		}
		owed[t.Subject] = true
		d := rp.Duty{ID: rand.Text(), Provider: p, Subject: t.Subject, User: t.User, State: rp.Owed, Sealed: t.Sealed, Attempts: 1, Created: e.Now, Next: e.Lease, GiveUp: e.GiveUp}
		_, err := q.exec(`INSERT INTO rp_duty (id, provider, subject, person, state, sealed, attempts, created, next, give_up, why) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			d.ID, d.Provider, d.Subject, d.User, string(d.State), d.Sealed, d.Attempts, ms(d.Created), ms(d.Next), ms(d.GiveUp), "")
		if err != nil {
			return err
		}
		out.Duties = append(out.Duties, d)
	}
	if len(newestFirst) > 0 && len(owed) == 0 {
		out.Dropped = append(out.Dropped, p)
	}
	return nil
}
