package rp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
)

var errSealed = errors.New("rp: a stored secret cannot be opened with the keys at hand")

// vault seals what the store must not read. The first key seals, all open: that is how keys are changed.
type vault struct {
	aeads []cipher.AEAD
	macs  [][]byte
}

func newVault(keys [][]byte) (*vault, error) {
	v := &vault{}
	for _, k := range keys {
		if len(k) != 32 {
			return nil, errors.New("rp: a key has 32 bytes")
		}
		block, err := aes.NewCipher(derive(k, "seal"))
		if err != nil {
			return nil, err
		}
		a, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		v.aeads, v.macs = append(v.aeads, a), append(v.macs, derive(k, "csrf"))
	}
	return v, nil
}

func derive(key []byte, use string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("exeunt rp " + use))
	return m.Sum(nil)
}

// seal binds a value to its place, so that a row copied into another place does not open.
func (v *vault) seal(place string, value any) ([]byte, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	a := v.aeads[0]
	nonce := make([]byte, a.NonceSize(), a.NonceSize()+len(plain)+a.Overhead())
	rand.Read(nonce)
	return a.Seal(nonce, nonce, plain, []byte(place)), nil
}

func (v *vault) open(place string, sealed []byte, into any) error {
	for _, a := range v.aeads {
		if len(sealed) < a.NonceSize() {
			break
		}
		n := a.NonceSize()
		if plain, err := a.Open(nil, sealed[:n], sealed[n:], []byte(place)); err == nil {
			return json.Unmarshal(plain, into)
		}
	}
	return errSealed
}

// proof is the CSRF token of a cookie: a page of another site can neither read nor make it.
func (v *vault) proof(of Hash) string {
	m := hmac.New(sha256.New, v.macs[0])
	m.Write(of[:])
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func (v *vault) proves(token string, of Hash) bool {
	given, err := base64.RawURLEncoding.DecodeString(token)
	ok := false // every key is tried, so that time says nothing
	for _, k := range v.macs {
		m := hmac.New(sha256.New, k)
		m.Write(of[:])
		ok = hmac.Equal(given, m.Sum(nil)) || ok
	}
	return err == nil && ok
}

// place names where a sealed value belongs.
func place(kind string, id []byte) string {
	return kind + " " + base64.RawURLEncoding.EncodeToString(id)
}

// secret gives 256 random bits.
func secret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func hashOf(s string) Hash { return sha256.Sum256([]byte(s)) }
