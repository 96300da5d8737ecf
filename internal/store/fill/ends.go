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
		{Name: "ending", Number: n, Same: map[string]any{"what": string(idp.WhatToken)}, Rows: rows(5, func(i int, out []any) {
			number := first + int64(i)
			out[0], out[1], out[2], out[3], out[4] = number, names[i], number, at(i), ledger.Until(at(i), life)
		})},
		{Name: "receipt", Number: n, Same: map[string]any{"endings": 1, "request": nil, "cause": string(idp.CauseRevoked), "actor": string(idp.ActorClient(app)), "reason": "",
			"selector": string(idp.SelectToken), "account": "", "client": "", "session": nil, "told_at": idp.NobodyToTell, "cleared": 0, "fan_ending": 0, "fan_account": "",
			"fan_grant": nil, "sessions": nil, "families": nil}, Rows: rows(3, func(i int, out []any) {
			out[0], out[1], out[2] = first+int64(i), string(idp.NewReceiptID(names[i])), at(i)
		})},
	}
}
