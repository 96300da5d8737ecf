package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"exeunt.dev/internal/audit"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/server"
)

type auditCmd struct {
	List   auditListCmd   `cmd:"" help:"List what happened, newest first."`
	Export auditExportCmd `cmd:"" help:"Print all that is sealed as lines of JSON, oldest first."`
	Verify auditVerifyCmd `cmd:"" help:"Check that nothing sealed was changed or taken out, and print the head of the chain."`
}

type auditListCmd struct {
	Account string        `help:"Of this person only (username)." placeholder:"USERNAME"`
	Kind    string        `help:"Of this kind only: ${kinds}." placeholder:"KIND"`
	Actor   string        `help:"By this actor only, for example operator:ann." placeholder:"ACTOR"`
	Since   time.Duration `help:"Not older than this." placeholder:"24h"`
	Before  time.Duration `help:"Older than this." placeholder:"1h"`
	Limit   int           `help:"At most so many; 0: all." short:"n" default:"50" placeholder:"50"`
}

func (c *auditListCmd) Run(w *world) error {
	kind, err := operate.EventKind(c.Kind)
	if err != nil {
		return err
	}
	return w.with(func(b *server.Base) error {
		f, err := c.filter(w, b, kind)
		if err != nil {
			return err
		}
		out, left := w.list("AT", "KIND", "ACCOUNT", "ACTOR", "FROM", "WHAT"), c.Limit
		for page := (idp.Page{Limit: 500}); c.Limit == 0 || left > 0; {
			if c.Limit > 0 {
				page.Limit = min(500, left)
			}
			names := map[idp.AccountID]string{}
			var rows []idp.Event
			if err := b.Store.View(w.ctx, func(v idp.View) (err error) {
				if rows, err = v.Events(f, page); err != nil {
					return err
				}
				return usernames(v, rows, names)
			}); err != nil {
				return err
			}
			for i := range rows {
				e := &rows[i]
				if err := out.add(audit.Show(e), stamp(e.At), string(e.Kind), names[e.Account], string(e.Actor), e.IP, facts(e)); err != nil {
					return err
				}
			}
			if left -= len(rows); len(rows) < page.Limit {
				break
			}
			page.After = rows[len(rows)-1].ID.String()
		}
		return out.print("nothing of that kind has happened")
	})
}

func (c *auditListCmd) filter(w *world, b *server.Base, kind idp.EventKind) (f idp.EventFilter, err error) {
	now, _ := b.Store.Now()
	f = idp.EventFilter{Kind: kind, Actor: idp.Actor(c.Actor)}
	if c.Since > 0 {
		f.From = now.Add(-c.Since)
	}
	if c.Before > 0 {
		f.To = now.Add(-c.Before)
	}
	if c.Account != "" {
		a, err := (&person{c.Account}).find(w, b)
		if err != nil {
			return f, err
		}
		f.Account = a.ID
	}
	return f, nil
}

// usernames reads whose events these are.
func usernames(v idp.View, rows []idp.Event, names map[idp.AccountID]string) error {
	for _, e := range rows {
		if _, known := names[e.Account]; known || e.Account == "" {
			continue
		}
		a, err := v.Account(e.Account)
		if err != nil && !errors.Is(err, idp.ErrNotFound) {
			return err
		}
		names[e.Account] = a.Username
		if a.Username == "" {
			names[e.Account] = string(e.Account)
		}
	}
	return nil
}

// facts is what a line says besides: app, receipt, facts, an operator's words.
func facts(e *idp.Event) string {
	var out []string
	if e.Client != "" {
		out = append(out, "at "+string(e.Client))
	}
	if e.Receipt > 0 {
		out = append(out, fmt.Sprintf("receipt %d", e.Receipt))
	}
	if len(e.Data) > 0 {
		out = append(out, e.Facts())
	}
	if e.Why != "" {
		out = append(out, fmt.Sprintf("(%q)", e.Why))
	}
	return strings.Join(out, " ")
}

type auditExportCmd struct {
	After uint64 `help:"Begin behind this number." placeholder:"N"`
}

func (c *auditExportCmd) Run(w *world) error {
	return w.with(func(b *server.Base) error {
		for {
			var rows []idp.Event
			if err := b.Store.View(w.ctx, func(v idp.View) (err error) { rows, err = v.SealedEvents(c.After, 500); return err }); err != nil || len(rows) == 0 {
				return err
			}
			for i := range rows {
				if err := printJSON(w.out, audit.Show(&rows[i])); err != nil {
					return err
				}
			}
			c.After = rows[len(rows)-1].Number
		}
	})
}

type auditVerifyCmd struct {
	Head string `help:"A head that an earlier run printed, and that was kept elsewhere." placeholder:"HEAD"`
}

func (c *auditVerifyCmd) Run(w *world) error {
	var kept *audit.Head
	if c.Head != "" {
		h, err := audit.ParseHead(c.Head)
		if err != nil {
			return usage(fmt.Sprintf("%q is no head", c.Head), "give what exeunt audit verify printed, a number, a colon and 64 hexadecimal digits")
		}
		kept = &h
	}
	return w.with(func(b *server.Base) error {
		v, err := audit.Verify(w.ctx, b.Store, kept)
		if err != nil {
			return idp.Advise(err, "somebody has changed the database past Exeunt, or it is damaged; compare with a backup")
		}
		said := ""
		switch {
		case kept == nil:
		case v.Kept:
			said = "; the given head lies in the chain"
		default: // numbers above the end are a break
			said = "; the given head is of events that were swept: it shows nothing"
		}
		whole := fmt.Sprintf("events %d to %d hold, and receipts up to number %d", v.First, v.Head.Number, v.Receipt)
		if v.Head.Number < v.First {
			whole = "no event has been sealed"
		}
		return w.done(map[string]any{"head": v.Head.String(), "number": v.Head.Number, "first": v.First, "open": v.Open, "given_head_met": v.Kept, "receipts_to": v.Receipt},
			"%s; events that are not sealed yet: %d%s\nhead: %s", whole, v.Open, said, v.Head)
	})
}
