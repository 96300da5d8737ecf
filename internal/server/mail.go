package server

import (
	"log/slog"
	"net/http"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/mail"
	"exeunt.dev/internal/rescue"
	"exeunt.dev/internal/web"
)

// onTheft is what happens to an account one of whose refresh tokens was used twice; nil: nothing.
func onTheft(c config.Lock, x *rescue.Rescue) func(idp.Tx, idp.AccountID, idp.Time, *http.Request) error {
	if !c.OnTheft {
		return nil
	}
	return func(tx idp.Tx, id idp.AccountID, now idp.Time, r *http.Request) error {
		_, _, err := x.LockIn(tx, id, idp.LockDevice, c.For, now, idp.Cause{Kind: idp.CauseLock, Actor: idp.ActorRule("refresh-theft")}, r)
		return err
	}
}

// Post opens the post; nil where no mail server is configured. Letters that a command writes are sent by the server that runs beside it.
func (b *Base) Post(store idp.Store, say mail.Say, log *slog.Logger) (*mail.Post, error) {
	c := b.Config.Mail
	if c.Host == "" {
		return nil, nil
	}
	trusted, err := roots(b.Config, "mail.root_file", c.RootFile)
	if err != nil {
		return nil, err
	}
	return mail.New(store, b.Vault, mail.Server{
		Host: c.Host, Port: c.Port, Implicit: c.TLS == "implicit", Plain: c.TLS == "none", Username: c.Username, Password: c.Password,
		From: c.From, FromName: b.Config.Name, Issuer: b.Config.Issuer, Roots: trusted,
	}, b.Config.Name, b.Config.Issuer, say, log)
}

// Tell writes to a person, in the transaction of an operator's command, what it has changed.
func (b *Base) Tell(tx idp.Tx, e idp.Event) error {
	if b.Config.Mail.Host == "" {
		return nil
	}
	pages, err := web.New(b.Config.Name, b.Config.HTTPS())
	if err != nil {
		return err
	}
	post, err := b.Post(b.Store, pages.Speak, slog.Default())
	if err != nil {
		return err
	}
	head, err := tx.Head()
	if err != nil {
		return err
	}
	return (&rescue.Rescue{Store: b.Store, Post: post, Issuer: b.Config.Issuer}).Tell(tx, e, head.Time)
}
