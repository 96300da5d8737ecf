package fill

import (
	"iter"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/ledger"
)

// Ends are n ends of tokens with their receipts, as an app would have given the tokens back one by one from one time to another. Their numbers
// begin at first; life is the life_cap of the counter row, whose number and time are the caller's to move on.
func Ends(app idp.ClientID, first int64, n int, from, to idp.Time, life time.Duration) []Table {
	names := make([]idp.Name, n)
	for i := range names {
		names[i] = ledger.NewName()
	}
	at := func(i int) idp.Time { return from + (to-from)*idp.Time(i+1)/idp.Time(n) }
	rows := func(columns int, row func(i int, out []any)) iter.Seq[[]any] {
		return func(yield func([]any) bool) {
			out := make([]any, columns)
			for i := range n {
				if row(i, out); !yield(out) {
					return
				}
			}
		}
	}
	return []Table{
		{Name: "ending", Number: n, Rows: rows(6, func(i int, out []any) {
			number := first + int64(i)
			out[0], out[1], out[2], out[3], out[4], out[5] = number, names[i], string(idp.WhatToken), number, at(i), ledger.Until(at(i), life)
		})},
		{Name: "receipt", Number: n, Rows: rows(19, func(i int, out []any) {
			copy(out, []any{first + int64(i), 1, string(idp.NewReceiptID(names[i])), nil, string(idp.CauseRevoked), string(idp.ActorClient(app)), "",
				string(idp.SelectToken), "", "", nil, at(i), idp.NobodyToTell, 0, 0, "", nil, nil, nil})
		})},
	}
}
