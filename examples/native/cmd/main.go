// Command cmd is the native example:
//
//	exeunt client add desk --kind native --first-party --dpop required --redirect http://127.0.0.1/callback --audience https://api.example.com
//	export ISSUER=https://id.example.com CLIENT_ID=desk API=https://api.example.com
//	go run ./examples/native/cmd login
//	go run ./examples/native/cmd get /            asks the API
//	go run ./examples/native/cmd logout           this app; "logout browser": the browser's session, too; "logout everywhere"
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"time"

	"exeunt.dev/examples/native"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, stop = context.WithTimeout(ctx, 5*time.Minute)
	defer stop()
	a := &native.App{Issuer: os.Getenv("ISSUER"), ClientID: os.Getenv("CLIENT_ID"), API: os.Getenv("API"), Browse: browse,
		Tell: func(text string) { fmt.Fprintln(os.Stderr, text) }}
	if len(args) == 0 || a.Issuer == "" || a.ClientID == "" || a.API == "" {
		return errors.New("usage: ISSUER=… CLIENT_ID=… API=… native login | get PATH | logout [browser | everywhere]")
	}
	var err error
	if a.Keep, err = native.Best(a.Issuer, a.ClientID); err != nil {
		return err
	}
	more := append(args[1:], "")[0]
	switch args[0] {
	case "login":
		if err := a.SignIn(ctx); err != nil {
			return err
		}
		fmt.Printf("You are signed in. What keeps you signed in is in %s.\n", a.Keep)
	case "get":
		res, err := a.Get(ctx, cmp.Or(more, "/"))
		if errors.Is(err, native.ErrSignedOut) {
			return fmt.Errorf("%w: login signs you in", err)
		}
		if err != nil {
			return err
		}
		defer res.Body.Close()
		fmt.Fprintln(os.Stderr, res.Status)
		_, err = io.Copy(os.Stdout, res.Body)
		return err
	case "logout":
		if how := native.How(more); how != native.Here && how != native.Browser && how != native.Everywhere {
			return errors.New("logout of this app, or: logout browser, logout everywhere")
		}
		if err := a.SignOut(ctx, native.How(more)); err != nil {
			return err
		}
		fmt.Println("You are signed out.")
	default:
		return fmt.Errorf("there is no command %q", args[0])
	}
	return nil
}

// browse opens the person's own browser, where they may be signed in already, and where this app cannot look on. It does not wait:
// some of these commands end when the browser does.
func browse(_ context.Context, address string) error {
	program := map[string][]string{"darwin": {"open"}, "windows": {"rundll32", "url.dll,FileProtocolHandler"}}[runtime.GOOS]
	if program == nil {
		program = []string{"xdg-open"}
	}
	c := exec.Command(program[0], append(program[1:], address)...)
	if err := c.Start(); err != nil {
		return err
	}
	go c.Wait()
	return nil
}
