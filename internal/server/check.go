package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"

	"exeunt.dev/internal/config"
	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/place"
	"exeunt.dev/internal/store/verbs"
	"exeunt.dev/internal/weak"
)

// Check reads the files that only a server needs, as it will, and says what is wrong with the line of the configuration that names them.
// Loading a configuration does not: commands may be run by who must not read the certificate's key.
func Check(c config.Config) error {
	if c.TLS.CertFile != "" {
		if err := pair(c); err != nil {
			return err
		}
	}
	if _, err := roots(c, "tls.acme.root_file", c.TLS.RootFile); err != nil {
		return err
	}
	if _, err := roots(c, "mail.root_file", c.Mail.RootFile); err != nil {
		return err
	}
	if _, err := places(c); err != nil {
		return err
	}
	_, err := rules(c)
	return err
}

// States of a database that can be used.
const (
	DatabaseReady = "ready" // and the key file fits, and what nodes have agreed on
	DatabaseNew   = "new"   // there is none yet, or one that no server has ever run on
	DatabaseOlder = "older" // of an older version; the key file was not tried
)

// CheckDatabase says which it is. It makes nothing, and changes nothing.
func CheckDatabase(ctx context.Context, c config.Config) (string, error) {
	s, err := openNamed(ctx, c, verbs.Opening{There: true, AsItIs: true})
	switch {
	case errors.Is(err, idp.ErrNoDatabase):
		return DatabaseNew, nil
	case errors.Is(err, idp.ErrOlder):
		return DatabaseOlder, nil
	case err != nil:
		return "", err
	}
	defer s.Close()
	err = fits(ctx, s, c.KeyFile, c.Database())
	if errors.Is(err, errNoKeys) {
		return DatabaseNew, nil
	}
	if err == nil {
		_, err = differs(ctx, s, &c)
	}
	return DatabaseReady, err
}

const unreadable = "correct the path, and let the server read it"

func pair(c config.Config) error {
	cert, err := os.ReadFile(c.TLS.CertFile)
	if err != nil {
		return c.Refuse("tls.cert_file", "it cannot be read: "+err.Error(), unreadable)
	}
	key, err := os.ReadFile(c.TLS.KeyFile)
	if err != nil {
		return c.Refuse("tls.key_file", "it cannot be read: "+err.Error(), unreadable)
	}
	if _, err = tls.X509KeyPair(cert, key); err != nil {
		return c.Refuse("tls.cert_file", "it and key_file cannot be used: "+err.Error(), "write the names of two files in PEM: a certificate and its own key")
	}
	return nil
}

// roots are whom a certificate must come from; nil: whom the system trusts.
func roots(c config.Config, key, file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, c.Refuse(key, "it cannot be read: "+err.Error(), unreadable)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, c.Refuse(key, file+" holds no certificate", "write the name of a file with one in PEM")
	}
	return pool, nil
}

// places is where addresses are; nil: nobody knows.
func places(c config.Config) (*place.Table, error) {
	if c.Places == "" {
		return nil, nil
	}
	t, err := place.Open(c.Places)
	if err != nil {
		return nil, c.Refuse("places_file", "it cannot be used: "+err.Error(), "write the name of a file with lines of first address,last address,place")
	}
	return t, nil
}

// rules are what new passwords must keep.
func rules(c config.Config) (*weak.Rules, error) {
	r, err := weak.NewRules(c.Passwords.Breached, c.Name, c.Issuer)
	if err != nil {
		return nil, c.Refuse("passwords.breached", err.Error(), "docs/operations.md says what such files hold")
	}
	return r, nil
}
