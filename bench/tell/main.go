// Command tell measures signing out over HTTP, the telling of apps, and revocation: a real server in a process of its own, a bare net/http echo in
// another, browsers and apps in this one, all on loopback. It prints ratios of one run; absolute figures belong to the machine.
//
//	go run ./bench/tell [-rounds 200] [-seconds 3] [-owed 100000]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"exeunt.dev/internal/idp"
)

func main() {
	rounds := flag.Int("rounds", 200, "sign-outs of each kind, one after the other")
	seconds := flag.Float64("seconds", 3, "length of the load")
	owed := flag.Int("owed", 100_000, "deliveries owed to a dead app")
	echo := flag.Bool("echo", false, "serve the echo (for the child process)")
	flag.Parse()
	if *echo {
		serveEcho()
		return
	}
	if err := run(*rounds, time.Duration(*seconds*float64(time.Second)), *owed); err != nil {
		fmt.Fprintln(os.Stderr, "tell:", err)
		os.Exit(1)
	}
}

func serveEcho() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println("http://" + l.Addr().String())
	http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://app0.example/bye")
		w.WriteHeader(http.StatusSeeOther)
	}))
}

func run(rounds int, length time.Duration, owed int) error {
	s, err := newScene()
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.oneByOne(rounds); err != nil {
		return err
	}
	if err := s.load(length); err != nil {
		return err
	}
	if err := s.revocations(length); err != nil {
		return err
	}
	return s.backlog(rounds, owed)
}

// names of n apps.
func apps(n int) (out []idp.ClientID) {
	for i := range n {
		out = append(out, idp.ClientID(fmt.Sprintf("app%d", i)))
	}
	return out
}

// oneByOne signs browsers out one after the other: how long until the browser has its answer, and until the last app has its token.
func (s *scene) oneByOne(rounds int) error {
	kinds := []struct {
		name string
		apps []idp.ClientID
	}{{"1 app", apps(1)}, {"20 apps", apps(20)}, {"20 apps, one hangs", append(apps(19), "hangs")}}
	back, told := make([][]time.Duration, len(kinds)), make([][]time.Duration, len(kinds))
	var bare []time.Duration
	for range rounds {
		for i, k := range kinds {
			b, err := s.browser(k.apps...)
			if err != nil {
				return err
			}
			sent := time.Now()
			if err := s.leave(b); err != nil {
				return err
			}
			back[i] = append(back[i], time.Since(sent))
			last, err := s.wait(b, "hangs")
			if err != nil {
				return err
			}
			told[i] = append(told[i], last.Sub(sent))
		}
		begun := time.Now()
		if err := s.commit(); err != nil {
			return err
		}
		bare = append(bare, time.Since(begun))
	}
	fmt.Printf("a bare durable commit: p50 %.2f ms\n", ms(bare, .5))
	for i, k := range kinds {
		fmt.Printf("%s: browser back p50 %.2f ms (%+.2f ms), p99 %.2f ms; last app has its token p50 %.2f ms, p99 %.2f ms\n",
			k.name, ms(back[i], .5), ms(back[i], .5)-ms(bare, .5), ms(back[i], .99), ms(told[i], .5), ms(told[i], .99))
	}
	return nil
}

func ms(all []time.Duration, q float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return float64(sorted[min(int(q*float64(len(sorted))), len(sorted)-1)].Microseconds()) / 1000
}

// load signs out from 16 connections for a while, one app each.
func (s *scene) load(length time.Duration) error {
	const connections = 16
	browsers, err := s.browsers(int(length.Seconds()*8000), "app0")
	if err != nil {
		return err
	}
	next, failed := atomic.Int64{}, atomic.Int64{}
	measure := func(c *exec.Cmd, f func(n int64) error) (rate, each float64) {
		next.Store(0)
		var wg sync.WaitGroup
		before, begun := cpu(c), time.Now()
		for range connections {
			wg.Go(func() {
				for time.Since(begun) < length {
					n := next.Add(1) - 1
					if n >= int64(len(browsers)) {
						return
					}
					if f(n) != nil {
						failed.Add(1)
					}
				}
			})
		}
		wg.Wait()
		done := float64(min(next.Load(), int64(len(browsers))))
		return done / time.Since(begun).Seconds(), (cpu(c) - before) / done
	}
	_, bare := measure(s.echo, func(n int64) error {
		return s.get(s.echoAt+"/logout?id_token_hint="+browsers[n].hint, browsers[n].cookie)
	})
	rate, each := measure(s.server, func(n int64) error { return s.leave(browsers[n]) })
	signed := min(int(next.Load()), len(browsers))
	for _, b := range browsers[:signed] {
		if _, err := s.wait(b, ""); err != nil {
			return err
		}
	}
	whole := 0.0
	if signed > 0 {
		whole = each
	}
	fmt.Printf("sign-outs, %d connections, 1 app each, durable: %.0f a second, %.3f CPU-ms each while they come, %.1f × a bare echo (%.3f); %d failed\n", connections, rate, whole, each/bare, bare, failed.Load())
	return nil
}

// backlog owes a dead app very much, and looks at how another one fares, with and without, interleaved.
func (s *scene) backlog(rounds, owed int) error {
	measure := func() (out []time.Duration, err error) {
		for range rounds {
			b, err := s.browser("app0")
			if err != nil {
				return nil, err
			}
			sent := time.Now()
			if err := s.leave(b); err != nil {
				return nil, err
			}
			at, err := s.wait(b, "")
			if err != nil {
				return nil, err
			}
			out = append(out, at.Sub(sent))
		}
		return out, nil
	}
	var idle, beside []time.Duration
	before := s.memory()
	most := before
	for range 3 {
		one, err := measure()
		if err != nil {
			return err
		}
		idle = append(idle, one...)
		if err := s.owe(owed); err != nil {
			return err
		}
		time.Sleep(2 * time.Second)
		if one, err = measure(); err != nil {
			return err
		}
		beside = append(beside, one...)
		most = max(most, s.memory())
		if err := s.forgive(); err != nil {
			return err
		}
	}
	fmt.Printf("%d owed to a dead app: another app has its token p50 %.2f ms, p99 %.2f ms; without p50 %.2f ms, p99 %.2f ms (%.2f ×, %.2f ×); memory %d MiB, before %d MiB\n",
		owed, ms(beside, .5), ms(beside, .99), ms(idle, .5), ms(idle, .99), ms(beside, .5)/ms(idle, .5), ms(beside, .99)/ms(idle, .99), most, before)
	return nil
}

// get asks as a browser does, and follows nothing.
func (s *scene) get(at, cookie string) error {
	r, err := http.NewRequestWithContext(context.Background(), "GET", at, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Cookie", "exeunt="+cookie)
	res, err := s.http.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	io.Copy(io.Discard, res.Body)
	if res.StatusCode != http.StatusSeeOther {
		return fmt.Errorf("%s answers %s", r.URL.Path, res.Status)
	}
	return nil
}

func (s *scene) leave(b browser) error {
	return s.get(s.issuer+"/logout?"+url.Values{"id_token_hint": {b.hint}, "post_logout_redirect_uri": {"https://app0.example/bye"}}.Encode(), b.cookie)
}
