package main

import (
	"errors"
	"fmt"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
)

type ledgerCmd struct {
	Tail ledgerTailCmd `cmd:"" help:"Print what has ended, oldest first."`
}

type ledgerTailCmd struct {
	After  *uint64 `help:"Begin behind this number, however many there are; 0 for all. Default: see --last." placeholder:"N"`
	Last   uint64  `help:"Begin with the last so many." short:"n" default:"20" placeholder:"20"`
	Follow bool    `help:"Go on with what ends from now on." short:"f"`
}

// followEvery is how often a following tail looks.
const followEvery = 200 * time.Millisecond

func (c *ledgerTailCmd) Run(w *world) error {
	return w.with(func(b *server.Base) error {
		var after uint64
		if c.After != nil {
			after = *c.After
		} else {
			var head idp.Head
			if err := b.Store.View(w.ctx, func(v idp.View) (err error) { head, err = v.Head(); return err }); err != nil {
				return err
			}
			after = head.Number - min(head.Number, c.Last)
		}
		for {
			n, err := c.print(w, b, &after)
			if err != nil || (n == 0 && !c.Follow) {
				return err
			}
			if n > 0 {
				continue
			}
			select {
			case <-w.ctx.Done():
				return nil
			case <-time.After(followEvery):
			}
		}
	})
}

// print writes one page and says how many lines it had.
func (c *ledgerTailCmd) print(w *world, b *server.Base, after *uint64) (int, error) {
	type line struct {
		idp.Ending
		receipt  idp.Receipt
		username string
	}
	var lines []line
	err := b.Store.View(w.ctx, func(v idp.View) error {
		lines = nil
		page, err := v.Endings(*after, 500)
		for _, e := range page {
			r, err := v.Receipt(e.Receipt)
			if err != nil && !errors.Is(err, idp.ErrNotFound) {
				return err
			}
			var a idp.Account
			if r.Account != "" {
				if a, err = v.Account(r.Account); err != nil && !errors.Is(err, idp.ErrNotFound) {
					return err
				}
			}
			lines = append(lines, line{e, r, a.Username})
		}
		return err
	})
	for _, l := range lines {
		if w.json {
			err = printJSON(w.out, map[string]any{"number": l.Number, "at": stamp(l.At), "name": l.Name, "what": l.What, "cause": l.receipt.Cause, "actor": l.receipt.Actor,
				"reason": l.receipt.Reason, "account": l.receipt.Account, "username": l.username, "client": l.receipt.Client, "receipt": l.Receipt})
		} else {
			text := fmt.Sprintf("%d %s %s %s %s", l.Number, stamp(l.At), l.Name, l.What, l.receipt.Cause)
			if l.username != "" {
				text += " of " + l.username
			}
			if l.receipt.Client != "" {
				text += " at " + string(l.receipt.Client)
			}
			text += " by " + string(l.receipt.Actor)
			if l.receipt.Reason != "" {
				text += fmt.Sprintf(" (%q)", l.receipt.Reason)
			}
			_, err = fmt.Fprintln(w.out, text)
		}
		if err != nil {
			return 0, err
		}
		*after = l.Number
	}
	return len(lines), err
}
