package factor

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"net/http"
	"strings"

	"exeunt.dev/internal/idp"
)

// Recovery codes stand in for the authenticator app, once each. They are random, 80 bits, so that a plain hash keeps them.
const (
	codeCount = 10
	codeBytes = 10
	codeGroup = 4 // characters between dashes
)

// newCodes makes a set, as people see it.
func newCodes() []string {
	out := make([]string, codeCount)
	for i := range out {
		b := make([]byte, codeBytes)
		rand.Read(b)
		text := strings.ToLower(base32.StdEncoding.EncodeToString(b))
		var groups []string
		for ; text != ""; text = text[codeGroup:] {
			groups = append(groups, text[:codeGroup])
		}
		out[i] = strings.Join(groups, "-")
	}
	return out
}

// recoveryHash is what is kept of a code, however it is typed.
func recoveryHash(id idp.AccountID, code string) idp.Hash {
	return idp.HashOf("recovery " + string(id) + " " + strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(code)))
}

// replaceCodes voids the old set and keeps the new one.
func replaceCodes(tx idp.Tx, r *http.Request, s *idp.Session, codes []string, now idp.Time) error {
	if err := tx.DeleteCredentials(s.Account, idp.CredentialRecovery); err != nil {
		return err
	}
	for _, code := range codes {
		c := added(s, r, idp.CredentialRecovery, now)
		c.Handle = recoveryHash(s.Account, code)
		if err := tx.InsertCredential(c); err != nil {
			return err
		}
	}
	return nil
}

// Regenerate voids the recovery codes and makes new ones, ending what the person has elsewhere. idp.ErrNotFound: there is no
// authenticator app that they could stand in for.
func (f *Factors) Regenerate(ctx context.Context, r *http.Request, s *idp.Session, cookie idp.Hash) (codes []string, receipt idp.Receipt, err error) {
	codes = newCodes()
	receipt, err = f.change(ctx, s, cookie, func(tx idp.Tx, now idp.Time, all []idp.Credential) error {
		if !idp.OwesSecond(all) {
			return idp.ErrNotFound
		}
		if err := replaceCodes(tx, r, s, codes, now); err != nil {
			return err
		}
		return f.record(tx, r, s, idp.EventRecoveryMade, nil, now)
	})
	if err != nil {
		return nil, idp.Receipt{}, err
	}
	return codes, receipt, nil
}
