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

	"exeunt.dev/examples/spa"
	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
)

// Options of Start.
type Options struct {
	Data string       // folder; "" for a temporary one
	Port int          // the first of six; 0 for any that are free
	Log  *slog.Logger // nil: none

	oneHost bool // as where there is but one loopback address
}

// Info is what a visitor, human or program, needs.
type Info struct {
	Issuer            string            `json:"issuer"`
	Username          string            `json:"username"`
	Password          string            `json:"password"`
	SecondUsername    string            `json:"second_username"`
	SecondPassword    string            `json:"second_password"`
	AdminUsername     string            `json:"admin_username"` // of the console, at /admin
	AdminPassword     string            `json:"admin_password"`
	RegistrationToken string            `json:"registration_token"`
	Apps              map[string]string `json:"apps"` // the websites' addresses by client id
	API               string            `json:"api"`
	SinglePage        string            `json:"single_page"` // address of the single-page app
	Native            string            `json:"native"`      // what to type for the native app, in the folder of the source
	Start             string            `json:"start"`
}

// Demo is a running demo.
type Demo struct {
	Info   Info
	base   *server.Base
	apart  bool   // everything has an address of its own
	csrf   string // of the start page's forms
	sites  []*website
	orders *orders

	stop context.CancelFunc
	work sync.WaitGroup
	err  error // of the issuer; read after work
	temp string
	ls   []net.Listener
}

// The listeners, in the order of their ports and, on Linux, of their addresses.
const (
	atIssuer = iota
	atBooks
	atNews
	atOrders
	atSinglePage
	atStart
	places
)

// listen opens the listeners. On Linux each has an address of its own, so that they share no cookies and are different sites;
// elsewhere only 127.0.0.1 is there.
func (d *Demo) listen(port int) error {
	for i := range places {
		host := "127.0.0.1"
		if d.apart {
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

// issuer is where Exeunt is. Its host is a name where it can be, since no browser offers a passkey at an address that is a number.
func (d *Demo) issuer() string {
	if !d.apart {
		return address(d.ls[atIssuer])
	}
	return "http://localhost:" + portOf(d.ls[atIssuer])
}

// Start starts everything and returns when it all answers.
func Start(ctx context.Context, o Options) (*Demo, error) {
	d := &Demo{apart: runtime.GOOS == "linux" && !o.oneHost, csrf: idp.NewSecret(16)}
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
		if dir, err = newFolder(d.ls[atIssuer]); err != nil {
			return err
		}
		d.temp = dir
	}
	d.Info = Info{
		Issuer: d.issuer(), API: address(d.ls[atOrders]), SinglePage: address(d.ls[atSinglePage]), Start: address(d.ls[atStart]), Apps: map[string]string{},
		Username: "alice", Password: password(), SecondUsername: "bob", SecondPassword: password(), AdminUsername: "admin", AdminPassword: password(),
		RegistrationToken: idp.NewSecret(24),
	}
	s, err := server.NewOn(ctx, d.config(dir), o.Log, d.ls[atIssuer])
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
		w, err := d.newWebsite(ctx, name, dir, d.ls[atBooks+i], o.Log)
		if err != nil {
			return err
		}
		d.Info.Apps[w.id] = w.url
		d.work.Go(func() { w.site.Run(run) })
		d.serve(run, d.ls[atBooks+i], w)
	}
	if d.orders, err = d.newOrders(ctx); err != nil {
		return err
	}
	d.work.Go(func() { d.orders.guard.Run(run) })
	d.serve(run, d.ls[atOrders], d.orders)
	if err := d.publicApps(ctx); err != nil {
		return err
	}
	d.serve(run, d.ls[atSinglePage], spa.Handler(d.Info.Issuer, singlePage, d.Info.API))
	d.serve(run, d.ls[atStart], d.startPage())
	within, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	return d.orders.guard.Ready(within)
}

func (d *Demo) config(dir string) config.Config {
	c := config.Default()
	c.Issuer, c.Data, c.KeyFile = d.Info.Issuer, filepath.Join(dir, "exeunt.db"), filepath.Join(dir, "exeunt.key")
	c.Name, c.Resources, c.InitialTokens = "Exeunt demo", []string{d.Info.API}, []idp.Hash{idp.HashOf(d.Info.RegistrationToken)}
	c.RegistrationScopes = []string{"account.signout"}                // who tries it out may register an app that signs people out everywhere, with consent
	c.Outbound = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} // where Books and News are told
	if !d.apart {
		c.Cookies.Session, c.Cookies.Browser = "exeunt"+portOf(d.ls[atIssuer]), "exeunt-browser"+portOf(d.ls[atIssuer])
	}
	return c
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
	for _, w := range d.sites {
		if w.db != nil {
			d.err = errors.Join(d.err, w.db.Close())
		}
	}
	if d.temp != "" {
		return errors.Join(d.err, os.RemoveAll(d.temp))
	}
	return d.err
}
