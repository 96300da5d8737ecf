package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
)

// Options of Start.
type Options struct {
	Data string // folder; "" for a temporary one
	Port int    // the first of five; 0 for any that are free
	Log  *slog.Logger
}

// Info is what a visitor, human or program, needs.
type Info struct {
	Issuer            string            `json:"issuer"`
	Username          string            `json:"username"`
	Password          string            `json:"password"`
	SecondUsername    string            `json:"second_username"`
	SecondPassword    string            `json:"second_password"`
	RegistrationToken string            `json:"registration_token"`
	Apps              map[string]string `json:"apps"` // address by client id
	API               string            `json:"api"`
	Start             string            `json:"start"`
}

// Demo is a running demo.
type Demo struct {
	Info   Info
	base   *server.Base
	sites  []*site
	orders *orders

	stop context.CancelFunc
	work sync.WaitGroup
	err  error // of the issuer; read after work
	temp string
	ls   []net.Listener
}

// listen opens the five listeners: issuer, Books, News, Orders, start page. On Linux each has an address of its own, so
// that they share no cookies and are different sites; elsewhere only 127.0.0.1 is there.
func (d *Demo) listen(port int) error {
	for i := range 5 {
		host := "127.0.0.1"
		if runtime.GOOS == "linux" {
			host = fmt.Sprintf("127.0.0.%d", i+1)
		}
		at := 0
		if port != 0 {
			at = port + i
		}
		l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", host, at))
		if err != nil {
			return err
		}
		d.ls = append(d.ls, l)
	}
	return nil
}

func address(l net.Listener) string { return "http://" + l.Addr().String() }

// Start starts everything and returns when it all answers.
func Start(ctx context.Context, o Options) (*Demo, error) {
	d := &Demo{}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := d.start(ctx, o); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *Demo) start(ctx context.Context, o Options) (err error) {
	if err := d.listen(o.Port); err != nil {
		return err
	}
	dir := o.Data
	if dir == "" {
		if dir, err = newFolder(d.ls[0]); err != nil {
			return err
		}
		d.temp = dir
	}
	d.Info = Info{Apps: map[string]string{}, Issuer: address(d.ls[0]), API: address(d.ls[3]), Start: address(d.ls[4]), RegistrationToken: idp.NewSecret(24),
		Username: "alice", Password: password(), SecondUsername: "bob", SecondPassword: password()}
	c := config.Default()
	c.Issuer, c.Data, c.KeyFile = d.Info.Issuer, filepath.Join(dir, "exeunt.db"), filepath.Join(dir, "exeunt.key")
	c.Name, c.Resources, c.InitialTokens = "Exeunt demo", []string{d.Info.API}, []idp.Hash{idp.HashOf(d.Info.RegistrationToken)}
	c.RegistrationScopes = []string{"account.signout"}                // who tries it out may register an app that signs people out everywhere, with consent
	c.Outbound = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} // where Books and News are told
	if runtime.GOOS != "linux" {
		c.Cookies.Session, c.Cookies.Browser = "exeunt"+portOf(d.ls[0]), "exeunt-browser"+portOf(d.ls[0])
	}
	s, err := server.NewOn(ctx, c, o.Log, d.ls[0])
	if err != nil {
		return err
	}
	d.base = s.Base()
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	d.stop = stop
	d.work.Go(func() { d.err = s.Run(run) })
	if err := d.people(ctx); err != nil {
		return err
	}
	for i, name := range []string{"Books", "News"} {
		site, err := d.newSite(ctx, name, d.ls[i+1])
		if err != nil {
			return err
		}
		d.sites = append(d.sites, site)
		d.Info.Apps[site.oauth.ClientID] = site.url
		d.serve(run, d.ls[i+1], site)
	}
	if d.orders, err = d.newOrders(ctx); err != nil {
		return err
	}
	d.work.Go(func() { d.orders.guard.Run(run) })
	d.serve(run, d.ls[3], d.orders)
	d.serve(run, d.ls[4], http.HandlerFunc(d.startPage))
	within, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	return d.orders.guard.Ready(within)
}

func portOf(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// password is one that a person can type.
func password() string {
	return strings.ToLower(strings.NewReplacer("_", "x", "-", "y").Replace(idp.NewSecret(9)))
}

func (d *Demo) serve(ctx context.Context, l net.Listener, h http.Handler) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	d.work.Go(func() { s.Serve(l) })
	d.work.Go(func() { <-ctx.Done(); s.Close() })
}

// Close stops everything and removes the temporary folder.
func (d *Demo) Close() error {
	if d.stop != nil {
		d.stop()
	}
	d.work.Wait()
	for _, l := range d.ls {
		l.Close() // those that nobody serves yet
	}
	if d.temp != "" {
		return errors.Join(d.err, os.RemoveAll(d.temp))
	}
	return d.err
}

// people makes the two accounts. In a folder that was used before they get the passwords of this run, and locks are taken off:
// what is printed works.
func (d *Demo) people(ctx context.Context) error {
	for _, p := range [][3]string{{d.Info.Username, d.Info.Password, "Alice"}, {d.Info.SecondUsername, d.Info.SecondPassword, "Bob"}} {
		err := d.base.AddAccount(ctx, &idp.Account{Username: p[0], Name: p[2]}, p[1])
		if errors.Is(err, idp.ErrConflict) {
			err = d.again(ctx, p[0], p[1])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *Demo) again(ctx context.Context, username, password string) error {
	hash, err := d.base.Passwords(d.base.Store).Hash(ctx, password)
	if err != nil {
		return err
	}
	var a idp.Account
	err = d.base.Store.Update(ctx, func(tx idp.Tx) (err error) {
		if a, err = tx.AccountByUsername(username); err != nil {
			return err
		}
		if a.State == idp.AccountDeleted {
			return fmt.Errorf("%s was deleted in this folder: choose another", username)
		}
		a.Password = hash
		return tx.UpdateAccount(a)
	})
	if err != nil || a.State != idp.AccountLocked {
		return err
	}
	return d.base.Door().Unlock(ctx, a.ID)
}

// client makes a client, or brings one of an earlier run up to date, and returns its secret.
func (d *Demo) client(ctx context.Context, c idp.Client) (string, error) {
	secret, err := d.base.AddClient(ctx, &c)
	if !errors.Is(err, idp.ErrConflict) {
		return secret, err
	}
	secret = idp.NewSecret(32)
	c.Secret = idp.HashOf(secret)
	return secret, d.base.Store.Update(ctx, func(tx idp.Tx) error { return tx.UpdateClient(c) })
}
