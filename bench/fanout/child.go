package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"exeunt.dev/guard"
)

// now is a clock that all processes of the machine share.
func now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}

// serveRaw holds connections and writes to all of them when asked.
func serveRaw() error {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(tcp.Addr().String(), web.Addr().String())
	var mu sync.Mutex
	var held []net.Conn
	go func() {
		for {
			c, err := tcp.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			held = append(held, c)
			mu.Unlock()
		}
	}()
	return http.Serve(web, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		var frame [16]byte // as long as an entry of the ledger
		for _, c := range held {
			if _, err := c.Write(frame[:]); err != nil {
				return
			}
		}
	}))
}

// beGuards is a process of APIs, each with a guard of its own. It is told what to do line by line:
//
//	first    issuer, id, secret, audience, address of the raw process
//	then     "token T": every guard admits T; "ready" is answered, and when the last stream has ended, the time of that
//	or       "raw": when the last raw connection has heard something, the time of that is answered
func beGuards(n int) error {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	if !in.Scan() {
		return io.ErrUnexpectedEOF
	}
	f := strings.Fields(in.Text())
	if len(f) != 5 {
		return errors.New("five words are expected")
	}
	var all []*guard.Guard
	for range n {
		g, err := guard.New(f[0], guard.Audience(f[3]), guard.Credentials(f[1], f[2]))
		if err != nil {
			return err
		}
		go g.Run(context.Background())
		all = append(all, g)
	}
	for _, g := range all {
		within, cancel := context.WithTimeout(context.Background(), time.Minute)
		err := g.Ready(within)
		cancel()
		if err != nil {
			return err
		}
	}
	heard := make(chan time.Duration, n)
	for range n {
		c, err := net.Dial("tcp", f[4])
		if err != nil {
			return err
		}
		go func() {
			var frame [16]byte
			for {
				if _, err := io.ReadFull(c, frame[:]); err != nil {
					return
				}
				heard <- now()
			}
		}()
	}
	fmt.Println("ready")
	for in.Scan() {
		word, token, _ := strings.Cut(in.Text(), " ")
		if word == "token" {
			for _, g := range all {
				t, err := g.Check(token)
				if err != nil {
					return err
				}
				ctx, _ := g.Watch(context.Background(), t)
				context.AfterFunc(ctx, func() { heard <- now() })
			}
			fmt.Println("ready")
		}
		var last time.Duration
		for range n {
			last = max(last, <-heard)
		}
		fmt.Println(int64(last))
	}
	return in.Err()
}
