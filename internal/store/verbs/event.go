package verbs

import (
	"encoding/json"
	"strings"

	"exeunt.dev/internal/idp"
)

const (
	eventColumns = `id, number, hash, kind, at, account, actor, session, client, receipt, ip, device, why, data`

	sqlInsertEvent = `INSERT INTO event (id, kind, at, account, actor, session, client, receipt, ip, device, why, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

	// One text for each index that may lead.
	sqlEvents           = `SELECT ` + eventColumns + ` FROM event WHERE id < ?1 AND id >= ?2` + eventFilter
	sqlEventsOfAccount  = `SELECT ` + eventColumns + ` FROM event WHERE account = ?3 AND account <> '' AND id < ?1 AND id >= ?2` + eventFilter
	sqlEventsOfKind     = `SELECT ` + eventColumns + ` FROM event WHERE kind = ?4 AND id < ?1 AND id >= ?2` + eventFilter
	sqlEventsOfOperator = `SELECT ` + eventColumns + ` FROM event WHERE actor = ?5 AND actor >= 'operator:' AND actor < 'operator;' AND id < ?1 AND id >= ?2` + eventFilter
	sqlEventsOfMachine  = `SELECT ` + eventColumns + ` FROM event WHERE actor = ?5 AND actor >= 'client:' AND actor < 'client;' AND id < ?1 AND id >= ?2` + eventFilter
	eventFilter         = ` AND (?3 = '' OR account = ?3) AND (?4 = '' OR kind = ?4) AND (?5 = '' OR actor = ?5) ORDER BY id DESC LIMIT CAST(?6 AS BIGINT)`

	sqlSealedEvents = `SELECT ` + eventColumns + ` FROM event WHERE number > ? AND number IS NOT NULL ORDER BY number LIMIT CAST(? AS BIGINT)`
	sqlOpenEvents   = `SELECT ` + eventColumns + ` FROM event WHERE number IS NULL ORDER BY id LIMIT CAST(? AS BIGINT)`
	sqlCountOpen    = `SELECT count(*) FROM (SELECT 1 FROM event WHERE number IS NULL LIMIT 10000) AS o`
	sqlSealEvent    = `UPDATE event SET number = ?, hash = ? WHERE id = ? AND number IS NULL`
	sqlDropEvents   = `DELETE FROM event WHERE number >= ? AND number <= ?`

	sqlSealed     = `SELECT number, hash, first, before FROM audit WHERE id = 1`
	sqlMoveSealed = `UPDATE audit SET number = ?, hash = ?, first = ?, before = ?`
)

func readEvent(r Row) (e idp.Event) {
	if b := r.Bytes(); copy(e.ID[:], b) != len(e.ID) {
		r.Bad()
	}
	e.Number, e.Hash = uint64(r.IntOr0()), r.Hash()
	e.Kind, e.At, e.Account, e.Actor = idp.EventKind(r.Text()), r.Time(), idp.AccountID(r.Text()), idp.Actor(r.Text())
	e.Session, e.Client, e.Receipt = r.Text(), idp.ClientID(r.Text()), uint64(r.Int())
	e.IP, e.Device, e.Why = r.Text(), r.Text(), r.Text()
	if facts := r.Text(); facts != "{}" && json.Unmarshal([]byte(facts), &e.Data) != nil {
		r.Bad()
	}
	return e
}

// Events lists what happened, newest first.
func (v *View) Events(f idp.EventFilter, p idp.Page) (out []idp.Event, err error) {
	below := idp.EventsAt(1 << 48)
	for i := range below {
		below[i] |= 0xff
	}
	if f.To > 0 {
		below = idp.EventsAt(f.To)
	}
	if p.After != "" {
		after, err := idp.ParseEventID(p.After)
		if err != nil {
			return nil, err
		}
		if string(after[:]) < string(below[:]) {
			below = after
		}
	}
	if !storable(string(f.Account)) || !storable(string(f.Actor)) || !storable(string(f.Kind)) {
		return nil, nil
	}
	sql := sqlEvents
	switch {
	case f.Account != "":
		sql = sqlEventsOfAccount
	case strings.HasPrefix(string(f.Actor), "operator:"):
		sql = sqlEventsOfOperator
	case strings.HasPrefix(string(f.Actor), "client:"):
		sql = sqlEventsOfMachine
	case f.Kind != "":
		sql = sqlEventsOfKind
	}
	err = v.E.Each(sql, func(r Row) { out = append(out, readEvent(r)) }, below, idp.EventsAt(f.From), f.Account, string(f.Kind), string(f.Actor), limitOf(p))
	return out, err
}

// SealedEvents lists the chain.
func (v *View) SealedEvents(after uint64, limit int) (out []idp.Event, err error) {
	err = v.E.Each(sqlSealedEvents, func(r Row) { out = append(out, readEvent(r)) }, after, max(limit, 1))
	return out, err
}

// Sealed is how far the chain goes.
func (v *View) Sealed() (s idp.Sealed, err error) {
	err = v.find(sqlSealed, func(r Row) { s = readSealed(r) })
	return s, err
}

func readSealed(r Row) (s idp.Sealed) {
	s.Number, s.Hash = uint64(r.Int()), r.Hash()
	s.First, s.Before = uint64(r.Int()), r.Hash()
	return s
}

// OpenEvents counts what is not sealed.
func (v *View) OpenEvents() (n int64, err error) {
	_, err = v.E.One(sqlCountOpen, func(r Row) { n = r.Int() })
	return n, err
}

// RecordAt writes an event.
func (t *Tx) RecordAt(e idp.Event, now idp.Time) error {
	e.Tidy()
	e.At, e.ID = now, idp.NewEventID(now)
	return t.add(sqlInsertEvent, e.ID, string(e.Kind), e.At, e.Account, string(e.Actor), e.Session, e.Client, e.Receipt, e.IP, e.Device, e.Why, e.Facts())
}

// holdSealed locks the chain; false: another node has it.
func (t *Tx) holdSealed() (s idp.Sealed, held bool, err error) {
	held, err = t.E.One(sqlSealed+t.SkipLocked, func(r Row) { s = readSealed(r) })
	return s, held, err
}

func (t *Tx) moveSealed(s idp.Sealed) error {
	return t.must(sqlMoveSealed, s.Number, s.Hash[:], s.First, s.Before[:])
}

// SealEvents chains what is not sealed.
func (t *Tx) SealEvents(limit int) (int, error) {
	s, held, err := t.holdSealed()
	if err != nil || !held {
		return 0, err
	}
	var open []idp.Event
	if err := t.E.Each(sqlOpenEvents, func(r Row) { open = append(open, readEvent(r)) }, max(limit, 1)); err != nil || len(open) == 0 {
		return 0, err
	}
	for i := range open {
		s.Number++
		s.Hash = open[i].Seal(s.Number, s.Hash)
		if err := t.must(sqlSealEvent, s.Number, s.Hash, open[i].ID); err != nil {
			return 0, err
		}
	}
	return len(open), t.moveSealed(s)
}

// SweepEvents cuts old events off at the beginning of the chain. One that is sealed late keeps those behind it.
func (t *Tx) SweepEvents(before idp.Time, limit int) (int, error) {
	s, held, err := t.holdSealed()
	if err != nil || !held {
		return 0, err
	}
	old, kept := 0, false
	first := s.First
	if err := t.E.Each(sqlSealedEvents, func(r Row) {
		e := readEvent(r)
		if kept = kept || e.At >= before; !kept {
			s.First, s.Before = e.Number+1, e.Hash
			old++
		}
	}, s.First-1, max(limit, 1)); err != nil || old == 0 {
		return 0, err
	}
	if _, err := t.write(sqlDropEvents, first, s.First-1); err != nil {
		return 0, err
	}
	return old, t.moveSealed(s)
}
