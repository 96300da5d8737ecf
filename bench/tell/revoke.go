package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/token"
	"exeunt.dev/ledger"
)

// revocations revokes refresh tokens (RFC 7009) from 64 connections for a while, each of a family of its own, beside the same requests to
// the echo.
func (s *scene) revocations(length time.Duration) error {
	const connections = 64
	tokens, err := s.families(int(length.Seconds() * 20_000))
	if err != nil {
		return err
	}
	// Of each: what is sent is made before.
	bodies := make([][]byte, len(tokens))
	for i, t := range tokens {
		bodies[i] = []byte(url.Values{"token": {t}}.Encode())
	}
	failed := atomic.Int64{}
	run := func(address string, status int) (done int, took time.Duration) {
		next := atomic.Int64{}
		var all sync.WaitGroup
		begun := time.Now()
		for range connections {
			all.Go(func() {
				for time.Since(begun) < length {
					n := next.Add(1) - 1
					if n >= int64(len(bodies)) {
						return
					}
					if err := s.revoke(address, bodies[n], status); err != nil && failed.Add(1) == 1 {
						fmt.Println(err)
					}
				}
			})
		}
		all.Wait()
		return int(min(next.Load(), int64(len(bodies)))), time.Since(begun)
	}
	before := cpu(s.echo)
	n, took := run(s.echoAt+"/", http.StatusSeeOther)
	echoed, bare := float64(n)/took.Seconds(), (cpu(s.echo)-before)/float64(n)
	before = cpu(s.server)
	n, took = run(s.issuer+"/oauth2/revoke", http.StatusOK)
	each := (cpu(s.server) - before) / float64(n)
	over := 0
	err = s.base.Store.View(context.Background(), func(v idp.View) error {
		for _, t := range tokens[:n] {
			r, err := token.ParseRefresh(t)
			if err != nil {
				return err
			}
			c, err := v.ChainByHandle(r.HandleHash())
			if err != nil {
				return err
			}
			ended, err := v.Ended(c.Family.Name)
			if err != nil {
				return err
			}
			over += len(ended)
		}
		return nil
	})
	fmt.Printf("revocations, %d connections, durable: %.0f a second, %.3f CPU-ms each, %.1f × a bare echo (%.3f, %.0f a second); %d of %d families are over, %d failed\n",
		connections, float64(n)/took.Seconds(), each, each/bare, bare, echoed, over, n, failed.Load())
	return err
}

func (s *scene) revoke(address string, body []byte, status int) error {
	r, err := http.NewRequest("POST", address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("app0", appSecret)
	res, err := s.http.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	io.Copy(io.Discard, res.Body)
	if res.StatusCode != status {
		return fmt.Errorf("%s answers %s", address, res.Status)
	}
	return nil
}

// families makes sessions at app0 and the refresh token of each.
func (s *scene) families(n int) (out []string, err error) {
	all, err := s.browsers(n, "app0")
	if err != nil {
		return nil, err
	}
	for len(all) > 0 {
		some := all[:min(500, len(all))]
		all = all[len(some):]
		made := out
		if err := s.base.Store.Update(context.Background(), func(tx idp.Tx) error {
			made = out
			now, err := tx.Mint()
			if err != nil {
				return err
			}
			for _, b := range some {
				r, sid := token.NewRefresh(), b.sids["app0"]
				f := idp.Family{Name: ledger.NewName(), Grant: sid, Sid: sid, Client: "app0", Handle: r.HandleHash(), Cur: r.SecretHash(), RotatedAt: now, CreatedAt: now, ExpiresAt: now + 3_600_000}
				if err := tx.InsertFamily(f); err != nil {
					return err
				}
				made = append(made, r.String())
			}
			return nil
		}); err != nil {
			return nil, err
		}
		out = made
	}
	return out, nil
}
