package verbs

import (
	"cmp"

	"exeunt.dev/internal/idp"
)

// What operators see of receipts in a list: each with how much of it is owed.
const (
	owes        = open + `AND d.state = 'owed' AND d.receipt `
	receiptLine = `SELECT` + receiptColumns + `, (SELECT count(*) FROM (SELECT 1 FROM delivery d WHERE` + owes + `= r.number LIMIT CAST(?3 AS BIGINT)) AS o),
		(SELECT count(*) FROM (SELECT 1 FROM delivery d WHERE` + open + `AND d.state IN ('refused', 'out-of-time', 'given-up') AND d.receipt = r.number LIMIT CAST(?3 AS BIGINT)) AS u) FROM receipt r `
	newestReceipts = ` ORDER BY r.number DESC LIMIT CAST(?2 AS BIGINT)`

	sqlFindReceipts     = receiptLine + `WHERE r.number < ?1` + newestReceipts
	sqlFindReceiptsOf   = receiptLine + `WHERE r.account = ?4 AND r.account <> '' AND r.number < ?1` + newestReceipts
	sqlFindReceiptsOwed = `WITH RECURSIVE o (number, n) AS (SELECT max(d.receipt), CAST(1 AS BIGINT) FROM delivery d WHERE` + owes + `< ?1
			UNION ALL SELECT (SELECT max(d.receipt) FROM delivery d WHERE` + owes + `< o.number), o.n + 1 FROM o WHERE o.number IS NOT NULL AND o.n < CAST(?2 AS BIGINT)),
		owing AS (SELECT number FROM o UNION SELECT number FROM (SELECT number FROM receipt WHERE told_at = 0 AND number < ?1 ORDER BY number DESC LIMIT CAST(?2 AS BIGINT)) AS w) ` +
		receiptLine + `JOIN owing ON owing.number = r.number` + newestReceipts
	// Of one person there are never so many that it matters who owes nothing.
	sqlFindReceiptsOwedOf = receiptLine + `WHERE r.account = ?4 AND r.account <> '' AND r.number < ?1
		AND (r.told_at = 0 OR EXISTS (SELECT 1 FROM delivery d WHERE` + owes + `= r.number))` + newestReceipts
)

// FindReceipts lists the newest. Those that owe are stepped to in the index of what is owed, however many apps' sign-ins each of them owes.
func (v *View) FindReceipts(f idp.ReceiptFilter, before uint64, limit int) (out []idp.ReceiptLine, err error) {
	args := []any{cmp.Or(before, 1<<62), cmp.Or(max(limit, 0), 1), idp.CountedTo + 1}
	if f.Account != "" {
		args = append(args, f.Account)
	}
	sql := sqlFindReceipts
	switch {
	case f.Owed && f.Account != "":
		sql = sqlFindReceiptsOwedOf
	case f.Owed:
		sql = sqlFindReceiptsOwed
	case f.Account != "":
		sql = sqlFindReceiptsOf
	}
	err = v.E.Each(sql, func(r Row) {
		out = append(out, idp.ReceiptLine{Receipt: readReceipt(r), Owed: upTo(r.Int()), Dead: upTo(r.Int())})
	}, args...)
	return out, err
}
