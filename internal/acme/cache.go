package acme

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// open makes the folders, or refuses ones in which others can write, and reads what is there.
func (m *Manager) open() error {
	for _, f := range []string{m.Cache, m.folder} {
		if err := privateFolder(f); err != nil {
			return err
		}
	}
	if err := m.readAccount(); err != nil {
		return err
	}
	// A certificate that cannot be read can be had again.
	if err := m.load(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.Log.Warn("the cached certificate cannot be used; another one is asked for", "error", err)
	}
	return nil
}

// privateFolder makes a folder for private keys. Who can put a file there can have this server serve with a key of theirs.
func privateFolder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if others := info.Mode().Perm() & 0o022; others != 0 {
		return fmt.Errorf("others can write in %s (mode %04o): chmod 700 it", path, info.Mode().Perm())
	}
	return nil
}

func (m *Manager) accountFile() string     { return filepath.Join(m.folder, "account.pem") }
func (m *Manager) certificateFile() string { return filepath.Join(m.folder, m.Host+".cert.pem") }

// readAccount reads the account's key. One that cannot be read is not replaced: the account may hold the right to this name.
func (m *Manager) readAccount() error {
	text, err := os.ReadFile(m.accountFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return fmt.Errorf("%s holds no key", m.accountFile())
	}
	if m.account, err = x509.ParseECPrivateKey(block.Bytes); err != nil {
		return fmt.Errorf("%s: %w", m.accountFile(), err)
	}
	return nil
}

func (m *Manager) needAccount() error {
	if m.account != nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	if err := m.write(m.accountFile(), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})); err != nil {
		return err
	}
	m.account = key
	return nil
}

// load serves what is cached, also when it has expired: a browser then says so, which is clearer than nothing.
func (m *Manager) load() error {
	text, err := os.ReadFile(m.certificateFile())
	if err != nil {
		return err
	}
	c, err := tls.X509KeyPair(text, text)
	if err == nil {
		_, err = m.check(&c)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", m.certificateFile(), err)
	}
	if now := m.serving.Load(); now == nil || c.Leaf.NotAfter.After(now.Leaf.NotAfter) {
		m.serving.Store(&c)
	}
	return nil
}

// keep writes the certificate and its key into one file, so that they can never be of two renewals.
func (m *Manager) keep(c *tls.Certificate) error {
	der, err := x509.MarshalECPrivateKey(c.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.Write(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
	for _, part := range c.Certificate {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: part}))
	}
	return m.write(m.certificateFile(), b.Bytes())
}

// write replaces a file at once or not at all, for its owner only.
func (m *Manager) write(path string, text []byte) error {
	f, err := os.CreateTemp(m.folder, ".new-") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
