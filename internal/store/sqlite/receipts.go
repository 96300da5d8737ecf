package sqlite

import "exeunt.dev/internal/idp"

const receiptColumns = `SELECT r.id, r.request, r.cause, r.actor, r.reason, r.selector, r.account, r.client, r.session, r.at, r.told_at FROM receipt r `

func scanReceipt(scan func(...any) error) (idp.Receipt, error) {
	var r idp.Receipt
	err := scan(&r.ID, into(r.Request[:]), &r.Cause, &r.Actor, &r.Reason, &r.Selector, &r.Account, &r.Client,
		into(r.Session[:]), &r.At, &r.ToldAt)
	return r, err
}

func (v *view) receipt(query string, arg any) (idp.Receipt, error) {
	return scanReceipt(func(to ...any) error { return v.conn.row(receiptColumns+query, []any{arg}, to...) })
}

func (v *view) Receipt(id idp.ReceiptID) (idp.Receipt, error) {
	return v.receipt(`WHERE r.id = ?`, string(id))
}

func (v *view) ReceiptByRequest(h idp.Hash) (idp.Receipt, error) {
	if v.tx != nil {
		for i := range v.tx.receipts {
			if v.tx.receipts[i].Request == h {
				return v.tx.receipts[i], nil
			}
		}
	}
	return v.receipt(`WHERE r.request = ?`, h[:])
}

func (v *view) ReceiptOfEnding(n idp.Name) (idp.Receipt, error) {
	if v.tx != nil {
		if i, ok := v.tx.fresh[n]; ok {
			return v.tx.receipts[i], nil
		}
	}
	return v.receipt(`JOIN ending e ON e.receipt = r.id WHERE e.name = ?`, n[:])
}

func (v *view) Receipts(a idp.AccountID, limit int) ([]idp.Receipt, error) {
	query, args := receiptColumns+`ORDER BY r.at DESC LIMIT ?`, []any{limit}
	if a != "" {
		query, args = receiptColumns+`WHERE r.account = ? ORDER BY r.at DESC LIMIT ?`, []any{string(a), limit}
	}
	var out []idp.Receipt
	err := v.conn.rows(query, args, func(scan func(...any) error) error {
		r, err := scanReceipt(scan)
		out = append(out, r)
		return err
	})
	return out, err
}

func (v *view) Owed() (n int64, err error) {
	err = v.conn.row(`SELECT count(*) FROM receipt WHERE told_at = 0`, nil, &n)
	return n, err
}
