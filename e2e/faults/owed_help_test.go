package faults

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	pgstore "exeunt.dev/internal/store/postgres"
	"exeunt.dev/internal/store/sqlite"
	"exeunt.dev/ledger"
)

// loopback lets the server call the apps of these tests.
const loopback = "apps:\n  allow_networks: [127.0.0.0/8]\n"

// inside opens the cluster's database in this process for a moment, as a command does.
func (c *cluster) inside(f func(idp.Store)) {
	c.t.Helper()
	var s idp.Store
	var err error
	if c.at != "" {
		s, err = pgstore.Open(c.t.Context(), c.at, pgstore.Options{})
	} else {
		s, err = sqlite.Open(c.t.Context(), filepath.Join(c.dir, "db"))
	}
	if err != nil {
		c.t.Fatal(err)
	}
	defer s.Close()
	f(s)
}

func (c *cluster) update(f func(idp.Tx) error) {
	c.t.Helper()
	c.inside(func(s idp.Store) {
		if err := s.Update(c.t.Context(), f); err != nil {
			c.t.Fatal(err)
		}
	})
}

// register makes apps known.
func (c *cluster) register(ears ...*ear) {
	c.t.Helper()
	c.update(func(tx idp.Tx) error {
		for _, e := range ears {
			if err := tx.InsertClient(idp.Client{ID: idp.ClientID(e.id), Kind: idp.KindWeb, Name: e.id, BackchannelLogoutURI: e.url()}, ledger.NewName()); err != nil {
				return err
			}
		}
		return nil
	})
}

// stay is a session made without a sign-in, with a grant.
type stay struct {
	session idp.Name
	sid     string
}

// furnish gives a new account n sessions, each with a grant of every app, redeemed so long ago; the apps' sids are in their order.
func (c *cluster) furnish(account string, n int, ago time.Duration, apps ...*ear) (out [][]stay) {
	c.t.Helper()
	c.inside(func(s idp.Store) { out = c.furnishIn(s, account, n, ago, apps...) })
	return out
}

