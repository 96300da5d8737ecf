package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exeunt.dev/e2e/faults/api/talk"
)

// alone is a plight on a server of its own.
func (w *world) alone(t *testing.T, row *line, victims int, settings string) *plight {
	t.Helper()
	c := start(t, 1, nil, settings)
	return newPlight(t, c, c.people(1)[0], w.at, row, victims)
}

// servers are faults of the server and its database.
func (w *world) servers(t *testing.T) {
	// Caught: endings that are acknowledged before they are durable.
	w.row(t, "server killed and started again", true, func(t *testing.T, row *line) {
		s := w.alone(t, row, 6, "")
		s.follow()
		s.ends(3, 0)
		s.c.nodes[0].kill()
		time.Sleep(staleness * 5 / 4)
		s.heal(s.c.nodes[0].up)
		s.ends(s.left(), staleness)
		s.settle()
	})
	// What ended since is in no ledger any more: guards that knew it refuse it all the same. What ends afterwards gets numbers that
	// they have seen. Caught: a guard that does not notice that numbers have gone back.
	w.row(t, "database file replaced by an older one", false, func(t *testing.T, row *line) {
		s := w.alone(t, row, 9, "")
		s.follow()
		n := s.c.nodes[0]
		n.stop()
		db, older := filepath.Join(s.c.dir, "db"), filepath.Join(s.c.dir, "older")
		text, err := os.ReadFile(db)
		s.must(err)
		s.must(os.WriteFile(older, text, 0o600))
		n.up()
		s.ends(6, 0)
		until(t, "the guard has heard", func() bool { return s.well(s.at.seen(t, s.id)) })
		n.kill()
		for _, of := range []string{"-wal", "-shm"} {
			os.Remove(db + of)
		}
		s.must(os.Rename(older, db))
		s.heal(n.up)
		s.ends(s.left(), staleness)
		s.settle()
		if s.at.seen(t, s.id).Events["rewritten"] == 0 {
			t.Error("the guard has not noticed")
		}
	})
	// Caught: a node that vouches for what it has in memory, the ledger's head and the guard's credentials. Its tail stays open meanwhile, with pings.
	for _, of := range []struct {
		name   string
		strike func(*node)
	}{
		{"node cut off from its database", func(n *node) { n.db.Aim() }},
		{"node whose database does not answer", func(n *node) { n.db.Stalled.Store(true) }},
	} {
		w.row(t, of.name, true, func(t *testing.T, row *line) {
			c := start(t, 2, postgres(t), "")
			s := newPlight(t, c, c.people(1)[0], w.at, row, 6)
			s.follow()
			s.c.front.Aim(c.nodes[1].address())
			of.strike(c.nodes[0])
			s.ends(s.left(), staleness)
			time.Sleep(staleness / 2)
			s.heal(func() {
				c.nodes[0].db.Stalled.Store(false)
				c.nodes[0].db.Aim(fmt.Sprintf("127.0.0.1:%d", c.pg.Port))
			})
			s.settle()
		})
	}
	w.restored(t)
	w.capLowered(t)
	w.crowded(t)
	w.clocks(t)
	w.keys(t)
	// More endings than the line carries. Caught: a guard that is fresh before it has everything up to the head.
	w.row(t, "slow reader", true, func(t *testing.T, row *line) {
		s := w.alone(t, row, 6, "")
		s.follow()
		s.link.Rate(16 << 10)
		s.c.crowd(8_000)
		s.ends(s.left(), staleness)
		time.Sleep(staleness)
		s.heal(func() { s.link.Rate(0) })
		s.settle()
	})
}

// restored: a backup, restored as the manual says, ends everything, for a guard that was cut off meanwhile, too. What is signed in
// afterwards is good.
func (w *world) restored(t *testing.T) {
	w.row(t, "Postgres restored from a backup", false, func(t *testing.T, row *line) {
		c := start(t, 1, postgres(t), "")
		s := newPlight(t, c, c.people(1)[0], w.at, row, 3)
		s.follow()
		n := c.nodes[0]
		c.command(nil, "backup", filepath.Join(c.dir, "saved"))
		s.ends(2, 0)
		n.stop()
		text, err := os.ReadFile(n.config)
		s.must(err)
		fresh := strings.Replace(s.c.pg.Database(t), fmt.Sprint(s.c.pg.Port), fmt.Sprint(n.db.Port()), 1)
		s.must(os.WriteFile(n.config, []byte(text[:strings.Index(string(text), "postgres:")]), 0o600))
		s.must(appendTo(n.config, "postgres:\n  url: "+fresh+"\n"))
		c.command(nil, "backup", "restore", filepath.Join(c.dir, "saved"))
		restored := talk.Now()
		for _, v := range s.victims {
			if v.ended == 0 {
				v.sent, v.ended = restored, restored
				row.ends++
			}
		}
		for name, raw := range s.good {
			s.victims = append(s.victims, &victim{name: name, raw: raw, sent: restored, ended: restored})
			row.ends++
		}
		s.heal(n.up)
		s.must(s.p.signIn())
		s.good = map[string]string{"signed in again": s.p.sessions[len(s.p.sessions)-1].apps["books"].access}
		s.try("")
		s.settle()
		if s.at.seen(t, s.id).Events["lineage"] == 0 {
			t.Error("the guard has not noticed")
		}
	})
}

func appendTo(path, text string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(text)
	return err
}

// capLowered: tokens were minted for longer than the cap that holds when they end; whoever starts after that cap must know them
// still. Caught: an ending that is held for the new cap.
func (w *world) capLowered(t *testing.T) {
	w.row(t, "life_cap lowered", false, func(t *testing.T, row *line) {
		s := w.alone(t, row, 6, "lifetimes:\n  access_token: 1m\n")
		s.follow()
		n := s.c.nodes[0]
		n.stop()
		text, err := os.ReadFile(n.config)
		s.must(err)
		s.must(os.WriteFile(n.config, []byte(strings.Replace(string(text), "access_token: 1m", "access_token: 1s", 1)), 0o600))
		n.up()
		s.ends(s.left()-1, 0)
		time.Sleep(3 * time.Second) // a cap of 2 s is over
		s.ends(1, 0)                // and the ledger has gone on since
		s.settle()
		s.id, s.healed = s.id+"-later", 0
		s.at.guard(t, s.c, s.id, s.link.URL())
		s.try("")
		s.settle()
	})
}

// crowded: a guard starts with very many endings, while more come. ./test long takes ten million.
func (w *world) crowded(t *testing.T) {
	many := 300_000
	if long() {
		many = 10_000_000
	}
	w.row(t, fmt.Sprintf("%d endings at the start", many), false, func(t *testing.T, row *line) {
		s := w.alone(t, row, 6, "lifetimes:\n  access_token: 1h\n") // longer than it takes to write them
		n := s.c.nodes[0]
		n.stop()
		s.c.fill(many)
		n.up()
		begun := talk.Now()
		s.ends(2, 0)
		s.at.guard(t, s.c, s.id, s.link.URL())
		s.try("")
		s.ends(2, staleness)
		s.at.ask(t, "GET", "/"+s.id+"/ready", nil, nil)
		row.note = fmt.Sprintf("ready %d ms after the server", (talk.Now() - begun).Milliseconds())
		s.ends(s.left(), staleness)
		s.settle()
	})
}
