package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/store/fill"
	"exeunt.dev/internal/token"
)

// secret is what session i's names, cookie and tokens are made of: rows lie as scattered as random ones, and whoever knows i has them.
func secret(kind string, i int) [32]byte { return sha256.Sum256([]byte(kind + strconv.Itoa(i))) }

func cookie(i int) string { return fmt.Sprintf("%x", secret("cookie", i)) }

// refreshToken is session i's first.
func refreshToken(i int) string {
	handle := secret("handle", i)
	r := token.Refresh{Secret: secret("refresh", i)}
	copy(r.Handle[:], handle[:])
	return r.String()
}

// fill writes sessions 1 to n, each with an account, an app and a refresh token, as sign-ins would have, in place of those that there are.
// The server is down meanwhile. ends is how many ends of tokens the ledger gets, too.
func (b *bench) fill(n, ends int) error {
	ctx, at := context.Background(), b.pg.URL("postgres")
	c, err := pgx.Connect(ctx, at)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	var realm, app []byte
	if err := c.QueryRow(ctx, `SELECT r.epoch, c.epoch FROM realm r, client c WHERE c.id = $1`, b.id).Scan(&realm, &app); err != nil {
		return err
	}
	if ends > 0 {
		if err := b.fillEnds(ctx, c, ends); err != nil {
			return err
		}
	}
	begun := time.Now()
	lanes := [][]fill.Table{{}, {}}
	for i, t := range grown(n, begun.UnixMilli(), realm, app) {
		lanes[i%2] = append(lanes[i%2], t)
	}
	failed := make(chan error)
	for _, tables := range lanes {
		go func() { failed <- fill.Postgres(ctx, at, tables...) }()
	}
	if err := errors.Join(<-failed, <-failed); err != nil {
		return err
	}
	if _, err := c.Exec(ctx, `CHECKPOINT`); err != nil {
		return err
	}
	fmt.Printf("%d sessions were written in %.0f s\n", n, time.Since(begun).Seconds())
	return nil
}

// fillEnds writes n ends of tokens that nobody has.
func (b *bench) fillEnds(ctx context.Context, c *pgx.Conn, n int) error {
	var first, last, life int64
	if err := c.QueryRow(ctx, `SELECT number + 1, time, life_cap FROM counter`).Scan(&first, &last, &life); err != nil {
		return err
	}
	now := time.Now().UnixMilli()
	ends := fill.Ends("api", first, n, idp.Time(last), idp.Time(now), time.Duration(life)*time.Second)
	if err := fill.Postgres(ctx, b.pg.URL("postgres"), ends...); err != nil {
		return err
	}
	_, err := c.Exec(ctx, `UPDATE counter SET number = number + $1, time = $2`, n, now)
	return err
}

// grown are the tables of n sessions; realm and app are the epochs they are born under.
func grown(n int, now int64, realm, app []byte) []fill.Table {
	const day = 86_400_000
	name := func(kind string, i int) []byte { s := secret(kind, i); return s[:12] }
	hash := func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }
	table := func(table string, row func(i int) []any) fill.Table {
		return fill.Table{Name: table, Anew: true, Number: n, Rows: func(yield func([]any) bool) {
			for i := 1; i <= n && yield(row(i)); i++ {
			}
		}}
	}
	return []fill.Table{
		table("session", func(i int) []any {
			return []any{name("session", i), "ref" + strconv.Itoa(i), account(i), realm, name("epoch", i), hash([]byte(cookie(i))), true, now, now, now + 30*day, 14 * day,
				`["pwd"]`, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "192.0.2.1"}
		}),
		table("family", func(i int) []any {
			refresh := secret("refresh", i)
			return []any{name("family", i), name("grant", i), name("grant", i), "app", hash(secretHandle(i)), 0, hash(refresh[:]), nil, nil, now, nil,
				`["openid"]`, `["https://api.example.com"]`, now, now + 30*day, 0, "", ""}
		}),
		table("session_seen", func(i int) []any { return []any{name("session", i), now + 3_600_000, "192.0.2.1", now + 14*day} }),
		table("grant_", func(i int) []any {
			return []any{name("grant", i), account(i), "app", name("session", i), nil, nil, nil, app, name("consent", i), now, now}
		}),
		table("slot", func(i int) []any { return []any{name("session", i), "app", name("grant", i), false} }),
		table("account", func(i int) []any {
			return []any{account(i), account(i), account(i), "", "", "", false, "active", name("epoch", i), now, now}
		}),
	}
}

func account(i int) string { return "grown-" + strconv.Itoa(i) }

func secretHandle(i int) []byte { s := secret("handle", i); return s[:16] }
