package postgres

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/verbs"
)

// ledgerTime is the time of a commit, given the counter row and a node's own estimate: the database's clock, unless it has
// stepped away from what the node's monotonic clock says. It never goes back.
const ledgerTime = `greatest(time, CASE WHEN abs(` + wall + ` - CAST(?1 AS BIGINT)) <= 30000 THEN ` + wall + ` ELSE ?1 END)`

// sqlAppend takes the counter row, numbers what was collected, writes it, and has the other nodes told when it is committed. Arrays are
// in the order of the endings and of the receipts; first is the place of a receipt's first ending among them.
const sqlAppend = `WITH c AS (
	UPDATE counter SET number = number + ?2, time = ` + ledgerTime + `
	RETURNING lineage, number - ?2 AS base, time AS at, life_cap, old_cap, old_cap_until
), e AS (
	INSERT INTO ending (number, name, what, receipt, at, until)
	SELECT c.base + u.ord, u.name, u.what, c.base + u.first, c.at, CASE u.until
		WHEN 1 THEN 4294967295
		WHEN 2 THEN (c.at + 1000) / 1000
		ELSE least((c.at + 1000 * (CASE WHEN c.at < c.old_cap_until THEN greatest(c.life_cap, c.old_cap) ELSE c.life_cap END) + 1000) / 1000, 4294967294) END
	FROM c, unnest(CAST(?3 AS BYTEA[]), CAST(?4 AS TEXT[]), CAST(?5 AS BIGINT[]), CAST(?6 AS BIGINT[])) WITH ORDINALITY AS u (name, what, first, until, ord)
	RETURNING number, name, until
), r AS (
	INSERT INTO receipt (number, endings, id, request, cause, actor, reason, selector, account, client, session, at, told_at, cleared)
	SELECT c.base + u.first, u.endings, u.id, u.request, u.cause, u.actor, u.reason, u.selector, u.account, u.client, u.session, c.at, u.told_at, 0
	FROM c, unnest(CAST(?7 AS BIGINT[]), CAST(?8 AS BIGINT[]), CAST(?9 AS TEXT[]), CAST(?10 AS BYTEA[]), CAST(?11 AS TEXT[]), CAST(?12 AS TEXT[]), CAST(?13 AS TEXT[]),
		CAST(?14 AS TEXT[]), CAST(?15 AS TEXT[]), CAST(?16 AS TEXT[]), CAST(?17 AS BYTEA[]), CAST(?18 AS BIGINT[]))
		AS u (first, endings, id, request, cause, actor, reason, selector, account, client, session, told_at)
) SELECT pg_notify('` + channel + `', ` + newsOf + `) FROM (
	SELECT lineage || int8send(base) || int8send(at) || (SELECT string_agg(name || int8send(until), '' ORDER BY number) FROM e) AS said FROM c
) n`

// appendArgs are the arguments of sqlAppend.
func appendArgs(estimate idp.Time, b *verbs.Buffer, newsKey []byte) []any {
	n, k := b.Endings, len(b.Acts)
	names, what, first, until := make([][]byte, 0, n), make([]string, 0, n), make([]int64, 0, n), make([]int64, 0, n)
	firsts, endings, toldAt := make([]int64, 0, k), make([]int64, 0, k), make([]int64, 0, k)
	requests, sessions := make([][]byte, 0, k), make([][]byte, 0, k)
	texts := make([][]string, 7)
	for _, a := range b.Acts {
		at := int64(len(names)) + 1
		for i := range a.Endings {
			e := &a.Endings[i]
			names, what, first, until = append(names, e.Name[:]), append(what, string(e.What)), append(first, at), append(until, int64(e.Until))
		}
		r := a.Receipt
		firsts, endings, toldAt = append(firsts, at), append(endings, int64(len(a.Endings))), append(toldAt, int64(r.ToldAt))
		requests, sessions = append(requests, orNull(r.Request[:], r.Request.IsZero())), append(sessions, orNull(r.Session[:], r.Session.IsZero()))
		for i, s := range []string{string(r.ID), string(r.Cause), string(r.Actor), r.Reason, string(r.Selector), string(r.Account), string(r.Client)} {
			texts[i] = append(texts[i], s)
		}
	}
	return []any{int64(estimate), int64(n), names, what, first, until, firsts, endings, texts[0], requests, texts[1], texts[2], texts[3], texts[4],
		texts[5], texts[6], sessions, toldAt, newsKey}
}

func orNull(b []byte, zero bool) []byte {
	if zero {
		return nil
	}
	return append([]byte{}, b...)
}

// must makes a statement fail, by dividing by nothing, if it changes or finds no row: in the flight that commits there is
// nobody to look at its count.
func (s *Store) must(sql string) string {
	key := "must " + sql
	if out, ok := s.texts.Load(key); ok {
		return out.(string)
	}
	out := "WITH u AS (" + sql
	if !strings.HasPrefix(sql, "SELECT") {
		out += " RETURNING 1"
	}
	out += ") SELECT 1 / count(*) FROM u"
	s.texts.Store(key, out)
	return out
}

const divisionByZero = "22012"

// commit sends what waits, the endings and COMMIT in one flight.
func (e *engine) commit(b *verbs.Buffer) error {
	if e.failed != nil {
		return e.failed
	}
	writes := e.sent || len(e.waiting) > 0 || b.Endings > 0
	if e.begin != "" && !writes {
		return nil // nothing was sent
	}
	var batch pgx.Batch
	if e.begin != "" {
		batch.Queue(e.begin)
	}
	for _, q := range e.waiting {
		sql := e.store.placeholders(q.sql)
		if q.must {
			sql = e.store.must(sql)
		}
		batch.Queue(sql, bind(q.args)...)
	}
	if b.Endings > 0 {
		estimate, _ := e.store.clock.now()
		batch.Queue(e.store.placeholders(sqlAppend), appendArgs(estimate, b, e.store.newsKey)...)
	}
	batch.Queue("COMMIT")
	answers := e.c.SendBatch(noLimit, &batch)
	var err error
	var tag pgconn.CommandTag
	for range batch.Len() {
		if tag, err = answers.Exec(); err != nil {
			break
		}
	}
	if closed := answers.Close(); err == nil {
		err = closed
	}
	switch {
	case err == nil && tag.String() == "COMMIT":
		return nil
	case err == nil:
		e.failed = fmt.Errorf("%w: postgres: the transaction was rolled back", idp.ErrUnavailable)
	case writes && e.lost(err):
		e.failed = &unknownError{e.fault(err)}
	default:
		e.failed = e.fault(err)
		var f *faultError
		if errors.As(e.failed, &f) && f.code == divisionByZero {
			e.failed = idp.ErrNotFound
		}
	}
	return e.failed
}

// end gives the connection back as it was, or closes it.
func (e *engine) end() {
	if e.c.IsClosed() || (e.c.PgConn().TxStatus() == 'I' && !e.c.PgConn().IsBusy()) {
		return
	}
	if _, err := e.c.Exec(noLimit, "ROLLBACK"); err != nil {
		e.c.Close(noLimit)
	}
}
