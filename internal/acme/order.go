package acme

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"golang.org/x/crypto/acme"
)

// renew serves a newer certificate: one that another process has put into the cache, else a new one.
func (m *Manager) renew(ctx context.Context) error {
	if before := m.due(); m.load() == nil && m.due().After(before) && time.Until(m.due()) > 0 {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	c, err := m.order(within)
	if err != nil {
		return err
	}
	m.serving.Store(c)
	m.Log.Info("the certificate was obtained", "host", m.Host, "directory", m.Directory, "until", c.Leaf.NotAfter)
	if err := m.keep(c); err != nil {
		m.Log.Error("the certificate serves and could not be kept: a restart will need another", "error", err)
	}
	return nil
}

// order is one order, from account to certificate (RFC 8555 section 7.1).
func (m *Manager) order(ctx context.Context) (*tls.Certificate, error) {
	if err := m.needAccount(); err != nil {
		return nil, fmt.Errorf("the account's key cannot be kept: %w", err)
	}
	client := &acme.Client{Key: m.account, DirectoryURL: m.Directory, HTTPClient: m.http, UserAgent: "exeunt", RetryBackoff: backoff}
	account := &acme.Account{}
	if m.Email != "" {
		account.Contact = []string{"mailto:" + m.Email}
	}
	if _, err := client.Register(ctx, account, acme.AcceptTOS); err != nil && !errors.Is(err, acme.ErrAccountAlreadyExists) {
		return nil, fmt.Errorf("account: %w", err)
	}
	order, err := client.AuthorizeOrder(ctx, acme.DomainIDs(m.Host))
	if err != nil {
		return nil, fmt.Errorf("order: %w", err)
	}
	for _, u := range order.AuthzURLs {
		if err := m.prove(ctx, client, u); err != nil {
			return nil, fmt.Errorf("proof that %s is here: %w", m.Host, err)
		}
	}
	if order, err = client.WaitOrder(ctx, order.URI); err != nil {
		return nil, fmt.Errorf("order: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{m.Host}}, key)
	if err != nil {
		return nil, err
	}
	chain, _, err := client.CreateCertFromOrder(ctx, order, request, true)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return m.check(&tls.Certificate{Certificate: chain, PrivateKey: key})
}

// prove answers the authority's question on our listener (RFC 8737 section 3).
func (m *Manager) prove(ctx context.Context, client *acme.Client, url string) error {
	z, err := client.GetAuthorization(ctx, url)
	if err != nil || z.Status == acme.StatusValid {
		return err
	}
	i := slices.IndexFunc(z.Challenges, func(c *acme.Challenge) bool { return c.Type == "tls-alpn-01" })
	if i < 0 {
		return errors.New("the authority does not offer tls-alpn-01, the one kind of proof that this server gives")
	}
	c, err := client.TLSALPN01ChallengeCert(z.Challenges[i].Token, m.Host)
	if err != nil {
		return err
	}
	m.proof.Store(&c)
	defer m.proof.Store(nil)
	if _, err := client.Accept(ctx, z.Challenges[i]); err != nil {
		return err
	}
	_, err = client.WaitAuthorization(ctx, url)
	return err
}

// check refuses what would not serve.
func (m *Manager) check(c *tls.Certificate) (*tls.Certificate, error) {
	if len(c.Certificate) == 0 {
		return nil, errors.New("the authority sent no certificate")
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		return nil, err
	}
	c.Leaf = leaf
	switch key, ok := c.PrivateKey.(*ecdsa.PrivateKey); {
	case !ok || !key.PublicKey.Equal(leaf.PublicKey):
		return nil, errors.New("the certificate is for another key")
	case !leaf.NotAfter.After(leaf.NotBefore):
		return nil, errors.New("the certificate is never valid")
	}
	return c, leaf.VerifyHostname(m.Host)
}

// backoff repeats what an authority could not answer for the moment a few times; then Run waits longer.
func backoff(n int, _ *http.Request, _ *http.Response) time.Duration {
	if n > 4 {
		return 0
	}
	return 200 * time.Millisecond << n
}
