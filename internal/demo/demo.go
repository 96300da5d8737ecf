package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/server"
)

// Options of a demo.
type Options struct {
	Data string // folder to keep; "" for a temporary one
	Port int    // of Exeunt; the others follow on their own addresses. 0: free ones
}

// Facts are what a caller needs to use the demo; the JSON of demo --json.
type Facts struct {
	Issuer            string            `json:"issuer"`
	Start             string            `json:"start"`
	Username          string            `json:"username"`
	Password          string            `json:"password"`
	SecondUsername    string            `json:"second_username"`
	SecondPassword    string            `json:"second_password"`
	RegistrationToken string            `json:"registration_token"`
	Apps              map[string]string `json:"apps"`
	API               string            `json:"api"`
}

// Demo is a running demo.
type Demo struct {
	Facts
	server *server.Server
	books  *website
	news   *website
	orders *orders
	remove func() error
	stop   context.CancelFunc
	work   sync.WaitGroup
	errs   chan error
}

// Start starts everything and returns when it can be used.
func Start(ctx context.Context, o Options) (*Demo, error) {
	ctx, stop := context.WithCancel(ctx)
	d := &Demo{stop: stop, remove: func() error { return nil }, errs: make(chan error, 8)}
	if err := d.start(ctx, o); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Close stops everything and removes what a temporary demo made.
func (d *Demo) Close() error {
	d.stop()
	d.work.Wait()
	return d.remove()
}

// Failed says that a part has stopped by itself.
func (d *Demo) Failed() <-chan error { return d.errs }

// listen gives the nth part its address: one each on Linux, else one host and a port each.
func listen(n, port int) (net.Listener, error) {
	host := "127.0.0.1"
	if runtime.GOOS == "linux" {
		host = fmt.Sprintf("127.0.0.%d", n)
	} else if port != 0 {
		port += n - 1
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("%w (choose another with --port)", err)
	}
	return l, nil
}

func (d *Demo) start(ctx context.Context, o Options) error {
	if o.Data == "" {
		dir, err := os.MkdirTemp("", "exeunt-demo-")
		if err != nil {
			return err
		}
		o.Data = dir
		d.remove = func() error { return os.RemoveAll(dir) }
	}
	var ls [5]net.Listener
	for i := range ls {
		l, err := listen(i+1, o.Port)
		if err != nil {
			for _, open := range ls[:i] {
				open.Close()
			}
			return err
		}
		ls[i] = l
	}
	at := func(i int) string { return "http://" + ls[i].Addr().String() }
	d.Facts = Facts{Issuer: at(0), Start: at(4), Username: "alice", SecondUsername: "bob", API: at(3),
		Apps: map[string]string{"books": at(1), "news": at(2)}, RegistrationToken: idp.NewSecret(24)}
	c := config.Default()
	c.Issuer, c.Name, c.LogLevel = at(0), "Exeunt demo", "error"
	c.Database, c.KeyFile = filepath.Join(o.Data, "exeunt.db"), filepath.Join(o.Data, "exeunt.key")
	c.InitialTokens, c.Resources = []idp.Hash{idp.HashOf(d.RegistrationToken)}, []string{d.API}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	var err error
	if d.server, err = server.New(ctx, c, log); err != nil {
		return err
	}
	d.run(func() error { return d.server.Run(ctx, ls[0]) })
	secrets, err := d.fill(ctx)
	if err != nil {
		return err
	}
	if d.books, err = newWebsite(ctx, "Books", "books", at(1), secrets["books"], &d.Facts); err != nil {
		return err
	}
	if d.news, err = newWebsite(ctx, "News", "news", at(2), secrets["news"], &d.Facts); err != nil {
		return err
	}
	if d.orders, err = newOrders(&d.Facts, secrets["orders"]); err != nil {
		return err
	}
	d.run(func() error { return ignoreStop(d.orders.guard.Run(ctx)) })
	d.serve(ctx, ls[1], d.books.handler())
	d.serve(ctx, ls[2], d.news.handler())
	d.serve(ctx, ls[3], d.orders.handler())
	d.serve(ctx, ls[4], d.startPage())
	ready, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return d.orders.guard.Ready(ready)
}

func (d *Demo) run(f func() error) {
	d.work.Go(func() {
		if err := f(); err != nil {
			select {
			case d.errs <- err:
			default:
			}
		}
	})
}

func ignoreStop(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (d *Demo) serve(ctx context.Context, l net.Listener, h http.Handler) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	d.run(func() error {
		go func() {
			<-ctx.Done()
			s.Close()
		}()
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
}

// fill makes people and apps, or, in a kept folder, gives the apps their new addresses and secrets and the people their
// known passwords.
func (d *Demo) fill(ctx context.Context) (map[string]string, error) {
	store := d.server.Store
	for _, p := range []struct {
		name     string
		password *string
	}{{d.Username, &d.Password}, {d.SecondUsername, &d.SecondPassword}} {
		*p.password = "demo-" + idp.NewSecret(9)
		_, err := server.AddAccount(ctx, store, d.server.Passwords, idp.Account{Username: p.name, Name: p.name}, *p.password)
		if errors.Is(err, idp.ErrConflict) {
			err = d.resetPassword(ctx, p.name, *p.password)
		}
		if err != nil {
			return nil, err
		}
	}
	secrets := map[string]string{}
	for id, at := range d.Apps {
		secret, err := d.app(ctx, idp.Client{ID: idp.ClientID(id), Kind: idp.KindWeb, Name: map[string]string{"books": "Books", "news": "News"}[id],
			RedirectURIs: []string{at + "/callback"}, PostLogoutURIs: []string{at + "/"}, LogoutURIs: []string{at + "/left"},
			Audiences: []string{d.API}, FirstParty: true, Scopes: []string{"openid", "profile"}})
		if err != nil {
			return nil, err
		}
		secrets[id] = secret
	}
	secret, err := d.app(ctx, idp.Client{ID: "orders", Kind: idp.KindAPI, Name: "Orders", Audiences: []string{d.API}})
	secrets["orders"] = secret
	return secrets, err
}

func (d *Demo) app(ctx context.Context, c idp.Client) (string, error) {
	secret, err := server.AddClient(ctx, d.server.Store, c)
	if !errors.Is(err, idp.ErrConflict) {
		return secret, err
	}
	secret = idp.NewSecret(32)
	return secret, d.server.Store.Update(ctx, func(tx idp.Tx) error {
		old, err := tx.Client(c.ID)
		if err != nil {
			return err
		}
		old.Secret, old.RedirectURIs, old.PostLogoutURIs, old.LogoutURIs, old.Audiences = idp.HashOf(secret), c.RedirectURIs, c.PostLogoutURIs, c.LogoutURIs, c.Audiences
		return tx.UpdateClient(old)
	})
}

func (d *Demo) resetPassword(ctx context.Context, username, password string) error {
	hash, err := d.server.Passwords.Hash(ctx, password)
	if err != nil {
		return err
	}
	return d.server.Store.Update(ctx, func(tx idp.Tx) error {
		a, err := tx.AccountByUsername(username)
		if err != nil {
			return err
		}
		a.Password = hash
		return tx.UpdateAccount(a)
	})
}
