package exeunttest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"exeunt.dev/internal/jws"
	"exeunt.dev/ledger"
)

// LifeCap is the longest life of a token here.
const LifeCap = time.Hour

// Issuer signs tokens and keeps a ledger, in memory. All methods may be called at the same time.
type Issuer struct {
	URL      string // the issuer's address, as iss says it
	Audience string // the API under test, as aud says it
	ID       string // credentials of the API for the ledger
	Secret   string

	tb      testing.TB
	handler http.Handler

	mu       sync.Mutex
	now      ledger.Time
	realm    ledger.Name
	signer   *jws.Signer
	public   []jws.Key
	lineage  ledger.Lineage
	entries  []ledger.Entry // number n is entries[n-1]
	retained uint64         // the tail cannot go on from below this number
	down     bool
	changed  chan struct{} // closed and made anew at every change
}

// New starts an issuer on a loopback address. It stops with the test.
func New(tb testing.TB) *Issuer {
	tb.Helper()
	i := newIssuer(tb)
	srv := httptest.NewServer(i.handler)
	i.URL = srv.URL
	tb.Cleanup(func() {
		i.SetDown(true) // ends the tails, for which Close would wait
		srv.Close()
	})
	return i
}

// NewInMemory is an issuer that only [Issuer.Client] reaches. Without sockets it works within testing/synctest.
func NewInMemory(tb testing.TB) *Issuer {
	tb.Helper()
	i := newIssuer(tb)
	i.URL = "https://issuer.test"
	return i
}

func newIssuer(tb testing.TB) *Issuer {
	i := &Issuer{
		Audience: "https://api.test",
		ID:       "orders api", // a blank and a colon, so that the encoding of RFC 6749 section 2.3.1 is needed
		Secret:   "not: a secret",
		tb:       tb,
		now:      1_800_000_000_000,
		realm:    ledger.NewName(),
		lineage:  ledger.NewLineage(),
		changed:  make(chan struct{}),
	}
	i.handler = i.routes()
	i.RotateKey()
	return i
}

// update changes the state and wakes the tails.
func (i *Issuer) update(f func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	f()
	close(i.changed)
	i.changed = make(chan struct{})
}

// Now is ledger time.
func (i *Issuer) Now() time.Time {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.now.Time()
}

// Advance turns the clock on. Guards hear of it with their next question.
func (i *Issuer) Advance(d time.Duration) {
	i.update(func() { i.now = i.now.Add(max(d, 0)) })
}

// End ends names: of a token (jti), or of what tokens hang on. A name that has ended stays so.
func (i *Issuer) End(names ...ledger.Name) {
	i.update(func() {
		for _, n := range names {
			i.append(ledger.Entry{Name: n, Until: ledger.Until(i.now, LifeCap)})
		}
	})
}

// EndToken ends one token, by its jti.
func (i *Issuer) EndToken(raw string) {
	i.tb.Helper()
	msg, err := jws.Parse(raw)
	var c struct{ JTI ledger.Name }
	if err == nil {
		err = json.Unmarshal(msg.Payload, &c)
	}
	if err != nil {
		i.tb.Fatalf("exeunttest: not a token: %v", err)
	}
	i.End(c.JTI)
}

// append needs mu.
func (i *Issuer) append(e ledger.Entry) {
	if e.Name.IsZero() {
		panic("exeunttest: the zero name cannot end")
	}
	if !slices.ContainsFunc(i.entries, func(o ledger.Entry) bool { return o.Name == e.Name }) {
		i.entries = append(i.entries, e)
	}
}

// RotateKey signs with a new key from now on. Tokens of the old one stay good.
func (i *Issuer) RotateKey() {
	i.tb.Helper()
	signer, err := jws.Generate(ledger.NewName().String(), jws.ES256)
	if err != nil {
		i.tb.Fatal(err)
	}
	public := signer.Public()
	public.For = "access"
	i.update(func() {
		i.signer = signer
		i.public = append(i.public, public)
	})
}

// KillKey ends the key and all tokens it has signed, takes it out of the key set and signs with a new one.
func (i *Issuer) KillKey() {
	i.tb.Helper()
	i.mu.Lock()
	kid := i.signer.Public().ID
	i.mu.Unlock()
	i.RotateKey()
	i.update(func() {
		i.public = slices.DeleteFunc(i.public, func(k jws.Key) bool { return k.ID == kid })
		name, err := ledger.ParseName(kid)
		if err != nil {
			panic(err)
		}
		i.append(ledger.Entry{Name: name, Until: ledger.Forever})
	})
}

// SetDown makes everything answer 503 and cuts the tails, or undoes it.
func (i *Issuer) SetDown(down bool) { i.update(func() { i.down = down }) }

// Forget makes the ledger retain nothing of what it has told: who has not heard all must take a snapshot.
func (i *Issuer) Forget() { i.update(func() { i.retained = uint64(len(i.entries)) }) }

// Restore is what a restored backup looks like: another lineage, the last lost entries are gone, and the realm has
// ended, so that every token from before is over.
func (i *Issuer) Restore(lost int) {
	i.update(func() {
		i.entries = slices.Clone(i.entries[:len(i.entries)-lost])
		i.append(ledger.Entry{Name: i.realm, Until: ledger.Until(i.now, LifeCap)})
		i.realm = ledger.NewName()
		i.lineage = ledger.NewLineage()
		i.retained = 0
	})
}

// Head of the ledger.
func (i *Issuer) Head() ledger.Head {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.head()
}

func (i *Issuer) head() ledger.Head {
	return ledger.Head{Lineage: i.lineage, Number: uint64(len(i.entries)), Time: i.now}
}
