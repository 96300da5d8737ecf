package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"exeunt.dev/internal/idp"
)

const (
	channel   = "exeunt"
	sqlListen = "LISTEN " + channel

	listenAgain = time.Second
)

// Follow calls heard whenever somebody has grown the ledger, until ctx ends: with what was appended, or with nothing if that is not
// known. It is a help, never a promise: a notification may be lost with its connection. All endings of a joined flight are one.
func (s *Store) Follow(ctx context.Context, heard func(idp.News)) {
	for ctx.Err() == nil {
		s.listen(ctx, heard)
		select {
		case <-ctx.Done():
		case <-time.After(listenAgain):
		}
	}
}

func (s *Store) listen(ctx context.Context, heard func(idp.News)) {
	c, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return
	}
	defer c.Close(context.WithoutCancel(ctx))
	if _, err := c.Exec(ctx, sqlListen); err != nil {
		return
	}
	heard(idp.News{}) // for what came before
	for {
		n, err := c.WaitForNotification(ctx)
		if err != nil {
			return
		}
		heard(readNews(s.newsKey, n.Payload))
	}
}
