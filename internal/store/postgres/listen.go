package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	sqlNotify = `NOTIFY exeunt`
	sqlListen = `LISTEN exeunt`

	listenAgain = time.Second
)

// Follow calls wake whenever another node may have grown the ledger, until ctx ends. It is a help, never a promise: a
// notification may be lost with its connection, and whoever is woken reads the ledger. All endings of a joined flight are
// one notification.
func (s *Store) Follow(ctx context.Context, wake func()) {
	for ctx.Err() == nil {
		s.listen(ctx, wake)
		select {
		case <-ctx.Done():
		case <-time.After(listenAgain):
		}
	}
}

func (s *Store) listen(ctx context.Context, wake func()) {
	c, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return
	}
	defer c.Close(context.WithoutCancel(ctx))
	if _, err := c.Exec(ctx, sqlListen); err != nil {
		return
	}
	wake() // for what came before
	for {
		if _, err := c.WaitForNotification(ctx); err != nil {
			return
		}
		wake()
	}
}
