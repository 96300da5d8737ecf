package keys

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"exeunt.dev/internal/idp"
	"exeunt.dev/internal/jws"
	"exeunt.dev/ledger"
)

// HintLife is how long a retired key still verifies ID token hints (OpenID Connect RP-Initiated Logout 1.0 section 2
// wants expired hints accepted).
const HintLife = 90 * 24 * time.Hour

// receiptKeys is how many retired keys of receipts are published, the last ones. Receipts do not expire, but apps read no set of keys
// without end (rp: 64 KiB). What older ones have signed, the database's owner verifies.
const receiptKeys = 64

// Ring is the view of the keys that a node signs and verifies with. It is a cache of rows. A stale one is harmless,
// because the ledger is asked for the kid of every access token, and of every hint that signs out.
type Ring struct {
	store  idp.Store
	vault  *Vault
	algs   []string // the first one signs access tokens, and ID tokens of clients that registered none
	reload sync.Mutex
	view   atomic.Pointer[view]
}

type view struct {
	signers map[slot]*jws.Signer // active keys that have not been killed
	verify  map[idp.Name]Verifier
	jwks    []byte
}

type slot struct {
	use idp.KeyUse
	alg string
}

// Verifier is a public key with what it is for.
type Verifier struct {
	jws.Key
	Use    idp.KeyUse
	State  idp.KeyState
	signer *jws.Signer // of an active key
}

// Signed says whether a message has a signature of this key. Verify says the same of any key, and takes longer.
func (v Verifier) Signed(m jws.Unverified) bool {
	return v.signer != nil && v.signer.Signed(m) || m.Verify(v.Key) == nil
}

// Open loads the keys, making those that are missing: two for each use and algorithm. algs are the algorithms
// configured: ES256, EdDSA, RS256; the first is the default.
func Open(ctx context.Context, store idp.Store, vault *Vault, algs []string) (*Ring, error) {
	r := &Ring{store: store, vault: vault, algs: algs}
	if err := r.Fill(ctx); err != nil {
		return nil, err
	}
	return r, r.Load(ctx)
}

// slots are what must have an active and a standby key.
func (r *Ring) slots() []slot {
	out := []slot{{idp.UseAccess, r.algs[0]}, {idp.UseReceipt, r.algs[0]}}
	for _, alg := range r.algs {
		out = append(out, slot{idp.UseID, alg})
	}
	return out
}

// gap is a key that is missing.
type gap struct {
	slot
	state idp.KeyState
}

func (r *Ring) gaps(v idp.View) (out []gap, err error) {
	rows, err := living(v)
	for _, s := range r.slots() {
		for _, state := range []idp.KeyState{idp.KeyActive, idp.KeyStandby} {
			if !slices.ContainsFunc(rows, func(k idp.Key) bool { return k.Use == s.use && k.Alg == s.alg && k.State == state }) {
				out = append(out, gap{s, state})
			}
		}
	}
	return out, err
}

