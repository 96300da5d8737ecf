package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"os"
	"strings"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
	"golang.org/x/term"
)

type accountCmd struct {
	Add      accountAddCmd      `cmd:"" help:"Add a person."`
	List     accountListCmd     `cmd:"" help:"List people."`
	Show     accountShowCmd     `cmd:"" help:"Show one person."`
	Lock     accountLockCmd     `cmd:"" help:"Sign a person out everywhere and let nobody in until the lock opens."`
	Unlock   accountUnlockCmd   `cmd:"" help:"Let a locked person sign in again."`
	Password accountPasswordCmd `cmd:"" help:"Set a new password and sign the person out everywhere."`
	Factor   factorCmd          `cmd:"" help:"What a person signs in with besides the password."`
	End      accountEndCmd      `cmd:"" help:"Sign a person out everywhere."`
	Disable  accountDisableCmd  `cmd:"" help:"Sign a person out everywhere and let nobody in until enable."`
	Enable   accountEnableCmd   `cmd:"" help:"Let a disabled person sign in again."`
	Delete   accountDeleteCmd   `cmd:"" help:"Sign a person out everywhere, for good."`
}

// person is the argument of most commands.
type person struct {
	Username string `arg:"" help:"The username."`
}

func (p *person) find(w *world, b *server.Base) (a idp.Account, err error) {
	err = b.Store.View(w.ctx, func(v idp.View) error {
		a, err = v.AccountByUsername(p.Username)
		return err
	})
	if errors.Is(err, idp.ErrNotFound) {
		err = idp.Advise(fmt.Errorf("there is nobody with the username %q", p.Username), "exeunt account list shows who there is")
	}
	return a, err
}

// with opens the database for one act on the person.
func (p *person) with(w *world, act func(*server.Base, idp.Account) error) error {
	return w.with(func(b *server.Base) error {
		a, err := p.find(w, b)
		if err != nil {
			return err
		}
		return act(b, a)
	})
}

func describe(a *idp.Account) map[string]any {
	return map[string]any{"id": a.ID, "username": a.Username, "name": a.Name, "email": a.Email, "state": a.State, "created_at": stamp(a.CreatedAt), "password_at": stamp(a.PasswordAt)}
}

// secret is where a password comes from: never the command line, which others can see.
type secret struct {
	Generate bool `help:"Make a password and print it. Without this it is asked for, or read from the first line of standard input."`
}

func (s *secret) read(w *world) (string, error) {
	if s.Generate {
		return idp.NewSecret(12), nil
	}
	f, ok := w.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(w.in, idp.MaxPassword+2)).ReadString('\n')
		if err != nil && err != io.EOF {
			return "", err
		}
		if line == "" {
			return "", usage("there is no password on standard input, and no terminal to ask for it", "pipe it in, or use --generate")
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	fmt.Fprint(w.errOut, "Password: ")
	first, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprint(w.errOut, "\nAgain: ")
	if err != nil {
		return "", err
	}
	again, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(w.errOut)
	if err == nil && string(first) != string(again) {
		err = errors.New("the two passwords differ")
	}
	return string(first), err
}

type accountAddCmd struct {
	person
	secret
	reason
	Name  string `help:"The name that apps may show."`
	Email string `help:"The mail address; taken as verified."`
}

func (c *accountAddCmd) Run(w *world) error {
	by, err := c.by()
	if err != nil {
		return err
	}
	return w.with(func(b *server.Base) error {
		if err := idp.ValidUsername(c.Username); err != nil {
			return err
		}
		password, err := c.read(w)
		if err != nil {
			return err
		}
		if m, err := mail.ParseAddress(c.Email); c.Email != "" && (err != nil || m.Address != c.Email) {
			return usage(fmt.Sprintf("%q is no mail address", c.Email), "write for example --email "+c.Username+"@example.com")
		}
		a := idp.Account{Username: c.Username, Name: c.Name, Email: c.Email, EmailVerified: c.Email != ""}
		if err := b.AddAccount(w.ctx, &a, password, idp.Event{Kind: idp.EventAccountCreated, Actor: by.Actor, Why: by.Reason}); err != nil {
			if errors.Is(err, idp.ErrConflict) {
				err = fmt.Errorf("the username %q is taken", c.Username)
			}
			return err
		}
		out := describe(&a)
		text := ""
		if c.Generate {
			out["password"] = password
			text = "\npassword: " + password
		}
		return w.done(out, "%s: added with id %s%s", a.Username, a.ID, text)
	})
}

type accountListCmd struct{}

func (c *accountListCmd) Run(w *world) error {
	return w.with(func(b *server.Base) error {
		out := w.list("USERNAME", "STATE", "NAME", "ID", "CREATED")
		err := every(w, b, idp.View.Accounts, func(a *idp.Account) string { return idp.FoldUsername(a.Username) }, func(a *idp.Account) error {
			return out.add(describe(a), a.Username, string(a.State), a.Name, string(a.ID), stamp(a.CreatedAt))
		})
		if err != nil {
			return err
		}
		return out.print("there is nobody; exeunt account add NAME adds a person")
	})
}

type accountShowCmd struct{ person }

func (c *accountShowCmd) Run(w *world) error {
	return c.with(w, func(b *server.Base, a idp.Account) error {
		live, err := liveSessions(w.ctx, b, a.ID)
		if err != nil {
			return err
		}
		lock, err := lockOf(w, b, &a)
		if err != nil {
			return err
		}
		out := describe(&a)
		out["sessions"], out["lock"] = len(live), lock
		return w.show(out, []string{"username", a.Username}, []string{"id", string(a.ID)}, []string{"name", a.Name}, []string{"email", a.Email}, []string{"state", string(a.State)}, []string{"lock", lock},
			[]string{"created", stamp(a.CreatedAt)}, []string{"password set", stamp(a.PasswordAt)}, []string{"sessions", fmt.Sprint(len(live))})
	})
}

func deleted(a *idp.Account) error { return fmt.Errorf("%s was deleted", a.Username) }