func (c *cluster) furnishIn(s idp.Store, account string, n int, ago time.Duration, apps ...*ear) (out [][]stay) {
	c.t.Helper()
	const atOnce = 500
	id := idp.AccountID(account)
	err := s.Update(c.t.Context(), func(tx idp.Tx) error {
		if err := tx.InsertAccount(idp.Account{ID: id, Username: account, State: idp.AccountActive}, ledger.NewName()); err != nil {
			return err
		}
		for _, e := range apps {
			if err := tx.PutConsent(idp.Consent{Account: id, Client: idp.ClientID(e.id)}, ledger.NewName()); err != nil {
				return err
			}
		}
		return nil
	})
	for err == nil && len(out) < n {
		var made [][]stay
		err = s.Update(c.t.Context(), func(tx idp.Tx) error {
			made = nil
			for range min(atOnce, n-len(out)) {
				row, err := oneStay(tx, id, ago, apps)
				if err != nil {
					return err
				}
				made = append(made, row)
			}
			return nil
		})
		out = append(out, made...)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

func oneStay(tx idp.Tx, id idp.AccountID, ago time.Duration, apps []*ear) (out []stay, err error) {
	now, err := tx.Mint()
	if err != nil {
		return nil, err
	}
	session := ledger.NewName()
	e, err := tx.Epochs(id, "")
	if err != nil {
		return nil, err
	}
	if err := tx.InsertSession(idp.Session{Name: session, Ref: session.String(), Account: id, Realm: e.Realm, Epoch: e.Account, CreatedAt: now, ExpiresAt: 1 << 50}); err != nil {
		return nil, err
	}
	for _, app := range apps {
		e, err := tx.Epochs(id, idp.ClientID(app.id))
		if err != nil {
			return nil, err
		}
		g := idp.Grant{Name: ledger.NewName(), Account: id, Client: idp.ClientID(app.id), Session: session, Epochs: idp.Epochs{Client: e.Client, Consent: e.Consent},
			CreatedAt: now, RedeemedAt: now.Add(-ago)}
		if err := tx.InsertGrant(g); err != nil {
			return nil, err
		}
		out = append(out, stay{session, g.Name.String()})
	}
	return out, nil
}

// ends ends something beside the server, or without one.
func (c *cluster) ends(what idp.Selector) {
	c.t.Helper()
	c.inside(func(s idp.Store) {
		if _, err := door.New(s, nil).End(c.t.Context(), what, idp.Cause{Kind: idp.CauseSignOut, Actor: "test:it"}); err != nil {
			c.t.Fatal(err)
		}
	})
}

// row is a delivery as the database has it.
type row struct {
	client, state                      string
	created, due, attempts, at, status int64
	again                              bool
}

// picture is what the database says of deliveries.
type picture struct {
	owing int            // receipts that are not expanded
	rows  map[string]row // by sid
}

// looks reads the database beside its server.
func (c *cluster) looks() picture {
	c.t.Helper()
	return c.read(c.source())
}

// source is driver and name of the database.
func (c *cluster) source() (driver, dsn string) {
	if c.at != "" {
		return "pgx", c.at
	}
	return "sqlite", "file:" + filepath.Join(c.dir, "db") + "?_pragma=busy_timeout(5000)"
}

// autopsy reads a copy of a dead server's database, which so is left to the next server as the dead one left it.
func (c *cluster) autopsy() picture {
	c.t.Helper()
	to := c.t.TempDir()
	for _, name := range []string{"db", "db-wal"} {
		text, err := os.ReadFile(filepath.Join(c.dir, name))
		if name == "db-wal" && errors.Is(err, fs.ErrNotExist) {
			continue // whoever closed the database last has written it into the other
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), text, 0o600)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	return c.read("sqlite", "file:"+filepath.Join(to, "db"))
}

func (c *cluster) read(driver, dsn string) (p picture) {
	c.t.Helper()
	p.rows = map[string]row{}
	c.query(driver, dsn, `SELECT count(*) FROM receipt WHERE told_at = 0`, func(r *sql.Rows) error { return r.Scan(&p.owing) })
	c.query(driver, dsn, `SELECT sid, client, state, created_at, coalesce(due, 0), attempts, attempted_at, status, CASE WHEN again THEN 1 ELSE 0 END FROM delivery`, func(r *sql.Rows) error {
		var sid []byte
		var d row
		err := r.Scan(&sid, &d.client, &d.state, &d.created, &d.due, &d.attempts, &d.at, &d.status, &d.again)
		p.rows[ledger.Name(sid).String()] = d
		return err
	})
	return p
}

// number asks the database for one.
func (c *cluster) number(text string) (n int) {
	c.t.Helper()
	driver, dsn := c.source()
	c.query(driver, dsn, text, func(r *sql.Rows) error { return r.Scan(&n) })
	return n
}

func (c *cluster) query(driver, dsn, text string, each func(*sql.Rows) error) {
	c.t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		c.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(c.t.Context(), text)
	if err != nil {
		c.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		c.t.Fatal(err)
	}
}

// quiet says that nothing is owed and nothing will be sent any more.
func (p picture) quiet() bool {
	for _, d := range p.rows {
		if d.state == string(idp.Owed) || d.due != 0 {
			return false
		}
	}
	return p.owing == 0
}

// count counts deliveries by state; those that wait or are under way by how often they were attempted.
func (p picture) count(state idp.DeliveryState, attempted bool) (n int) {
	for _, d := range p.rows {
		if d.state == string(state) && (d.attempts > 0) == attempted {
			n++
		}
	}
	return n
}

// until waits until something is so.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for limit := time.Now().Add(3 * time.Minute); !f(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("not within three minutes: " + what)
		}
	}
}
