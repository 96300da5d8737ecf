package main

import (
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"
)

// rounds is into how many turns each measurement is cut. A machine that others share, too, is not the same from one second to the
// next: what is compared is measured in turns beside each other, and what is told is the median of the turns' ratios.
const rounds = 11

// turns measures what is asked all day, in turns, and gives back a refresh token that is good.
func (b *bench) turns(length time.Duration) (string, error) {
	refresh, access, err := b.tokens(connections)
	if err != nil {
		return "", err
	}
	var mu sync.Mutex
	var made []string // access tokens
	take := func(from *[]string) (token string, err error) {
		mu.Lock()
		defer mu.Unlock()
		if len(*from) == 0 {
			return "", errOut
		}
		token, *from = (*from)[0], (*from)[1:]
		return token, nil
	}
	aside := func(path string) func(int) error {
		return func(int) error { return b.post(b.echoAt+path, url.Values{"token": {access[0]}}, nil) }
	}
	ask := func(token string) error {
		return b.post(b.issuer+"/oauth2/introspect", url.Values{"token": {token}}, nil)
	}
	renew := func(n int) error {
		var out struct {
			Refresh string `json:"refresh_token"`
			Access  string `json:"access_token"`
		}
		err := b.post(b.issuer+"/oauth2/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh[n]}}, &out)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		refresh[n], made = out.Refresh, append(made, out.Access)
		return nil
	}
	first := func(from *[]string) func(int) error {
		return func(int) error {
			token, err := take(from)
			if err != nil {
				return err
			}
			return ask(token)
		}
	}
	b.load(b.server, length, renew)
	unseen := made
	if _, err := b.serve(); err != nil { // the server that is measured has not signed them
		return "", err
	}
	share := len(unseen) / (rounds + 1)
	var all []round
	for n := range rounds + 1 {
		made = nil
		part := unseen[n*share : (n+1)*share]
		each := length / rounds
		r := round{
			echo: b.load(b.echo, each, aside("/echo")), sign: b.load(b.echo, each, aside("/sign")),
			unseen: b.load(b.server, each, first(&part)), seen: b.load(b.server, each, func(n int) error { return ask(access[n]) }),
			refresh: b.load(b.server, each, renew), signed: b.load(b.server, each, first(&made)),
		}
		if n > 0 { // the first one opens connections
			all = append(all, r)
		}
	}
	tell(all, b.pg != nil)
	return refresh[0], nil
}

// round is one turn of each.
type round struct{ echo, sign, unseen, seen, refresh, signed result }

// tell prints the medians, and of the ratios the smallest and the largest, too.
func tell(all []round, postgres bool) {
	of := func(f func(*round) float64) (median, low, high float64) {
		var v []float64
		for i := range all {
			v = append(v, f(&all[i]))
		}
		slices.Sort(v)
		return v[len(v)/2], v[0], v[len(v)-1]
	}
	line := func(what string, get func(*round) result, by string, ratio func(*round) float64) {
		ms, _, _ := of(func(r *round) float64 { return get(r).cpu })
		rate, _, _ := of(func(r *round) float64 { return get(r).rate })
		fmt.Printf("| %s | %.3f | %.0f | ", what, ms, rate)
		if ratio != nil {
			median, low, high := of(ratio)
			fmt.Printf("%.2f x %s (%.2f to %.2f) ", median, by, low, high)
		}
		fmt.Println("|")
	}
	fmt.Printf("\n| what, %d connections | CPU-ms each | requests/s | ratio, median of %d turns |\n|---|---|---|---|\n", connections, len(all))
	line("net/http echo", func(r *round) result { return r.echo }, "", nil)
	line("echo + two ES256 signatures", func(r *round) result { return r.sign }, "", nil)
	line("refresh exchange, durable", func(r *round) result { return r.refresh }, "(echo + two signatures)", func(r *round) float64 { return r.refresh.cpu / r.sign.cpu })
	line("introspection, token seen before", func(r *round) result { return r.seen }, "echo", func(r *round) float64 { return r.seen.cpu / r.echo.cpu })
	line("introspection, token not seen before, signed by this process", func(r *round) result { return r.signed }, "echo", func(r *round) float64 { return r.signed.cpu / r.echo.cpu })
	line("introspection, token not seen before", func(r *round) result { return r.unseen }, "echo, when the one signature is taken off by which it is known",
		func(r *round) float64 { return (r.unseen.cpu - (r.sign.cpu-r.echo.cpu)/2) / r.echo.cpu })
	if postgres {
		ours, _, _ := of(func(r *round) float64 { return r.refresh.postgres })
		asked, _, _ := of(func(r *round) float64 { return r.seen.postgres })
		fmt.Printf("beside it, CPU-ms of Postgres: refresh %.3f, introspection %.3f\n", ours, asked)
	}
}
