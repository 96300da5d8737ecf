package native

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// plain is for what needs no token. It follows no redirect, and neither does a client that proves: a token could be led elsewhere.
var plain = &http.Client{Timeout: 30 * time.Second, CheckRedirect: stay}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// prover adds a proof of possession (RFC 9449) to each request.
type prover struct {
	key    *ecdsa.PrivateKey
	mu     sync.Mutex
	nonces map[string]string // by host: servers want theirs in the next proof
}

// proving is a client that holds a key (PKCS #8).
func proving(key []byte) (*http.Client, error) {
	k, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	ec, ok := k.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("the key is of another kind")
	}
	return &http.Client{Timeout: plain.Timeout, CheckRedirect: stay, Transport: &prover{key: ec, nonces: map[string]string{}}}, nil
}

// thumbprint is what tokens call the key by (RFC 7638).
func thumbprint(key *ecdsa.PrivateKey) (string, error) {
	jwk := jose.JSONWebKey{Key: key.Public()}
	sum, err := jwk.Thumbprint(crypto.SHA256)
	return base64.RawURLEncoding.EncodeToString(sum), err
}

// RoundTrip sends a request with its proof, and once more with the server's nonce if that is what it lacked (sections 8 and 9).
func (p *prover) RoundTrip(r *http.Request) (*http.Response, error) {
	for again := false; ; again = true {
		out, err := p.prove(r)
		if err != nil {
			return nil, err
		}
		res, err := http.DefaultTransport.RoundTrip(out)
		if err != nil {
			return nil, err
		}
		nonce := res.Header.Get("DPoP-Nonce")
		if nonce != "" {
			p.mu.Lock()
			p.nonces[r.URL.Host] = nonce
			p.mu.Unlock()
		}
		if again || nonce == "" || !wantsNonce(res) || (r.Body != nil && r.GetBody == nil) {
			return res, nil
		}
		res.Body.Close()
	}
}

func (p *prover) prove(r *http.Request) (*http.Request, error) {
	claims := map[string]any{"jti": rand.Text(), "iat": time.Now().Unix(), "htm": r.Method, "htu": r.URL.Scheme + "://" + r.URL.Host + r.URL.EscapedPath()}
	p.mu.Lock()
	if nonce := p.nonces[r.URL.Host]; nonce != "" {
		claims["nonce"] = nonce
	}
	p.mu.Unlock()
	if _, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return nil, err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: p.key}, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
	if err != nil {
		return nil, err
	}
	signed, err := signer.Sign(body)
	if err != nil {
		return nil, err
	}
	proof, err := signed.CompactSerialize()
	if err != nil {
		return nil, err
	}
	out := r.Clone(r.Context())
	out.Header.Set("DPoP", proof)
	if r.GetBody != nil {
		out.Body, err = r.GetBody()
	}
	return out, err
}

// wantsNonce reads why a request was refused; the body can be read again.
func wantsNonce(res *http.Response) bool {
	if res.StatusCode == http.StatusUnauthorized {
		return strings.Contains(res.Header.Get("WWW-Authenticate"), "use_dpop_nonce")
	}
	if res.StatusCode != http.StatusBadRequest {
		return false
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(body))
	var said struct {
		Error string `json:"error"`
	}
	return json.Unmarshal(body, &said) == nil && said.Error == "use_dpop_nonce"
}