// Fill makes keys that are missing. It runs at start and after a rotation or kill, and is safe to run on many nodes.
func (r *Ring) Fill(ctx context.Context) error {
	var missing []gap
	if err := r.store.View(ctx, func(v idp.View) (err error) { missing, err = r.gaps(v); return err }); err != nil {
		return err
	}
	for _, g := range missing {
		if err := r.fill(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

func (r *Ring) fill(ctx context.Context, g gap) error {
	row, err := r.generate(g.slot, g.state) // outside the transaction: an RSA key takes its time
	if err != nil {
		return err
	}
	return r.store.Update(ctx, func(tx idp.Tx) error {
		if err := tx.LockRealm(idp.Exclusive); err != nil {
			return err
		}
		all, err := tx.Keys()
		if err != nil {
			return err
		}
		if err := r.vault.Opens(all); err != nil { // another first node has a key file of its own
			return err
		}
		if missing, err := r.gaps(tx); err != nil || !slices.Contains(missing, g) {
			return err
		}
		if row.CreatedAt, err = tx.Mint(); err != nil {
			return err
		}
		return tx.InsertKey(row)
	})
}

// Opens says whether the key file is the one that all keys of a database were made with.
func (v *Vault) Opens(all []idp.Key) error {
	for _, k := range all {
		if _, err := v.open(k); err != nil {
			return err
		}
	}
	return nil
}

func (v *Vault) open(k idp.Key) ([]byte, error) {
	private, err := v.Open(k.Private, k.Kid.String())
	if err != nil {
		return nil, fmt.Errorf("signing key %s %w", k.Kid, err)
	}
	return private, nil
}

// living are the keys that no ending has killed.
func living(v idp.View) ([]idp.Key, error) {
	rows, err := v.Keys()
	if err != nil {
		return nil, err
	}
	kids := make([]idp.Name, len(rows))
	for i, k := range rows {
		kids[i] = k.Kid
	}
	killed, err := v.Ended(kids...)
	return slices.DeleteFunc(rows, func(k idp.Key) bool { return slices.Contains(killed, k.Kid) }), err
}

func (r *Ring) generate(s slot, state idp.KeyState) (idp.Key, error) {
	kid := ledger.NewName()
	signer, err := jws.Generate(kid.String(), s.alg)
	if err != nil {
		return idp.Key{}, err
	}
	private, err := signer.MarshalPrivate()
	if err != nil {
		return idp.Key{}, err
	}
	public, err := x509.MarshalPKIXPublicKey(signer.Public().Public)
	if err != nil {
		return idp.Key{}, err
	}
	return idp.Key{Kid: kid, Use: s.use, Alg: s.alg, State: state, Private: r.vault.Seal(private, kid.String()), Public: public}, nil
}

// Load reads the keys anew.
func (r *Ring) Load(ctx context.Context) error {
	r.reload.Lock()
	defer r.reload.Unlock()
	var rows []idp.Key
	err := r.store.View(ctx, func(v idp.View) (err error) {
		rows, err = living(v)
		return err
	})
	if err != nil {
		return err
	}
	now, _ := r.store.Now()
	next := &view{signers: map[slot]*jws.Signer{}, verify: map[idp.Name]Verifier{}}
	var published []jws.Key
	for _, row := range kept(rows, now) {
		public, err := x509.ParsePKIXPublicKey(row.Public)
		if err != nil {
			return fmt.Errorf("key %s: %w", row.Kid, err)
		}
		k := jws.Key{ID: row.Kid.String(), Alg: row.Alg, Public: public, For: string(row.Use)}
		verifier := Verifier{Key: k, Use: row.Use, State: row.State}
		published = append(published, k)
		if row.State == idp.KeyActive {
			private, err := r.vault.open(row)
			if err != nil {
				return err
			}
			if verifier.signer, err = jws.ParsePrivate(row.Kid.String(), row.Alg, private); err != nil {
				return fmt.Errorf("key %s: %w", row.Kid, err)
			}
			next.signers[slot{row.Use, row.Alg}] = verifier.signer
		}
		next.verify[row.Kid] = verifier
	}
	set, err := jws.NewSet(published...)
	if err != nil {
		return err
	}
	if next.jwks, err = set.MarshalJSON(); err != nil {
		return err
	}
	r.view.Store(next)
	return nil
}

// kept leaves out the retired keys whose time is over.
func kept(rows []idp.Key, now idp.Time) []idp.Key {
	var receipts []idp.Time // when their keys were retired
	for _, k := range rows {
		if k.State == idp.KeyRetired && k.Use == idp.UseReceipt {
			receipts = append(receipts, k.RetiredAt)
		}
	}
	slices.Sort(receipts)
	var oldest idp.Time
	if n := len(receipts) - receiptKeys; n > 0 {
		oldest = receipts[n]
	}
	return slices.DeleteFunc(rows, func(k idp.Key) bool {
		switch {
		case k.State != idp.KeyRetired:
			return false
		case k.Use == idp.UseReceipt:
			return k.RetiredAt < oldest
		}
		return now > k.RetiredAt.Add(HintLife)
	})
}

// JWKS is the document for /.well-known/jwks.json: active, standby and retired keys, none that was killed.
func (r *Ring) JWKS() []byte { return r.view.Load().jwks }

// Algs are the algorithms that ID tokens can be had in; the first is the default.
func (r *Ring) Algs() []string { return r.algs }

// Signer returns the active key of a use. alg "" means the default.
func (r *Ring) Signer(use idp.KeyUse, alg string) (*jws.Signer, error) {
	if alg == "" {
		alg = r.algs[0]
	}
	s, ok := r.view.Load().signers[slot{use, alg}]
	if !ok {
		return nil, fmt.Errorf("no active %s key for %s: %w", use, alg, idp.ErrUnavailable)
	}
	return s, nil
}

// Verifier returns a key by kid; keys that were killed are not found.
func (r *Ring) Verifier(kid string) (Verifier, bool) {
	name, err := ledger.ParseName(kid)
	if err != nil {
		return Verifier{}, false
	}
	v, ok := r.view.Load().verify[name]
	return v, ok
}

// Verifies says whether a name is that of a key of this ring.
func (r *Ring) Verifies(kid idp.Name) bool { _, ok := r.view.Load().verify[kid]; return ok }
