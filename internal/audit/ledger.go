package audit

import (
	"context"
	"fmt"
	"strconv"

	"exeunt.dev/internal/idp"
)

// SealLedger takes the receipts of what has ended since the last time into the chain, by their digest: an event for each thousand. Nobody
// who ends something waits for it, since the rows of a receipt that it covers never change.
func (l *Log) SealLedger(ctx context.Context) error {
	for {
		var after uint64
		var rows []idp.Receipt
		if err := l.store.View(ctx, func(v idp.View) (err error) {
			if after, err = covered(v); err != nil {
				return err
			}
			rows, err = v.ReceiptsAfter(after, receiptsAtOnce)
			return err
		}); err != nil || len(rows) == 0 {
			return err
		}
		sum := idp.NewReceiptSum()
		for i := range rows {
			sum.Add(&rows[i])
		}
		mine := false
		if err := l.store.Update(ctx, func(tx idp.Tx) (err error) {
			if mine, err = tx.HoldChain(); err != nil || !mine {
				return err
			}
			now, err := covered(tx)
			if mine = now == after; err != nil || !mine {
				return err
			}
			return tx.Record(idp.Event{Kind: idp.EventLedgerSealed, Actor: idp.ActorRule("audit"), Receipt: rows[len(rows)-1].Number,
				Data: map[string]string{"after": strconv.FormatUint(after, 10), "sha256": sum.String()}})
		}); err != nil || !mine || len(rows) < receiptsAtOnce {
			return err
		}
	}
}

const receiptsAtOnce = 1000

// covered is the number of the last receipt that is in the chain.
func covered(v idp.View) (uint64, error) {
	last, err := v.Events(idp.EventFilter{Kind: idp.EventLedgerSealed}, idp.Page{Limit: 1})
	if err != nil || len(last) == 0 {
		return 0, err
	}
	return last[0].Receipt, nil
}

// receipts compares the receipts that an event covers with its digest.
func receipts(ctx context.Context, store idp.Store, e *idp.Event) error {
	after, err := strconv.ParseUint(e.Data["after"], 10, 63)
	if err != nil {
		return &BrokenError{e.Number, "it does not say which receipts it covers"}
	}
	sum := idp.NewReceiptSum()
	for at := after; at < e.Receipt; {
		var rows []idp.Receipt
		if err := store.View(ctx, func(v idp.View) (err error) { rows, err = v.ReceiptsAfter(at, receiptsAtOnce); return err }); err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		for i := range rows {
			if at = rows[i].Number; at <= e.Receipt {
				sum.Add(&rows[i])
			}
		}
	}
	if sum.String() != e.Data["sha256"] {
		return &BrokenError{e.Number, fmt.Sprintf("the receipts %d to %d are not what they were when it was sealed", after+1, e.Receipt)}
	}
	return nil
}
