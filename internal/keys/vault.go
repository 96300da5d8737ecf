package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Vault encrypts what the database may not hold in the clear, and derives the other secrets of the server. Its key lives
// in a file beside the configuration, never in the database or its backups.
type Vault struct {
	aead cipher.AEAD
	root []byte
}

// ErrNoKeyFile says that there is no key file where one is needed.
var ErrNoKeyFile = errors.New("key file is missing")

const vaultPrefix = "exeunt-key-1:" // so that a file of another kind is noticed

// NewVault makes a vault of 32 random bytes.
func NewVault(root []byte) (*Vault, error) {
	if len(root) != 32 {
		return nil, fmt.Errorf("a vault's key has 32 bytes, not %d", len(root))
	}
	v := &Vault{root: root}
	block, err := aes.NewCipher(v.Derive("seal", 32))
	if err != nil {
		return nil, err
	}
	v.aead, err = cipher.NewGCM(block)
	return v, err
}

// OpenVault reads the key file. ErrNoKeyFile if it is not there; any other error means that it is there and cannot be
// used, and nothing is made in its place.
func OpenVault(path string) (*Vault, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrNoKeyFile, path)
	}
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("key file %s is a folder: name a file in it", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("key file %s can be read by others (mode %04o): run chmod 600 on it", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	encoded, ok := strings.CutPrefix(strings.TrimSpace(string(text)), vaultPrefix)
	if !ok {
		return nil, fmt.Errorf("%s is not a key file of Exeunt (it should begin with %q)", path, vaultPrefix)
	}
	root, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("key file %s is damaged: restore it from your backup", path)
	}
	return NewVault(root)
}

// CreateVault makes a new key file, readable by its owner only. It fails if a file is there already.
func CreateVault(path string) (*Vault, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	root := make([]byte, 32)
	rand.Read(root)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString(vaultPrefix + base64.StdEncoding.EncodeToString(root) + "\n")
	if err == nil {
		err = f.Sync() // a database encrypted under a key that a crash has lost is lost
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = SyncFolder(filepath.Dir(path))
	}
	if err != nil {
		return nil, err
	}
	return NewVault(root)
}

// SyncFolder makes the names of new files in it last, too.
func SyncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Derive gives n bytes for one purpose (HKDF-SHA-256, RFC 5869).
func (v *Vault) Derive(purpose string, n int) []byte {
	key, err := hkdf.Key(sha256.New, v.root, nil, "exeunt "+purpose, n)
	if err != nil {
		panic(err) // only for lengths beyond 255 hashes
	}
	return key
}

// Seal encrypts; about says what the text is, and must be given again to open it.
func (v *Vault) Seal(plain []byte, about string) []byte {
	nonce := make([]byte, v.aead.NonceSize())
	rand.Read(nonce)
	return v.aead.Seal(nonce, nonce, plain, []byte(about))
}

// Open decrypts what Seal made.
func (v *Vault) Open(sealed []byte, about string) ([]byte, error) {
	n := v.aead.NonceSize()
	if len(sealed) < n {
		return nil, errors.New("sealed text is too short")
	}
	plain, err := v.aead.Open(nil, sealed[:n], sealed[n:], []byte(about))
	if err != nil {
		return nil, errors.New("cannot be decrypted with this key file: is it the one this database was made with?")
	}
	return plain, nil
}
