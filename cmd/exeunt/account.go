package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
	"exeunt.dev/internal/signin"
	"golang.org/x/term"
)

type accountCmd struct {
	Add      accountAdd      `cmd:"" help:"Add a person; the password is read from standard input."`
	List     accountList     `cmd:"" help:"List people."`
	Show     accountShow     `cmd:"" help:"Show a person and their sessions."`
	Lock     accountLock     `cmd:"" help:"End everything of a person and issue nothing until unlocked."`
	Unlock   accountUnlock   `cmd:"" help:"Let a person sign in again; nothing comes back."`
	Password accountPassword `cmd:"" help:"Set a person's password and end everything; read from standard input."`
	End      accountEnd      `cmd:"" help:"Sign a person out everywhere."`
	Delete   accountDelete   `cmd:"" help:"End everything of a person for good."`
}

type accountJSON struct {
	ID       idp.AccountID    `json:"id"`
	Username string           `json:"username"`
	Name     string           `json:"name,omitempty"`
	Email    string           `json:"email,omitempty"`
	State    idp.AccountState `json:"state"`
	Created  string           `json:"created_at"`
}

func describe(a *idp.Account) accountJSON {
	return accountJSON{a.ID, a.Username, a.Name, a.Email, a.State, when(a.CreatedAt)}
}

