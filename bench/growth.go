package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// grow fills a database with live sessions, each with an app and a refresh token, to one size after the other, and measures
// at each size what is asked all day, of sessions picked at random: CPU of Exeunt and, beside it, of Postgres. left is how much of the disk
// is to stay free.
func grow(length time.Duration, sizes string, left int64) error {
	all, err := parseSizes(sizes)
	if err != nil {
		return err
	}
	b, err := prepare(true, left, "shared_buffers=512MB", "max_wal_size=4GB", "wal_level=minimal", "max_wal_senders=0")
	if b != nil {
		defer b.close()
	}
	if err != nil {
		return err
	}
	if err := b.room(all[len(all)-1], left); err != nil {
		return err
	}
	var table []string
	ends := old
	for _, n := range all {
		b.server.Process.Kill()
		b.server.Wait()
		if err := b.fill(n, ends); err != nil {
			return err
		}
		ends = 0
		took, err := b.serve()
		if err != nil {
			return err
		}
		fmt.Printf("the server started in %d ms\n", took.Milliseconds())
		line, err := b.measureGrown(length, n)
		if err != nil {
			return err
		}
		fmt.Println(line)
		table = append(table, line)
	}
	fmt.Printf("\n| live sessions | database | refresh: Exeunt, Postgres | session by cookie | introspection | sign-out |\n|---|---|---|---|---|---|\n%s\n", strings.Join(table, "\n"))
	return nil
}

func parseSizes(text string) (all []int, err error) {
	for _, one := range strings.Split(text, ",") {
		n, err := strconv.Atoi(one)
		if err != nil || n < 2*connections || len(all) > 0 && n <= all[len(all)-1] {
			return nil, fmt.Errorf("sizes are numbers that grow, of %d at least: %q", 2*connections, one)
		}
		all = append(all, n)
	}
	return all, nil
}

// old is how many endings there are from the beginning, so that the sign-outs of one size do not make the next one's ledger another.
const old = 200_000

// signedIn is a session whose refresh token was used here.
type signedIn struct {
	i           int
	access, id  string
	nextRefresh string
}

// lane is what one connection works on: sessions that no other picks.
type lane struct {
	rng  *rand.Rand
	used map[int]*signedIn
	list []*signedIn
}

func (b *bench) measureGrown(length time.Duration, n int) (string, error) {
	lanes := make([]*lane, connections)
	for k := range lanes {
		lanes[k] = &lane{rng: rand.New(rand.NewPCG(uint64(n), uint64(k))), used: map[int]*signedIn{}}
	}
	var mu sync.Mutex
	var failed error
	fail := func(err error) error {
		mu.Lock()
		defer mu.Unlock()
		failed = errors.Join(failed, err)
		return err
	}
	pick := func(k int) int { // from the upper half, so that a smaller size's sessions, used or over, are not met again
		return n/2 + k + connections*lanes[k].rng.IntN(n/2/connections) + 1
	}
	renew := func(k int) error {
		l, i := lanes[k], pick(k)
		s := l.used[i]
		if s == nil {
			s = &signedIn{i: i, nextRefresh: refreshToken(i)}
			l.used[i] = s
			l.list = append(l.list, s)
		}
		var out struct {
			Access  string `json:"access_token"`
			Refresh string `json:"refresh_token"`
			ID      string `json:"id_token"`
		}
		if err := b.post(b.issuer+"/oauth2/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {s.nextRefresh}}, &out); err != nil {
			return fail(err)
		}
		s.access, s.id, s.nextRefresh = out.Access, out.ID, out.Refresh
		return nil
	}
	b.load(b.server, length/2, renew) // connections, plans, caches
	refresh := b.load(b.server, length, renew)
	look := b.load(b.server, length, func(k int) error {
		i := pick(k)
		body, err := b.as(i, "/session/")
		if err == nil && !strings.Contains(body, "grown-"+strconv.Itoa(i)) {
			err = fmt.Errorf("session %d: %s", i, body)
		}
		if err != nil {
			return fail(err)
		}
		return nil
	})
	inspect := b.load(b.server, length, func(k int) error {
		l := lanes[k]
		var out struct {
			Active bool `json:"active"`
		}
		err := b.post(b.issuer+"/oauth2/introspect", url.Values{"token": {l.list[l.rng.IntN(len(l.list))].access}}, &out)
		if err == nil && !out.Active {
			err = errors.New("a token that lives is told to be over")
		}
		if err != nil {
			return fail(err)
		}
		return nil
	})
	out := b.once(lanes, func(s *signedIn) error {
		if _, err := b.as(s.i, "/logout?id_token_hint="+s.id); err != nil {
			return fail(err)
		}
		return nil
	})
	for _, l := range lanes { // the figures are worth nothing if it did not happen
		if body, err := b.as(l.list[0].i, "/session/"); err == nil && strings.Contains(body, "grown-") {
			return "", fmt.Errorf("session %d lives on after its sign-out: %s", l.list[0].i, body)
		}
	}
	if failed != nil {
		return "", failed
	}
	size, err := b.size()
	cell := func(r result) string { return fmt.Sprintf("%.3f, %.3f", r.cpu, r.postgres) }
	return fmt.Sprintf("| %d | %s | %s | %s | %s | %s |", n, size, cell(refresh), cell(look), cell(inspect), cell(out)), err
}

// once runs f for half of what each lane has used, every one once.
func (b *bench) once(lanes []*lane, f func(*signedIn) error) result {
	before, beside, begin, done := cpu(b.server), b.postgres(), time.Now(), 0
	var wg sync.WaitGroup
	for _, l := range lanes {
		half := l.list[:(len(l.list)+1)/2]
		done += len(half)
		wg.Go(func() {
			for _, s := range half {
				f(s)
			}
		})
	}
	wg.Wait()
	return result{(cpu(b.server) - before) / float64(done), float64(done) / time.Since(begin).Seconds(), (b.postgres() - beside) / float64(done)}
}

// as asks with session i's cookie, as a browser that goes to an address.
func (b *bench) as(i int, path string) (string, error) {
	r, err := http.NewRequest("GET", b.issuer+path, nil)
	if err != nil {
		return "", err
	}
	r.AddCookie(&http.Cookie{Name: "exeunt", Value: cookie(i)})
	res, err := b.http.Do(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s %s", path, res.Status, body)
	}
	return string(body), err
}

func (b *bench) size() (s string, err error) {
	c, err := pgx.Connect(context.Background(), b.pg.URL("postgres"))
	if err != nil {
		return "", err
	}
	defer c.Close(context.Background())
	return s, c.QueryRow(context.Background(), `SELECT pg_size_pretty(pg_database_size(current_database()))`).Scan(&s)
}
