// Command tell measures signing out over HTTP, the telling of apps, and revocation: a real server in a process of its own, a bare net/http echo in
// another, browsers and apps in this one, all on loopback. It prints ratios of one run; absolute figures belong to the machine.
//
//	go run ./bench/tell [-rounds 200] [-seconds 3] [-owed 100000] [-exeunt PROGRAM]
package main

import (
	"errors"
	"flag"
	"fmt"
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
	binary := flag.String("exeunt", "", "the program, if it is built already")
	echo := flag.Bool("echo", false, "serve the echo (for the child process)")
	flag.Parse()
	if *echo {
		serveEcho()
		return
	}
	if err := run(*binary, *rounds, time.Duration(*seconds*float64(time.Second)), *owed); err != nil {
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

func run(binary string, rounds int, length time.Duration, owed int) error {
	s, err := newScene(binary)
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
// Sessions are made before: a process that writes into the server's database while the server does makes it wait.
func (s *scene) oneByOne(rounds int) error {
	kinds := []struct {
		name string
		apps []idp.ClientID
	}{{"1 app", apps(1)}, {"20 apps", apps(20)}, {"20 apps, one hangs", append(apps(19), "hangs")}}
	back, told, people := make([][]time.Duration, len(kinds)), make([][]time.Duration, len(kinds)), make([][]browser, len(kinds))
	for i, k := range kinds {
		var err error
		if people[i], err = s.browsers(rounds, k.apps...); err != nil {
			return err
		}
	}
	w, err := dial(s.issuer)
	if err != nil {
		return err
	}
	defer w.close()
	var bare []time.Duration
	for n := range rounds {
		for i := range kinds {
			b := people[i][n]
			ask := leaving(b)
			sent := time.Now()
			if err := w.ask(ask, http.StatusSeeOther); err != nil {
				return err
			}
			back[i] = append(back[i], time.Since(sent))
			last, err := s.wait(b, "hangs")
			if err != nil {
				return err
			}
			told[i] = append(told[i], last.Sub(sent))
			if err := s.settled(); err != nil {
				return err
			}
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
	asks := make([][]byte, len(browsers))
	for i, b := range browsers {
		asks[i] = leaving(b)
	}
	out, bare, err := s.turns(connections, length, asks, http.StatusSeeOther)
	if err != nil {
		return err
	}
	for _, b := range browsers[:out.done] {
		if _, err := s.wait(b, ""); err != nil {
			return err
		}
	}
	fmt.Printf("sign-outs, %d connections, 1 app each, durable: %.0f a second, %.3f CPU-ms each while they come, %.1f × a bare echo (%.3f, %.0f a second)\n",
		connections, out.rate, out.each, out.ratio, bare.each, bare.rate)
	return nil
}

// flooded is what came of requests sent by many connections.
type flooded struct {
	done       int
	rate, each float64 // a second; CPU-ms of the process that was asked
	ratio      float64 // CPU to that of the echo, the median of turns
}

// turns sends requests to the server, and before each part of them as many to the echo: the machine is not as fast at one time as at
// another.
func (s *scene) turns(connections int, length time.Duration, asks [][]byte, status int) (out, bare flooded, err error) {
	const turns = 7
	var ratios []float64
	var cpus, times, bareCPU, bareTime float64
	for range turns {
		b, err := s.flood(s.echo, s.echoAt, connections, length/turns, asks, http.StatusSeeOther)
		if err != nil {
			return out, bare, err
		}
		o, err := s.flood(s.server, s.issuer, connections, length/turns, asks[out.done:], status)
		if err != nil {
			return out, bare, err
		}
		ratios = append(ratios, o.each/b.each)
		out.done, cpus, times = out.done+o.done, cpus+o.each*float64(o.done), times+float64(o.done)/o.rate
		bare.done, bareCPU, bareTime = bare.done+b.done, bareCPU+b.each*float64(b.done), bareTime+float64(b.done)/b.rate
	}
	slices.Sort(ratios)
	out.rate, out.each, out.ratio = float64(out.done)/times, cpus/float64(out.done), ratios[turns/2]
	bare.rate, bare.each = float64(bare.done)/bareTime, bareCPU/float64(bare.done)
	return out, bare, nil
}

// flood sends requests, each once, from so many connections for a while, or until there are no more.
func (s *scene) flood(c *exec.Cmd, at string, connections int, length time.Duration, asks [][]byte, status int) (out flooded, err error) {
	wires := make([]*wire, connections)
	for i := range wires {
		if wires[i], err = dial(at); err != nil {
			return out, err
		}
		defer wires[i].close()
	}
	var next atomic.Int64
	var all sync.WaitGroup
	errs := make([]error, connections)
	before, begun := cpu(c), time.Now()
	for i, w := range wires {
		all.Go(func() {
			for errs[i] == nil && time.Since(begun) < length {
				n := next.Add(1) - 1
				if n >= int64(len(asks)) {
					return
				}
				errs[i] = w.ask(asks[n], status)
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return out, err
	}
	out.done = int(min(next.Load(), int64(len(asks))))
	out.rate, out.each = float64(out.done)/time.Since(begun).Seconds(), (cpu(c)-before)/float64(out.done)
	return out, nil
}

// backlog owes a dead app very much, and looks at how another one fares, with and without, interleaved.
func (s *scene) backlog(rounds, owed int) error {
	w, err := dial(s.issuer)
	if err != nil {
		return err
	}
	defer w.close()
	measure := func() (out []time.Duration, err error) {
		people, err := s.browsers(rounds, "app0")
		if err != nil {
			return nil, err
		}
		for _, b := range people {
			ask := leaving(b)
			sent := time.Now()
			if err := w.ask(ask, http.StatusSeeOther); err != nil {
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

// leaving is the request of a browser that comes from app0 to sign out.
func leaving(b browser) []byte {
	query := url.Values{"id_token_hint": {b.hint}, "post_logout_redirect_uri": {"https://app0.example/bye"}}.Encode()
	return request("/logout?"+query, "Cookie: exeunt="+b.cookie+"\r\n", "")
}
