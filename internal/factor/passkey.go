package factor

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"exeunt.dev/internal/browser"
	"exeunt.dev/internal/door"
	"exeunt.dev/internal/idp"
)

// ErrNoPasskeys says that browsers give no passkeys at this issuer's address.
var ErrNoPasskeys = idp.Invalid("passkey", "Passkeys cannot be used at this address.")

// HasPasskeys says whether browsers give passkeys at this issuer's address.
func (f *Factors) HasPasskeys() bool { return f.rp != nil }

// Anybody can ask for a challenge, and each is a row: none may fill the disk.
const (
	challengeEvery = 100 * time.Millisecond
	challenges     = 1000
)

// userHandle is what an authenticator keeps of whom a passkey is for: not the username, and not the `sub` that apps see.
func (f *Factors) userHandle(id idp.AccountID) []byte {
	return f.vault.Derive("passkey user handle "+string(id), 32)
}

// Challenge begins a sign-in by passkey, for whoever comes.
func (f *Factors) Challenge(ctx context.Context, r *http.Request, browser idp.Hash) (id string, options []byte, err error) {
	if f.rp == nil {
		return "", nil, ErrNoPasskeys
	}
	if ok, wait := f.asked.AllowCaller(r); !ok {
		return "", nil, &idp.LimitedError{Wait: wait}
	}
	options, ceremony, err := f.rp.challenge()
	if err != nil {
		return "", nil, err
	}
	var born idp.Epochs
	if err := f.store.View(ctx, func(v idp.View) (err error) { born, err = v.Epochs("", ""); return err }); err != nil {
		return "", nil, err
	}
	id, err = f.begin(ctx, idp.Pending{Browser: browser, Born: born, Data: ceremony})
	return id, options, err
}

// Enrol begins to add a passkey for the session's person. ErrNoPasskeys, *idp.LimitedError, and the store's.
func (f *Factors) Enrol(ctx context.Context, s *idp.Session, browser idp.Hash) (id string, options []byte, err error) {
	if f.rp == nil {
		return "", nil, ErrNoPasskeys
	}
	if err := f.mayBegin(s.Account); err != nil {
		return "", nil, err
	}
	var k keyholder
	err = f.store.View(ctx, func(v idp.View) error {
		k, err = f.keyholder(v, s.Account)
		return err
	})
	if err != nil {
		return "", nil, err
	}
	options, ceremony, err := f.rp.enrol(&k)
	if err != nil {
		return "", nil, err
	}
	id, err = f.begin(ctx, idp.Pending{Browser: browser, Session: s.Name, Born: idp.Epochs{Realm: s.Realm, Account: s.Epoch}, Data: ceremony})
	return id, options, err
}

func (f *Factors) keyholder(v idp.View, id idp.AccountID) (k keyholder, err error) {
	who, err := v.Account(id)
	if err != nil {
		return k, err
	}
	all, err := v.Credentials(id)
	k.handle, k.name = f.userHandle(id), who.Username
	for _, c := range all {
		if c.Kind != idp.CredentialPasskey {
			continue
		}
		p, err := readPasskey(&c)
		if err != nil {
			return k, err
		}
		k.keys = append(k.keys, p.Credential)
	}
	return k, err
}

func (f *Factors) begin(ctx context.Context, row idp.Pending) (id string, err error) {
	id = idp.NewSecret(16)
	return id, f.store.Update(ctx, func(tx idp.Tx) error {
		now, err := tx.Mint()
		if err != nil {
			return err
		}
		row.ID, row.Kind, row.CreatedAt, row.ExpiresAt = idp.HashOf(id), idp.PendingPasskey, now, now.Add(f.life)
		return tx.InsertPending(row)
	})
}

// ceremony takes what a challenge was kept with, once: whatever comes of the answer, there is no second one. idp.ErrEnded.
func (f *Factors) ceremony(ctx context.Context, id string, browser idp.Hash, session idp.Name) (data []byte, err error) {
	err = f.store.Update(ctx, func(tx idp.Tx) (err error) {
		data, err = takeCeremony(tx, id, browser, session)
		return err
	})
	if errors.Is(err, idp.ErrNotFound) { // there was none, or somebody was quicker
		err = idp.ErrEnded
	}
	return data, err
}

func takeCeremony(tx idp.Tx, id string, browser idp.Hash, session idp.Name) ([]byte, error) {
	row, err := tx.Pending(idp.HashOf(id))
	if err != nil {
		return nil, err
	}
	now, err := tx.Mint()
	if err != nil {
		return nil, err
	}
	if row.Kind != idp.PendingPasskey || row.Browser != browser || row.Session != session || now >= row.ExpiresAt {
		return nil, idp.ErrEnded
	}
	if err := idp.Live(tx, row.Born.Names()...); err != nil {
		return nil, err
	}
	_, err = tx.TakePending(row.ID)
	return row.Data, err
}

