package main

import (
	"encoding/json"
	"fmt"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
	"exeunt.dev/ledger"
)

func parseName(s string) (idp.Name, error) { return ledger.ParseName(s) }

type ledgerCmd struct {
	Tail ledgerTail `cmd:"" help:"Print endings, oldest first."`
}

type ledgerTail struct {
	After  uint64 `help:"Begin behind this number."`
	Follow bool   `short:"f" help:"Wait for more."`
}

type endingJSON struct {
	Number  uint64   `json:"number"`
	What    idp.What `json:"what"`
	Name    string   `json:"name"`
	At      string   `json:"at"`
	Receipt string   `json:"receipt"`
	Cause   string   `json:"cause"`
	Actor   string   `json:"actor"`
}

// followEvery is how often ledger tail --follow looks.
const followEvery = 200 * time.Millisecond

func (x ledgerTail) Run(r *run) error {
	return r.with(func(c *server.Core) error {
		tick := time.NewTicker(followEvery)
		defer tick.Stop()
		for {
			var page []endingJSON
			err := view(c, r, func(v idp.View) error {
				rows, err := v.Endings(x.After, 1000)
				if err != nil {
					return err
				}
				for _, e := range rows {
					receipt, err := v.Receipt(e.Receipt)
					if err != nil {
						return err
					}
					page = append(page, endingJSON{e.Number, e.What, e.Name.String(), when(e.At), string(e.Receipt), string(receipt.Cause), string(receipt.Actor)})
				}
				return nil
			})
			if err != nil && r.ctx.Err() == nil {
				return err
			}
			for _, e := range page {
				x.After = e.Number
				if r.json {
					if err := json.NewEncoder(r.out).Encode(e); err != nil {
						return err
					}
					continue
				}
				fmt.Fprintf(r.out, "%8d  %s  %-8s %s  %s by %s\n", e.Number, e.At, e.What, e.Name, e.Cause, e.Actor)
			}
			switch {
			case len(page) == 1000:
				continue
			case !x.Follow:
				return nil
			}
			select {
			case <-tick.C:
			case <-r.ctx.Done():
				return nil
			}
		}
	})
}
