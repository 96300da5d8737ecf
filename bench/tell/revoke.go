package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
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
	asks := make([][]byte, len(tokens))
	who := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("app0:"+url.QueryEscape(appSecret))) + "\r\n"
	for i, t := range tokens {
		asks[i] = request("/oauth2/revoke", who, url.Values{"token": {t}}.Encode())
	}
	out, bare, err := s.turns(connections, length, asks, http.StatusOK)
	if err != nil {
		return err
	}
	over := 0
	err = s.base.Store.View(context.Background(), func(v idp.View) error {
		for _, t := range tokens[:out.done] {
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
	fmt.Printf("revocations, %d connections, durable: %.0f a second, %.3f CPU-ms each, %.1f × a bare echo (%.3f, %.0f a second); %d of %d families are over\n",
		connections, out.rate, out.each, out.ratio, bare.each, bare.rate, over, out.done)
	return err
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
