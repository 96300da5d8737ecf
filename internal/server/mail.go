package server

import (
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/mail"
)

// Post opens the post; nil where no mail server is configured. Letters that a command writes are sent by the server that runs beside it.
func (b *Base) Post(store idp.Store, say mail.Say, log *slog.Logger) (*mail.Post, error) {
	c := b.Config.Mail
	if c.Host == "" {
		return nil, nil
	}
	var roots *x509.CertPool
	if c.RootFile != "" {
		text, err := os.ReadFile(c.RootFile)
		if err != nil {
			return nil, err
		}
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("mail.root_file %s holds no certificate", c.RootFile)
		}
	}
	return mail.New(store, b.Vault, mail.Server{
		Host: c.Host, Port: c.Port, Implicit: c.TLS == "implicit", Plain: c.TLS == "none", Username: c.Username, Password: c.Password,
		From: c.From, FromName: b.Config.Name, Issuer: b.Config.Issuer, Roots: roots,
	}, b.Config.Name, b.Config.Issuer, say, log)
}