// Assert finishes a sign-in by passkey. User verification is required, so that it is both factors. Errors: idp.ErrWrong, idp.ErrEnded (the
// challenge is used, over, or another browser's), idp.ErrLocked (told only after the right passkey), and the store's.
//
// R: the account's epochs are read together with the passkey, before its answer is checked, and are what a session is born under.
func (f *Factors) Assert(ctx context.Context, r *http.Request, from idp.Hash, id, answer string) (browser.Proof, error) {
	var none browser.Proof
	if f.rp == nil {
		return none, ErrNoPasskeys
	}
	given, err := readAnswer([]byte(answer))
	if err != nil {
		return none, err
	}
	ceremony, err := f.ceremony(ctx, id, from, idp.Name{})
	if err != nil {
		return none, err
	}
	var c idp.Credential
	var who idp.Account
	var born idp.Epochs
	var care idp.Care
	err = f.store.View(ctx, func(v idp.View) (err error) {
		if c, err = v.CredentialByHandle(given.handle()); err != nil {
			return err
		}
		if care, err = v.Care(c.Account); err != nil && !errors.Is(err, idp.ErrNotFound) {
			return err
		}
		if who, err = v.Account(c.Account); err != nil {
			return err
		}
		born, err = v.Epochs(c.Account, "")
		return err
	})
	if errors.Is(err, idp.ErrNotFound) || (err == nil && (c.Kind != idp.CredentialPasskey || who.State == idp.AccountDeleted)) {
		err = idp.ErrWrong
	}
	if err != nil {
		return none, err
	}
	now, err := f.asserted(ctx, &c, ceremony, given)
	if errors.Is(err, idp.ErrWrong) {
		f.failed(r, c.Account, "passkey")
	}
	if err != nil {
		return none, err
	}
	if born.Account.IsZero() {
		if born, err = door.OpenFor(ctx, f.store, &who, func(tx idp.Tx) (bool, error) {
			row, err := tx.CredentialByHandle(given.handle())
			return row.ID == c.ID, err
		}); err != nil {
			return none, err
		}
	}
	if care.Doubtful(c.AddedAt) {
		return none, idp.ErrDoubtful // whoever had the account before may have added it
	}
	// RFC 8176 section 2. Without attestation nobody knows whether the key is in hardware; one that is synced is not.
	proof := browser.Proof{Account: c.Account, Born: born, Methods: []string{"pop", "user", "mfa"}, Strong: true}
	if now.Credential.Flags.BackupEligible {
		proof.Methods[0] = "swk"
	}
	return proof, nil
}

// asserted checks an answer against the passkey it names, and writes its use: counter and flags, by compare on the counter.
func (f *Factors) asserted(ctx context.Context, c *idp.Credential, ceremony []byte, given asserted) (passkey, error) {
	kept, err := readPasskey(c)
	if err != nil {
		return kept, err
	}
	k := keyholder{handle: f.userHandle(c.Account), keys: []credential{kept.Credential}}
	now, cloned, err := f.rp.check(&k, ceremony, given)
	if err != nil {
		return now, err
	}
	if cloned {
		return now, idp.ErrWrong // WebAuthn section 7.2, step 22: of a copy and its original nobody knows which is the person's
	}
	was := c.Counter
	c.Counter = int64(now.Credential.Authenticator.SignCount)
	if c.Public, err = json.Marshal(now); err != nil {
		return now, err
	}
	used := false
	err = f.store.Update(ctx, func(tx idp.Tx) (err error) {
		if c.UsedAt, err = tx.Mint(); err == nil {
			used, err = tx.UseCredential(*c, was)
		}
		return err
	})
	if err == nil && !used {
		err = idp.ErrWrong // removed meanwhile, or its counter has moved on
	}
	return now, err
}

// maxPasskeys of an account: a list that people can read, and browsers take as "not on this device again".
const maxPasskeys = 20

// maxName is how long the name of a passkey may be, in characters.
const maxName = 64

// passkeyName tidies a name that a person gives.
func passkeyName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, unicode.IsControl) {
		return "", idp.Invalid("name", "A passkey's name has 1 to 64 characters.")
	}
	return name, nil
}

// AddPasskey finishes adding one, and ends what the person has elsewhere. idp.ErrWrong, idp.ErrEnded, idp.ErrConflict, *idp.InvalidError.
func (f *Factors) AddPasskey(ctx context.Context, r *http.Request, s *idp.Session, from, cookie idp.Hash, id, name, answer string) (receipt idp.Receipt, err error) {
	if f.rp == nil {
		return receipt, ErrNoPasskeys
	}
	if name, err = passkeyName(name); err != nil {
		return receipt, err
	}
	ceremony, err := f.ceremony(ctx, id, from, s.Name)
	if err != nil {
		return receipt, err
	}
	made, err := f.rp.made(&keyholder{handle: f.userHandle(s.Account)}, ceremony, []byte(answer))
	if err != nil {
		return receipt, err
	}
	public, err := json.Marshal(made)
	if err != nil {
		return receipt, err
	}
	return f.change(ctx, s, cookie, func(tx idp.Tx, now idp.Time, all []idp.Credential) error {
		if idp.Has(all, idp.CredentialPasskey) >= maxPasskeys {
			return idp.Invalid("passkey", "You have as many passkeys as an account may have. Remove one first.")
		}
		c := added(s, r, idp.CredentialPasskey, now)
		c.Name, c.Handle, c.Public, c.Counter = name, handleOf(made.Credential.ID), public, int64(made.Credential.Authenticator.SignCount)
		if err := tx.InsertCredential(c); err != nil {
			return err
		}
		return f.record(tx, r, s, idp.EventFactorAdded, &c, now)
	})
}

// Rename gives a passkey another name. idp.ErrNotFound.
func (f *Factors) Rename(ctx context.Context, s *idp.Session, id idp.CredentialID, name string) error {
	name, err := passkeyName(name)
	if err != nil {
		return err
	}
	return f.store.Update(ctx, func(tx idp.Tx) error { return tx.RenameCredential(s.Account, id, name) })
}

// Synced says whether a passkey is kept in more places than the device on which it was made.
func Synced(c *idp.Credential) bool {
	p, err := readPasskey(c)
	return err == nil && p.Synced()
}
