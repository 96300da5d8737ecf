package sqlite

import (
	"strings"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// probes are the numbers of names that one question asks for; others are filled up by asking for the last one again.
const probes = 4

// Ended asks the table and, inside Update, what this commit has appended.
func (v *view) Ended(names ...idp.Name) ([]idp.Name, error) {
	var out []idp.Name
	var ask []idp.Name
	for _, n := range names {
		if v.tx != nil {
			if _, ok := v.tx.fresh[n]; ok {
				out = append(out, n)
				continue
			}
		}
		ask = append(ask, n)
	}
	for len(ask) > 0 {
		n := min(len(ask), probes*4)
		size := (n + probes - 1) / probes * probes
		query := `SELECT name FROM ending WHERE name IN (` + strings.TrimSuffix(strings.Repeat("?,", size), ",") + `)`
		args := make([]any, size)
		for i := range args {
			args[i] = ask[min(i, n-1)][:]
		}
		err := v.conn.rows(query, args, func(scan func(...any) error) error {
			var name idp.Name
			if err := scan(into(name[:])); err != nil {
				return err
			}
			out = append(out, name)
			return nil
		})
		if err != nil {
			return nil, err
		}
		ask = ask[n:]
	}
	return out, nil
}

func (v *view) Head() (idp.Head, error) {
	if v.tx != nil {
		return v.tx.head, nil
	}
	var h idp.Head
	var number, at int64
	err := v.conn.row(`SELECT number, time, lineage FROM counter`, nil, &number, &at, into(h.Lineage[:]))
	h.Number, h.Time = uint64(number), idp.Time(at)
	return h, err
}

func (v *view) LifeCap() (seconds int64, err error) {
	if v.tx != nil {
		return v.tx.cap, nil
	}
	err = v.conn.row(`SELECT life_cap FROM counter`, nil, &seconds)
	return seconds, err
}

func (v *view) EntriesAfter(after uint64, limit int) ([]idp.Entry, error) {
	var out []idp.Entry
	err := v.conn.rows(`SELECT name, until FROM ending WHERE number > ? ORDER BY number LIMIT ?`, []any{int64(after), limit},
		func(scan func(...any) error) error {
			var e idp.Entry
			if err := scan(into(e.Name[:]), &e.Until); err != nil {
				return err
			}
			out = append(out, e)
			return nil
		})
	return out, err
}

func (v *view) Entries(now idp.Time, f func(idp.Entry) error) error {
	return v.conn.rows(`SELECT name, until FROM ending WHERE until >= ? ORDER BY name`, []any{int64(now) / 1000},
		func(scan func(...any) error) error {
			var e idp.Entry
			if err := scan(into(e.Name[:]), &e.Until); err != nil {
				return err
			}
			return f(e)
		})
}

const endingColumns = `SELECT number, name, what, receipt, at, until FROM ending `

func scanEnding(scan func(...any) error) (idp.Ending, error) {
	var e idp.Ending
	var number, at, until int64
	err := scan(&number, into(e.Name[:]), &e.What, &e.Receipt, &at, &until)
	e.Number, e.At = uint64(number), idp.Time(at)
	switch {
	case until == int64(ledger.Forever):
		e.Until = idp.UntilForever
	case until == int64(ledger.Until(e.At, 0)):
		e.Until = idp.UntilNow
	}
	return e, err
}

func (v *view) endings(query string, args ...any) ([]idp.Ending, error) {
	var out []idp.Ending
	err := v.conn.rows(query, args, func(scan func(...any) error) error {
		e, err := scanEnding(scan)
		out = append(out, e)
		return err
	})
	return out, err
}

func (v *view) Endings(after uint64, limit int) ([]idp.Ending, error) {
	return v.endings(endingColumns+`WHERE number > ? ORDER BY number LIMIT ?`, int64(after), limit)
}

func (v *view) EndingsOf(r idp.ReceiptID) ([]idp.Ending, error) {
	return v.endings(endingColumns+`WHERE receipt = ? ORDER BY number`, string(r))
}

// Append is idp.LedgerWriter's: it only remembers; the rows are written in the flight that carries COMMIT.
func (t *tx) Append(r idp.Receipt, endings []idp.Ending) error {
	names := make([]idp.Name, len(endings))
	for i, e := range endings {
		names[i] = e.Name
	}
	over, err := t.Ended(names...)
	if err != nil {
		return err
	}
	gone := make(map[idp.Name]bool, len(over))
	for _, n := range over {
		gone[n] = true
	}
	at := len(t.receipts)
	added := false
	for _, e := range endings {
		if gone[e.Name] {
			continue
		}
		gone[e.Name], added = true, true
		e.Receipt = r.ID
		t.endings = append(t.endings, e)
		t.fresh[e.Name] = at
	}
	if added {
		t.receipts = append(t.receipts, r)
	}
	return nil
}

// tick is how old the counter row's time may be when a token is minted.
const tick = idp.Time(1000)

func (t *tx) Mint() (idp.Time, error) {
	now, err := t.store.clock.now()
	if err != nil {
		return 0, err
	}
	if now-t.head.Time > tick {
		t.head.Time, t.ticked = now, true
	}
	return t.head.Time, nil
}

func (t *tx) SetLifeCap(seconds int64) error {
	if effective := t.effectiveCap(); seconds < effective {
		t.oldCap, t.oldTill = effective, t.head.Time+idp.Time(effective*1000)
	}
	t.cap, t.ticked = seconds, true
	return nil
}

func (t *tx) SwapRealmEpoch(old, next idp.Name) (bool, error) {
	n, err := t.write(`UPDATE realm SET epoch = ? WHERE epoch = ?`, next[:], old[:])
	return n == 1, err
}

// kept is how long after its expiry a used code is remembered, so that its reuse is noticed.
const kept = idp.Time(24 * 3600 * 1000)

// Sweep is idp.LedgerWriter's. Sessions, grants and families whose receipts have not been told stay.
func (t *tx) Sweep(now idp.Time, limit int) (int, error) {
	settled := `EXISTS (SELECT 1 FROM ending e JOIN receipt r ON r.id = e.receipt WHERE e.name = %s AND e.until < ? AND r.told_at != 0)`
	over := func(column string) string { return strings.Replace(settled, "%s", column, 1) }
	seconds := int64(now) / 1000
	total := 0
	for _, s := range []struct {
		query string
		bound int64
	}{
		{`DELETE FROM pending WHERE id IN (SELECT id FROM pending WHERE expires_at < ? LIMIT ?)`, int64(now)},
		{`DELETE FROM code WHERE hash IN (SELECT hash FROM code WHERE expires_at < ? LIMIT ?)`, int64(now - kept)},
		{`DELETE FROM family WHERE name IN (SELECT name FROM family WHERE ` + over("name") + ` LIMIT ?)`, seconds},
		{`DELETE FROM family WHERE grant_ IN (SELECT name FROM grant_ WHERE ` + over("name") + ` LIMIT ?)`, seconds},
		{`DELETE FROM grant_ WHERE session IN (SELECT name FROM session WHERE ` + over("name") + ` LIMIT ?)`, seconds},
		{`DELETE FROM slot WHERE session IN (SELECT name FROM session WHERE ` + over("name") + ` LIMIT ?)`, seconds},
		{`DELETE FROM session_seen WHERE name IN (SELECT name FROM session WHERE ` + over("name") + ` LIMIT ?)`, seconds},
		{`DELETE FROM session WHERE name IN (SELECT name FROM session WHERE ` + over("name") + ` LIMIT ?)`, seconds},
	} {
		n, err := t.write(s.query, s.bound, limit)
		if err != nil {
			return total, err
		}
		total += int(n)
	}
	return total, nil
}
