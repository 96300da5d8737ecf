package sqlstore

import (
	"context"
	"time"

	"exeunt.dev/rp"
)

const dutyColumns = `id, provider, subject, person, state, sealed, attempts, created, next, give_up, why`

func scanDuty(into *[]rp.Duty) func(scan func(...any) error) error {
	return func(scan func(...any) error) error {
		var d rp.Duty
		var state string
		var created, next, giveUp int64
		err := scan(&d.ID, &d.Provider, &d.Subject, &d.User, &state, &d.Sealed, &d.Attempts, &created, &next, &giveUp, &d.Why)
		d.State, d.Created, d.Next, d.GiveUp = rp.DutyState(state), at(created), at(next), at(giveUp)
		*into = append(*into, d)
		return err
	}
}

// LeaseDuties implements rp.Duties.
func (s *Store) LeaseDuties(ctx context.Context, provider string, n int, now, until time.Time) (out []rp.Duty, err error) {
	lock := ""
	if s.d == Postgres {
		lock = " FOR UPDATE SKIP LOCKED" // replicas that look at the same time get different ones
	}
	err = s.one(ctx, func(q tx) error {
		out = nil
		return q.rows(scanDuty(&out), `UPDATE rp_duty SET next = ?, attempts = attempts + 1 WHERE id IN
			(SELECT id FROM rp_duty WHERE provider = ? AND state = 'owed' AND next <= ? ORDER BY next LIMIT ?`+lock+`) RETURNING `+dutyColumns, ms(until), provider, ms(now), n)
	})
	return out, err
}

// SettleDuty implements rp.Duties.
func (s *Store) SettleDuty(ctx context.Context, d rp.Duty) error {
	destroy := ", sealed = NULL"
	if d.State == rp.Owed {
		destroy = ""
	}
	return s.one(ctx, func(q tx) error {
		_, err := q.exec(`UPDATE rp_duty SET state = ?, next = ?, why = ?`+destroy+` WHERE id = ? AND state = 'owed' AND attempts = ?`,
			string(d.State), ms(d.Next), d.Why, d.ID, d.Attempts)
		return err
	})
}

// ListDuties implements rp.Duties.
func (s *Store) ListDuties(ctx context.Context, user string, n int) (out []rp.Duty, err error) {
	cond, args := "", []any{}
	if user != "" {
		cond, args = "WHERE person = ?", append(args, user)
	}
	err = s.one(ctx, func(q tx) error {
		out = nil
		return q.rows(scanDuty(&out), `SELECT id, provider, subject, person, state, NULL, attempts, created, next, give_up, why FROM rp_duty `+cond+
			` ORDER BY created DESC, id LIMIT ?`, append(args, n)...)
	})
	return out, err
}

// Sweep implements rp.Store.
func (s *Store) Sweep(ctx context.Context, now, keep time.Time) error {
	for _, d := range []struct {
		text string
		args []any
	}{
		{`DELETE FROM rp_attempt WHERE expires <= ?`, []any{ms(now)}},
		{`DELETE FROM rp_session WHERE idle <= ? OR ends <= ?`, []any{ms(now), ms(now)}},
		{`DELETE FROM rp_ended WHERE until <= ?`, []any{ms(now)}},
		{`DELETE FROM rp_seen WHERE until <= ?`, []any{ms(now)}},
		{`UPDATE rp_duty SET state = 'given up', sealed = NULL, next = ? WHERE state = 'owed' AND give_up <= ?`, []any{ms(now), ms(now)}},
		{`DELETE FROM rp_duty WHERE state <> 'owed' AND next < ?`, []any{ms(keep)}},
	} {
		if err := s.one(ctx, func(q tx) error { _, err := q.exec(d.text, d.args...); return err }); err != nil {
			return err
		}
	}
	return nil
}
