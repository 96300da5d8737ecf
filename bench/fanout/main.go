// Command fanout measures how long the last of a thousand guards takes to refuse an ended token: a real server in a process of its own,
// the guards in two others. Beside it, in the same run and by turns, a bare process writes as many bytes to as many TCP connections of
// the same two processes. It prints ratios; absolute figures belong to the machine.
//
//	go run ./bench/fanout [-guards 1000] [-rounds 200]
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"time"
)

func main() {
	guards := flag.Int("guards", 1000, "guards, in two processes")
	rounds := flag.Int("rounds", 200, "ends, one after the other")
	role := flag.String("role", "", "what a child process is: raw or guards")
	flag.Parse()
	var err error
	switch *role {
	case "raw":
		err = serveRaw()
	case "guards":
		err = beGuards(*guards)
	default:
		err = run(*guards, *rounds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fanout:", err)
		os.Exit(1)
	}
}

func run(guards, rounds int) error {
	s, err := newScene(guards)
	if s != nil {
		defer s.close()
	}
	if err != nil {
		return err
	}
	var ours, raw, commits []time.Duration
	for n := range rounds + 5 {
		one, commit, err := s.end()
		if err != nil {
			return err
		}
		bare, err := s.write()
		if err != nil {
			return err
		}
		if n >= 5 { // the first ones warm up
			ours, raw, commits = append(ours, one), append(raw, bare), append(commits, commit)
		}
	}
	fmt.Printf("\n| from the request to the last of %d, %d rounds by turns | p50 ms | p99 ms |\n|---|---|---|\n", guards, rounds)
	fmt.Printf("| bytes on a raw TCP connection | %.2f | %.2f |\n", ms(raw, .5), ms(raw, .99))
	fmt.Printf("| a stream of a guard ended (Watch), the commit in it | %.2f (%.2f ×) | %.2f (%.2f ×) |\n", ms(ours, .5), ms(ours, .5)/ms(raw, .5), ms(ours, .99), ms(ours, .99)/ms(raw, .99))
	fmt.Printf("the revocation was answered after p50 %.2f ms\n", ms(commits, .5))
	return nil
}

func ms(all []time.Duration, q float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return float64(sorted[min(int(q*float64(len(sorted))), len(sorted)-1)].Microseconds()) / 1000
}
