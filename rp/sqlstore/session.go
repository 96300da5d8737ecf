package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"exeunt.dev/rp"
)

// none makes "no rows" ErrNone.
func none(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return rp.ErrNone
	}
	return err
}

// some makes "no row was touched" ErrNone.
func some(n int, err error) error {
	if err == nil && n == 0 {
		return rp.ErrNone
	}
	return err
}

// PutAttempt implements rp.Attempts.
func (s *Store) PutAttempt(ctx context.Context, a rp.Attempt) error {
	return s.one(ctx, func(q tx) error {
		_, err := q.exec(`INSERT INTO rp_attempt (state, browser, provider, sealed, posted, expires) VALUES (?, ?, ?, ?, ?, ?)`,
			a.State[:], a.Browser[:], a.Provider, a.Sealed, a.Posted, ms(a.Expires))
		return err
	})
}

// TrimAttempts implements rp.Attempts.
func (s *Store) TrimAttempts(ctx context.Context, most int) error {
	return s.one(ctx, func(q tx) error {
		_, err := q.exec(`DELETE FROM rp_attempt WHERE provider <> '' AND expires <=
			(SELECT expires FROM rp_attempt WHERE provider <> '' ORDER BY expires DESC LIMIT 1 OFFSET ?)`, most)
		return err
	})
}

// PostAttempt implements rp.Attempts.
func (s *Store) PostAttempt(ctx context.Context, state rp.Hash, posted []byte, now time.Time) error {
	return s.one(ctx, func(q tx) error {
		return some(q.exec(`UPDATE rp_attempt SET posted = ? WHERE state = ? AND posted IS NULL AND expires > ?`, posted, state[:], ms(now)))
	})
}

// TakeAttempt implements rp.Attempts.
func (s *Store) TakeAttempt(ctx context.Context, state, browser rp.Hash, now time.Time) (a rp.Attempt, err error) {
	a = rp.Attempt{State: state, Browser: browser}
	err = s.one(ctx, func(q tx) error {
		var expires int64
		err := q.row(`DELETE FROM rp_attempt WHERE state = ? AND browser = ? AND expires > ? RETURNING provider, sealed, posted, expires`,
			state[:], browser[:], ms(now)).Scan(&a.Provider, &a.Sealed, &a.Posted, &expires)
		a.Expires = at(expires)
		return none(err)
	})
	return a, err
}

