package rooms_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"

	"exeunt.dev/internal/config"
)

// startNamed is a node at a name, for browsers give no passkeys at a number.
func startNamed(t *testing.T, change ...func(*config.Config)) *node {
	t.Helper()
	n := start(t, append(change, func(c *config.Config) { c.Issuer = strings.Replace(c.Issuer, "127.0.0.1", "localhost", 1) })...)
	n.at = n.config.Issuer
	return n
}

// Flags of authenticator data (WebAuthn section 6.1).
const (
	present, verified, eligible, backedUp, attested = 1, 4, 8, 16, 64
)

// authenticator is a security key in software, with the browser around it. A test bends what it likes.
type authenticator struct {
	t           *testing.T
	key         *ecdsa.PrivateKey
	id, handle  []byte
	count       uint32
	flags       byte
	rp, origin  string
	crossOrigin bool
}

func (n *node) authenticator() *authenticator {
	n.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		n.t.Fatal(err)
	}
	id := make([]byte, 32)
	rand.Read(id)
	return &authenticator{t: n.t, key: key, id: id, flags: present | verified, rp: "localhost", origin: n.at}
}

var b64 = base64.RawURLEncoding

type ceremony struct {
	Ceremony string
	Options  struct {
		PublicKey struct {
			Challenge        string
			RPID             string `json:"rpId"`
			UserVerification string
			AllowCredentials []any
			Attestation      string
			RP               struct{ ID string }
			User             struct{ ID, Name string }
			Exclude          []any                                          `json:"excludeCredentials"`
			Selection        struct{ ResidentKey, UserVerification string } `json:"authenticatorSelection"`
		}
	}
}

// asks gets a challenge as the script of a page does.
func (p *person) asks(page, at string) (out ceremony) {
	p.t.Helper()
	a := p.post(at, url.Values{"csrf": {fields(p.get(page).body).Get("csrf")}})
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != 200 {
		p.t.Fatalf("no challenge: %d %s", a.status, a.body)
	}
	return out
}

func (a *authenticator) clientData(kind, challenge string) []byte {
	b, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.origin, "crossOrigin": a.crossOrigin})
	if err != nil {
		a.t.Fatal(err)
	}
	return b
}

func (a *authenticator) data(flags byte) []byte {
	sum := sha256.Sum256([]byte(a.rp))
	return binary.BigEndian.AppendUint32(append(sum[:], flags), a.count)
}

func (a *authenticator) envelope(response map[string]any) string {
	b, err := json.Marshal(map[string]any{"id": b64.EncodeToString(a.id), "rawId": b64.EncodeToString(a.id), "type": "public-key", "clientExtensionResults": map[string]any{}, "response": response})
	if err != nil {
		a.t.Fatal(err)
	}
	return string(b)
}

// create makes the passkey (navigator.credentials.create).
func (a *authenticator) create(q ceremony) string {
	a.t.Helper()
	a.handle, _ = b64.DecodeString(q.Options.PublicKey.User.ID)
	point, err := a.key.PublicKey.Bytes()
	if err != nil {
		a.t.Fatal(err)
	}
	cose, err := webauthncbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]})
	if err != nil {
		a.t.Fatal(err)
	}
	data := append(a.data(a.flags|attested), make([]byte, 16)...)
	data = append(binary.BigEndian.AppendUint16(data, uint16(len(a.id))), a.id...)
	object, err := webauthncbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": append(data, cose...)})
	if err != nil {
		a.t.Fatal(err)
	}
	client := a.clientData("webauthn.create", q.Options.PublicKey.Challenge)
	return a.envelope(map[string]any{"clientDataJSON": b64.EncodeToString(client), "attestationObject": b64.EncodeToString(object), "transports": []string{"internal"}})
}

// get signs a challenge (navigator.credentials.get).
func (a *authenticator) get(q ceremony) string {
	a.t.Helper()
	data, client := a.data(a.flags), a.clientData("webauthn.get", q.Options.PublicKey.Challenge)
	hash := sha256.Sum256(client)
	sum := sha256.Sum256(append(data[:len(data):len(data)], hash[:]...))
	sig, err := ecdsa.SignASN1(rand.Reader, a.key, sum[:])
	if err != nil {
		a.t.Fatal(err)
	}
	return a.envelope(map[string]any{"clientDataJSON": b64.EncodeToString(client), "authenticatorData": b64.EncodeToString(data), "signature": b64.EncodeToString(sig),
		"userHandle": b64.EncodeToString(a.handle)})
}

// add adds the authenticator's passkey on the page.
func (p *person) add(a *authenticator, name string) answer {
	p.t.Helper()
	q := p.asks("/account/passkeys", "/account/passkeys/challenge")
	return p.post("/account/passkeys", with(fields(p.get("/account/passkeys").body), "ceremony", q.Ceremony, "name", name, "credential", a.create(q)))
}

// enrolled is alice with a passkey.
func (n *node) enrolled() (*person, *authenticator) {
	n.t.Helper()
	p, a := n.alice(), n.authenticator()
	if got := p.add(a, "the blue one"); !strings.Contains(got.location, "done=added") {
		n.t.Fatalf("not added: %d %s %s", got.status, got.location, got.body)
	}
	return p, a
}

// present shows a passkey's answer on the page at the address.
func (p *person) present(at, ceremony, answer string) answer {
	p.t.Helper()
	return p.post("/login", with(fields(p.get(at).body), "act", "passkey", "ceremony", ceremony, "credential", answer))
}

// passkey signs in with one.
func (p *person) passkey(at string, a *authenticator) answer {
	p.t.Helper()
	a.count++
	q := p.asks(at, "/login/passkey")
	return p.present(at, q.Ceremony, a.get(q))
}