// secret reads a password from standard input, without echo on a terminal.
func secret() (string, error) {
	if fd := int(os.Stdin.Fd()); term.IsTerminal(fd) {
		fmt.Fprint(os.Stderr, "Password: ")
		b, err := term.ReadPassword(fd)
		fmt.Fprintln(os.Stderr)
		return string(b), err
	}
	line, err := bufio.NewReader(io.LimitReader(os.Stdin, 4096)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// person finds an account by username.
func person(c *server.Core, r *run, username string) (a idp.Account, err error) {
	err = view(c, r, func(v idp.View) (err error) {
		a, err = v.AccountByUsername(username)
		return err
	})
	if errors.Is(err, idp.ErrNotFound) {
		err = &hinted{fmt.Errorf("nobody has the username %q", username), "exeunt account list"}
	}
	return a, err
}

type accountAdd struct {
	Username string `arg:""`
	Name     string `help:"Display name."`
	Email    string `help:"Mail address."`
}

func (x accountAdd) Run(r *run) error {
	if err := idp.ValidUsername(x.Username); err != nil {
		return err
	}
	password, err := secret()
	if err != nil {
		return err
	}
	return r.with(func(c *server.Core) error {
		a, err := server.AddAccount(r.ctx, c.Store, signin.NewPasswords(c.Store), idp.Account{Username: x.Username, Name: x.Name, Email: x.Email}, password)
		if errors.Is(err, idp.ErrConflict) {
			return fmt.Errorf("somebody has the username %q already", x.Username)
		}
		if err != nil {
			return err
		}
		return r.print(describe(&a), func(w io.Writer) { fmt.Fprintf(w, "added %s, sub %s\n", a.Username, a.ID) })
	})
}

type accountList struct{}

func (accountList) Run(r *run) error {
	return r.with(func(c *server.Core) error {
		out := []accountJSON{}
		after := ""
		for {
			var page []idp.Account
			err := view(c, r, func(v idp.View) (err error) {
				page, err = v.Accounts(idp.Page{After: after, Limit: 1000})
				return err
			})
			if err != nil {
				return err
			}
			for i := range page {
				out, after = append(out, describe(&page[i])), page[i].Username
			}
			if len(page) < 1000 {
				break
			}
		}
		return r.print(out, func(w io.Writer) {
			if len(out) == 0 {
				fmt.Fprintln(w, "nobody yet: exeunt account add NAME")
			}
			for _, a := range out {
				fmt.Fprintf(w, "%-24s %-9s %s  %s\n", a.Username, a.State, a.ID, a.Created)
			}
		})
	})
}

type accountShow struct {
	Username string `arg:""`
}

func (x accountShow) Run(r *run) error {
	return r.with(func(c *server.Core) error {
		a, err := person(c, r, x.Username)
		if err != nil {
			return err
		}
		sessions, err := sessionsOf(c, r, &a)
		if err != nil {
			return err
		}
		out := struct {
			accountJSON
			Sessions []sessionJSON `json:"sessions"`
		}{describe(&a), sessions}
		return r.print(out, func(w io.Writer) {
			fmt.Fprintf(w, "%s (%s), %s, since %s\n", a.Username, a.ID, a.State, when(a.CreatedAt))
			printSessions(w, sessions)
		})
	})
}

type accountLock struct {
	Username string `arg:""`
	Reason   string `help:"Why, for the record."`
}

func (x accountLock) Run(r *run) error {
	return x.end(r, idp.AccountLocked, idp.CauseLock)
}

func (x accountLock) end(r *run, after idp.AccountState, kind idp.CauseKind) error {
	return r.with(func(c *server.Core) error {
		a, err := person(c, r, x.Username)
		if err != nil {
			return err
		}
		receipt, err := c.Door.End(r.ctx, idp.EndAccount(a.ID, after), cause(kind, x.Reason))
		if err != nil {
			return err
		}
		return r.ended(a.Username, receipt)
	})
}

type accountDelete struct {
	Username string `arg:""`
	Reason   string `help:"Why, for the record."`
}

func (x accountDelete) Run(r *run) error {
	return accountLock(x).end(r, idp.AccountDeleted, idp.CauseDelete)
}

type accountEnd struct {
	Username string `arg:""`
	Reason   string `help:"Why, for the record."`
}

func (x accountEnd) Run(r *run) error {
	return r.with(func(c *server.Core) error {
		a, err := person(c, r, x.Username)
		if err != nil {
			return err
		}
		if a.State != idp.AccountActive {
			return fmt.Errorf("%s is %s: everything has ended already", a.Username, a.State)
		}
		receipt, err := c.Door.End(r.ctx, idp.EndAccount(a.ID, idp.AccountActive), cause(idp.CauseEverywhere, x.Reason))
		if err != nil {
			return err
		}
		return r.ended(a.Username, receipt)
	})
}

type accountUnlock struct {
	Username string `arg:""`
}

func (x accountUnlock) Run(r *run) error {
	return r.with(func(c *server.Core) error {
		a, err := person(c, r, x.Username)
		if err != nil {
			return err
		}
		err = c.Door.Unlock(r.ctx, a.ID)
		if errors.Is(err, idp.ErrConflict) {
			return fmt.Errorf("%s is %s, not locked", a.Username, a.State)
		}
		if err != nil {
			return err
		}
		return r.print(map[string]string{"unlocked": a.Username}, func(w io.Writer) { fmt.Fprintf(w, "%s can sign in again\n", a.Username) })
	})
}

type accountPassword struct {
	Username string `arg:""`
}

func (x accountPassword) Run(r *run) error {
	password, err := secret()
	if err != nil {
		return err
	}
	return r.with(func(c *server.Core) error {
		a, err := person(c, r, x.Username)
		if err != nil {
			return err
		}
		hash, err := signin.NewPasswords(c.Store).Hash(r.ctx, password)
		if err != nil {
			return err
		}
		var receipt idp.Receipt
		err = c.Store.Update(r.ctx, func(tx idp.Tx) error {
			now, err := tx.Mint()
			if err != nil {
				return err
			}
			after := a.State // a locked account stays locked
			if receipt, err = door.EndIn(tx, idp.EndAccount(a.ID, after), cause(idp.CauseReset, "")); err != nil {
				return err
			}
			row, err := tx.Account(a.ID)
			if err != nil {
				return err
			}
			row.Password, row.PasswordAt = hash, now
			return tx.UpdateAccount(row)
		})
		if err != nil {
			return err
		}
		return r.ended(a.Username, receipt)
	})
}
