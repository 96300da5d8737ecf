package main

import (
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/server"
)

type statusCmd struct{}

// standing is the console's overview without the guards, of which only the node that they are connected to knows.
type standing struct {
	operate.Overview
	Guards *struct{} `json:"guards,omitempty"`
}

func (statusCmd) Run(w *world) error {
	return w.with(func(b *server.Base) error {
		looker := operate.Looker{Guards: func() []operate.Guard { return nil }, Census: operate.NewCensus(b.Store, slog.New(slog.DiscardHandler))}
		now, _ := b.Store.Now()
		var o operate.Overview
		err := b.Store.View(w.ctx, func(v idp.View) (err error) { o, err = looker.Look(v, now); return err })
		if err == nil && o.Sessions == nil { // they are many: who has typed this waits for them
			o.Sessions, err = looker.Census.Count(w.ctx)
		}
		if err != nil {
			return err
		}
		day := o.Day()
		return w.show(standing{Overview: o}, filled(
			[]string{"sessions alive", strconv.FormatInt(o.Sessions.N, 10)},
			[]string{"endings in the ledger", fmt.Sprint(o.Endings)},
			[]string{"endings that guards hold", strconv.FormatInt(o.Held, 10)},
			[]string{"sign-outs being worked out", strconv.FormatInt(o.Working, 10)},
			[]string{"deliveries owed", number(o.Owed)}, []string{"the oldest owed since", since(o.Oldest)},
			[]string{"deliveries dead", number(o.Dead)},
			[]string{"revocations owed", number(o.Revoking)}, []string{"the oldest revocation owed since", since(o.OldestOut)},
			[]string{"revocations dead", number(o.Unrevoked)},
			[]string{"endings of the last 24 hours", fmt.Sprint(day.Ended)},
			[]string{"sign-ins of the last 24 hours", number(day.SignIns)}, []string{"sign-ins that failed", number(day.Failed)},
		)...)
	})
}

func number(c idp.Counted) string {
	if c.More {
		return "more than " + strconv.FormatInt(c.N, 10)
	}
	return strconv.FormatInt(c.N, 10)
}

func since(t *time.Time) string {
	if t == nil {
		return ""
	}
	return moment(*t)
}