// CreateSession implements rp.Sessions.
func (s *Store) CreateSession(ctx context.Context, n rp.Session, replaced rp.Hash, t *rp.Token) error {
	return s.update(ctx, func(q tx) error {
		if err := overtaken(q, n); err != nil {
			return err
		}
		if _, err := q.exec(`DELETE FROM rp_session WHERE id = ?`, replaced[:]); err != nil {
			return err
		}
		_, err := q.exec(`INSERT INTO rp_session (id, person, signed, begun, created, idle, ends, provider, subject, sid, issued, sealed)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			n.ID[:], n.User, ms(n.Signed), ms(n.Begun), ms(n.Created), ms(n.Idle), ms(n.Ends), n.Provider, n.Subject, n.SID, ms(n.Issued), n.Sealed)
		if err != nil || t == nil {
			return err
		}
		_, err = q.exec(`DELETE FROM rp_token WHERE provider = ? AND subject = ?
			AND NOT EXISTS (SELECT 1 FROM rp_session s WHERE s.id = rp_token.session AND s.idle > ? AND s.ends > ?)`,
			t.Provider, t.Subject, ms(n.Created), ms(n.Created))
		if err != nil {
			return err
		}
		return keep(q, *t)
	})
}

// overtaken looks for a tombstone. Reading what is not there is remembered by a serializable transaction, too.
func overtaken(q tx, n rp.Session) error {
	buried := func(kind, provider, value string, issued time.Time) (bool, error) {
		var one int
		err := q.row(`SELECT 1 FROM rp_ended WHERE kind = ? AND provider = ? AND value = ? AND issued >= ?`, kind, provider, value, ms(issued)).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return false, nil
		}
		return err == nil, err
	}
	ask := []struct {
		kind, provider, value string
		issued                time.Time
	}{{"user", "", n.User, n.Begun}}
	if n.Provider != "" {
		kind, value := "sid", n.SID
		if n.SID == "" {
			kind, value = "nosid", n.Subject
		}
		ask = append(ask, ask[0], ask[0])
		ask[1].kind, ask[1].provider, ask[1].value, ask[1].issued = "sub", n.Provider, n.Subject, n.Issued
		ask[2].kind, ask[2].provider, ask[2].value, ask[2].issued = kind, n.Provider, value, n.Issued.Add(-rp.SIDLeeway)
	}
	for _, a := range ask {
		found, err := buried(a.kind, a.provider, a.value, a.issued)
		if err != nil {
			return err
		}
		if found {
			return rp.ErrOvertaken
		}
	}
	return nil
}

// FindSession implements rp.Sessions.
func (s *Store) FindSession(ctx context.Context, id rp.Hash, now time.Time) (n rp.Session, err error) {
	n.ID = id
	err = s.one(ctx, func(q tx) error {
		var signed, begun, created, idle, ends, issued int64
		err := q.row(`SELECT person, signed, begun, created, idle, ends, provider, subject, sid, issued, sealed FROM rp_session
			WHERE id = ? AND idle > ? AND ends > ?`, id[:], ms(now), ms(now)).
			Scan(&n.User, &signed, &begun, &created, &idle, &ends, &n.Provider, &n.Subject, &n.SID, &issued, &n.Sealed)
		n.Signed, n.Begun, n.Created, n.Idle, n.Ends, n.Issued = at(signed), at(begun), at(created), at(idle), at(ends), at(issued)
		return none(err)
	})
	return n, err
}

// LiveSessions implements rp.Sessions.
func (s *Store) LiveSessions(ctx context.Context, ids []rp.Hash, now time.Time) (out []rp.Hash, err error) {
	args := make([]any, 0, len(ids)+2)
	for _, id := range ids {
		args = append(args, id[:])
	}
	err = s.one(ctx, func(q tx) error {
		out = nil
		return q.rows(func(scan func(...any) error) error {
			var id []byte
			if err := scan(&id); err != nil {
				return err
			}
			out = append(out, rp.Hash(id))
			return nil
		}, `SELECT id FROM rp_session WHERE id IN (?`+strings.Repeat(", ?", len(ids)-1)+`) AND idle > ? AND ends > ?`, append(args, ms(now), ms(now))...)
	})
	return out, err
}

// TouchSession implements rp.Sessions.
func (s *Store) TouchSession(ctx context.Context, id rp.Hash, idle, now time.Time) error {
	return s.one(ctx, func(q tx) error {
		_, err := q.exec(`UPDATE rp_session SET idle = ? WHERE id = ? AND idle > ? AND ends > ?`, ms(idle), id[:], ms(now), ms(now))
		return err
	})
}

// PutToken implements rp.Tokens.
func (s *Store) PutToken(ctx context.Context, t rp.Token, old []byte, now time.Time) error {
	return s.update(ctx, func(q tx) error {
		var one int
		if err := q.row(`SELECT 1 FROM rp_session WHERE id = ? AND idle > ? AND ends > ?`, t.Session[:], ms(now), ms(now)).Scan(&one); err != nil {
			return none(err)
		}
		if old != nil {
			if err := q.row(`SELECT 1 FROM rp_token WHERE provider = ? AND subject = ? AND session = ? AND sealed = ?`,
				t.Provider, t.Subject, t.Session[:], old).Scan(&one); err != nil {
				return none(err)
			}
		}
		return keep(q, t)
	})
}

func keep(q tx, t rp.Token) error {
	revocable := 0
	if t.Revocable {
		revocable = 1
	}
	_, err := q.exec(`INSERT INTO rp_token (provider, subject, session, person, sealed, revocable, created) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (provider, subject, session) DO UPDATE SET person = excluded.person, sealed = excluded.sealed, revocable = excluded.revocable, created = excluded.created`,
		t.Provider, t.Subject, t.Session[:], t.User, t.Sealed, revocable, ms(t.Created))
	return err
}

// FindToken implements rp.Tokens.
func (s *Store) FindToken(ctx context.Context, session rp.Hash, provider string, now time.Time) (t rp.Token, err error) {
	t = rp.Token{Provider: provider, Session: session}
	err = s.one(ctx, func(q tx) error {
		var revocable int
		var created int64
		err := q.row(`SELECT t.subject, t.person, t.sealed, t.revocable, t.created FROM rp_token t JOIN rp_session s ON s.id = t.session
			WHERE t.session = ? AND t.provider = ? AND s.idle > ? AND s.ends > ? ORDER BY t.created DESC LIMIT 1`,
			session[:], provider, ms(now), ms(now)).Scan(&t.Subject, &t.User, &t.Sealed, &revocable, &created)
		t.Revocable, t.Created = revocable == 1, at(created)
		return none(err)
	})
	return t, err
}
