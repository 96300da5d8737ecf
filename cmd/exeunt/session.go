package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/operate"
	"exeunt.dev/internal/server"
	"exeunt.dev/internal/web"
)

type sessionCmd struct {
	List sessionListCmd `cmd:"" help:"List where a person is signed in."`
	End  sessionEndCmd  `cmd:"" help:"End one session."`
}

// liveSessions reads the sessions that neither ended nor expired.
func liveSessions(ctx context.Context, b *server.Base, id idp.AccountID) (out []idp.Session, err error) {
	now, _ := b.Store.Now()
	err = b.Store.View(ctx, func(v idp.View) error {
		out = nil
		e, err := v.Epochs(id, "")
		if err != nil || e.Account.IsZero() {
			return err
		}
		for page := (idp.Page{Limit: 500}); ; {
			rows, err := v.Sessions(id, e.Realm, e.Account, page)
			for _, s := range rows {
				if !s.Expired(now) {
					out = append(out, s)
				}
			}
			if err != nil || len(rows) < page.Limit {
				return err
			}
			page.After = rows[len(rows)-1].PageKey()
		}
	})
	return out, err
}

type sessionListCmd struct{ person }

func (c *sessionListCmd) Run(w *world) error {
	return c.with(w, func(b *server.Base, a idp.Account) error {
		live, err := liveSessions(w.ctx, b, a.ID)
		if err != nil {
			return err
		}
		out := w.list("ID", "BROWSER", "ADDRESS", "SINCE", "LAST SEEN")
		for _, s := range live {
			line := map[string]any{"id": s.Ref, "browser": s.UserAgent, "ip": s.LastIP, "created_at": stamp(s.CreatedAt), "last_seen_at": stamp(s.LastSeen),
				"auth_time": stamp(s.AuthTime), "expires_at": stamp(s.ExpiresAt), "methods": s.Methods}
			if err := out.add(line, s.Ref, web.Device(s.UserAgent), s.LastIP, stamp(s.CreatedAt), stamp(s.LastSeen)); err != nil {
				return err
			}
		}
		return out.print(a.Username + " is signed in nowhere")
	})
}

type sessionEndCmd struct {
	person
	reason
	ID string `arg:"" help:"The session's id, as session list shows it."`
}

func (c *sessionEndCmd) Run(w *world) error {
	by, err := c.by()
	if err != nil {
		return err
	}
	return c.with(w, func(b *server.Base, a idp.Account) error {
		var r idp.Receipt
		err := c.act(w, b, &a, idp.EventOperator, c.Reason, map[string]string{"act": "session-ended", "session": c.ID}, func(tx idp.Tx) (err error) {
			r, err = operate.EndSession(tx, a.ID, c.ID, by)
			return err
		})
		if errors.Is(err, idp.ErrNotFound) {
			return idp.Advise(fmt.Errorf("%s has no session %q", a.Username, strings.TrimSpace(c.ID)), "exeunt session list "+a.Username+" shows which there are")
		}
		if err != nil {
			return err
		}
		return w.ended(b, r, c.ID, "ended", nil)
	})
}
